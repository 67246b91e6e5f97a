// See table_pool.hpp.
#include "mm/table_pool.hpp"

#include "kernel/sync/spin_lock.hpp"
#include "mm/frames.hpp"
#include "mm/kernel_map.hpp"

namespace {

constexpr uint32_t kSparesMost = 32;

constinit SpinLock pool_lock{LockRank::page_tables};

struct Pool {
    PageTable* spares[kSparesMost] GUARDED_BY(pool_lock);
    uint32_t count GUARDED_BY(pool_lock) = 0;

    PageTable* take() {
        LockGuard guard(pool_lock);
        if (count == 0) return nullptr;
        note_spare_frames(-1);
        return spares[--count];
    }
    bool give(PageTable* table) {
        LockGuard guard(pool_lock);
        if (count == kSparesMost) return false;
        note_spare_frames(1);
        spares[count++] = table;
        return true;
    }
};
constinit Pool tables{}, directories{};

void free_table(PageTable* table) { put_frame(frame_of(to_physical(table))); }

uint32_t reclaim(uint32_t) {
    uint32_t freed = 0;
    for (Pool* pool : {&tables, &directories})
        for (; PageTable* table = pool->take(); ++freed) free_table(table);
    return freed;
}
constinit Reclaimer pool_reclaimer{reclaim};

Result<PageTable*> fresh_table() {
    Frame frame = TRY(allocate_kernel_frame());
    clear_frame(frame);
    frame_info(frame).table_entries = 0;
    return static_cast<PageTable*>(to_virtual(frame));
}

}  // namespace

Result<PageTable*> take_table() {
    if (PageTable* table = tables.take()) return table;
    return fresh_table();
}

Result<PageTable*> take_directory() {
    if (PageTable* directory = directories.take()) return directory;
    PageTable* directory = TRY(fresh_table());
    copy_kernel_half(*directory);
    return directory;
}

void give_table(PageTable* table) {
    if (!tables.give(table)) free_table(table);
}
void give_directory(PageTable* directory) {
    if (!directories.give(directory)) free_table(directory);
}
void table_pool_init() { add_reclaimer(pool_reclaimer); }
