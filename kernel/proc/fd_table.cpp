// See fd_table.hpp.
#include "kernel/proc/fd_table.hpp"

#include <algorithm>

#include "kernel/lib/preemption.hpp"
#include "kernel/proc/most_descriptors.hpp"

// No lock is held.
void FdTable::closed(File* file) {
    if (file) file_closed(*file, this);
}

FdTable::Slot* FdTable::find(int fd) {
    const auto index = static_cast<uint32_t>(fd);
    return index < slots_.size() && slots_[index].file ? &slots_[index] : nullptr;
}

Result<Ref<File>> FdTable::get(int fd) {
    LockGuard guard(lock_);
    const Slot* slot = find(fd);
    if (!slot) return Errno::badf;
    return slot->file;
}

// Room for `size` descriptors. The lock is not held while memory is sought.
Result<void> FdTable::grow(uint32_t size) {
    for (;;) {
        Vector<Slot> bigger;
        TRY(bigger.resize(align_up(size, 32u)));
        LockGuard guard(lock_);
        if (slots_.size() >= size) return {};
        for (uint32_t i = 0; i < slots_.size(); ++i) bigger[i] = std::move(slots_[i]);
        std::swap(slots_, bigger);
        return {};
    }
}

// The lowest free number, whether there is a slot for it or not.
Result<uint32_t> FdTable::find_free(uint32_t minimum, uint32_t limit) {
    const bool lowest = minimum <= first_free_;
    uint32_t index = lowest ? first_free_ : minimum;
    while (index < slots_.size() && !slots_[index].is_free()) ++index;
    if (index >= limit) return Errno::mfile;
    if (lowest) first_free_ = index;
    return index;
}

// fill(slot) says what becomes of the lowest free number, with the lock held.
template <typename F>
Result<int> FdTable::take(uint32_t limit, int minimum, F&& fill) {
    for (;;) {
        uint32_t index;
        {
            LockGuard guard(lock_);
            index = TRY(find_free(static_cast<uint32_t>(minimum), limit));
            if (index < slots_.size()) return fill(slots_[index]), static_cast<int>(index);
        }
        if (index >= most_descriptors.relaxed()) return Errno::mfile;
        TRY(grow(index + 1));
    }
}

Result<int> FdTable::install(Ref<File> file, bool close_on_exec, uint32_t limit, int minimum) {
    return take(limit, minimum, [&](Slot& slot) {
        slot.file = std::move(file);
        slot.close_on_exec = close_on_exec;
    });
}

Result<int> FdTable::reserve(uint32_t limit) {
    return take(limit, 0, [](Slot& slot) { slot.reserved = true; });
}

void FdTable::fill(int fd, Ref<File> file, bool close_on_exec) {
    LockGuard guard(lock_);
    const auto index = static_cast<uint32_t>(fd);
    Slot& slot = slots_[index];
    slot.reserved = false;
    slot.close_on_exec = close_on_exec;
    if (!file) first_free_ = std::min(first_free_, index);
    slot.file = std::move(file);
}

Result<void> FdTable::install_at(int fd, Ref<File> file, bool close_on_exec, uint32_t limit) {
    auto index = static_cast<uint32_t>(fd);
    if (index >= limit) return Errno::badf;
    {
        LockGuard guard(lock_);
        if (index >= slots_.size() && index >= most_descriptors.relaxed()) return Errno::badf;
    }
    TRY(grow(index + 1));
    {
        LockGuard guard(lock_);
        if (slots_[index].reserved) return Errno::busy;
        std::swap(slots_[index].file, file);
        slots_[index].close_on_exec = close_on_exec;
    }
    closed(file.get());
    return {};
}

Result<void> FdTable::close(int fd) {
    Ref<File> dead;
    {
        LockGuard guard(lock_);
        Slot* slot = find(fd);
        if (!slot) return Errno::badf;
        dead = std::move(slot->file);
        first_free_ = std::min(first_free_, static_cast<uint32_t>(fd));
    }
    closed(dead.get());
    return {};
}

Result<bool> FdTable::close_on_exec(int fd) {
    LockGuard guard(lock_);
    const Slot* slot = find(fd);
    if (!slot) return Errno::badf;
    return slot->close_on_exec;
}

Result<void> FdTable::set_close_on_exec(int fd, bool value) {
    LockGuard guard(lock_);
    Slot* slot = find(fd);
    if (!slot) return Errno::badf;
    slot->close_on_exec = value;
    return {};
}

int FdTable::next_open(int from) const {
    LockGuard guard(lock_);
    for (auto i = static_cast<uint32_t>(from); i < slots_.size(); ++i)
        if (slots_[i].file) return static_cast<int>(i);
    return -1;
}

Result<Ref<FdTable>> FdTable::clone() const {
    Ref<FdTable> copy = TRY(make_ref<FdTable>());
    uint32_t size;
    {
        LockGuard guard(lock_);
        size = slots_.size();
        while (size > 32 && !slots_[size - 1].file) --size;
    }
    if (align_up(size, 32u) > align_up(most_descriptors.relaxed(), 32u)) return Errno::mfile;
    TRY(copy->grow(size ? size : 1));
    LockGuard guard(lock_);
    for (uint32_t i = 0; i < slots_.size() && i < copy->slots_.size(); ++i)
        if (slots_[i].file) {
            copy->slots_[i].file = slots_[i].file;
            copy->slots_[i].close_on_exec = slots_[i].close_on_exec;
        }
    return copy;
}

FdTable::~FdTable() {
    for (Slot& slot : slots_) {
        if (!slot.file) continue;
        closed(slot.file.get());
        slot.file = nullptr;
        preemption_point();
    }
}

void FdTable::close_for_exec() {
    for (int fd = next_open(0); fd >= 0; fd = next_open(fd + 1)) {
        Result<bool> closes = close_on_exec(fd);
        if (closes.is_ok() && closes.value()) static_cast<void>(close(fd));
    }
}
