// The list of organisations of free space, in the order in which lab-fs shows them. A new one is a file in
// free_space/ and a word here (kernel/lib/policy_list.hpp).
#pragma once

#include "fs/free_space/all.hpp"

using FreeSpaces = PolicyList<FreeSpace, FreeTable, FreeList, FreeBitmap, GroupedLinking>;
