// System V shared memory: a segment is memory that address spaces map (SegmentPager); regions that
// map it are counted by the references to that pager.
// Invariant: a segment is in the table until it was removed and nobody maps it any more; only then
// its memory goes.
// Locks: the table's Mutex for everything of a Segment.
// Spec: shmget(2), shmop(2), shmctl(2).
#pragma once

#include "kernel/ipc/ipc_object.hpp"
#include "mm/address_space.hpp"

constexpr uint16_t kSegmentRemoved = 01000,
                   kSegmentLocked = 02000;  // SHM_DEST, SHM_LOCKED: the mode

class SegmentPager;

class Segment final : public IpcObject {
  public:
    static Result<Ref<IpcObject>> create(uint32_t bytes, int pid);
    ~Segment() override;

    Result<VirtAddr> attach(AddressSpace& space, VirtAddr at, uint32_t flags, int pid);
    void remove();
    void lock(bool locked);  // its pages stay in memory
    // Table's lock:
    uint32_t attached() const;
    bool is_of(const Pager* pager) const;
    uint32_t resident() const;

    uint32_t bytes = 0;
    SplitTime attached_at, detached_at, changed = ipc_now();
    int creator = 0, last = 0;

  private:
    friend class SegmentPager;
    uint32_t pages_ = 0;
    SegmentPager* pager_ = nullptr;  // its own reference, until it is removed
    bool kept_ = false;              // that reference
};

// Unmaps the segment that is mapped at `at`. EINVAL: none.
Result<void> detach_segment(AddressSpace& space, VirtAddr at, int pid);
IpcTable& segments();
uint32_t segment_pages();       // of all segments
uint32_t segment_page_limit();  // all memory and swap
