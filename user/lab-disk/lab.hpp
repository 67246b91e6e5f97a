// lab-disk: see main.cpp.
#pragma once

#include <cstdint>
#include <string>

#include "user/lab/command.hpp"

// A disk with a queue, opened as a file.
class Disk {
  public:
    explicit Disk(const std::string& name);
    Disk(const Disk&) = delete;
    ~Disk();
    static std::string first();  // the name of one; "": none has a queue

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

// Whether time is counted in instructions (scripts/run --icount): a loop takes the same each time.
bool time_is_counted();
void drop_caches();  // so that the next read is the disk's

int modes(int argc, char** argv);
int elevators(int argc, char** argv);
