// How the blocks of a file are found, as pure policies: contiguous, implicit links (each block says
// which is next), explicit links (a FAT in memory), a multi-level index, and the mixed index of ext2.
// A policy knows the blocks that the file has, and says which must be read, in order, to get one.
#pragma once

#include <algorithm>
#include <cstdint>
#include <string_view>
#include <vector>

struct DiskFile {
    std::vector<uint32_t> blocks;  // where its blocks are on the disk
    uint32_t pointers;             // numbers in an index block
};

class FileOrganisation {
  public:
    explicit FileOrganisation(const DiskFile& file) : file_(file) {}
    virtual ~FileOrganisation() = default;
    virtual std::string_view name() const = 0;
    // Blocks to read for block `index` of the file with nothing in memory; the last one is its data.
    virtual std::vector<uint32_t> way(uint32_t index) const = 0;
    // Look-ups in a table that is in memory.
    virtual uint32_t look_ups(uint32_t) const { return 0; }
    // Bytes of a data block that hold no data.
    virtual uint32_t lost_bytes() const { return 0; }
    // Blocks to copy before one can be added when the one behind the file's last is taken.
    virtual uint32_t moved_to_grow() const { return 0; }

  protected:
    uint32_t size() const { return static_cast<uint32_t>(file_.blocks.size()); }
    // A name for index block `number` of a level; no data block has such a number.
    static uint32_t index_block(uint32_t tree, uint32_t level, uint32_t number) {
        return 1u << 31 | tree << 28 | level << 24 | number;
    }
    // Down a tree of so many levels, from its block `index` on to the data.
    std::vector<uint32_t> down(uint32_t tree, uint32_t levels, uint64_t index,
                               uint32_t data) const {
        std::vector<uint32_t> way;
        for (uint32_t level = levels; level; --level)
            way.push_back(index_block(tree, level, static_cast<uint32_t>(index / reach(level))));
        way.push_back(data);
        return way;
    }
    uint64_t reach(uint32_t levels) const {  // blocks under an index block
        uint64_t blocks = 1;
        for (; levels; --levels) blocks *= file_.pointers;
        return blocks;
    }
    DiskFile file_;
};

class Contiguous final : public FileOrganisation {
  public:
    using FileOrganisation::FileOrganisation;
    std::string_view name() const override { return "contiguous"; }
    std::vector<uint32_t> way(uint32_t index) const override {
        return {file_.blocks.front() + index};
    }
    uint32_t moved_to_grow() const override { return size(); }
};

// The directory entry has the first block and the last one.
class ImplicitLinks final : public FileOrganisation {
  public:
    using FileOrganisation::FileOrganisation;
    std::string_view name() const override { return "implicit links"; }
    std::vector<uint32_t> way(uint32_t index) const override {
        if (index + 1 == size()) return {file_.blocks.back()};
        return {file_.blocks.begin(), file_.blocks.begin() + index + 1};
    }
    uint32_t lost_bytes() const override { return 4; }
};

class ExplicitLinks final : public FileOrganisation {
  public:
    using FileOrganisation::FileOrganisation;
    std::string_view name() const override { return "explicit links (FAT)"; }
    std::vector<uint32_t> way(uint32_t index) const override { return {file_.blocks[index]}; }
    uint32_t look_ups(uint32_t index) const override { return index; }
};

// As many levels of index blocks as the file needs, for each of its blocks.
class MultiLevelIndex final : public FileOrganisation {
  public:
    using FileOrganisation::FileOrganisation;
    std::string_view name() const override { return "multi-level index"; }
    std::vector<uint32_t> way(uint32_t index) const override {
        uint32_t levels = 1;
        while (reach(levels) < size()) ++levels;
        return down(0, levels, index, file_.blocks[index]);
    }
};

// 12 numbers in the inode, then those of a single, a double and a triple indirect block.
class MixedIndex final : public FileOrganisation {
  public:
    using FileOrganisation::FileOrganisation;
    static constexpr uint32_t kDirect = 12;
    std::string_view name() const override { return "mixed index"; }
    std::vector<uint32_t> way(uint32_t index) const override {
        if (index < kDirect) return {file_.blocks[index]};
        uint64_t below = index - kDirect;
        uint32_t levels = 1;
        for (; below >= reach(levels); ++levels) below -= reach(levels);
        return down(levels, levels, below, file_.blocks[index]);
    }
};
