// Page faults: see address_space.hpp.
#include "mm/address_space.hpp"

void address_spaces_init() {}
