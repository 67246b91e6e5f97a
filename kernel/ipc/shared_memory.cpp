// See shared_memory.hpp.
#include "kernel/ipc/shared_memory.hpp"

#include <algorithm>

#include "kernel/ipc/ipc_limits.hpp"
#include "kernel/lib/format.hpp"
#include "mm/anonymous_pager.hpp"
#include "mm/commitment.hpp"
#include "mm/frames.hpp"
#include "mm/memory_use.hpp"
#include "mm/renamed_pager.hpp"
#include "mm/swap.hpp"

namespace {
constinit Atomic<uint32_t> all_pages = 0;
}

// What regions of address spaces refer to. It keeps the segment alive; the last one that maps a
// removed segment takes it out of the table.
class SegmentPager final : public RenamedPager {
  public:
    SegmentPager(Ref<AnonymousPager> memory, Segment& segment)
        : RenamedPager(memory), memory_(std::move(memory)), segment_(segment) {}
    ~SegmentPager() override {
        segments().with_lock([&] { segment_->pager_ = nullptr; });
        segments().remove(*segment_);
    }

    std::string_view name(std::span<char> buffer) const override {
        return format_in(buffer, "/SYSV{:08x} (deleted)",
                         static_cast<uint32_t>(segment_->permission.key));
    }
    uint32_t inode_number() const override { return static_cast<uint32_t>(segment_->id); }
    uint32_t device_number() const override { return 0; }

    Segment& segment() { return *segment_; }
    AnonymousPager& memory() { return *memory_; }

  private:
    Ref<AnonymousPager> memory_;
    Ref<Segment> segment_;
};

uint32_t segment_pages() { return all_pages.relaxed(); }
uint32_t segment_page_limit() {
    return std::min(memory_totals().total + swap_totals().total,
                    ipc_limits.segment_pages.relaxed());
}

Result<Ref<IpcObject>> Segment::create(uint32_t bytes, int pid) {
    const uint32_t pages = pages_for(bytes);
    if (segment_pages() + pages > segment_page_limit()) return Errno::nospc;
    Ref<Segment> segment = TRY(make_ref<Segment>());
    segment->bytes = bytes;
    segment->creator = pid;
    TRY(check_commitment(pages));
    Ref<AnonymousPager> memory = TRY(AnonymousPager::create(pages));
    Ref<SegmentPager> pager = TRY(make_ref<SegmentPager>(std::move(memory), *segment));
    segment->pages_ = pages;
    all_pages.fetch_add(pages);
    segment->pager_ = pager.leak();
    segment->kept_ = true;
    return Ref<IpcObject>(std::move(segment));
}

Segment::~Segment() { all_pages.subtract(pages_); }

uint32_t Segment::resident() const { return pager_ ? pager_->memory().resident() : 0; }

void Segment::lock(bool locked) {
    segments().with_lock([&] {
        if (!pager_) return;
        permission.mode = static_cast<uint16_t>((permission.mode & ~kSegmentLocked) |
                                                (locked ? kSegmentLocked : 0));
        pager_->memory().keep_in_memory(locked);
    });
}

uint32_t Segment::attached() const { return pager_ ? pager_->ref_count() - kept_ : 0; }

Result<VirtAddr> Segment::attach(AddressSpace& space, VirtAddr at, uint32_t flags, int pid) {
    constexpr uint32_t kReadOnly = 010000, kRound = 020000, kRemap = 040000, kExecute = 0100000;
    if (at.raw() & kPageMask) {
        if (!(flags & kRound)) return Errno::inval;
        at = VirtAddr(at.raw() & ~kPageMask);
    }
    if ((flags & kRemap) && !at.raw()) return Errno::inval;
    MapRequest request;
    request.hint = at;
    request.length = bytes;
    request.may_write = !(flags & kReadOnly);
    request.protection =
        kProtRead | (request.may_write ? kProtWrite : 0) | (flags & kExecute ? kProtExecute : 0);
    request.flags = kMapShared;
    if (at.raw()) request.flags |= flags & kRemap ? kMapFixed : kMapFixedNoReplace;
    // With the table's lock: the pager of a removed segment may be on its way out.
    Ref<SegmentPager> pager = segments().with_lock([&] {
        return pager_ && pager_->try_add_ref() ? Ref<SegmentPager>::adopt(pager_)
                                               : Ref<SegmentPager>();
    });
    if (!pager) return Errno::idrm;
    request.pager = pager;
    Result<VirtAddr> mapped = space.map(request);
    if (mapped.is_error()) return mapped.error() == Errno::exist ? Errno::inval : mapped.error();
    const SplitTime now = ipc_now();
    segments().with_lock([&] { last = pid, attached_at = now; });
    return mapped.value();
}

void Segment::remove() {
    Ref<SegmentPager> own;  // its end takes the table's lock
    segments().with_lock([&] {
        permission.mode |= kSegmentRemoved;
        permission.key = kIpcPrivate;
        if (std::exchange(kept_, false)) own = Ref<SegmentPager>::adopt(pager_);
    });
}

Result<void> detach_segment(AddressSpace& space, VirtAddr at, int pid) {
    const Pager* mapped = nullptr;
    for_each_region(space, [&](const RegionInfo& region) {
        if (region.start == at && !region.page_offset && (region.flags & kMapShared))
            mapped = region.pager;
    });
    Ref<Segment> segment;
    if (mapped)
        segments().for_each([&](IpcObject& object) {
            auto& candidate = static_cast<Segment&>(object);
            if (candidate.is_of(mapped)) segment = Ref<Segment>(candidate);
        });
    if (!segment) return Errno::inval;
    const SplitTime now = ipc_now();
    segments().with_lock([&] { segment->last = pid, segment->detached_at = now; });
    // The pieces of the mapping that are left: others may have been unmapped or replaced.
    for (;;) {
        struct Piece {
            VirtAddr start;
            uint32_t bytes = 0;
        } pieces[16];
        uint32_t count = 0;
        for_each_region(space, [&](const RegionInfo& region) {
            const bool is_piece = region.pager == mapped && region.start >= at &&
                                  region.page_offset == (region.start - at) >> kPageShift;
            if (is_piece && count < std::size(pieces))
                pieces[count++] = {region.start, region.end - region.start};
        });
        for (uint32_t i = 0; i < count; ++i) TRY(space.unmap(pieces[i].start, pieces[i].bytes));
        if (count < std::size(pieces)) return {};
    }
}

bool Segment::is_of(const Pager* pager) const { return pager == pager_; }
