// Files of memory as calls. Spec: memfd_create(2), fcntl(2) F_ADD_SEALS, F_GET_SEALS.
#include "kernel/linux/fcntl.hpp"
#include "kernel/linux/memory_file.hpp"
#include "kernel/syscall/system_call.hpp"

Result<int> sys_memfd_create(UserString name, uint32_t flags) {
    constexpr uint32_t kCloseOnExec = 1, kMaySeal = 2, kHuge = 4, kHugeSizes = 0xfc000000;
    constexpr uint32_t kMost = 249;  // with "memfd:" before it, and a NUL, it is a file's name
    constexpr std::string_view kPrefix = "memfd:";
    if (flags & ~(kCloseOnExec | kMaySeal | kHuge | ((flags & kHuge) ? kHugeSizes : 0)))
        return Errno::inval;
    UserText text;
    Result<std::string_view> given = text.copy(name);
    if (given.is_error()) return given.error() == Errno::nametoolong ? Errno::inval : given.error();
    if (given.value().size() > kMost) return Errno::inval;
    if (flags & kHuge) return Errno::nosys;  // there are no huge pages
    char whole[kPrefix.size() + kMost];
    kPrefix.copy(whole, kPrefix.size());
    given.value().copy(whole + kPrefix.size(), kMost);
    return install(TRY(make_memory_file({whole, kPrefix.size() + given.value().size()},
                                        flags & kMaySeal ? 0 : kSealSeals, context())),
                   flags & kCloseOnExec);
}

Result<int> seal_command(File& file, uint32_t command, uint32_t argument) {
    constexpr uint32_t kAdd = 1033;
    MemoryFile* memory = memory_file_of(file);
    if (!memory) return Errno::inval;
    if (command != kAdd) return static_cast<int>(memory->seals());
    TRY(memory->add_seals(file, argument));
    return 0;
}

constexpr SystemCall kMemfdCalls[] = {
    CALL(356, memfd_create, sys_memfd_create),
};
SYSTEM_CALLS_THAT_WAIT(kMemfdCalls);
