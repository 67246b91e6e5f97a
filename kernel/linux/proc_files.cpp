// Files of /proc that Linux's programs read: descriptors' details, the preference for running out of
// memory, and what sysctl(8) and the C libraries ask for. Spec: proc(5).
#include "fs/mount.hpp"
#include "fs/proc/proc_entry.hpp"
#include "fs/proc/process_source.hpp"
#include "kernel/lib/random.hpp"
#include "kernel/proc/most_descriptors.hpp"
#include "kernel/proc/out_of_memory.hpp"
#include "kernel/proc/process_table.hpp"
#include "kernel/proc/thread_limits.hpp"
#include "kernel/syscall/system_call.hpp"

namespace {

// --- /proc/PID/fdinfo

Result<void> show_descriptor(TextSink& to, const ProcTarget& target) {
    constexpr int kFromHere = 1;  // SEEK_CUR
    Result<Ref<File>> file = process_source().descriptor(target.pid, target.fd);
    if (file.is_error()) return Errno::noent;  // closed meanwhile
    File& open = *file.value();
    const Result<uint64_t> at = open.seekable() ? open.seek(0, kFromHere) : uint64_t{0};
    format_to(to, "pos:\t{}\nflags:\t0{:o}\nmnt_id:\t{}\n", at.is_ok() ? at.value() : 0,
              open.flags(), open.path() ? open.path().mount().id : 0);
    open.put_details(to);
    return {};
}

constexpr ProcEntry kDescriptorDetails = {
    .name = "details", .mode = kTypeRegular | 0400, .generate = show_descriptor, .inspects = true};
constexpr ProcNumbers kDescriptors = {next_descriptor, &ProcTarget::fd, kDescriptorDetails};

// --- /proc/PID/oom_score_adj

Result<void> show_preference(TextSink& to, const ProcTarget& target) {
    const Ref<Process> process = find_process(target.pid);
    if (!process) return Errno::srch;
    format_to(to, "{}\n", process->out_of_memory_bias.relaxed());
    return {};
}

// A user may offer a process first, and take that back as far as the superuser has set it.
Result<void> set_preference(const ProcTarget& target, std::string_view text) {
    const bool negative = text.starts_with('-');
    uint64_t value;
    if (!parse_number(text.substr(negative), value) || value > kMostBias) return Errno::inval;
    const int32_t bias = negative ? -static_cast<int32_t>(value) : static_cast<int32_t>(value);
    const Ref<Process> process = find_process(target.pid);
    if (!process) return Errno::srch;
    const Credentials& self = context().credentials;
    if (!may_manage_all(process->fs.credentials, self.uid, self.gid)) return Errno::acces;
    if (bias < process->lowest_bias.relaxed() && !self.may(Capability::sys_resource))
        return Errno::acces;
    if (self.may(Capability::sys_resource)) process->lowest_bias.store_relaxed(bias);
    process->out_of_memory_bias.store_relaxed(bias);
    return {};
}

Result<void> show_score(TextSink& to, const ProcTarget& target) {
    const Ref<Process> process = find_process(target.pid);
    if (!process) return Errno::srch;
    format_to(to, "{}\n", out_of_memory_score(*process));
    return {};
}

// --- /proc/PID/io

// Of a process: with those of the children that it waited for, as on Linux.
Result<IoCounts> io_of(const ProcTarget& target) {
    const Ref<Process> process = find_process(target.pid);
    if (!process) return Errno::srch;
    if (!process_source().may_inspect(target.pid)) return Errno::acces;
    if (target.tid) {
        const Ref<UserThread> thread = find_thread(target.tid);
        return thread ? Result<IoCounts>(thread->io) : Errno::srch;
    }
    IoCounts sum = process->times().io;
    sum.add(process->children_times().io);
    return sum;
}

Result<void> show_io(TextSink& to, const ProcTarget& target) {
    const IoCounts io = TRY(io_of(target));
    format_to(to, "rchar: {}\nwchar: {}\nsyscr: {}\nsyscw: {}\n", io.chars_read, io.chars_written,
              io.read_calls, io.write_calls);
    format_to(to, "read_bytes: {}\nwrite_bytes: {}\ncancelled_write_bytes: {}\n", io.bytes_read,
              io.bytes_written, io.bytes_cancelled);
    return {};
}

constexpr ProcEntry kIo[] = {{.name = "io", .mode = kTypeRegular | 0400, .generate = show_io}};
PROC_FILES(proc_process, kIo);
PROC_FILES(proc_thread, kIo);

// There is one group of processes, the root of the second version's only tree. Spec: cgroups(7).
Result<void> show_group(TextSink& to, const ProcTarget&) {
    to.put("0::/\n");
    return {};
}

constexpr ProcEntry kProcessFiles[] = {
    {.name = "cgroup", .generate = show_group},
    {.name = "fdinfo", .mode = kTypeDirectory | 0500, .numbers = &kDescriptors},
    {.name = "oom_score", .generate = show_score},
    {.name = "oom_score_adj", .generate = show_preference, .store_for = set_preference},
};
PROC_FILES(proc_process, kProcessFiles);

// --- /proc/sys

struct Uuid {
    uint8_t bytes[16];
    Uuid() { random_bytes(bytes, sizeof bytes); }
    // RFC 9562, section 5.4: version 4, variant 10.
    void show(TextSink& to) const {
        for (uint32_t i = 0; i < sizeof bytes; ++i) {
            const uint32_t byte = i == 6   ? (bytes[i] & 0x0fu) | 0x40
                                  : i == 8 ? (bytes[i] & 0x3fu) | 0x80
                                           : bytes[i];
            if (i == 4 || i == 6 || i == 8 || i == 10) to.put("-");
            format_to(to, "{:02x}", byte);
        }
        to.put("\n");
    }
};

void show_boot_id(TextSink& to) {
    static const Uuid boot;
    boot.show(to);
}

constexpr ProcEntry kRandom[] = {
    {.name = "boot_id", .show = show_boot_id},
    {.name = "entropy_avail", .show = [](TextSink& to) { to.put("256\n"); }},
    {.name = "poolsize", .show = [](TextSink& to) { to.put("256\n"); }},
    {.name = "uuid", .show = [](TextSink& to) { Uuid().show(to); }},
};
constexpr ProcEntry kKernel[] = {
    {.name = "cap_last_cap", .show = [](TextSink& to) { format_to(to, "{}\n", kLastCapability); }},
    {.name = "overflowgid", .show = [](TextSink& to) { to.put("65534\n"); }},
    {.name = "overflowuid", .show = [](TextSink& to) { to.put("65534\n"); }},
    {.name = "random", .children = kRandom},
    {.name = "tainted", .show = [](TextSink& to) { to.put("0\n"); }},
    {.name = "threads-max", .show = [](TextSink& to) { format_to(to, "{}\n", max_threads()); }},
};
PROC_FILES(proc_sys_kernel, kKernel);

// Open files have no limit of their own: memory is the limit.
constexpr ProcEntry kFs[] = {
    {.name = "file-max", .show = [](TextSink& to) { format_to(to, "{}\n", INT32_MAX); }},
    {.name = "nr_open", .number = &most_descriptors, .least = 32, .most = 0x3fffffe0},
};
PROC_FILES(proc_sys_fs, kFs);

}  // namespace
