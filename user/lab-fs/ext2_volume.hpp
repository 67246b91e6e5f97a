// An ext2 file system as its disk shows it.
#pragma once

#include "fs/ext2/layout.hpp"
#include "user/lab-fs/lab.hpp"

class Ext2Volume final : public Volume {
  public:
    Ext2Volume(const std::string& device, const std::string& place);
    Way way(const struct stat64& file, uint64_t offset) const override;
    uint32_t block_size() const override { return 1024u << super_.log_block_size; }
    const char* unit() const override { return "block"; }

    const ext2::Superblock& super() const { return super_; }
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
    // From the inode to the block of a file.
    Way way_of(uint32_t number, const ext2::InodeRecord& inode, uint32_t block) const;

  private:
    ext2::Superblock super_{};
};
