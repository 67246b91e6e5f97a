// SharedPages: an object's pages that have no file behind them and that any number of programs may
// map (shared memory, tmpfs' files), as swapping sees them. For each page the object has either a
// frame or the slot that it went to; it is the only one that names that slot.
// Invariant: while a frame of such an object has a slot, nobody maps it writable without having told
// the object first (Pager::mark_dirty), which calls note_shared_write.
// Locks: the list of all objects: swap_lock. Objects have locks of their own, of a lower rank.
#pragma once

#include "mm/pager.hpp"
#include "mm/swap.hpp"

class SharedPages {
  public:
    virtual RefCounted& owner() = 0;         // who lives as long as this has references
    virtual const Pager& pager() const = 0;  // Pager::base of the regions that map it
    // From now on page `index` is in this slot, unless another frame holds it by now (false). Names
    // the slot, and drops the object's reference to the frame; both have been done if it was given up
    // before, and a space that maps it was busy.
    virtual bool give_up(uint32_t index, Frame frame, SwapEntry entry) = 0;
    // All that is in this area comes back. Sleeps. EIO, ENOMEM.
    virtual Result<void> bring_in(uint32_t area) = 0;
    virtual void track_all() = 0;  // calls track_shared for each page in memory

    ListNode node{};

  protected:
    ~SharedPages() = default;
};

void add_shared_pages(SharedPages& pages);
void remove_shared_pages(SharedPages& pages);

// A walk over all objects; each is kept alive while it is visited.
class AllSharedPages {
  public:
    SharedPages* next();  // null at the end

  private:
    SharedPages* current_ = nullptr;
    Ref<RefCounted> owner_;
};

// The frame came to hold this page of the object.
void track_shared(Frame frame, SharedPages& pages, uint32_t index);
// The object is about to drop its reference to the frame for good.
void forget_shared(Frame frame);
// Its contents are about to differ, or differ already, from its slot's: the slot goes. The caller
// has a reference to the frame.
void note_shared_write(Frame frame);
