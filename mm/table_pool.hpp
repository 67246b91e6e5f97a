// Spare page tables. A user page table that is given up has no entry left, and a directory's user
// half is empty too: kept as they are, the next fork or fault needs no clearing.
// Locks: a SpinLock (rank page_tables).
#pragma once

#include "kernel/arch/page_table.hpp"
#include "kernel/lib/result.hpp"

Result<PageTable*> take_table();      // all entries clear
Result<PageTable*> take_directory();  // the kernel's half in place, the user half clear
void give_table(PageTable* table);
void give_directory(PageTable* directory);
void table_pool_init();
