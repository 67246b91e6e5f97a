// What the memory regions of a process take (smaps, smaps_rollup), and its resource limits.
// Spec: proc(5).
#include "fs/proc/region_lines.hpp"
#include "fs/proc/proc_entry.hpp"

namespace {

constexpr uint32_t kKilobytes = kPageSize / 1024;  // of a page

struct UseLine {
    std::string_view name;
    uint32_t kilobytes;
};

void put(TextSink& to, std::span<const UseLine> lines) {
    for (const UseLine& line : lines) {
        char text[] = "                         kB\n";  // a name in 16 columns, a number in 8
        char* digit = text + 24;
        uint32_t left = line.kilobytes;
        line.name.copy(text, 16);
        do *--digit = static_cast<char>('0' + left % 10);
        while (left /= 10);
        to.put({text, sizeof text - 1});
    }
}

void put_use(TextSink& to, const RegionUse& u, uint32_t locked_bytes) {
    const UseLine lines[] = {
        {"Rss:", u.resident * kKilobytes},
        {"Pss:", u.share_bytes / 1024},
        {"Pss_Dirty:", u.dirty_share_bytes / 1024},
        {"Shared_Clean:", u.shared_clean * kKilobytes},
        {"Shared_Dirty:", u.shared_dirty * kKilobytes},
        {"Private_Clean:", u.private_clean * kKilobytes},
        {"Private_Dirty:", u.private_dirty * kKilobytes},
        {"Referenced:", u.referenced * kKilobytes},
        {"Anonymous:", u.anonymous * kKilobytes},
        {"LazyFree:", 0},
        {"AnonHugePages:", 0},
        {"ShmemPmdMapped:", 0},
        {"FilePmdMapped:", 0},
        {"Shared_Hugetlb:", 0},
        {"Private_Hugetlb:", 0},
        {"Swap:", u.swapped * kKilobytes},
        {"SwapPss:", u.swapped * kKilobytes},
        {"Locked:", locked_bytes / 1024},
    };
    put(to, lines);
}

void put_details(TextSink& to, const RegionInfo& r) {
    const UseLine lines[] = {
        {"Size:", (r.end - r.start) / 1024},
        {"KernelPageSize:", kKilobytes},
        {"MMUPageSize:", kKilobytes},
    };
    put(to, lines);
    put_use(to, r.use, r.locked ? r.use.share_bytes : 0);
    const bool shared = r.flags & kMapShared, writable = r.protection & kProtWrite;
    const struct {
        std::string_view name;
        bool set;
    } flags[] = {{"rd", (r.protection & kProtRead) != 0},
                 {"wr", writable},
                 {"ex", (r.protection & kProtExecute) != 0},
                 {"sh", shared && r.may_write},
                 {"mr", true},
                 {"mw", r.may_write},
                 {"me", true},
                 {"ms", shared},
                 {"gd", (r.flags & kMapGrowsDown) != 0},
                 {"lo", r.locked},
                 {"dc", r.on_fork == OnFork::nothing},
                 {"ac", !shared && writable && !(r.flags & kMapNoReserve)},
                 {"nr", (r.flags & kMapNoReserve) != 0},
                 {"wf", r.on_fork == OnFork::zeros}};
    to.put("THPeligible:    0\nVmFlags:");
    for (const auto& flag : flags)
        if (flag.set) format_to(to, " {}", flag.name);
    to.put(" \n");
}

class RegionDetails final : public RegionVisitor {
  public:
    explicit RegionDetails(TextSink& to) : to_(to) {}
    void visit(const RegionInfo& r) override {
        put_region_line(to_, r);
        put_details(to_, r);
    }
    bool wants_use() const override { return true; }

  private:
    TextSink& to_;
};

// All regions as if they were one.
class RegionSum final : public RegionVisitor {
  public:
    void visit(const RegionInfo& r) override {
        if (!end.raw()) start = r.start;
        end = r.end;
        const RegionUse& u = r.use;
        sum.resident += u.resident;
        sum.share_bytes += u.share_bytes;
        sum.dirty_share_bytes += u.dirty_share_bytes;
        sum.shared_clean += u.shared_clean;
        sum.shared_dirty += u.shared_dirty;
        sum.private_clean += u.private_clean;
        sum.private_dirty += u.private_dirty;
        sum.referenced += u.referenced;
        sum.anonymous += u.anonymous;
        sum.swapped += u.swapped;
        if (r.locked) locked_bytes += u.share_bytes;
    }
    bool wants_use() const override { return true; }

    VirtAddr start{0}, end{0};
    RegionUse sum;
    uint32_t locked_bytes = 0;
};

struct LimitName {
    std::string_view name, unit;
};

// By RLIMIT_* number.
constexpr LimitName kLimitNames[] = {
    {"Max cpu time", "seconds"},     {"Max file size", "bytes"},
    {"Max data size", "bytes"},      {"Max stack size", "bytes"},
    {"Max core file size", "bytes"}, {"Max resident set", "bytes"},
    {"Max processes", "processes"},  {"Max open files", "files"},
    {"Max locked memory", "bytes"},  {"Max address space", "bytes"},
    {"Max file locks", "locks"},     {"Max pending signals", "signals"},
    {"Max msgqueue size", "bytes"},  {"Max nice priority", ""},
    {"Max realtime priority", ""},   {"Max realtime timeout", "us"},
};

void put_limit(TextSink& to, uint32_t value) {
    char digits[12];
    const bool unlimited = value == UINT32_MAX;
    format_to(to, "{:<20} ",
              unlimited ? std::string_view("unlimited") : format_in(digits, "{}", value));
}

}  // namespace

Result<void> show_process_region_use(TextSink& to, const ProcTarget& target) {
    RegionDetails details(to);
    return visit_regions_of(target, details);
}

Result<void> show_process_region_sum(TextSink& to, const ProcTarget& target) {
    RegionSum all;
    TRY(visit_regions_of(target, all));
    format_to(to, "{:08x}-{:08x} ---p 00000000 00:00 0                          [rollup]\n",
              all.start, all.end);
    put_use(to, all.sum, all.locked_bytes);
    return {};
}

Result<void> show_process_limits(TextSink& to, const ProcTarget& target) {
    format_to(to, "{:<25} {:<20} {:<20} {:<10}\n", "Limit", "Soft Limit", "Hard Limit", "Units");
    for (uint32_t resource = 0; resource < std::size(kLimitNames); ++resource) {
        const ProcessLimit limit = TRY(process_source().limit(target.pid, resource));
        format_to(to, "{:<25} ", kLimitNames[resource].name);
        put_limit(to, limit.soft);
        put_limit(to, limit.hard);
        format_to(to, "{:<10}\n", kLimitNames[resource].unit);
    }
    return {};
}

constexpr ProcEntry kMemoryFiles[] = {
    {.name = "smaps", .generate = show_process_region_use, .inspects = true},
    {.name = "smaps_rollup", .generate = show_process_region_sum, .inspects = true},
    {.name = "limits", .generate = show_process_limits},
};
PROC_FILES(proc_process, kMemoryFiles);
