// PipeRing: the bytes of a pipe or a socket on their way: a ring (a pipe's has 64 KiB unless told
// otherwise) whose pages exist only where bytes lie, so that one with little in it costs one page.
//
//   slot   0      1      2            15
//        [ ....][xxxxx][xx...]  ...  [    ]     x: from tail_ up to head_; both run freely
//                 tail_    head_
//
// Invariant: a slot that holds bytes has its page; a drained ring starts again at slot 0 with the
// page it used last, so that small messages never allocate and a page's worth is one copy.
// Locks: none; the pipe's. Spec: pipe(7), "Pipe capacity".
#pragma once

#include <algorithm>
#include <concepts>

#include "fs/io.hpp"

// Gives pages of kernel memory, or null; takes them back.
template <typename T>
concept PipePages = requires(T& pages, void* page) {
    { pages.allocate() } -> std::same_as<void*>;
    pages.release(page);
};

template <PipePages Pages, uint32_t kSlots = 16>
class PipeRing {
  public:
    static constexpr uint32_t kCapacity = kSlots * kPageSize;  // until it is resized
    static_assert((kSlots & (kSlots - 1)) == 0, "positions run freely, beyond 2^32 too");

    PipeRing() = default;
    PipeRing(const PipeRing&) = delete;
    PipeRing& operator=(const PipeRing&) = delete;
    ~PipeRing() {
        for (uint32_t i = 0; i < slot_count_; ++i)
            if (slots_[i]) pages_.release(slots_[i]);
        if (spare_) pages_.release(spare_);
        if (slots_ != own_slots_) delete[] slots_;
    }

    uint32_t count() const { return head_ - tail_; }
    uint32_t capacity() const { return slot_count_ * kPageSize; }
    uint32_t room() const { return capacity() - count(); }
    bool empty() const { return head_ == tail_; }
    uint32_t taken() const { return drained_ + tail_; }  // of all that ever came; goes round

    // Takes what fits, up to `most`, page by page. Fewer bytes than that only after a bad user pointer or without
    // memory; then it says which if there were none: EFAULT, ENOMEM. At least one byte is offered
    // and fits.
    // Lab 6.1: stub { (void)from; (void)most; return Errno::nomem; }
    [[gnu::always_inline]] Result<uint32_t> write(ByteSource& from, uint32_t most = UINT32_MAX) {
        uint32_t total = 0;
        while (from.remaining() && room() && total < most) {
            uint8_t*& page = slots_[slot_of(head_)];
            if (!page && !(page = take_page())) return total ? Result(total) : Errno::nomem;
            const uint32_t offset = head_ & kPageMask;
            const uint32_t bytes =
                std::min({kPageSize - offset, room(), from.remaining(), most - total});
            const uint32_t done = from.take(page + offset, bytes);
            head_ += done;
            total += done;
            if (done < bytes) break;
        }
        if (empty()) start_again();
        return total ? Result(total) : Errno::fault;
    }

    // Gives what is there and asked for, up to `most`; as above. At least one byte is there and
    // asked for.
    // Lab 6.1: stub { (void)to; (void)most; return Errno::fault; }
    [[gnu::always_inline]] Result<uint32_t> read(ByteSink& to, uint32_t most = UINT32_MAX) {
        uint32_t total = 0;
        while (to.remaining() && !empty() && total < most) {
            const uint32_t bytes = std::min({piece_at(tail_), to.remaining(), most - total});
            const uint32_t done = to.put(byte_at(tail_), bytes);
            total += done;
            advance(done);
            if (done < bytes) break;
        }
        if (empty()) start_again();
        return total ? Result(total) : Errno::fault;
    }
    // The same from `skipped` bytes behind the first one on, and all stays there.
    Result<uint32_t> peek(ByteSink& to, uint32_t skipped, uint32_t most) const {
        uint32_t total = 0;
        while (to.remaining() && skipped + total < count() && total < most) {
            const uint32_t at = tail_ + skipped + total;
            const uint32_t bytes = std::min({piece_at(at), to.remaining(), most - total});
            const uint32_t done = to.put(byte_at(at), bytes);
            total += done;
            if (done < bytes) break;
        }
        if (!total) return Errno::fault;
        return total;
    }
    // Forgets the first `bytes`, of count().
    void skip(uint32_t bytes) {
        while (bytes) {
            const uint32_t piece = std::min(piece_at(tail_), bytes);
            bytes -= piece;
            advance(piece);
        }
        if (!count()) start_again();
    }
    // Forgets the last `bytes`, of count(): a message that could not be written as a whole. Their
    // pages wait for the next bytes.
    void take_back(uint32_t bytes) { head_ -= bytes; }

    // Makes it of so many slots, a power of two; what is in it stays. EBUSY if that doesn't fit,
    // ENOMEM.
    Result<void> resize(uint32_t slot_count) {
        if (slot_count == slot_count_) return {};
        if (count() > slot_count * kPageSize) return Errno::busy;
        PipeRing other;
        if (slot_count > kSlots) {
            auto** slots = new (std::nothrow) uint8_t* [slot_count] {};
            if (!slots) return Errno::nomem;
            other.slots_ = slots;
        }
        other.slot_count_ = slot_count;
        for (uint32_t at = tail_; at != head_;) {
            KernelSource source({byte_at(at), piece_at(at)});
            at += source.remaining();
            if (other.write(source).is_error() || source.remaining()) return Errno::nomem;
        }
        other.drained_ = taken();
        swap_with(other);
        return {};
    }

  private:
    uint32_t slot_of(uint32_t position) const { return position / kPageSize & (slot_count_ - 1); }
    const uint8_t* byte_at(uint32_t position) const {
        return slots_[slot_of(position)] + (position & kPageMask);
    }
    // How many bytes lie in one page from there on.
    uint32_t piece_at(uint32_t position) const {
        return std::min(kPageSize - (position & kPageMask), head_ - position);
    }
    void advance(uint32_t bytes) {
        tail_ += bytes;
        if (bytes && !(tail_ & kPageMask)) leave_slot(slot_of(tail_ - 1));
    }

    // The reader has passed its end; the writer may have come round to its beginning.
    void leave_slot(uint32_t slot) {
        if (count() <= (slot_count_ - 1) * kPageSize) give_page(slot);
    }
    void start_again() {
        if (slots_[slot_of(tail_)]) give_page(slot_of(tail_));
        drained_ += tail_;
        head_ = tail_ = 0;
    }
    uint8_t* take_page() {
        void* page = spare_ ? std::exchange(spare_, nullptr) : pages_.allocate();
        return static_cast<uint8_t*>(page);
    }
    void give_page(uint32_t slot) {
        uint8_t* page = std::exchange(slots_[slot], nullptr);
        if (spare_)
            pages_.release(page);
        else
            spare_ = page;
    }

    void swap_with(PipeRing& other) {
        const bool own = slots_ == own_slots_, others_own = other.slots_ == other.own_slots_;
        std::swap(own_slots_, other.own_slots_);
        std::swap(slots_, other.slots_);
        if (others_own) slots_ = own_slots_;
        if (own) other.slots_ = other.own_slots_;
        std::swap(slot_count_, other.slot_count_);
        std::swap(spare_, other.spare_);
        std::swap(head_, other.head_);
        std::swap(tail_, other.tail_);
        std::swap(drained_, other.drained_);
    }

    uint8_t* own_slots_[kSlots] = {};
    uint8_t** slots_ = own_slots_;  // or a larger array of the heap's
    uint32_t slot_count_ = kSlots;
    uint8_t* spare_ = nullptr;
    uint32_t head_ = 0, tail_ = 0;
    uint32_t drained_ = 0;  // before the ring last started again
    [[no_unique_address]] Pages pages_;
};
