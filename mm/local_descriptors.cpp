// The segment descriptors of an address space. See address_space.hpp.
// Locks: the address space's, for who installs a table; other CPUs load it without one.
#include "mm/local_descriptors.hpp"

#include <algorithm>
#include <new>

#include "kernel/lib/verify.hpp"
#include "mm/locked_space.hpp"

Result<LocalDescriptors*> make_local_descriptors(uint32_t count, std::span<const uint64_t> copied) {
    VERIFY(count <= kLocalDescriptorsMost && copied.size() <= count);
    auto* table = new (std::nothrow) LocalDescriptors;
    auto* entries = table ? new (std::nothrow) uint64_t[count]() : nullptr;
    if (!entries) {
        delete table;
        return Errno::nomem;
    }
    std::copy(copied.begin(), copied.end(), entries);
    *table = {entries, count};
    return table;
}

void free_local_descriptors(const LocalDescriptors* table) {
    if (!table) return;
    delete[] table->entries;
    delete table;
}

Result<void> set_local_descriptor(AddressSpace& space, uint32_t index, uint64_t raw) {
    const LocalDescriptors* old;
    {
        LockedSpace locked(space);
        old = space.local_descriptors();
        const uint32_t count = std::max(old ? old->count : 0, index + 1);
        const std::span<const uint64_t> copied =
            old ? std::span<const uint64_t>(old->entries, old->count) : std::span<const uint64_t>();
        LocalDescriptors* fresh = TRY(make_local_descriptors(count, copied));
        fresh->entries[index] = raw;
        space.local_descriptors().store(fresh);
        reload_local_descriptors(space.page_directory(), fresh);
    }
    free_local_descriptors(old);
    return {};
}

uint32_t read_local_descriptors(AddressSpace& space, std::span<uint64_t> out, uint32_t first) {
    LockedSpace locked(space);
    const LocalDescriptors* table = space.local_descriptors();
    if (!table || first >= table->count) return 0;
    const auto copied = std::min(static_cast<uint32_t>(out.size()), table->count - first);
    std::copy_n(table->entries + first, copied, out.data());
    return copied;
}

Result<void> copy_local_descriptors(AddressSpace& from, AddressSpace& to) {
    if (!from.local_descriptors()) return {};
    const LocalDescriptors& table = *from.local_descriptors();
    to.local_descriptors() = TRY(make_local_descriptors(table.count, {table.entries, table.count}));
    return {};
}
