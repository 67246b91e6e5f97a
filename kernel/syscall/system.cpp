// The machine as a whole: its name, its memory and load, its log, random numbers, switching it off.
// Spec: uname(2), sysinfo(2), syslog(2), reboot(2), getrandom(2), sethostname(2), iopl(2).
#include <algorithm>

#include "drivers/power.hpp"
#include "fs/page_cache.hpp"
#include "kernel/lib/log.hpp"
#include "kernel/lib/random.hpp"
#include "kernel/system_name.hpp"
#include "kernel/sched/scheduler.hpp"
#include "kernel/syscall/system_call.hpp"
#include "kernel/trace/log_levels.hpp"
#include "mm/frames.hpp"
#include "mm/swap.hpp"

// --- names

struct SystemName {  // struct new_utsname
    char system[65], node[65], release[65], version[65], machine[65], domain[65];
};

namespace {

template <size_t N>
void fill(char (&to)[N], std::string_view from) {
    from.copy(to, N - 1);
}

template <size_t N>
Result<void> set_name(char (&name)[N], UserPtr<const char> from, uint32_t length) {
    if (!context().credentials.may(Capability::sys_admin)) return Errno::perm;
    if (length >= N) return Errno::inval;
    char fresh[N] = {};
    TRY(copy_from_user(fresh, from.address(), length));
    __builtin_memcpy(name, fresh, N);
    return {};
}

}  // namespace

Result<void> sys_uname(UserPtr<SystemName> to) {
    SystemName name{};
    fill(name.system, kSystemName);
    fill(name.node, host_name);
    fill(name.release, kSystemRelease);
    fill(name.version, kSystemVersion);
    fill(name.machine, kMachineName);
    fill(name.domain, domain_name);
    return write_user(to, name);
}
Result<void> sys_sethostname(UserPtr<const char> name, uint32_t length) {
    return set_name(host_name, name, length);
}
Result<void> sys_setdomainname(UserPtr<const char> name, uint32_t length) {
    return set_name(domain_name, name, length);
}

// --- state

struct SystemInfo {
    int32_t uptime;
    uint32_t loads[3];  // 16 bits of fraction
    uint32_t total, free, shared, buffers, swap_total, swap_free;
    uint16_t processes, padding;
    uint32_t high_total, high_free, unit;
    char unused[8];
};
static_assert(sizeof(SystemInfo) == 64);

Result<void> sys_sysinfo(UserPtr<SystemInfo> to) {
    SystemInfo info{};
    info.uptime = to_time<TimeSpec32>(monotonic_now()).seconds;
    load_averages(info.loads);
    for (uint32_t& load : info.loads) load <<= 16 - 11;
    MemoryTotals memory = memory_totals();
    info.total = memory.total, info.free = memory.free;
    info.high_total = memory.total - memory.low_total,
    info.high_free = memory.free - memory.low_free;
    info.buffers = page_cache_totals().of_devices;
    const SwapTotals swap = swap_totals();
    info.swap_total = swap.total, info.swap_free = swap.free;
    info.unit = kPageSize;
    info.processes = static_cast<uint16_t>(scheduler_statistics().threads);
    return write_user(to, info);
}

// --- the log

namespace {

Result<uint32_t> read_log(UserPtr<char> to, uint32_t bytes) {
    if (!to || static_cast<int32_t>(bytes) < 0) return Errno::inval;
    uint32_t size = log_size();
    Vector<char> text;
    TRY(text.resize(bytes < size ? bytes : size));
    auto length = static_cast<uint32_t>(log_read(text.span()));
    TRY(copy_to_user(to.address(), text.data(), length));
    return length;
}

}  // namespace

// Of the console, for the action that puts it back; 0: it is not off.
static constinit Atomic<uint32_t> level_before_off = 0;

Result<uint32_t> sys_syslog(uint32_t action, UserPtr<char> to, uint32_t argument) {
    enum : uint32_t {
        close,
        open,
        read,
        read_all,
        read_clear,
        clear,
        console_off,
        console_on,
        console_level,
        size_unread,
        size_buffer,
    };
    bool anyone = action == read_all || action == size_buffer;
    if (!anyone && !context().credentials.may(Capability::syslog)) return Errno::perm;
    switch (action) {
        case close:
        case open: return 0u;
        case read:
        case read_all: return read_log(to, argument);
        case read_clear: {
            uint32_t length = TRY(read_log(to, argument));
            log_clear();
            return length;
        }
        case clear: log_clear(); return 0u;
        case console_off: {
            const uint32_t before = ::console_level.exchange(least_console_level);
            uint32_t none = 0;
            level_before_off.replace(none, before);
            return 0u;
        }
        case console_on:
            if (const uint32_t before = level_before_off.exchange(0)) ::console_level = before;
            return 0u;
        case console_level:
            if (argument < 1 || argument > 8) return Errno::inval;
            ::console_level = std::max<uint32_t>(argument, least_console_level);
            level_before_off = 0;
            return 0u;
        case size_unread:
        case size_buffer: return static_cast<uint32_t>(log_size());
        default: return Errno::inval;
    }
}

// --- the rest

Result<uint32_t> sys_getrandom(UserPtr<void> to, uint32_t bytes, uint32_t flags) {
    constexpr uint32_t kNonBlock = 1, kRandom = 2, kInsecure = 4;
    if (flags & ~(kNonBlock | kRandom | kInsecure)) return Errno::inval;
    if ((flags & kRandom) && (flags & kInsecure)) return Errno::inval;
    UserRange range = TRY(user_range(to, bytes));
    uint32_t done = 0;
    while (done < range.bytes) {
        uint8_t some[128];
        uint32_t count = range.bytes - done < sizeof some ? range.bytes - done : sizeof some;
        random_bytes(some, count);
        uint32_t copied = copy_to_user_partly(range.start + done, some, count);
        done += copied;
        if (copied < count) break;
    }
    if (!done && range.bytes) return Errno::fault;
    return done;
}

Result<void> sys_reboot(uint32_t magic1, uint32_t magic2, uint32_t command) {
    constexpr uint32_t kMagic = 0xfee1dead;
    constexpr uint32_t kRestart = 0x01234567, kHalt = 0xcdef0123, kPowerOff = 0x4321fedc,
                       kKeysOn = 0x89abcdef, kKeysOff = 0;
    bool second = magic2 == 0x28121969 || magic2 == 0x05121996 || magic2 == 0x16041998 ||
                  magic2 == 0x20112000;
    if (!context().credentials.may(Capability::sys_boot)) return Errno::perm;
    if (magic1 != kMagic || !second) return Errno::inval;
    if (command == kKeysOn || command == kKeysOff) return {};
    if (command != kRestart && command != kHalt && command != kPowerOff) return Errno::inval;
    vfs_stop();
    if (command == kRestart) reboot();
    if (command == kPowerOff) power_off();
    log_at(LogLevel::notice, "halted: all is written. In QEMU's terminal, C-a x ends QEMU");
    halt();
}

// --- the processor

// The privilege level that a program has to do port I/O and to switch interrupts off with; only the
// superuser may have more of it than before. A child has its parent's.
Result<void> sys_iopl(uint32_t level, TrapFrame& frame) {
    constexpr uint32_t kShift = 12;
    if (level > 3) return Errno::inval;
    const uint32_t had = frame.eflags >> kShift & 3;
    if (level > had && !context().credentials.may(Capability::sys_rawio)) return Errno::perm;
    frame.eflags = (frame.eflags & ~(3u << kShift)) | level << kShift;
    return {};
}

constexpr SystemCall kSystemCalls[] = {
    CALL(74, sethostname, sys_sethostname),
    CALL(88, reboot, sys_reboot),
    CALL(103, syslog, sys_syslog),
    CALL(110, iopl, sys_iopl),
    CALL(116, sysinfo, sys_sysinfo),
    CALL(121, setdomainname, sys_setdomainname),
    CALL(122, uname, sys_uname),
    CALL(355, getrandom, sys_getrandom),
};
SYSTEM_CALLS(kSystemCalls);
