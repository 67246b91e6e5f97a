// What the heap's leak check is in debug builds, and that it is nothing in others. See heap.hpp.
// Locks: the heap's.
#pragma once

#include "kernel/lib/format.hpp"
#include "mm/heap/owner_table.hpp"

#ifdef ORRERY_DEBUG
using HeapOwners = OwnerTable<16'384, 1024>;
extern HeapOwners heap_owners;

inline void note_owner(const void* memory, uint32_t bytes, void* caller) {
    heap_owners.note(memory, bytes, reinterpret_cast<uintptr_t>(caller));
}
inline void forget_owner(const void* memory) { heap_owners.forget(memory); }
void show_owner(TextSink& to, const HeapOwner& owner);
void lose_objects();  // what the check must find
#else
inline void note_owner(const void*, uint32_t, void*) {}
inline void forget_owner(const void*) {}
#endif
