// See user_pages.hpp: what fork and mremap do with page tables.
#include <utility>

#include "mm/frames.hpp"
#include "mm/table_pool.hpp"
#include "mm/tracked_frames.hpp"
#include "mm/user_pages.hpp"

Result<void> UserPages::share(UserPages& child, VirtAddr start, VirtAddr end, bool copy_on_write,
                              bool& changed) {
    Result<void> result;
    for_each_table(start, end, [&](VirtAddr at, VirtAddr stop, PageTable& table) {
        uint32_t left = entries_in_use(&table);
        if (left == 0 || result.is_error()) return;
        Result<PageEntry*> to = child.slot(at);
        if (to.is_error()) {
            result = to.error();
            return;
        }
        PageEntry* copy = to.value();
        uint32_t copied = 0, file = 0, swapped = 0;
        for (PageEntry* slot = &table.entries[table_index(at)]; at < stop && left > 0;
             at += kPageSize, ++slot, ++copy) {
            if (!slot->raw) continue;
            if (copy_on_write && slot->writable()) {
                *slot = slot->without(kEntryWritable);
                changed = true;
            }
            *copy = *slot;
            if (slot->swapped()) [[unlikely]] {
                swap_add_name({slot->raw});
                ++swapped;
            } else {
                get_frame(slot->frame());
                file += slot->has(kEntryFile);
            }
            ++copied;
            --left;
        }
        entries_in_use(table_of(to.value())) += static_cast<uint16_t>(copied);
        child.resident_ += copied - swapped;
        child.file_resident_ += file;
        child.swapped_ += swapped;
    });
    return result;
}

Result<void> UserPages::make_tables(VirtAddr start, VirtAddr end) {
    for (VirtAddr at(align_down(start.raw(), kTableSpan)); at < end; at += kTableSpan)
        TRY(slot(std::max(at, start)));
    return {};
}

void UserPages::move(VirtAddr from, VirtAddr to, uint32_t bytes) {
    for_each_table(from, from + bytes, [&](VirtAddr at, VirtAddr stop, PageTable& table) {
        PageEntry* target = nullptr;
        for (PageEntry* source = &table.entries[table_index(at)]; at < stop;
             at += kPageSize, ++source) {
            const VirtAddr goal = to + (at - from);
            target = target && table_index(goal) ? target + 1 : find(goal);
            if (!source->raw) continue;
            VERIFY(target && !target->raw);
            *target = std::exchange(*source, {});
            if (swap_active && target->holds_frame() && !target->has(kEntryFile))
                move_tracked(target->frame(), goal);
            --entries_in_use(&table);
            ++entries_in_use(table_of(target));
        }
    });
    flush_range(directory(), from, from + bytes);
    clear(from, from + bytes);  // frees the tables that are empty now
}
