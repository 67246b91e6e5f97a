// lab-fs: see main.cpp.
#pragma once

#include <cstdint>
#include <cstdio>
#include <cstdlib>
#include <string>
#include <string_view>
#include <vector>

#include "fs/ext2/layout.hpp"

[[noreturn]] void usage();
[[noreturn]] void fail(const std::string& why);
unsigned long number(const char* text);

// The ext2 file system that a file lies on, read from its disk as it is there (and in the cache).
class Volume {
  public:
    explicit Volume(const std::string& path);  // ends the program if it isn't on ext2
    Volume(const Volume&) = delete;
    ~Volume();

    const ext2::Superblock& super() const { return super_; }
    const std::string& device() const { return device_; }
    const std::string& mounted_at() const { return place_; }
    uint32_t block_size() const { return 1024u << super_.log_block_size; }
    uint32_t groups() const {
        return (super_.blocks_count - super_.first_data_block - 1) / super_.blocks_per_group + 1;
    }
    ext2::GroupDescriptor group(uint32_t index) const;
    struct InodePlace {
        uint32_t group, block, offset;
    };
    InodePlace inode_place(uint32_t number) const;
    ext2::InodeRecord inode(uint32_t number) const;
    std::vector<uint8_t> block(uint32_t number) const;
    // Requests to read that the disk has served so far.
    unsigned long reads() const;

  private:
    void read(uint64_t offset, void* to, size_t bytes) const;
    std::string device_, place_;
    int fd_ = -1;
    ext2::Superblock super_{};
};

struct Step {
    uint32_t index_block;  // 0: the inode itself
    uint32_t pointer;      // which of its pointers
    uint32_t to;           // what that says
};
// From the inode to the block of the file; ends at a hole (to = 0).
std::vector<Step> way_to(const Volume& volume, const ext2::InodeRecord& inode, uint32_t block);

int bmap(const std::vector<std::string>& words, bool json);
int bitmap(const std::vector<std::string>& words);
int lookup(const std::vector<std::string>& words);
int free_space(const std::vector<std::string>& words);
