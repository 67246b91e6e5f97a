// Making, copying and leaving address spaces, and what /proc shows of them. See address_space.hpp.
#include "mm/address_space.hpp"

#include <algorithm>

#include "kernel/arch/cpu.hpp"
#include "kernel/sched/clock.hpp"
#include "kernel/sched/thread.hpp"
#include "mm/all_spaces.hpp"
#include "mm/frames.hpp"
#include "mm/kernel_map.hpp"
#include "mm/local_descriptors.hpp"
#include "mm/paging_lab.hpp"
#include "mm/session.hpp"
#include "mm/window.hpp"

namespace {
constexpr uint32_t kStackRoomLeast = 128u << 20;
}

Result<Ref<AddressSpace>> AddressSpace::create() {
    Ref<AddressSpace> space = TRY(make_ref<AddressSpace>());
    TRY(space->pages_.init());
    space->map_top_ = kUserTop - kStackRoomLeast;
    space->paging_.active_since = monotonic_now().raw();
    AllSpaces::add(*space);
    space->enter_pool();
    return space;
}

AddressSpace::~AddressSpace() {
    AllSpaces::remove(*this);
    leave_pool();
    delete lab_;
    if (!pages_.made()) return;
    // Whoever dropped the last reference may still run on our page tables, and so may CPUs whose
    // last user thread was one of ours.
    leave_directory(pages_.directory(), kernel_directory());
    if (Thread& self = Thread::current(); self.space == this) {
        self.space = nullptr;
        self.page_directory = PhysAddr(0);
        self.local_descriptors = nullptr;
    }
    free_local_descriptors(local_descriptors_);
    forget_stale();
    for (Region* r = regions_.find_from(VirtAddr(0)); r; r = regions_.next(*r))
        pages_.clear(r->start, r->end);
    change_commitment(-static_cast<int32_t>(charged_));
}

Result<Ref<AddressSpace>> AddressSpace::fork() {
    Ref<AddressSpace> child = TRY(create());
    Session session(*this);
    child->break_start_ = break_start_;
    child->break_ = break_;
    child->map_top_ = map_top_;
    child->limit_address_space = limit_address_space;
    child->limit_data = limit_data;
    child->limit_stack = limit_stack;
    child->limit_locked = limit_locked;
    child->set_limit_resident(limit_resident);
    if (commitment_rule.overcommit == 2) TRY(check_commitment(regions_.committed()));
    bool changed = false;
    Result<void> done = child->copy_local_descriptors(*this);
    if (done.is_ok()) done = child->regions_.copy_from(regions_);
    child->charged_ = child->regions_.committed();
    change_commitment(static_cast<int32_t>(child->charged_));
    for (Region* r = regions_.find_from(VirtAddr(0)); r && done.is_ok(); r = regions_.next(*r))
        if (r->attributes.on_fork == OnFork::same)
            done = pages_.share(child->pages_, r->start, r->end, !r->attributes.shared, changed);
    if (changed) flush_range(pages_.directory(), VirtAddr(0), kUserTop);
    if (done.is_error()) return done.error();
    return child;
}

PhysAddr AddressSpace::page_directory() const { return pages_.directory(); }

PageWalk AddressSpace::walk(VirtAddr address) {
    Session session(*this);
    const auto table_of = [](PhysAddr at) { return static_cast<const PageTable*>(to_virtual(at)); };
    PageWalk walk;
    walk.upper = table_of(pages_.directory())->entries[directory_index(address)];
    if (walk.upper.present() && !walk.upper.has(kEntryBig))
        walk.lower = table_of(address_of(walk.upper.frame()))->entries[table_index(address)];
    return walk;
}

Result<Frame> AddressSpace::frame_at(VirtAddr address) {
    Session session(*this);
    if (address >= kUserTop) return Errno::fault;
    const PageEntry* entry = pages_.find(address);
    if (!entry || !entry->holds_frame()) return Errno::fault;
    return entry->frame();
}

namespace {

// visit(offset, frame address in a page, bytes) for each page of a range of user memory.
template <typename F>
Result<void> for_each_piece(VirtAddr start, uint32_t bytes, F&& visit) {
    if (start >= kUserTop || bytes > kUserTop - start) return Errno::fault;
    for (uint32_t done = 0; done < bytes;) {
        const uint32_t offset = (start + done).raw() & kPageMask;
        const uint32_t piece = std::min(bytes - done, kPageSize - offset);
        TRY(visit(start + done, done, offset, piece));
        done += piece;
    }
    return {};
}

}  // namespace

Result<void> AddressSpace::write(VirtAddr to, const void* from, uint32_t bytes) {
    return for_each_piece(
        to, bytes,
        [&](VirtAddr at, uint32_t done, uint32_t offset, uint32_t piece) -> Result<void> {
            const Frame frame = TRY(fault_in(at, true));
            {
                FrameWindow window(frame);
                __builtin_memcpy(static_cast<char*>(window.data()) + offset,
                                 static_cast<const char*>(from) + done, piece);
            }
            put_frame(frame);
            return {};
        });
}

Result<void> AddressSpace::read(void* to, VirtAddr from, uint32_t bytes) {
    return for_each_piece(
        from, bytes,
        [&](VirtAddr at, uint32_t done, uint32_t offset, uint32_t piece) -> Result<void> {
            const Frame frame = TRY(fault_in(at, false));
            {
                FrameWindow window(frame);
                __builtin_memcpy(static_cast<char*>(to) + done,
                                 static_cast<const char*>(window.data()) + offset, piece);
            }
            put_frame(frame);
            return {};
        });
}

void AddressSpace::visit_regions(RegionVisitor& visitor) {
    Session session(*this);
    constexpr const char* kLabels[] = {"", "[heap]", "[stack]"};
    for (Region* r = regions_.find_from(VirtAddr(0)); r; r = regions_.next(*r)) {
        const RegionAttributes& a = r->attributes;
        const uint32_t flags = (a.shared ? kMapShared : kMapPrivate) |
                               (a.pager ? 0 : kMapAnonymous) | (a.grows_down ? kMapGrowsDown : 0) |
                               (a.unreserved ? kMapNoReserve : 0);
        visitor.visit({r->start, r->end, a.protection, flags, a.pager.get(), r->page_offset,
                       kLabels[static_cast<uint32_t>(a.label)], a.locked(), a.may_write, a.on_fork,
                       visitor.wants_use() ? use_of(*r) : RegionUse()});
    }
}

RegionUse AddressSpace::use_of(const Region& region) {
    RegionUse use;
    pages_.for_each(region.start, region.end, [&](VirtAddr, PageEntry& entry) {
        if (entry.swapped()) ++use.swapped;
        if (!entry.holds_frame()) return;
        // The page cache's own reference is nobody's mapping.
        const uint32_t cached = entry.has(kEntryFile) ? 1 : 0;
        const uint32_t mappings = std::max(frame_references(entry.frame()), cached + 1) - cached;
        // What no file holds was made here, whoever wrote it.
        const bool dirty = entry.has(kEntryDirty) || !entry.has(kEntryFile);
        ++use.resident;
        ++(mappings > 1 ? (dirty ? use.shared_dirty : use.shared_clean)
                        : (dirty ? use.private_dirty : use.private_clean));
        use.referenced += entry.has(kEntryAccessed);
        use.anonymous += !entry.has(kEntryFile);
        use.share_bytes += kPageSize / mappings;
        if (dirty) use.dirty_share_bytes += kPageSize / mappings;
    });
    return use;
}

namespace {
// The program's own text lies lowest.
void count_text(MemoryUse& use, const Region& region) {
    const uint32_t pages = region.bytes() >> kPageShift;
    if (use.text) {
        use.libraries += pages;
        return;
    }
    use.text = pages;
    use.text_start = region.start;
    use.text_end = region.end;
}
}  // namespace

MemoryUse AddressSpace::memory_use() {
    Session session(*this);
    MemoryUse use{};
    use.total = regions_.pages();
    use.resident = pages_.resident();
    use.swapped = pages_.swapped();
    use.working_set = paging_.working_set;
    use.of_files = pages_.file_resident();
    use.tables = pages_.tables();
    use.peak_total = std::max(peak_total_, use.total);
    use.peak_resident = pages_.peak();
    for (Region* r = regions_.find_from(VirtAddr(0)); r; r = regions_.next(*r)) {
        const RegionAttributes& a = r->attributes;
        const uint32_t pages = r->bytes() >> kPageShift;
        if (a.locked()) use.locked += pages;
        if (a.label == RegionLabel::stack)
            use.stack += pages;
        else if (!a.shared && a.protection & kProtWrite)
            use.data += pages;
        else if (a.protection & kProtExecute)
            count_text(use, *r);
        // What only memory holds is not of files.
        if (a.pager && !a.pager->has_file())
            pages_.for_each(r->start, r->end, [&](VirtAddr, const PageEntry& entry) {
                use.shared += entry.has(kEntryFile);
            });
    }
    use.of_files -= use.shared;
    return use;
}
