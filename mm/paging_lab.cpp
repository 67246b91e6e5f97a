// See paging_lab.hpp. The first half is the book-keeping, the second what it does to page tables.
#include "mm/paging_lab.hpp"

#include "kernel/sched/thread.hpp"
#include "mm/session.hpp"

Result<Box<PagingLab>> PagingLab::create(VirtAddr start, uint32_t pages, uint32_t frames,
                                         std::string_view policy, PagingLab* former) {
    if (pages == 0 || pages > kPagesMost || frames == 0) return Errno::inval;
    Box<PagingLab> lab(new (std::nothrow) PagingLab);
    if (!lab) return Errno::nomem;
    lab->start_ = start;
    lab->pages_ = pages;
    lab->frames_ = frames;
    lab->policy_ = lab->policies_.find(policy);
    if (!lab->policy_ || (lab->policy_->knows_future() && !former)) return Errno::inval;
    lab->table_ = new (std::nothrow) ResidentPage[pages];
    if (!lab->table_) return Errno::nomem;
    for (uint32_t i = 0; i < pages; ++i) lab->table_[i].page = i;
    if (former)
        for (const Record& record : former->records_)
            if (record.event != Event::leaves) TRY(lab->future_.push_back(record.page));
    lab->policy_->set_future(lab->future_.span());
    return lab;
}

PagingLab::~PagingLab() {
    while (policy_ && policy_->first()) policy_->remove(*policy_->first());
    delete[] table_;
}

// A record that finds no room is lost; what the policy does isn't changed by it.
void PagingLab::record(const Record& what) {
    if (records_.size() < kRecordsMost) static_cast<void>(records_.push_back(what));
}

void PagingLab::note_access(uint32_t page, bool write) {
    policy_->access(table_[page], write, now_++);
    record({page, kNone, Event::hit, write, false});
}

uint32_t PagingLab::victim() {
    if (policy_->size() < frames_) return kNone;
    return policy_->victim(now_)->page;
}

void PagingLab::note_load(uint32_t page, bool write, uint32_t victim, bool victim_dirty) {
    policy_->load(table_[page], write, now_++);
    record({page, victim, Event::fault, write, victim_dirty});
}

uint32_t PagingLab::expired() {
    const ResidentPage* page = now_ ? policy_->expired(now_ - 1) : nullptr;
    if (!page) return kNone;
    record({page->page, kNone, Event::leaves, false, false});
    return page->page;
}

// A line an event: PAGE r|w hit; PAGE r|w fault VICTIM|- [dirty]; PAGE - leaves.
void PagingLab::show_records(TextSink& to) const {
    for (const Record& r : records_) {
        if (r.event == Event::leaves) {
            format_to(to, "{} - leaves\n", r.page);
            continue;
        }
        format_to(to, "{} {} ", r.page, r.write ? 'w' : 'r');
        if (r.event == Event::hit)
            to.put("hit\n");
        else if (r.victim == kNone)
            to.put("fault -\n");
        else
            format_to(to, "fault {}{}\n", r.victim, r.victim_dirty ? " dirty" : "");
    }
}

// --- the address space's side

Result<void> AddressSpace::start_lab(VirtAddr start, uint32_t pages, uint32_t frames,
                                     std::string_view policy) {
    Range range;
    if (start.raw() & kPageMask || pages > PagingLab::kPagesMost ||
        !make_range(start, pages << kPageShift, range))
        return Errno::inval;
    Session session(*this);
    if (!regions_.is_covered(range.start, range.end)) return Errno::nomem;
    Box<PagingLab> lab = TRY(PagingLab::create(start, pages, frames, policy, lab_));
    if (lab_) pages_.clear(lab_->start(), lab_->end());
    pages_.clear(range.start, range.end);
    delete std::exchange(lab_, lab.leak());
    return {};
}

void AddressSpace::stop_lab() {
    Session session(*this);
    if (lab_) pages_.clear(lab_->start(), lab_->end());
    delete std::exchange(lab_, nullptr);
}

void AddressSpace::show_lab(TextSink& to) {
    Session session(*this);
    if (lab_) lab_->show_records(to);
}

void AddressSpace::hide_lab_pages() {
    while (lab_->shown_count > 0) {
        const VirtAddr page = lab_->address(lab_->shown[--lab_->shown_count]);
        PageEntry* entry = pages_.find(page);
        if (!entry || !entry->present()) continue;
        *entry = entry->without(kEntryPresent).with(kEntryHeld);
        flush_range(pages_.directory(), page, page + kPageSize);
    }
}

void AddressSpace::evict_lab_page(uint32_t page, bool& dirty) {
    const VirtAddr address = lab_->address(page);
    const PageEntry* entry = pages_.find(address);
    dirty = entry && entry->has(kEntryDirty);
    lab_->take_out(page);
    if (entry && entry->holds_frame()) trace_evicted(address, entry->frame(), dirty);
    pages_.clear(address, address + kPageSize);
}

FaultResult AddressSpace::lab_fault(VirtAddr address, bool write, bool user, Awaited& awaited) {
    const uint32_t page = lab_->index(address);
    PageEntry* entry = pages_.find(address);
    bool shown = false;
    for (uint32_t i = 0; i < lab_->shown_count; ++i) shown |= lab_->shown[i] == page;
    // An instruction uses no more than that many pages of data; one that the kernel's own copying
    // showed stays until then.
    if (!shown && (!user || lab_->shown_count == std::size(lab_->shown))) hide_lab_pages();
    FaultResult result = FaultResult::resolved;
    if (shown) return resolve(address, write, awaited);  // read before, now written: one access
    if (entry && entry->holds_frame() && lab_->in_frame(page)) {
        result = resolve(address, write, awaited);
        if (result == FaultResult::resolved) lab_->note_access(page, write);
    } else {
        if (lab_->in_frame(page)) lab_->take_out(page);  // unmapped meanwhile
        result = resolve(address, write, awaited);
        // The policy decides once: not before the page is certain to come.
        if (result == FaultResult::resolved) {
            const uint32_t victim = lab_->victim();
            bool dirty = false;
            if (victim != PagingLab::kNone) evict_lab_page(victim, dirty);
            lab_->note_load(page, write, victim, dirty);
        }
    }
    if (result != FaultResult::resolved) return result;
    for (uint32_t old; (old = lab_->expired()) != PagingLab::kNone;) {
        bool dirty;
        evict_lab_page(old, dirty);
    }
    lab_->shown[lab_->shown_count++] = page;
    if (user) Thread::current().user_frame().eflags |= kFlagTrap;
    return result;
}

bool AddressSpace::end_lab_step() {
    Session session(*this);
    if (!lab_) return false;
    hide_lab_pages();
    Thread::current().user_frame().eflags &= ~kFlagTrap;
    return true;
}
