// lab-fs: see main.cpp.
#pragma once

#include <sys/stat.h>

#include <cstdint>
#include <cstdio>
#include <memory>
#include <string>
#include <vector>

#include "user/lab/command.hpp"

// One look-up on the way to a block of a file: what is read, where on the disk, and what it says.
struct Look {
    std::string what;  // "inode 12", "index block 77"
    uint64_t index;    // which number in it
    uint64_t says;     // a block, cluster or sector; 0: nothing
    uint64_t place;    // of the number on the disk, in bytes; kInMemory: it costs no read
};
constexpr uint64_t kInMemory = UINT64_MAX;

struct Way {
    std::string kind;  // "double indirect", "extent", "chain"
    std::vector<Look> looks;
    bool hole = false;
    uint64_t data = 0;  // where the byte is on the disk
};

// A file system, read from its disk as it is there.
class Volume {
  public:
    // Of the file system that a file lies on; ends the program if its format is none of ours.
    static std::unique_ptr<Volume> of(const std::string& path);
    virtual ~Volume();
    Volume(const Volume&) = delete;

    virtual Way way(const struct stat64& file, uint64_t offset) const = 0;
    virtual uint32_t block_size() const = 0;
    virtual const char* unit() const = 0;  // what a file is made of: block, cluster, sector

    const std::string& type() const { return type_; }
    const std::string& device() const { return device_; }
    const std::string& mounted_at() const { return place_; }
    // Requests to read that the disk has served so far.
    unsigned long reads() const;
    std::vector<uint8_t> bytes(uint64_t offset, size_t count) const;

  protected:
    Volume(std::string type, std::string device, std::string place);
    void read(uint64_t offset, void* to, size_t bytes) const;

  private:
    std::string type_, device_, place_;
    int fd_ = -1;
};

// Nothing is read ahead, and this program stays in memory, for as long as the object lives.
class OnlyWhatIsAsked {
  public:
    OnlyWhatIsAsked();
    ~OnlyWhatIsAsked();
    OnlyWhatIsAsked(const OnlyWhatIsAsked&) = delete;

  private:
    std::string before_;
};
// What memory has of disks is forgotten: contents (1), names and inodes too (3).
void forget(int what);

int bmap(int argc, char** argv);
int levels(int argc, char** argv);
int lookup(int argc, char** argv);
int directory(int argc, char** argv);
int bitmap(int argc, char** argv);
int free_space(int argc, char** argv);
int organisations(int argc, char** argv);
