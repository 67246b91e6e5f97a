// The list of all address spaces, for what concerns all that map an object.
// Locks: its own SpinLock (rank address_spaces).
#pragma once

#include "mm/address_space.hpp"

struct AllSpaces {
    static void add(AddressSpace& space);
    static void remove(AddressSpace& space);
    // The space after `previous` (null: the first), with a reference; null at the end.
    static Ref<AddressSpace> next(AddressSpace* previous);
};
