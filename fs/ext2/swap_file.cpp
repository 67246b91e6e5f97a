// See swap_file.hpp.
#include "fs/ext2/swap_file.hpp"

#include <algorithm>

#include "fs/ext2/ext2.hpp"

namespace ext2 {

SwapFile::SwapFile(Ext2Inode& file)
    : BlockDevice("file", 0, 0), file_(&file), shift_(file.ext2().geometry().block_shift - 9) {}

SwapFile::~SwapFile() {
    if (frozen_) file_->cache().thaw();
}

Result<Box<BlockDevice>> SwapFile::create(Ext2Inode& file) {
    Box<SwapFile> made = TRY(make_box<SwapFile>(file));
    TRY(file.cache().freeze());
    made->frozen_ = true;
    TRY(made->find_extents());
    return Box<BlockDevice>(std::move(made));
}

Result<void> SwapFile::find_extents() {
    const uint64_t pages = file_->cache().size() >> kPageShift;
    if (pages == 0) return Errno::inval;
    const uint64_t sectors = pages << (kPageShift - 9);
    const auto blocks = static_cast<uint32_t>(sectors >> shift_);
    for (uint32_t block = 0; block < blocks;) {
        const Ext2Inode::Run run = TRY(file_->map(block, blocks - block));
        if (!run.first) return Errno::inval;
        TRY(extents_.push_back({block, run.first, run.count}));
        block += run.count;
    }
    sectors_ = sectors;
    return {};
}

// In pieces that lie together on the disk. Requests are of whole pages, so of whole blocks.
template <typename F>
Result<void> SwapFile::transfer(Sector first, uint32_t count, F&& move) {
    if (first.raw() + count > sectors_) return Errno::io;
    auto block = static_cast<uint32_t>(first.raw() >> shift_);
    const uint32_t end = block + (count >> shift_);
    uint32_t done = 0;  // bytes
    while (block < end) {
        const auto extents = extents_.span();
        const Extent& extent = *(std::ranges::upper_bound(extents, block, {}, &Extent::file) - 1);
        const uint32_t skip = block - extent.file,
                       length = std::min(extent.count - skip, end - block);
        TRY(move(extent.disk + skip, length, done));
        block += length;
        done += length << (shift_ + 9);
    }
    return {};
}

Result<void> SwapFile::read(Sector first, uint32_t count, void* to) {
    return transfer(first, count, [&](uint32_t block, uint32_t blocks, uint32_t at) {
        return file_->ext2().read_blocks(block, blocks, static_cast<char*>(to) + at);
    });
}

Result<void> SwapFile::write(Sector first, uint32_t count, const void* from) {
    return transfer(first, count, [&](uint32_t block, uint32_t blocks, uint32_t at) {
        return file_->ext2().write_blocks(block, blocks, static_cast<const char*>(from) + at);
    });
}

}  // namespace ext2
