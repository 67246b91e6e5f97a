// See swap.hpp: areas, slots, and the cache.
#include "mm/swap.hpp"

#include <algorithm>
#include <utility>

#include "kernel/lib/bitmap.hpp"
#include "kernel/lib/log.hpp"
#include "kernel/sched/clock.hpp"
#include "kernel/sched/scheduler.hpp"
#include "mm/reclaim.hpp"
#include "mm/tracked_frames.hpp"
#include "mm/virtual_area.hpp"

constinit SpinLock swap_lock{LockRank::swap};
constinit Atomic<bool> swap_active = false;
constinit SwapCounts swap_counts{};

namespace {

constexpr uint64_t kRetryAfter = 1'000'000;  // nanoseconds
constexpr uint32_t kSectorsPerPage = kPageSize / kSectorSize;

struct Slot {
    Frame frame;         // of the cache; 0: none
    uint32_t names = 0;  // page table entries
};

struct Area {
    BlockDevice* device = nullptr;  // null: not in use
    uint32_t slots = 0;             // slot 0 is the header
    uint32_t usable = 0, used = 0;  // without the header and bad pages
    int priority = 0;
    uint32_t writing = 0;  // requests under way; the slots may be nobody's by now
    bool is_file = false;
    char path[56] = {};
    bool closed = false;   // nothing new goes there: it failed, or leaves
    bool leaving = false;  // nor does what came back from there: swap_off would never end
    Slot* table = nullptr;
    uint32_t* taken = nullptr;  // bitmap
    uint32_t next = 1;          // where the search for free slots goes on

    Bitmap bitmap() const { return {{taken, (slots + 31) / 32}, slots}; }
};
constinit Area areas[kSwapAreas] GUARDED_BY(swap_lock) = {};
constinit uint32_t cached_frames GUARDED_BY(swap_lock) = 0;
constinit Atomic<uint32_t> area_count = 0;

Slot& slot_of(SwapEntry entry) REQUIRES(swap_lock) {
    Area& area = areas[entry.area()];
    VERIFY(area.device && entry.slot() < area.slots);
    return area.table[entry.slot()];
}

void free_if_unused(SwapEntry entry) REQUIRES(swap_lock) {
    const Slot& slot = slot_of(entry);
    if (slot.names || slot.frame.raw()) return;
    Area& area = areas[entry.area()];
    area.bitmap().set(entry.slot(), false);
    --area.used;
}

// Spec: the header of `mkswap`: 1,024 bytes for boot loaders, then version, last page, bad pages.
struct SwapHeader {
    char boot[1024];
    uint32_t version, last_page, bad_count;
    uint8_t uuid[16], label[16];
    uint32_t padding[117];
    uint32_t bad[637];
    char unused[2];
    char signature[10];
};
static_assert(sizeof(SwapHeader) == kPageSize);

// Without swap_lock: freed frames take it.
void free_area(const Area& area) {
    if (area.table) free_wide(area.table, area.slots * sizeof(Slot));
    if (area.taken) free_wide(area.taken, (area.slots + 31) / 32 * 4);
}

Result<void> set_up(Area& area, BlockDevice& device) {
    const Frame page = TRY(allocate_kernel_frame());
    const auto* header = static_cast<const SwapHeader*>(to_virtual(page));
    Result<void> done = device.read(Sector(0), kSectorsPerPage, to_virtual(page));
    const std::string_view signature(header->signature, sizeof header->signature);
    if (done.is_ok() && (signature != "SWAPSPACE2" || header->version != 1 ||
                         header->bad_count > std::size(header->bad) || header->last_page == 0))
        done = Errno::inval;
    const uint64_t fits = std::min<uint64_t>(device.sectors() / kSectorsPerPage, 1u << 20);
    area.slots =
        done.is_ok()
            ? static_cast<uint32_t>(std::min<uint64_t>(fits, uint64_t{header->last_page} + 1))
            : 0;
    if (done.is_ok() && area.slots < 2) done = Errno::inval;
    if (done.is_ok()) {
        Result<void*> table = allocate_wide(area.slots * sizeof(Slot));
        Result<void*> taken = allocate_wide((area.slots + 31) / 32 * 4);
        area.table = static_cast<Slot*>(table.is_ok() ? table.value() : nullptr);
        area.taken = static_cast<uint32_t*>(taken.is_ok() ? taken.value() : nullptr);
        if (!area.table || !area.taken) done = Errno::nomem;
    }
    if (done.is_ok()) {
        std::fill_n(area.table, area.slots, Slot{});
        std::fill_n(area.taken, (area.slots + 31) / 32, 0u);
        area.bitmap().set(0);
        area.usable = area.slots - 1;
        for (uint32_t i = 0; i < header->bad_count; ++i)
            if (header->bad[i] < area.slots && !area.bitmap().test(header->bad[i])) {
                area.bitmap().set(header->bad[i]);
                --area.usable;
            }
    }
    put_frame(page);
    return done;
}

Area* area_of(const BlockDevice* device) REQUIRES(swap_lock) {
    for (Area& area : areas)
        if (area.device == device) return &area;
    return nullptr;
}

Result<void> add_area(Area& fresh, BlockDevice& device, int priority) {
    LockGuard guard(swap_lock);
    if (area_of(&device)) return Errno::busy;
    Area* free = area_of(nullptr);
    if (!free) return Errno::perm;
    int lowest = -1;
    for (const Area& area : areas)
        if (area.device) lowest = std::min(lowest, area.priority - 1);
    fresh.priority = priority >= 0 ? priority : lowest;
    fresh.device = &device;
    *free = fresh;
    area_count.fetch_add(1);
    return {};
}

// A closed area that nobody names any more leaves the table; what is only cached has no need of its
// slot. An area without a device: it is still named.
Area take_if_unused(uint32_t index) {
    LockGuard guard(swap_lock);
    Area& area = areas[index];
    for (uint32_t i = 1; i < area.slots; ++i)
        if (const Frame frame = area.table[i].frame; frame.raw())
            swap_cache_remove(SwapEntry::make(index, i), frame);
    return area.used ? Area{} : std::exchange(area, Area{});
}

void pause_for(uint64_t nanoseconds) {
    park({.interruptible = false, .deadline = monotonic_now() + nanoseconds, .reason = "swap"});
}

// It stays as it is while one of its slots is named.
const Area& named_area(SwapEntry entry) NO_LOCK_ANALYSIS { return areas[entry.area()]; }

bool swap_writes_to(uint32_t index) {
    LockGuard guard(swap_lock);
    return areas[index].writing != 0;
}

}  // namespace

Result<void> swap_on(BlockDevice& device, int priority, std::string_view path, bool is_file) {
    if (device.read_only()) return Errno::rofs;
    TRY(start_tracking());
    Area fresh;
    fresh.is_file = is_file;
    path.copy(fresh.path, sizeof fresh.path - 1);
    Result<void> done = set_up(fresh, device);
    if (done.is_ok()) done = add_area(fresh, device, priority);
    if (done.is_error()) {
        free_area(fresh);
        return done;
    }
    log_info("swap: {} KiB on {}", fresh.usable * 4, fresh.path);
    return {};
}

Result<void> swap_off(BlockDevice& device) {
    uint32_t index;
    {
        LockGuard guard(swap_lock);
        Area* area = area_of(&device);
        if (!area || area->leaving) return Errno::inval;  // another thread switches it off
        area->closed = area->leaving = true;
        index = static_cast<uint32_t>(area - areas);
    }
    // A thread that just reads a slot, or evicts to it, names it in passing: a moment later not.
    constexpr uint32_t kAttempts = 100, kWaits = 8;
    uint32_t waits = 0;
    Area gone;
    for (uint32_t attempt = 0; attempt < kAttempts && !gone.device; ++attempt) {
        if (attempt) pause_for(kRetryAfter);
        const Result<void> done = swap_in_all(index);
        while (swap_writes_to(index)) pause_for(kRetryAfter);
        if (done.is_ok())
            gone = take_if_unused(index);
        else if (done.error() != Errno::nomem || ++waits > kWaits || !wait_for_memory())
            break;
    }
    if (!gone.device) {
        LockGuard guard(swap_lock);
        areas[index].closed = areas[index].leaving = false;
        return Errno::nomem;
    }
    free_area(gone);
    area_count.subtract(1);
    return {};
}

bool swap_has_area() { return area_count.relaxed() != 0; }

bool swap_has_room() {
    LockGuard guard(swap_lock);
    return std::ranges::any_of(
        areas, [](const Area& a) { return a.device && !a.closed && a.used < a.usable; });
}

bool is_swap_area(const BlockDevice& device) {
    LockGuard guard(swap_lock);
    return area_of(&device) != nullptr;
}

void show_swap_areas(TextSink& to) {
    to.put("Filename\t\t\t\tType\t\tSize\t\tUsed\t\tPriority\n");
    LockGuard guard(swap_lock);
    for (const Area& area : areas)
        if (area.device)
            format_to(to, "{:<39} {}\t{}\t\t{}\t\t{}\n", area.path,
                      area.is_file ? "file\t" : "partition", area.usable * 4, area.used * 4,
                      area.priority);
}

SwapTotals swap_totals() {
    LockGuard guard(swap_lock);
    SwapTotals totals{0, 0, cached_frames};
    for (const Area& area : areas) {
        totals.total += area.usable;
        totals.free += area.usable - area.used;
    }
    return totals;
}

// --- names and the cache

void swap_add_name(SwapEntry entry) {
    LockGuard guard(swap_lock);
    ++slot_of(entry).names;
}

void swap_drop_name(SwapEntry entry) {
    LockGuard guard(swap_lock);
    Slot& slot = slot_of(entry);
    VERIFY(slot.names > 0);
    // Without names, a frame that only the cache holds is of no use.
    if (--slot.names == 0 && slot.frame.raw() && frame_references(slot.frame) == 1)
        swap_cache_remove(entry, slot.frame);
    else
        free_if_unused(entry);
}

bool swap_is_leaving(SwapEntry entry) { return areas[entry.area()].leaving; }

void swap_cache_insert(SwapEntry entry, Frame frame) {
    Slot& slot = slot_of(entry);
    VERIFY(!slot.frame.raw());
    slot.frame = frame;
    tracked(frame).entry = entry;
    ++cached_frames;
}

bool swap_cache_remove(SwapEntry entry, Frame frame) {
    Slot& slot = slot_of(entry);
    if (slot.frame != frame) return false;
    slot.frame = Frame(0);
    tracked(frame).entry = {};
    --cached_frames;
    free_if_unused(entry);
    put_tracked(frame);
    return true;
}

bool swap_take_over(Frame frame) {
    LockGuard guard(swap_lock);
    const SwapEntry entry = tracked(frame).entry;
    if (!entry) return frame_references(frame) == 1;
    if (slot_of(entry).names || frame_references(frame) != 2) return false;
    return swap_cache_remove(entry, frame);
}

void swap_about_to_drop(Frame frame) {
    LockGuard guard(swap_lock);
    const SwapEntry entry = tracked(frame).entry;
    if (entry && slot_of(entry).names == 0 && frame_references(frame) == 2)
        swap_cache_remove(entry, frame);
}

bool swap_find(SwapEntry entry, Frame& frame) {
    LockGuard guard(swap_lock);
    frame = slot_of(entry).frame;
    if (!frame.raw()) return false;
    get_frame(frame);
    ++swap_counts.cached_hits;
    return true;
}

Result<void> swap_read(SwapEntry entry) {
    const Frame frame = TRY(allocate_frame(Zone::low));
    const Area& area = named_area(entry);
    const Result<void> done = area.device->read(Sector(uint64_t{entry.slot()} * kSectorsPerPage),
                                                kSectorsPerPage, to_virtual(frame));
    if (done.is_error()) {
        log_error("swap: {}: page {} can't be read", area.path, entry.slot());
        put_frame(frame);
        return done;
    }
    LockGuard guard(swap_lock);
    ++swap_counts.in;
    if (slot_of(entry).frame.raw())
        put_tracked(frame);  // another thread read it meanwhile
    else
        swap_cache_insert(entry, frame);
    return {};
}

Result<Frame> swap_bring_in(SwapEntry entry) {
    Frame frame;
    while (!swap_find(entry, frame)) TRY(swap_read(entry));
    return frame;
}

// --- writing

uint32_t swap_allocate(uint32_t count, SwapEntry& first) {
    Area* best = nullptr;
    for (Area& area : areas)
        if (area.device && !area.closed && area.used < area.usable &&
            (!best || area.priority > best->priority))
            best = &area;
    if (!best) {
        ++swap_counts.refused;
        return 0;
    }
    for (; count > 0; count /= 2) {
        std::optional<uint32_t> found = best->bitmap().find_clear_run(count, best->next);
        if (!found) found = best->bitmap().find_clear_run(count);
        if (!found) continue;
        best->bitmap().set_range(*found, count);
        best->used += count;
        best->next = *found + count < best->slots ? *found + count : 1;
        first = SwapEntry::make(static_cast<uint32_t>(best - areas), *found);
        return count;
    }
    return 0;
}

Result<void> swap_write(SwapEntry first, uint32_t count, const void* from) {
    swap_lock.lock();
    Area& area = areas[first.area()];
    BlockDevice* const device = area.device;
    if (device) ++area.writing;
    swap_lock.unlock();
    if (!device) return Errno::io;  // switched off: nobody names these slots any more
    const Result<void> done = device->write(Sector(uint64_t{first.slot()} * kSectorsPerPage),
                                            count * kSectorsPerPage, from);
    LockGuard guard(swap_lock);
    --area.writing;
    ++swap_counts.writes;
    if (done.is_ok()) swap_counts.out += count;
    return done;
}

void swap_area_failed(SwapEntry entry) {
    Area& area = areas[entry.area()];
    if (area.closed) return;
    area.closed = true;
    log_error("swap: {}: a write failed; nothing more goes there", area.path);
}
