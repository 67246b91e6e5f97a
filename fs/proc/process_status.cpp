// What ps and top read of a process or thread: stat, status, statm, comm, wchan.
// Spec: proc(5). Times in ticks of 1/100 s; memory of `status` in kB.
#include "fs/proc/process_source.hpp"
#include "fs/proc/proc_entry.hpp"
#include "mm/memory_trace.hpp"
#include "mm/memory_use.hpp"

namespace {

constexpr uint64_t kNanosecondsPerTick = 10'000'000;

Result<ProcessInfo> info_of(const ProcTarget& target) {
    const ProcessSource& source = process_source();
    return target.tid ? source.thread_info(target.pid, target.tid) : source.info(target.pid);
}

uint64_t ticks(uint64_t nanoseconds) { return nanoseconds / kNanosecondsPerTick; }
uint32_t kilobytes(uint32_t pages) { return pages * (kPageSize / 1024); }
bool sleeps(const ProcessInfo& p) { return p.state == 'S' || p.state == 'D'; }

std::string_view state_text(char state) {
    switch (state) {
        case 'R': return "running";
        case 'S': return "sleeping";
        case 'D': return "disk sleep";
        case 'T': return "stopped";
        case 'P': return "parked";
        case 't': return "tracing stop";
        case 'Z': return "zombie";
        default: return "dead";
    }
}

}  // namespace

Result<void> show_process_stat(TextSink& to, const ProcTarget& target) {
    const ProcessInfo p = TRY(info_of(target));
    // The first 31 signals, as these fields always were.
    auto old_signals = [](uint64_t set) { return static_cast<uint32_t>(set) & 0x7fffffff; };
    const ProcessInfo::Scheduling& s = p.scheduling;
    const int priority = s.policy == 6   ? -101
                         : s.rt_priority ? -1 - static_cast<int>(s.rt_priority)
                                         : 20 + p.nice;
    format_to(to, "{} ({}) {} {} {} {} {} {} 0", p.pid, p.name, p.state, p.parent, p.group,
              p.session, p.terminal_device, p.terminal_group);
    format_to(to, " {} {} {} {}", p.minor_faults, p.children_minor_faults, p.major_faults,
              p.children_major_faults);
    format_to(to, " {} {} {} {}", ticks(p.user_time), ticks(p.kernel_time),
              ticks(p.children_user_time), ticks(p.children_kernel_time));
    format_to(to, " {} {} {} 0 {} {} {} {}", priority, p.nice, p.threads, ticks(p.start_time.raw()),
              uint64_t{p.memory.total} * kPageSize, p.memory.resident, p.rss_limit);
    // Stack pointer and program counter: not told, as Linux does for those that run.
    format_to(to, " {} {} {} 0 0 {} {} {} {}", p.memory.text_start.raw(), p.memory.text_end.raw(),
              p.start_stack, old_signals(p.signals_pending), old_signals(p.signals_blocked),
              old_signals(p.signals_ignored), old_signals(p.signals_caught));
    // wchan nswap cnswap exit_signal processor rt_priority policy, block I/O and guest times,
    // start and end of data, heap, arguments, environment; exit code
    format_to(to, " {} 0 0 {} 0 {} {} 0 0 0 0 0 0 0 0 0 0 0\n", sleeps(p) ? 1 : 0, p.exit_signal,
              s.rt_priority, s.policy);
    return {};
}

namespace {

// As the kernel's table grows: by doubling, from 64. Spec: proc(5), FDSize.
uint32_t descriptor_slots(int pid) {
    uint32_t slots = 64;
    while (process_source().next_descriptor(pid, static_cast<int>(slots)) >= 0) slots *= 2;
    return slots;
}

// Bits as Linux lists CPUs: 0-3,6.
void put_ranges(TextSink& to, uint32_t bits) {
    std::string_view between = "";
    for (uint32_t first = 0; first < 32; ++first) {
        if (!(bits >> first & 1)) continue;
        uint32_t last = first;
        while (last < 31 && (bits >> (last + 1) & 1)) ++last;
        if (last == first)
            format_to(to, "{}{}", between, first);
        else
            format_to(to, "{}{}-{}", between, first, last);
        between = ",";
        first = last;
    }
    to.put("\n");
}

}  // namespace

Result<void> show_process_status(TextSink& to, const ProcTarget& target) {
    const ProcessInfo p = TRY(info_of(target));
    const Credentials& who = p.credentials;
    format_to(to, "Name:\t{}\nUmask:\t{:04o}\nState:\t{} ({})\nTgid:\t{}\nNgid:\t0\nPid:\t{}\n",
              p.name, p.umask, p.state, state_text(p.state), target.pid, p.pid);
    format_to(to, "PPid:\t{}\nTracerPid:\t{}\nUid:\t{}\t{}\t{}\t{}\n", p.parent, p.tracer, who.uid,
              who.euid, who.suid, who.fsuid);
    format_to(to, "Gid:\t{}\t{}\t{}\t{}\n", who.gid, who.egid, who.sgid, who.fsgid);
    format_to(to, "FDSize:\t{}\nGroups:\t", descriptor_slots(target.pid));
    for (uint32_t i = 0; i < who.group_count; ++i) format_to(to, "{} ", who.groups[i]);
    to.put("\n");
    if (p.memory.total) {
        const MemoryUse& m = p.memory;
        const struct {
            std::string_view name;
            uint32_t pages;
        } lines[] = {{"VmPeak", m.peak_total},
                     {"VmSize", m.total},
                     {"VmLck", m.locked},
                     {"VmPin", 0},
                     {"VmHWM", m.peak_resident},
                     {"VmRSS", m.resident},
                     {"RssAnon", m.resident - m.of_files - m.shared},
                     {"RssFile", m.of_files},
                     {"RssShmem", m.shared},
                     {"VmData", m.data},
                     {"VmStk", m.stack},
                     {"VmExe", m.text},
                     {"VmLib", m.libraries},
                     {"VmPTE", m.tables},
                     {"VmSwap", m.swapped},
                     {"WorkingSet", m.working_set}};  // ours
        for (const auto& line : lines)
            format_to(to, "{}:\t{:>8} kB\n", line.name, kilobytes(line.pages));
    }
    format_to(to, "Threads:\t{}\nSigQ:\t{}/{}\nSigPnd:\t{:016x}\nShdPnd:\t{:016x}\n", p.threads,
              p.signals_queued, p.signals_most, uint64_t{0}, p.signals_pending);
    format_to(to, "SigBlk:\t{:016x}\nSigIgn:\t{:016x}\nSigCgt:\t{:016x}\n", p.signals_blocked,
              p.signals_ignored, p.signals_caught);
    const Capabilities& c = who.capabilities;
    format_to(to, "CapInh:\t{:016x}\nCapPrm:\t{:016x}\nCapEff:\t{:016x}\nCapBnd:\t{:016x}\n",
              c.inheritable, c.permitted, c.effective, c.bounding);
    format_to(to, "CapAmb:\t{:016x}\n", c.ambient);
    format_to(to, "Cpus_allowed:\t{:x}\nCpus_allowed_list:\t", p.affinity);
    put_ranges(to, p.affinity);
    format_to(to, "voluntary_ctxt_switches:\t{}\nnonvoluntary_ctxt_switches:\t{}\n",
              p.voluntary_switches, p.involuntary_switches);
    return {};
}

Result<void> show_process_memory(TextSink& to, const ProcTarget& target) {
    const MemoryUse m = TRY(info_of(target)).memory;
    format_to(to, "{} {} {} {} 0 {} 0\n", m.total, m.resident, m.of_files + m.shared, m.text,
              m.data + m.stack);
    return {};
}

// Ours: faults by where their page came from, and what paging has given the program.
Result<void> show_process_paging(TextSink& to, const ProcTarget& target) {
    const Ref<AddressSpace> space = TRY(process_source().space(target));
    const PagingUse use = paging_use(*space);
    for (uint32_t i = 1; i < std::size(use.faults); ++i)
        format_to(to, "{} {}\n", kFaultSourceNames[i], use.faults[i]);
    format_to(to, "frames {}\nlimit ", use.frames);
    use.most == UINT32_MAX ? to.put("-\n") : format_to(to, "{}\n", use.most);
    format_to(to, "swapped {}\nworking_set {}\nsuspended {}\n", use.swapped, use.working_set,
              use.suspensions);
    return {};
}

Result<void> show_process_name(TextSink& to, const ProcTarget& target) {
    format_to(to, "{}\n", TRY(info_of(target)).name);
    return {};
}

Result<void> set_process_name(const ProcTarget& target, std::string_view name) {
    return process_source().rename_thread(target.pid, target.tid, name);
}

Result<void> show_process_wait(TextSink& to, const ProcTarget& target) {
    const ProcessInfo p = TRY(info_of(target));
    to.put(sleeps(p) && *p.wait_reason ? p.wait_reason : "0");
    return {};
}

// Ours: what the dispatcher knows of it. Times in nanoseconds; `expected_service` is of the burst
// that began last.
Result<void> show_process_scheduling(TextSink& to, const ProcTarget& target) {
    const ProcessInfo p = TRY(info_of(target));
    const ProcessInfo::Scheduling& s = p.scheduling;
    format_to(to, "{} ({}, #threads: {})\n", p.name, p.pid, p.threads);
    format_to(to, "state             : {}\nsince             : {}\nreason            : {}\n",
              s.state, s.since.raw(), *p.wait_reason ? p.wait_reason : "-");
    format_to(to, "policy            : {}\nrt_priority       : {}\nnice              : {}\n",
              s.policy, s.rt_priority, p.nice);
    format_to(to, "run_time          : {}\nready_time        : {}\njob_queue_time    : {}\n",
              s.cpu_time, s.ready_time, s.job_time);
    format_to(to, "expected_service  : {}{}\nserved            : {}\nturns             : {}\n",
              s.service, s.declared ? " (declared)" : "", s.served, s.turns);
    format_to(to, "nr_voluntary_switches   : {}\nnr_involuntary_switches : {}\n",
              p.voluntary_switches, p.involuntary_switches);
    return {};
}

Result<void> show_process_schedule_times(TextSink& to, const ProcTarget& target) {
    const ProcessInfo::Scheduling s = TRY(info_of(target)).scheduling;
    format_to(to, "{} {} {}\n", s.cpu_time, s.ready_time, s.turns);
    return {};
}

constexpr ProcEntry kProcessStatusFiles[] = {
    {.name = "sched", .generate = show_process_scheduling},
    {.name = "schedstat", .generate = show_process_schedule_times},
    {.name = "stat", .generate = show_process_stat},
    {.name = "status", .generate = show_process_status},
    {.name = "comm", .generate = show_process_name, .store_for = set_process_name},
    {.name = "wchan", .generate = show_process_wait},
};
PROC_FILES(proc_process, kProcessStatusFiles);
PROC_FILES(proc_thread, kProcessStatusFiles);

constexpr ProcEntry kMemoryFile[] = {
    {.name = "statm", .generate = show_process_memory},
    {.name = "paging", .generate = show_process_paging},
};
PROC_FILES(proc_process, kMemoryFile);
PROC_FILES(proc_thread, kMemoryFile);
