// See user_pages.hpp. Frames go back only after no TLB can lead to them any more.
#include "mm/user_pages.hpp"

#include <algorithm>
#include <utility>

#include "kernel/arch/memory_layout.hpp"
#include "mm/frames.hpp"
#include "mm/table_pool.hpp"
#include "mm/tracked_frames.hpp"

namespace {

constexpr uint32_t kTableFlags = kEntryPresent | kEntryWritable | kEntryUser;

void drop_frame(Frame frame) {
    if (swap_active) [[unlikely]]
        swap_about_to_drop(frame);
    put_frame(frame);
}

}  // namespace

// Frames and tables that were unmapped, until the TLB is flushed.
class UserPages::Release {
  public:
    explicit Release(PhysAddr directory) : directory_(directory) {}
    ~Release() { flush(); }
    void unmapped(VirtAddr page, Frame frame) {
        if (frame_count_ == std::size(frames_)) flush();
        note(page);
        frames_[frame_count_++] = frame;
    }
    void without_table(VirtAddr page, PageTable* table) {
        note(page);  // INVLPG of any page drops what is remembered of directories
        flush();
        give_table(table);
    }

  private:
    // The pages that were unmapped since the last flush lie in [low_, high_); low_ == high_: none were.
    // Lab 11.3: stub { (void)page; }
    void note(VirtAddr page) {
        if (low_ == high_) low_ = page;
        high_ = std::max(high_, page + kPageSize);
    }
    // The TLBs of all CPUs forget the pages noted, if there are any; only then the frames go back, for a
    // stale entry would lead to the next owner of a frame. Nothing is noted any more.
    // Lab 11.3: stub { while (frame_count_ > 0) drop_frame(frames_[--frame_count_]); }
    void flush() {
        if (low_ != high_) flush_range(directory_, low_, high_);
        low_ = high_ = VirtAddr(0);
        while (frame_count_ > 0) drop_frame(frames_[--frame_count_]);
    }

    PhysAddr directory_;
    VirtAddr low_{0}, high_{0};
    Frame frames_[32];
    uint32_t frame_count_ = 0;
};

UserPages::~UserPages() {
    if (!directory_) return;
    VERIFY(resident_ == 0 && swapped_ == 0 && tables_ == 0);
    give_directory(directory_);
}

Result<void> UserPages::init() {
    directory_ = TRY(take_directory());
    return {};
}

PageTable* UserPages::table(uint32_t index) const {
    const PageEntry entry = directory_->entries[index];
    return entry.present() ? static_cast<PageTable*>(to_virtual(entry.frame())) : nullptr;
}

PageEntry* UserPages::find(VirtAddr page) const {
    PageTable* found = table(directory_index(page));
    return found ? &found->entries[table_index(page)] : nullptr;
}

Result<PageEntry*> UserPages::slot(VirtAddr page) {
    VERIFY(page < kUserTop);
    PageTable* where = table(directory_index(page));
    if (!where) {
        where = TRY(take_table());
        ++tables_;
        directory_->entries[directory_index(page)] =
            PageEntry::make(frame_of(to_physical(where)), kTableFlags);
    }
    return &where->entries[table_index(page)];
}

void UserPages::count(PageEntry entry, int32_t change) {
    resident_ += static_cast<uint32_t>(change);
    if (entry.has(kEntryFile)) file_resident_ += static_cast<uint32_t>(change);
}

void UserPages::fill(PageEntry* empty, PageEntry entry) {
    VERIFY(!empty->holds_frame());
    *empty = entry;
    count(entry, 1);
    ++entries_in_use(table_of(empty));
}

void UserPages::fill_from_file(PageEntry* slots, std::span<const Frame> frames, uint32_t flags) {
    uint32_t filled = 0;
    for (const Frame frame : frames) {
        PageEntry* slot = slots++;
        if (!frame.raw()) continue;
        *slot = PageEntry::make(frame, flags | kEntryFile);
        ++filled;
    }
    resident_ += filled;
    file_resident_ += filled;
    entries_in_use(table_of(slots - 1)) += static_cast<uint16_t>(filled);
}

void UserPages::replace(VirtAddr page, PageEntry* slot, PageEntry entry) {
    const PageEntry old = std::exchange(*slot, entry);
    count(old, -1);
    count(entry, 1);
    flush_range(directory(), page, page + kPageSize);
    drop_frame(old.frame());
}

void UserPages::fill_swapped(PageEntry* slot, PageEntry entry) {
    VERIFY(slot->swapped());
    *slot = entry;
    --swapped_;
    count(entry, 1);
}

void UserPages::replace_by_swap(VirtAddr page, PageEntry* slot, PageEntry entry) {
    note_peak();
    const PageEntry old = std::exchange(*slot, entry);
    ++swapped_;
    count(old, -1);
    flush_range(directory(), page, page + kPageSize);
    put_frame(old.frame());
}

void UserPages::clear(VirtAddr start, VirtAddr end) {
    note_peak();
    Release release(directory());
    for_each_table(start, end, [&](VirtAddr at, VirtAddr stop, PageTable& table) {
        uint16_t& in_use = entries_in_use(&table);
        in_use = static_cast<uint16_t>(in_use - clear_entries(release, at, stop, table));
        if (in_use > 0) return;
        directory_->entries[directory_index(at)] = {};
        --tables_;
        release.without_table(at, &table);
    });
}

uint32_t UserPages::clear_entries(Release& release, VirtAddr at, VirtAddr stop, PageTable& table) {
    const uint32_t in_use = entries_in_use(&table);
    uint32_t left = in_use, file = 0, swapped = 0;
    PageEntry* slot = &table.entries[table_index(at)];
    for (; at < stop && left > 0; at += kPageSize, ++slot) {
        if (!slot->raw) continue;
        const PageEntry old = std::exchange(*slot, {});
        --left;
        if (old.swapped()) [[unlikely]] {
            swap_drop_name({old.raw});
            ++swapped;
            continue;
        }
        file += old.has(kEntryFile);
        release.unmapped(at, old.frame());
    }
    const uint32_t cleared = in_use - left;
    resident_ -= cleared - swapped;
    file_resident_ -= file;
    swapped_ -= swapped;
    return cleared;
}

// Takes rights from the entries that are present: to write, or (Rights::none) to access at all: then the
// entry is not present, but kEntryHeld keeps the frame. What the TLBs of all CPUs remember of the range
// would still give those rights.
// Lab 11.3: stub { (void)start; (void)end; (void)rights; }
void UserPages::restrict(VirtAddr start, VirtAddr end, Rights rights) {
    for_each(start, end, [&](VirtAddr, PageEntry& slot) {
        if (!slot.present()) return;
        slot = slot.without(kEntryWritable);
        if (rights == Rights::none) slot = slot.without(kEntryPresent).with(kEntryHeld);
    });
    flush_range(directory(), start, end);
}
