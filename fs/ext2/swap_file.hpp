// A file's blocks as a device, for swapping: where they lie is noted once, so that nothing has to be
// read, or memory found, when a page must go. The file is frozen for as long as this lives.
// Locks: none of its own; the extents don't change.
#pragma once

#include "drivers/block.hpp"
#include "fs/ext2/inode.hpp"
#include "kernel/lib/ref.hpp"
#include "kernel/lib/vector.hpp"

namespace ext2 {

class SwapFile final : public BlockDevice {
  public:
    // EINVAL: it has holes, or less than a page. EBUSY: it is frozen already.
    static Result<Box<BlockDevice>> create(Ext2Inode& file);
    explicit SwapFile(Ext2Inode& file);
    ~SwapFile() override;

    uint64_t sectors() const override { return sectors_; }
    Result<void> read(Sector first, uint32_t count, void* to) override;
    Result<void> write(Sector first, uint32_t count, const void* from) override;

  private:
    struct Extent {  // in blocks
        uint32_t file, disk, count;
    };
    Result<void> find_extents();
    template <typename F>
    Result<void> transfer(Sector first, uint32_t count, F&& move);

    Ref<Ext2Inode> file_;
    uint32_t shift_;  // sectors per block, log2
    bool frozen_ = false;
    uint64_t sectors_ = 0;
    Vector<Extent> extents_;  // by `file`
};

}  // namespace ext2
