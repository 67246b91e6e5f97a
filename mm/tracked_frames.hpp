// The frames that may be evicted, once there is swap: those of private pages and of shared memory.
// Each has an entry for the replacement policy. A private one knows the one address where all who
// map it have it: a page keeps its address through fork, and mremap moves it only while nobody
// shares it. A shared one knows its object and its place there. So the reverse map is the list of
// all address spaces, asked at that address or for regions of that object; pages cost nothing more
// at fork or fault.
// Invariant: a frame on the policy's list is in use; its list entry goes before the frame does.
// Locks: swap_lock (swap.hpp), except for the atomic ones.
#pragma once

#include "kernel/lib/policy_choice.hpp"
#include "mm/frames.hpp"
#include "mm/replacement/policy.hpp"
#include "mm/replacement_set.hpp"
#include "mm/swap.hpp"

class AddressSpace;
class SharedPages;

struct TrackedFrame : ResidentPage {  // `page` is the frame's number
    ReplacementSet* pool = nullptr;   // among whose pages it competes; set when it is loaded
    SharedPages* shared = nullptr;    // null: private
    uint32_t index = 0;               // of the object's pages
    VirtAddr address{0};              // of a private page
    uint32_t seen = 0;                // own time when a sample last found it used; file pages too
    SwapEntry entry{};                // the slot with the same contents
    bool unwritten = false;           // which it will have only once it can be written
};

extern TrackedFrame* tracked_frames;  // null until there is swap
inline TrackedFrame& tracked(Frame frame) { return tracked_frames[frame.raw()]; }

Result<void> start_tracking();  // all private pages that there are; ENOMEM
// A private page's frame came to, or moved to, this address of a space with this pool.
void track_frame(Frame frame, VirtAddr address, ReplacementSet& pool);
void move_tracked(Frame frame, VirtAddr address);  // unless another space maps it too
void untrack_freed_frame(Frame frame);             // its last reference went
// It can't be evicted from now on; false: eviction is under way, or it has a slot.
bool withdraw_tracked(Frame frame);
void put_tracked(Frame frame) REQUIRES(swap_lock);  // put_frame, with the lock held
// Brings in all that is in this area. ENOMEM.
Result<void> swap_in_all(uint32_t area);

extern const PolicyChoice kReplacementChoice;  // vm.replacement=NAME, /proc/sys/vm/replacement
// swap_lock held:
inline ReplacementPolicy& policy_of(ReplacementSet& pool) { return *pool.policy; }
inline ReplacementPolicy& policy_of(TrackedFrame& page) { return policy_of(*page.pool); }

// Scope: whose pages compete. Global: all in one pool. Local: each space's in its own, and what its
// frames are limited to is frame_allocation.hpp's business.
extern ReplacementSet common_pool;  // of a local scope: what its owner left behind
// What was found locked: nothing is evicted from there. All of it competes again once some is unlocked, when
// nothing else can go, and now and then: who locked a page may have ended, and others still map it.
extern ReplacementSet locked_pool;
extern Atomic<bool> some_unlocked;
void compete_again();
extern Atomic<bool> local_scope;
void choose_scope(bool local);
Result<void> make_pool(AddressSpace& space);  // ENOMEM
void enter_pool(AddressSpace& space);         // under the policy that is chosen
void drop_pool(AddressSpace& space);          // its pages compete in the common pool
void track_all(AddressSpace& space);
