// PagingLab: a range of a process' pages that share a few frames, under any replacement policy,
// with every access seen. A page in a frame is hidden from the MMU (kEntryHeld) except while one
// instruction runs: the access faults, is noted, the page is shown, and the processor's single step
// ends in hiding it again. So policies that need exact knowledge (LRU, LFU) get it, and what is
// recorded is the string that OPT needs in the next run.
// Invariant: at most `frames` pages of the range are in frames.
// Locks: the address space's.
#pragma once

#include "kernel/lib/format.hpp"
#include "kernel/lib/ref.hpp"
#include "kernel/lib/vector.hpp"
#include "mm/replacement/policy.hpp"

struct LabReplacers;

class PagingLab {
  public:
    static constexpr uint32_t kPagesMost = 4096, kRecordsMost = 16384;
    static constexpr uint32_t kNone = UINT32_MAX;

    // EINVAL, ENOMEM. OPT's future is what `former` recorded.
    static Result<Box<PagingLab>> create(VirtAddr start, uint32_t pages, uint32_t frames,
                                         std::string_view policy, PagingLab* former);
    ~PagingLab();

    bool covers(VirtAddr page) const {
        return page >= start_ && page - start_ < pages_ << kPageShift;
    }
    VirtAddr address(uint32_t page) const { return start_ + (page << kPageShift); }
    uint32_t index(VirtAddr page) const { return (page - start_) >> kPageShift; }
    VirtAddr start() const { return start_; }
    VirtAddr end() const { return address(pages_); }

    bool in_frame(uint32_t page) const { return table_[page].node.linked(); }
    void note_access(uint32_t page, bool write);  // it is in a frame
    // The page that has to leave before another can come; kNone: there is room.
    uint32_t victim();
    void note_load(uint32_t page, bool write, uint32_t victim, bool victim_dirty);
    // A page that leaves by itself; kNone: there is none.
    uint32_t expired();
    void take_out(uint32_t page) { policy_->remove(table_[page]); }
    void show_records(TextSink& to) const;

    uint32_t shown[4] = {};  // pages that the instruction under way may use
    uint32_t shown_count = 0;

  private:
    enum class Event : uint8_t { hit, fault, leaves };
    struct Record {
        uint32_t page, victim;
        Event event;
        bool write, victim_dirty;
    };
    PagingLab() = default;
    void record(const Record& what);

    VirtAddr start_{0};
    uint32_t pages_ = 0, frames_ = 0, now_ = 0;
    Box<LabReplacers> policies_;
    ReplacementPolicy* policy_ = nullptr;
    ResidentPage* table_ = nullptr;  // by page
    Vector<Record> records_;
    Vector<uint32_t> future_;
};

// --- the address space's side (paging_lab_faults.cpp)

class AddressSpace;
class LockedSpace;
struct Fault;
enum class FaultResult : uint8_t;

// A lab over `pages` pages of this space; any former one ends. EINVAL, ENOMEM.
Result<void> start_lab(AddressSpace& of, VirtAddr start, uint32_t pages, uint32_t frames,
                       std::string_view policy);
void stop_lab(AddressSpace& of);
void show_lab(AddressSpace& of, TextSink& to);
// A fault on a page that the lab covers: an access that the policy has to know of.
FaultResult lab_fault(LockedSpace& space, Fault& fault);
// The running thread has stepped over one instruction. False: it was not the lab that asked for it.
bool end_lab_step();
