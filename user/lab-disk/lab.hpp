// lab-disk: see main.cpp.
#pragma once

#include <cstdint>
#include <cstdio>
#include <cstdlib>
#include <string>
#include <string_view>
#include <vector>

[[noreturn]] void usage();
[[noreturn]] void fail(const std::string& why);
unsigned long number(const std::string& text);

std::string read_text(const std::string& path);  // its first line
void write_text(const std::string& path, const std::string& text);
// The name in brackets of a file that lists names.
std::string chosen_of(const std::string& path);

// Puts a setting back as it was, however the program ends by itself.
class Kept {
  public:
    explicit Kept(std::string path) : path_(std::move(path)), before_(chosen_of(path_)) {}
    ~Kept() { write_text(path_, before_); }
    Kept(const Kept&) = delete;

  private:
    std::string path_, before_;
};

// A disk with a queue, opened as a file.
class Disk {
  public:
    explicit Disk(std::string name);  // empty: the first one
    Disk(const Disk&) = delete;
    ~Disk();

    const std::string& name() const { return name_; }
    std::string setting(const char* which) const {
        return "/proc/sys/dev/disk/" + name_ + "/" + which;
    }
    uint64_t sectors() const { return sectors_; }
    void read(uint64_t sector, void* to, size_t bytes) const;
    struct Counts {
        unsigned long requests = 0, in_flight = 0;
    };
    Counts counts() const;

  private:
    std::string name_;
    int fd_ = -1;
    uint64_t sectors_ = 0;
};

void drop_caches();  // so that the next read is the disk's

int modes(const std::vector<std::string>& words, bool json);
int elevators(const std::vector<std::string>& words, bool json);
