// Session: the lock of an address space, for as long as one of its functions runs. Regions that
// went meanwhile are destroyed after unlocking (see region.hpp).
#pragma once

#include <algorithm>
#include <utility>

#include "mm/address_space.hpp"
#include "mm/commitment.hpp"

class SCOPED_CAPABILITY AddressSpace::Session {
  public:
    explicit Session(AddressSpace& space) ACQUIRE(space.lock_) : space_(space) {
        space_.lock_.lock();
    }
    ~Session() RELEASE() {
        Region* removed = space_.regions_.take_removed();
        if (const uint32_t now = space_.regions_.committed(); now != space_.charged_)
            change_commitment(static_cast<int32_t>(now - std::exchange(space_.charged_, now)));
        space_.peak_total_ = std::max(space_.peak_total_, space_.regions_.pages());
        space_.lock_.unlock();
        RegionMap::destroy(removed);
    }
    Session(const Session&) = delete;
    Session& operator=(const Session&) = delete;

  private:
    AddressSpace& space_;
};
