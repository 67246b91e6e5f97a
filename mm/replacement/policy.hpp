// ReplacementPolicy: which page leaves when a frame is wanted. Pure: no lock, no clock, no
// allocation; time comes as an argument, in accesses or in samplings of all pages. The kernel's
// reclaim, the laboratory of a process and the host tests run the same classes.
//
// The driver's duties:
//   - load() when a page came into a frame, access() for each access that it sees (not for the one
//     that loaded the page), remove() when the page leaves, for whatever reason.
//   - a driver that sees no accesses gives a PageProbe, which the policy asks about a page before
//     it relies on its bits, and calls tick() now and then.
// Ties go to the page that was loaded first.
#pragma once

#include <cstdint>
#include <span>
#include <string_view>

#include "kernel/lib/list_sort.hpp"
#include "kernel/lib/policy_list.hpp"
#include "kernel/lib/policy_slot.hpp"

// A page in a frame, as policies see it.
struct ResidentPage {
    ListNode node{};
    uint32_t page = 0;   // the driver's name for it
    uint32_t used = 0;   // when it was last seen used
    PolicySlot<4> slot;  // what the policy in charge keeps about it
    bool referenced = false, modified = false;
};

// Reads what the hardware noted: sets `referenced` and `modified` where an access or a write
// happened since it was asked last.
class PageProbe {
  public:
    virtual void look(ResidentPage& page) = 0;

  protected:
    ~PageProbe() = default;
};

class ReplacementPolicy {
  public:
    constexpr ReplacementPolicy() = default;
    ReplacementPolicy(const ReplacementPolicy&) = delete;
    ReplacementPolicy& operator=(const ReplacementPolicy&) = delete;

    virtual std::string_view name() const = 0;
    virtual void load(ResidentPage& page, bool write, uint32_t now) {
        page.used = now;
        page.referenced = true;
        page.modified = write;
        put_back(page);
    }
    virtual void access(ResidentPage& page, bool write, uint32_t now) {
        note_use(page, now);
        page.referenced = true;
        page.modified |= write;
        sorted_ = false;
    }
    // The page to give up; it stays until remove(). Null: there is none.
    virtual ResidentPage* victim(uint32_t now, PageProbe* probe = nullptr) = 0;
    // A page that should leave though no frame is wanted (variable allocation), or null.
    virtual ResidentPage* expired(uint32_t) { return nullptr; }
    // All pages' bits are looked at: what stands for accesses where none are seen.
    virtual void tick(uint32_t now, PageProbe* probe) {
        for (ResidentPage& page : pages_) {
            if (probe) probe->look(page);
            if (page.referenced) note_use(page, now);
            page.referenced = false;
        }
        sorted_ = false;
    }
    // Many victims will be asked for: a policy that looks for the smallest of something puts its pages
    // in order once, in O(n log n), and finds each victim in O(1) until a page comes or is used.
    virtual void prepare() {}
    void remove(ResidentPage& page) {
        page.node.unlink();
        --size_;
    }
    // After remove(), because it couldn't leave: all that is known of it still holds.
    void put_back(ResidentPage& page) {
        pages_.push_back(page);
        ++size_;
        sorted_ = false;
    }

    // Only for drivers that know what is to come (OPT).
    virtual bool knows_future() const { return false; }
    virtual void set_future(std::span<const uint32_t>) {}

    uint32_t size() const { return size_; }
    ResidentPage* first() const { return pages_.front(); }

  protected:
    ~ReplacementPolicy() = default;
    using PageList = List<ResidentPage, &ResidentPage::node>;

    // It was used, as an access or a sample shows.
    virtual void note_use(ResidentPage& page, uint32_t now) { page.used = now; }
    // The first page with the smallest key.
    template <typename F>
    ResidentPage* smallest(F&& key) {
        if (sorted_) return pages_.front();
        ResidentPage* best = nullptr;
        for (ResidentPage& page : pages_)
            if (!best || key(page) < key(*best)) best = &page;
        return best;
    }
    template <typename F>
    void sort_by(F&& key) {
        sort_list(pages_, key);
        sorted_ = true;
    }
    void to_back(ResidentPage& page) {
        page.node.unlink();
        pages_.push_back(page);
    }

    PageList pages_{};
    uint32_t size_ = 0;
    bool sorted_ = false;  // by what the policy looks for
};
