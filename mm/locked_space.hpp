// LockedSpace: an address space's lock, held for as long as this lives, and what it guards. A
// function that takes one needs the lock. Regions that went meanwhile are destroyed after
// unlocking (see region.hpp).
#pragma once

#include <algorithm>
#include <utility>

#include "mm/address_space.hpp"
#include "mm/commitment.hpp"

class SCOPED_CAPABILITY LockedSpace {
  public:
    explicit LockedSpace(AddressSpace& space) ACQUIRE(space.lock_) : space_(space) {
        space_.lock_.lock();
    }
    ~LockedSpace() RELEASE() {
        SpaceState& state = space_.state_;
        Region* removed = state.regions.take_removed();
        if (const uint32_t now = state.regions.committed(); now != state.charged)
            change_commitment(static_cast<int32_t>(now - std::exchange(state.charged, now)));
        state.peak_total = std::max(state.peak_total, state.regions.pages());
        space_.lock_.unlock();
        RegionMap::destroy(removed);
    }
    LockedSpace(const LockedSpace&) = delete;
    LockedSpace& operator=(const LockedSpace&) = delete;

    // action(locked) unless another thread has the lock; its answer, else false. For reclaim, which
    // must not wait for a space whose owner may be waiting for reclaim.
    template <typename F>
    static bool if_free(AddressSpace& space, F&& action) NO_LOCK_ANALYSIS {
        if (!space.lock_.try_lock()) return false;
        LockedSpace locked(space, Adopt());
        return action(locked);
    }

    SpaceState* operator->() const NO_LOCK_ANALYSIS { return &space_.state_; }
    AddressSpace& space() const { return space_; }

  private:
    struct Adopt {};
    LockedSpace(AddressSpace& space, Adopt) NO_LOCK_ANALYSIS : space_(space) {}
    AddressSpace& space_;
};
