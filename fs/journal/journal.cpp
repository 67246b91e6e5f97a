// See journal.hpp.
#include "fs/journal/journal.hpp"

#include <algorithm>

#include "fs/journal/encode.hpp"
#include "fs/timestamp.hpp"

namespace journal {

// Checksums of version 1 are read, not written: the log is empty, so it may have none.
static Format without_old_checksum(Format format) {
    if (format.checksums == Checksums::v1) format.checksums = Checksums::none;
    return format;
}

Result<Box<Journal>> Journal::open(BlockDevice& device, uint32_t block_shift, const LogMap& map,
                                   const Shape& shape) {
    Box<Journal> made(new (std::nothrow) Journal(device, block_shift, map, shape));
    if (!made) return Errno::nomem;
    made->buffers_ =
        new (std::nothrow) uint8_t[(1 + LogSpace::kMostCopies) * shape.format.block_size];
    if (!made->buffers_) return Errno::nomem;
    Superblock& super = made->super_;
    TRY(device.read(made->superblock_sector(), sizeof super / kSectorSize, &super));
    super.features_compatible = super.features_compatible & ~kCompatChecksum;
    made->may_revoke_ = allow_revokes(super);
    TRY(made->write_superblock(made->space_.head()));
    return made;
}

Journal::Journal(BlockDevice& device, uint32_t block_shift, const LogMap& map, const Shape& shape)
    : device_(device),
      block_shift_(block_shift),
      map_(map),
      format_(without_old_checksum(shape.format)),
      space_(shape.format, shape.ring),
      sequence_(shape.sequence) {}

Journal::~Journal() {
    blocks_.take_all([](Block& block) { delete &block; });
    while (Block* block = spare_) {
        spare_ = block->next;
        delete block;
    }
    delete[] buffers_;
}

Result<void> Journal::reserve(uint32_t blocks) {
    TRY(running_.reserve(blocks));
    for (; spares_ < blocks; ++spares_) {
        auto* block = new (std::nothrow) Block;
        if (!block) return Errno::nomem;
        block->next = spare_;
        spare_ = block;
    }
    return {};
}

Journal::Block* Journal::find(uint32_t home) {
    Block* block = blocks_.find_not_above(home);
    return block && block->home == home ? block : nullptr;
}

void Journal::put_away(Block& block) {
    blocks_.remove(block);
    block.page.reset();
    block.owner = nullptr;
    block.logged = false;
    block.running_at = kNotRunning;
    block.next = spare_;
    spare_ = &block;
    ++spares_;
}

Result<void> Journal::add(uint32_t home, HeldPage page, uint32_t offset, Ref<RefCounted> owner,
                          bool moving) {
    Block* block = find(home);
    if (!block) {
        if (!spare_) TRY(reserve(1));
        block = std::exchange(spare_, spare_->next);
        --spares_;
        block->home = home;
        blocks_.insert(*block);
    }
    block->page.emplace(std::move(page));
    block->offset = offset;
    block->owner = std::move(owner);
    block->moving = moving;
    if (block->running_at != kNotRunning) return {};
    block->running_at = running_.size();
    return running_.push_back(block);
}

void Journal::revoke(uint32_t home) {
    Block* block = find(home);
    if (!block) return;  // the log has no copy, or only such as are home
    if (block->running_at != kNotRunning) running_[block->running_at] = nullptr;
    const bool logged = block->logged;
    put_away(*block);
    if (!logged) return;
    trace_revoke(device_, sequence_, home);
    if (revoked_.push_back(home).is_error()) failed_ = true;  // it must not come back
}

void Journal::disown(uint32_t home) {
    if (Block* block = find(home)) block->owner = nullptr;
}

// --- a commit

void Journal::trace(Part part, uint32_t block) {
    const uint32_t shift = block_shift_ - 9;
    trace_write(device_, Sector(uint64_t{block} << shift), 1u << shift, part);
}

Result<void> Journal::append(BlockWriter& to, uint8_t* block, Part part) {
    const uint32_t at = map_.find(space_.take()).block;
    trace(part, at);
    return to.add(at, block);
}

Result<void> Journal::write_revokes(BlockWriter& to) {
    for (uint32_t i = 0; i < revoked_.size();) {
        RevokeWriter out(format_, buffer(0), sequence_);
        while (i < revoked_.size() && !out.full()) out.add(revoked_[i++]);
        out.finish();
        TRY(append(to, buffer(0).data(), Part::revoke));
        TRY(to.finish());
    }
    return {};
}

// The descriptor of the next blocks of the transaction, from `first` on, in buffer 0; the block behind
// its last one. Those that look like the journal's own, or may move, are copied.
uint32_t Journal::describe(uint32_t first) {
    DescriptorWriter out(format_, buffer(0), sequence_);
    uint32_t copies = 0;
    for (; first < running_.size() && !out.full() && copies < LogSpace::kMostCopies; ++first) {
        if (!running_[first]) continue;
        Block& block = *running_[first];
        std::span<uint8_t> bytes(block.bytes(), format_.block_size);
        bool escaped = number_at(bytes, 0) == kMagic;
        block.copy = nullptr;
        if (escaped || block.moving) {
            block.copy = buffer(1 + copies++).data();
            __builtin_memcpy(block.copy, bytes.data(), bytes.size());
            bytes = {block.copy, bytes.size()};
            escaped = escape(bytes);
        }
        out.add(block.home, escaped, bytes);
    }
    if (out.count()) out.finish();
    return first;
}

Result<void> Journal::write_blocks(BlockWriter& to) {
    for (uint32_t i = 0; i < running_.size();) {
        const uint32_t end = describe(i);
        bool described = false;
        for (; i < end; ++i) {
            if (!running_[i]) continue;
            if (!std::exchange(described, true))
                TRY(append(to, buffer(0).data(), Part::descriptor));
            Block& block = *running_[i];
            TRY(append(to, block.copy ? block.copy : block.bytes(), Part::block));
        }
        TRY(to.finish());
    }
    return {};
}

Result<void> Journal::write_commit_block() {
    const Timestamp now = timestamp_now();
    write_commit(format_, buffer(0), sequence_, static_cast<uint64_t>(now.seconds),
                 now.nanoseconds);
    BlockWriter to(device_, block_shift_);
    TRY(append(to, buffer(0).data(), Part::commit));
    return to.finish();
}

Result<void> Journal::write_transaction() {
    BlockWriter to(device_, block_shift_);
    TRY(write_revokes(to));
    TRY(write_blocks(to));
    TRY(flush());
    TRY(write_commit_block());
    return flush();
}

Result<void> Journal::failed(Result<void> done) {
    if (done.is_error()) failed_ = true;
    return done;
}

Result<void> Journal::commit() {
    if (failed_) return Errno::io;
    if (running_.empty() && revoked_.empty()) return {};
    if (!may_revoke_ && !revoked_.empty()) {
        // The log's copies go home or are forgotten before the blocks are used again.
        revoked_.clear();
        TRY(commit());
        return checkpoint();
    }
    if (!space_.fits(running_.size(), revoked_.size())) return failed(Errno::nospc);
    TRY(failed(write_transaction()));
    trace_commit(device_, sequence_, running_.size(), revoked_.size());
    ++sequence_;
    for (Block* block : running_) {
        if (!block) continue;
        block->logged = true;
        block->running_at = kNotRunning;
    }
    running_.clear();
    revoked_.clear();
    return {};
}

// --- checkpoints

Result<void> Journal::write_home() {
    BlockWriter to(device_, block_shift_);
    for (Block* block = blocks_.first(); block; block = blocks_.next(*block)) {
        trace(Part::home, block->home);
        TRY(to.add(block->home, block->bytes()));
    }
    return to.finish();
}

Result<void> Journal::write_superblock(uint32_t start) {
    set_log(super_, sequence_, start);
    trace_write(device_, superblock_sector(), sizeof super_ / kSectorSize, Part::superblock);
    TRY(device_.write(superblock_sector(), sizeof super_ / kSectorSize, &super_));
    return flush();
}

Result<void> Journal::checkpoint() {
    if (failed_) return Errno::io;
    VERIFY(running_.empty());
    if (!space_.used()) return {};
    trace_checkpoint(device_, sequence_ - 1, blocks_.size());
    TRY(failed(write_home()));
    TRY(failed(flush()));
    TRY(failed(write_superblock(space_.head())));
    space_.release();
    while (Block* block = blocks_.first()) put_away(*block);
    return {};
}

Result<void> Journal::close() {
    TRY(checkpoint());
    return failed(write_superblock(0));
}

}  // namespace journal
