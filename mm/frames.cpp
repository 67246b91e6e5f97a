// See frames.hpp. Single frames go through a small stock of each CPU, so that the usual pair of
// allocate and free neither splits and joins runs each time, nor waits for other CPUs.
#include "mm/frames.hpp"

#include <algorithm>

#include "kernel/arch/cpu.hpp"
#include "kernel/arch/interrupts.hpp"
#include "kernel/arch/memory_layout.hpp"
#include "kernel/sync/spin_lock.hpp"
#include "mm/boot_memory.hpp"
#include "mm/buddy.hpp"
#include "mm/window.hpp"

constinit FrameInfo* frame_table = nullptr;
constinit uint32_t frame_table_size = 0;

void (*frame_freed_hook)(Frame) = nullptr;
void (*memory_short_hook)() = nullptr;

namespace {

// As many as a program of some size brings in and gives back at its end, so that the buddy system
// sees little of it.
constexpr uint32_t kStockMost = 256, kStockBatch = 64;

// A CPU's own single free frames of a zone. Others only take them back, when none are left elsewhere.
struct FrameStock {
    IrqSpinLock lock{LockRank::frame_stock};
    uint32_t frames[kStockMost] GUARDED_BY(lock) = {};
    Atomic<uint32_t> size = 0;  // read without the lock, for sums

    void push(uint32_t frame) REQUIRES(lock) {
        const uint32_t at = size;
        frames[at] = frame;
        size = at + 1;
    }
    uint32_t pop() REQUIRES(lock) {
        const uint32_t at = size - 1;
        size = at;
        return frames[at];
    }
};

constinit IrqSpinLock frames_lock{LockRank::frames};

struct FrameZone {
    Buddy<FrameInfo, kMaxOrder + 1> buddy GUARDED_BY(frames_lock);
    FrameStock stocks[kMaxCpus] = {};
    uint32_t total GUARDED_BY(frames_lock) = 0;

    uint32_t stocked() const {
        uint32_t sum = 0;
        for (uint32_t i = 0; i < cpu_count; ++i) sum += stocks[i].size.relaxed();
        return sum;
    }
    bool exists() const NO_LOCK_ANALYSIS { return total; }  // known from the start
    // A moment ago, without the lock.
    uint32_t unstocked() const NO_LOCK_ANALYSIS { return buddy.free_units(); }
    uint32_t free() const { return unstocked() + stocked(); }
};
constinit FrameZone low_zone{}, high_zone{};
constinit Atomic<int32_t> spare_frames = 0;
constinit Atomic<Reclaimer*> reclaimers = nullptr;  // only ever added
// Below `watermark` free frames, reclaimers are asked; users and caches stop at `reserve`.
constinit uint32_t watermark = 0, reserve = 0;
constinit Atomic<uint32_t> wanted_run = 0;

FrameZone& zone_of(uint32_t index) { return index < kLowFrames ? low_zone : high_zone; }

void return_stock(FrameZone& zone, FrameStock& stock, uint32_t keep) REQUIRES(stock.lock) {
    LockGuard guard(frames_lock);
    while (stock.size > keep) zone.buddy.free(stock.pop(), 0);
}

void return_all_stocks(FrameZone& zone) {
    for (uint32_t i = 0; i < cpu_count; ++i) {
        FrameStock& stock = zone.stocks[i];
        LockGuard guard(stock.lock);
        return_stock(zone, stock, 0);
    }
}

void fill_stock(FrameZone& zone, FrameStock& stock) REQUIRES(stock.lock) {
    LockGuard guard(frames_lock);
    while (stock.size < kStockBatch) {
        const std::optional<uint32_t> index = zone.buddy.allocate(0);
        if (!index) break;
        stock.push(*index);
    }
}

std::optional<uint32_t> take_single(FrameZone& zone) {
    FrameStock& stock = zone.stocks[this_cpu().id];
    LockGuard guard(stock.lock);
    if (stock.size == 0) fill_stock(zone, stock);
    if (stock.size == 0) return std::nullopt;
    return stock.pop();
}

std::optional<uint32_t> take_run(FrameZone& zone, uint32_t order) {
    if (order == 0) return take_single(zone);
    LockGuard guard(frames_lock);
    return zone.buddy.allocate(order);
}

// What other CPUs have in stock counts too.
std::optional<uint32_t> take(FrameZone& zone, uint32_t order) {
    std::optional<uint32_t> index = take_run(zone, order);
    if (index || zone.stocked() == 0) [[likely]]
        return index;
    return_all_stocks(zone);
    return take_run(zone, order);
}

void give_back(uint32_t index, uint32_t order) {
    FrameZone& zone = zone_of(index);
    if (order > 0) {
        LockGuard guard(frames_lock);
        return zone.buddy.free(index, order);
    }
    FrameStock& stock = zone.stocks[this_cpu().id];
    LockGuard guard(stock.lock);
    if (stock.size == kStockMost) return_stock(zone, stock, kStockMost - kStockBatch);
    stock.push(index);
}

uint32_t free_total() { return low_zone.free() + high_zone.free(); }
uint32_t free_for(Zone zone) { return zone == Zone::low ? low_zone.free() : free_total(); }

// Certainly above the watermark: what CPUs have in stock isn't even counted.
bool is_plentiful(Zone zone) {
    const uint32_t low = low_zone.unstocked();
    return low >= watermark || (zone == Zone::any && low + high_zone.unstocked() >= watermark);
}

void reclaim_if_short(Zone zone) {
    if (free_for(zone) >= watermark) [[likely]]
        return;
    // A caller with interrupts off may hold locks that a reclaimer takes.
    if (!interrupts_enabled()) return;
    for (Reclaimer* r = reclaimers; r && free_for(zone) < watermark; r = r->next)
        r->reclaim(watermark - free_for(zone) + reserve);
    if (memory_short_hook && free_total() < watermark) memory_short_hook();
}

// Any lock may be held: the reclaim thread will see to it.
void ask_for_run(uint32_t order) {
    wanted_run.store_relaxed(order);
    if (memory_short_hook) memory_short_hook();
}

void hand_over(uint32_t first, uint32_t end) REQUIRES(frames_lock) {
    if (first >= end) return;
    const uint32_t border = std::clamp(kLowFrames, first, end);
    if (first < border) low_zone.buddy.add(first, border);
    if (border < end) high_zone.buddy.add(border, end);
    low_zone.total += border - first;
    high_zone.total += end - border;
}

}  // namespace

void frames_init(const BootInfo& info) NO_LOCK_ANALYSIS {
    BootMemory memory(info);
    frame_table_size = memory.end_frame();
    frame_table = memory.place_frame_table(frame_table_size);
    low_zone.buddy.init(frame_table, 0, std::min(frame_table_size, kLowFrames));
    if (frame_table_size > kLowFrames)
        high_zone.buddy.init(frame_table, kLowFrames, frame_table_size);
    {
        LockGuard guard(frames_lock);
        memory.for_each_free_range(hand_over);
    }
    reserve = std::max(32u, free_total() / 256);
    watermark = 2 * reserve;
}

Result<Frame> allocate_frames(uint32_t order, Zone zone) {
    if (order > kMaxOrder) return Errno::nomem;
    std::optional<uint32_t> index;
    if (zone == Zone::any && high_zone.exists()) index = take(high_zone, order);
    if (!index) index = take(low_zone, order);
    if (!index) {
        if (order > 0 && free_total() > 2u << order) ask_for_run(order);
        return Errno::nomem;
    }
    FrameInfo& info = frame_table[*index];
    info.references = 1;
    info.order = static_cast<uint8_t>(order);
    return Frame(*index);
}

void free_frames(Frame first, uint32_t order) {
    FrameInfo& info = frame_info(first);
    VERIFY(info.references == 1 && info.order == order && !info.node.linked());
    info.references = 0;
    give_back(first.raw(), order);
}

void for_each_free_frame(void (*visit)(void*, uint32_t), void* context) {
    constexpr uint32_t kAtOnce = 1u << kMaxOrder;  // no run crosses a multiple of that
    return_all_stocks(low_zone);
    return_all_stocks(high_zone);
    for (uint32_t first = 0; first < frame_table_size; first += kAtOnce) {
        const uint32_t end = std::min(first + kAtOnce, frame_table_size);
        LockGuard guard(frames_lock);
        for (uint32_t i = first; i < end;) {
            const uint32_t frames = frame_table[i].free ? 1u << frame_table[i].order : 1;
            for (uint32_t k = 0; frame_table[i].free && k < frames; ++k) visit(context, i + k);
            i += frames;
        }
    }
}

void withdraw_free_frames(uint32_t first, uint32_t order, Bitmap& withdrawn) {
    FrameZone& zone = zone_of(first);
    return_all_stocks(zone);
    LockGuard guard(frames_lock);
    zone.buddy.withdraw(first, first + (1u << order), [&](uint32_t index, uint32_t run) {
        withdrawn.set_range(index - first, 1u << run);
    });
}

void return_frames(uint32_t first, const Bitmap& withdrawn) {
    LockGuard guard(frames_lock);
    for (uint32_t i = 0; i < withdrawn.size(); ++i)
        if (withdrawn.test(i)) zone_of(first).buddy.free(first + i, 0);
}

uint32_t take_wanted_run() { return wanted_run.exchange(0); }

uint32_t reclaim_target() { return 2 * watermark; }

void free_last_reference(Frame frame) {
    if (frame_freed_hook) [[unlikely]]
        frame_freed_hook(frame);
    free_unhooked(frame);
}

void free_unhooked(Frame frame) {
    const FrameInfo& info = frame_info(frame);
    VERIFY(!info.free && !info.node.linked());
    give_back(frame.raw(), info.order);
}

namespace {
bool always() { return true; }
}  // namespace
bool (*is_for_superuser)() = always;

bool kernel_memory_is_reserved() {
    return free_for(Zone::low) <= reserve / 4 && !is_for_superuser();
}

Result<Frame> allocate_frame(Zone zone) {
    if (!is_plentiful(zone)) [[unlikely]] {
        reclaim_if_short(zone);
        const uint32_t left = free_for(zone);
        if (left <= reserve || (left <= reserve + reserve / 2 && !is_for_superuser()))
            return Errno::nomem;
    }
    return allocate_frames(0, zone);
}

Result<Frame> allocate_zeroed_frame(Zone zone) {
    Frame frame = TRY(allocate_frame(zone));
    clear_frame(frame);
    return frame;
}

Result<Frame> allocate_kernel_frame() {
    reclaim_if_short(Zone::low);
    return allocate_frames(0, Zone::low);
}

MemoryTotals memory_totals() {
    LockGuard guard(frames_lock);
    const auto kept = static_cast<uint32_t>(spare_frames.relaxed());
    return {low_zone.total + high_zone.total, free_total() + kept, low_zone.total,
            low_zone.free() + kept};
}

uint32_t free_run_count(Zone zone, uint32_t order) {
    LockGuard guard(frames_lock);
    const FrameZone& which = zone == Zone::low ? low_zone : high_zone;
    return which.buddy.free_runs(order) + (order == 0 ? which.stocked() : 0);
}

void note_spare_frames(int32_t change) { spare_frames.fetch_add(change); }

void add_reclaimer(Reclaimer& reclaimer) {
    LockGuard guard(frames_lock);
    VERIFY(!reclaimer.next && &reclaimer != reclaimers);
    reclaimer.next = reclaimers;
    reclaimers.store(&reclaimer);
}

void release_boot_range(PhysAddr start, PhysAddr end) {
    LockGuard guard(frames_lock);
    hand_over(frame_of(start).raw(), frame_of(end + kPageMask).raw());
}

void release_boot_memory() {
    extern char init_start[] asm("__init_start"), init_end[] asm("__init_end");
    release_boot_range(to_physical(init_start), to_physical(init_end));
}

void copy_frame(Frame to, Frame from) {
    FrameWindow target(to), source(from);
    const void* src = source.data();
    void* dst = target.data();
    uint32_t words = kPageSize / 4;
    asm volatile("rep movsl" : "+S"(src), "+D"(dst), "+c"(words)::"memory");
}

void clear_frame(Frame frame) {
    FrameWindow target(frame);
    void* dst = target.data();
    uint32_t words = kPageSize / 4;
    asm volatile("rep stosl" : "+D"(dst), "+c"(words) : "a"(0) : "memory");
}
