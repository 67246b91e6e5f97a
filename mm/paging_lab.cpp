// See paging_lab.hpp: the book-keeping. What it does to page tables: paging_lab_faults.cpp.
#include "mm/paging_lab.hpp"

#include <new>

#include "mm/replacers.hpp"
#include "mm/tracked_frames.hpp"

Result<Box<PagingLab>> PagingLab::create(VirtAddr start, uint32_t pages, uint32_t frames,
                                         std::string_view policy, PagingLab* former) {
    if (pages == 0 || pages > kPagesMost || frames == 0) return Errno::inval;
    Box<PagingLab> lab(new (std::nothrow) PagingLab);
    if (!lab) return Errno::nomem;
    lab->start_ = start;
    lab->pages_ = pages;
    lab->frames_ = frames;
    lab->policies_ = Box<LabReplacers>(new (std::nothrow) LabReplacers);
    if (!lab->policies_) return Errno::nomem;
    lab->policies_->copy_tunables(*common_pool.policies);
    lab->policy_ = lab->policies_->find(policy);
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
