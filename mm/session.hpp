// Session: the lock of an address space, for as long as one of its functions runs. Regions that
// went meanwhile are destroyed after unlocking (see region.hpp).
#pragma once

#include "mm/address_space.hpp"

class SCOPED_CAPABILITY AddressSpace::Session {
  public:
    explicit Session(AddressSpace& space) ACQUIRE(space.lock_) : space_(space) {
        space_.lock_.lock();
    }
    ~Session() RELEASE() {
        Region* removed = space_.regions_.take_removed();
        space_.lock_.unlock();
        RegionMap::destroy(removed);
    }
    Session(const Session&) = delete;
    Session& operator=(const Session&) = delete;

  private:
    AddressSpace& space_;
};
