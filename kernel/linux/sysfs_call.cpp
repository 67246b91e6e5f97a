// sysfs: the types of file systems by number. The call is older than /proc/filesystems, and than what is
// mounted on /sys. Spec: sysfs(2).
#include "fs/mount.hpp"
#include "kernel/syscall/system_call.hpp"

Result<uint32_t> sys_sysfs(uint32_t option, uint32_t argument, UserPtr<char> to) {
    enum : uint32_t { number_of = 1, name_of = 2, how_many = 3 };
    if (option < number_of || option > how_many) return Errno::inval;
    UserText text;
    std::string_view wanted;
    if (option == number_of) {
        wanted = TRY(text.copy(UserString(argument)));
        if (wanted.empty()) return Errno::noent;
    }
    uint32_t count = 0;
    for (const FileSystemType* type = file_system_types(); type; type = type->next, ++count) {
        if (option == number_of && type->name == wanted) return count;
        if (option != name_of || count != argument) continue;
        const auto bytes = static_cast<uint32_t>(type->name.size());
        TRY(copy_to_user(to.address(), type->name.data(), bytes));
        TRY(write_user(to + bytes, '\0'));
        return 0u;
    }
    return option == how_many ? Result(count) : Errno::inval;
}

constexpr SystemCall kSysfsCalls[] = {
    CALL(135, sysfs, sys_sysfs),
};
SYSTEM_CALLS(kSysfsCalls);
