// Contents of a file of ext2: pages from blocks and back, room for what is written, size. See inode.hpp.
#include <algorithm>

#include "fs/block_writer.hpp"
#include "fs/ext2/block_map.hpp"
#include "fs/ext2/ext2.hpp"
#include "fs/ext2/swap_file.hpp"
#include "fs/write_back.hpp"

namespace ext2 {

// Blocks that lie side by side on the disk are read with one request.
Result<void> Ext2Inode::fill_pages(uint32_t first, uint32_t count, void* to) {
    const uint32_t shift = ext2().geometry().block_shift;
    const uint64_t start = uint64_t{first} << kPageShift;
    const uint64_t end = std::min(start + (uint64_t{count} << kPageShift), cache_.size());
    auto block = static_cast<uint32_t>(start >> shift);
    auto left = static_cast<uint32_t>((end + (1u << shift) - 1) >> shift) - block;
    auto* at = static_cast<uint8_t*>(to);
    while (left) {
        const Run run = TRY(map(block, left));
        if (run.first)
            TRY(ext2().read_blocks(run.first, run.count, at));
        else
            __builtin_memset(at, 0, run.count << shift);
        block += run.count;
        left -= run.count;
        at += run.count << shift;
    }
    return {};
}

// A block for a hole that was written through a mapping; data=journal: its contents join the transaction
// that the block does.
Result<Ext2Inode::Run> Ext2Inode::fill_hole(uint32_t block, uint32_t at, uint8_t* const* pages) {
    return ext2().change_now([&]() -> Result<Run> {
        if (ext2().is_closing()) return Errno::again;
        const Run run = TRY(allocate(block, 1));
        if (ext2().journals_contents()) TRY(ext2().log_contents(*this, run.first, 1, at, pages));
        return run;
    });
}

// Blocks [block, block + count) of the pages, which start at block 0 of `pages`' first one: one
// request for each piece that lies together on the disk. Holes that were not written stay holes.
// EAGAIN: as others do that cannot be filled now.
Result<void> Ext2Inode::write_page_blocks(BlockWriter& to, uint32_t block, uint32_t count,
                                          uint8_t* const* pages) {
    const uint32_t shift = ext2().geometry().block_shift, size = 1u << shift;
    const uint32_t per_page = kPageSize >> shift;
    const bool logs = ext2().journals_contents();
    auto memory = [&](uint32_t i) { return pages[i / per_page] + (i % per_page) * size; };
    Result<void> all;
    for (uint32_t done = 0; done < count;) {
        Run run = TRY(map(block + done, count - done));
        const bool hole = !run.first;
        if (hole) {
            run.count = 1;
            if (!is_all_zero({memory(done), size})) {
                Result<Run> filled = fill_hole(block + done, done, pages);
                if (filled.is_ok())
                    run = filled.value();
                else if (filled.error() == Errno::again)
                    all = Errno::again;
                else
                    return filled.error();
            }
        }
        if (logs && !hole) {
            constexpr uint32_t kAtOnce = 32;
            run.count = std::min(run.count, kAtOnce);
            TRY(ext2().change_now([&]() -> Result<void> {
                if (ext2().is_closing(this)) return Errno::again;
                return ext2().log_contents(*this, run.first, run.count, done, pages);
            }));
        }
        for (uint32_t i = 0; run.first && !logs && i < run.count; ++i)
            TRY(to.add(run.first + i, memory(done + i)));
        done += run.count;
    }
    return all;
}

Result<void> Ext2Inode::write_pages(uint32_t first, std::span<uint8_t* const> pages) {
    const uint32_t shift = ext2().geometry().block_shift;
    const uint64_t start = uint64_t{first} << kPageShift;
    // With a journal blocks and size are in one transaction, which may be ahead of a write in progress.
    const uint64_t size = std::max(cache_.size(), ext2().journaled() ? this->size() : 0);
    const uint64_t end = std::min(start + (uint64_t{pages.size()} << kPageShift), size);
    // A frozen file's blocks are another's; only who still has it mapped can have changed its pages.
    if (end <= start || cache_.frozen()) return {};
    const auto blocks = static_cast<uint32_t>((end - start + (1u << shift) - 1) >> shift);
    BlockWriter writer(ext2().device(), shift);
    Result<void> added =
        write_page_blocks(writer, static_cast<uint32_t>(start >> shift), blocks, pages.data());
    Result<void> written =
        writer.finish();  // also when not all could be added: blocks were allocated
    return written.is_error() ? written : added;
}

Result<void> Ext2Inode::await_room() { return ext2().commit(); }

// The first block of a hole there, or `end`.
Result<uint32_t> Ext2Inode::find_hole(uint32_t block, uint32_t end) {
    while (block < end) {
        const Run run = TRY(map(block, end - block));
        if (!run.first) break;
        block += run.count;
    }
    return std::min(block, end);
}

bool Ext2Inode::has_room(uint64_t offset, uint32_t bytes) {
    if (ext2().journals_contents()) return false;  // each write needs room in the log
    const uint32_t shift = ext2().geometry().block_shift;
    const auto end = static_cast<uint32_t>((offset + bytes + (1u << shift) - 1) >> shift);
    return find_hole(static_cast<uint32_t>(offset >> shift), end).value_or(0) == end;
}

// With a journal a commit may come before the bytes do: it finds the pages dirty, and the size that
// goes with the blocks.
Result<Ext2Inode::Run> Ext2Inode::allocate_for_write(uint32_t block, uint64_t offset,
                                                     uint32_t bytes) {
    const uint32_t shift = ext2().geometry().block_shift;
    const uint64_t end = offset + bytes, last = (end + (1u << shift) - 1) >> shift;
    const Run run = TRY(allocate(block, static_cast<uint32_t>(last) - block, true));
    if (!ext2().journaled()) return run;
    const uint64_t start = uint64_t{block} << shift,
                   behind = start + (uint64_t{run.count} << shift);
    for (uint64_t at = start; at < behind; at = align_down<uint64_t>(at, kPageSize) + kPageSize)
        cache_.set_dirty(static_cast<uint32_t>(at >> kPageShift), kWholePage);
    if (std::min(behind, end) > size()) set_size(std::min(behind, end));
    return run;
}

Result<uint32_t> Ext2Inode::prepare_write(uint64_t offset, uint32_t bytes) {
    if (type() != kTypeRegular) return bytes;
    const uint64_t most = max_size();
    if (offset >= most) return Errno::fbig;
    bytes = static_cast<uint32_t>(std::min<uint64_t>(bytes, most - offset));
    const uint32_t shift = ext2().geometry().block_shift;
    const auto end = static_cast<uint32_t>((offset + bytes + (1u << shift) - 1) >> shift);
    uint32_t block = TRY(find_hole(static_cast<uint32_t>(offset >> shift), end));
    if (block == end) return bytes;
    Errno failure{};
    while (block < end && failure == Errno{}) {
        Result<Run> run = ext2().change([&] { return allocate_for_write(block, offset, bytes); });
        if (run.is_error())
            failure = run.error();
        else
            block += run.value().count;
    }
    const uint64_t room = uint64_t{block} << shift;
    if (room <= offset) return failure;
    return static_cast<uint32_t>(std::min<uint64_t>(bytes, room - offset));
}

void Ext2Inode::remove_writer() {
    if (writers_.subtract(1) || !reserved.count) return;
    ext2().end_reservation(*this);
}

Result<void> Ext2Inode::end_at(uint64_t bytes) {
    const uint32_t shift = ext2().geometry().block_shift;
    if (bytes <= size() || bytes <= cache_.size())
        cut_off(static_cast<uint32_t>((bytes + (1u << shift) - 1) >> shift));
    set_size(bytes);
    structure_epoch = ext2().epoch();
    ext2().note_dirty(*this);
    return {};
}

Result<void> Ext2Inode::resize(uint64_t bytes) {
    if (bytes > max_size()) return Errno::fbig;
    return ext2().change([&] { return end_at(bytes); });
}

// No commit between the two: it would find blocks that are new, and their contents gone.
Result<void> Ext2Inode::shrink(PageCache& cache, uint64_t bytes) {
    return ext2().change([&] { return end_at(bytes); }, [&] { cache.drop_behind(bytes); });
}

// How many of the bytes there an ordinary user may write: what is kept for the superuser is only
// not for new blocks.
uint32_t Ext2Inode::room_for_all(uint64_t offset, uint32_t bytes) {
    const uint32_t shift = ext2().geometry().block_shift, free = ext2().blocks_for_all();
    constexpr uint32_t kIndexBlocks = 8;  // and one for each 256 others
    const uint32_t wanted = (bytes >> shift) + 2;
    if (wanted + wanted / 256 + kIndexBlocks <= free) return bytes;
    const auto first = static_cast<uint32_t>(offset >> shift);
    const auto end = static_cast<uint32_t>((offset + bytes + (1u << shift) - 1) >> shift);
    const uint32_t hole = find_hole(first, end).value_or(first);
    if (hole == end) return bytes;
    const uint64_t limit = (uint64_t{hole} + free) << shift;
    return static_cast<uint32_t>(std::min<uint64_t>(bytes, limit - std::min(limit, offset)));
}

Result<uint32_t> Ext2Inode::write(ByteSource& from, uint64_t& offset, bool append, bool direct) {
    if (ext2().read_only()) return Errno::rofs;
    const uint32_t wanted = from.remaining();
    uint32_t allowed = wanted;
    if (from.unprivileged()) {
        TRY(drop_privileges(*this));
        allowed = room_for_all(append ? cache_.size() : offset, wanted);
        if (wanted && !allowed) return Errno::nospc;
    }
    write_back_balance();
    LimitedSource limited(from, allowed);
    ByteSource& source = allowed < wanted ? limited : from;
    Result<uint32_t> done = ext2().journals_contents() ? write_logged(source, offset, append)
                            : direct                   ? cache_.write_direct(source, offset, append)
                            : append                   ? cache_.append(source, offset)
                                                       : cache_.write_at(source, offset);
    if (limited.refused()) from.note_refused();
    const uint64_t end = cache_.size();
    if (end != size()) {
        set_size(end);
        structure_epoch = ext2().epoch();
    }
    if (done.is_ok() && done.value()) note_change(true);
    return done;
}

// data=journal: in pieces that a transaction has room for, each of which joins it at once.
Result<uint32_t> Ext2Inode::write_logged(ByteSource& from, uint64_t& offset, bool append) {
    constexpr uint32_t kPiece = 32 * 1024;
    uint32_t total = 0;
    do {
        ext2().bound_transaction();
        LimitedSource piece(from, std::min(from.remaining(), kPiece));
        uint64_t at = offset + total;
        Result<uint32_t> done = append ? cache_.append(piece, at) : cache_.write_at(piece, at);
        if (append && !total) offset = at;
        if (done.is_error()) return total ? Result<uint32_t>(total) : done.error();
        if (done.value() == 0) break;
        total += done.value();
        TRY(cache_.write_back(static_cast<uint32_t>(at >> kPageShift),
                              static_cast<uint32_t>((at + done.value() - 1) >> kPageShift)));
        if (piece.refused()) from.note_refused();
        if (piece.remaining()) break;
    } while (from.remaining());
    return total;
}

Result<void> Ext2Inode::truncate(uint64_t size) {
    if (type() != kTypeRegular) return Errno::inval;
    if (ext2().read_only()) return Errno::rofs;
    TRY(cache_.truncate(size));
    note_change(true);
    return {};
}

Result<Box<BlockDevice>> Ext2Inode::as_device() {
    if (type() != kTypeRegular) return Errno::inval;
    if (ext2().read_only()) return Errno::rofs;
    if (ext2().journals_contents()) return Errno::inval;  // its blocks may be on their way home
    return SwapFile::create(*this);
}

Result<void> Ext2Inode::sync(bool contents) {
    if (ext2().read_only())
        return ext2().journal_failed() ? Result<void>(Errno::io) : Result<void>();
    Result<void> written = cache_.write_back();
    if (!contents || ext2().journals_contents() || structure_epoch == ext2().epoch())
        TRY(ext2().write_all_metadata());
    TRY(ext2().flush());
    return written;
}

}  // namespace ext2
