// The other files of a process: its arguments and environment, memory regions, limits, mounts.
// Spec: proc(5).
#include "fs/proc/process_source.hpp"
#include "fs/proc/proc_entry.hpp"

namespace {

constexpr uint32_t kKilobytes = kPageSize / 1024;  // of a page

using AreaReader = decltype(ProcessSource::environment);

Result<void> show_area(TextSink& to, const ProcTarget& target, AreaReader read) {
    char piece[256];
    for (uint32_t offset = 0;;) {
        const uint32_t bytes = TRY(read(target, offset, std::span(piece)));
        if (!bytes) return {};
        to.put({piece, bytes});
        offset += bytes;
    }
}

class RegionLines final : public RegionVisitor {
  public:
    RegionLines(TextSink& to, bool with_use) : to_(to), with_use_(with_use) {}
    void visit(const RegionInfo& r) override;
    bool wants_use() const override { return with_use_; }

  private:
    void show_use(const RegionInfo& r);

    TextSink& to_;
    bool with_use_;
};

struct UseLine {
    std::string_view name;
    uint32_t kilobytes;
};
void put(TextSink& to, std::span<const UseLine> lines) {
    for (const UseLine& line : lines) format_to(to, "{:<16}{:>8} kB\n", line.name, line.kilobytes);
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

void RegionLines::show_use(const RegionInfo& r) {
    const UseLine lines[] = {
        {"Size:", (r.end - r.start) / 1024},
        {"KernelPageSize:", kKilobytes},
        {"MMUPageSize:", kKilobytes},
    };
    put(to_, lines);
    put_use(to_, r.use, r.locked ? r.use.share_bytes : 0);
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
    to_.put("THPeligible:    0\nVmFlags:");
    for (const auto& flag : flags)
        if (flag.set) format_to(to_, " {}", flag.name);
    to_.put(" \n");
}

// A line is a line, whatever the name.
void put_name(TextSink& to, std::string_view name) {
    for (size_t end; (end = name.find('\n')) != name.npos; name.remove_prefix(end + 1)) {
        to.put(name.substr(0, end));
        to.put("\\012");
    }
    to.put(name);
}

void RegionLines::visit(const RegionInfo& r) {
    constexpr uint32_t kNameColumn = 49;
    char line[80], buffer[256];
    auto letter = [&](uint32_t bit, char c) { return (r.protection & bit) ? c : '-'; };
    const uint32_t device = r.pager ? r.pager->device_number() : 0;
    BufferSink sink(line);
    format_to(sink, "{:08x}-{:08x} {}{}{}{}", r.start, r.end, letter(kProtRead, 'r'),
              letter(kProtWrite, 'w'), letter(kProtExecute, 'x'),
              (r.flags & kMapShared) ? 's' : 'p');
    format_to(sink, " {:08x} {:02x}:{:02x} {} ", uint64_t{r.page_offset} * kPageSize,
              device_major(device), device_minor(device), r.pager ? r.pager->inode_number() : 0);
    const std::string_view name = r.pager ? r.pager->name(buffer) : r.label;
    if (name.empty() || sink.view().size() >= kNameColumn)
        to_.put(sink.view());
    else
        format_to(to_, "{:<49}", sink.view());
    put_name(to_, name);
    to_.put("\n");
    if (with_use_) show_use(r);
}

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

namespace {
// A zombie has none.
Result<void> visit_target(const ProcTarget& target, RegionVisitor& visitor) {
    Result<Ref<AddressSpace>> space = process_source().space(target);
    if (space.is_ok()) visit_regions(*space.value(), visitor);
    return {};
}
}  // namespace

Result<void> show_process_arguments(TextSink& to, const ProcTarget& target) {
    return show_area(to, target, process_source().command_line);
}

Result<void> show_process_environment(TextSink& to, const ProcTarget& target) {
    return show_area(to, target, process_source().environment);
}

Result<void> show_process_regions(TextSink& to, const ProcTarget& target) {
    RegionLines lines(to, false);
    return visit_target(target, lines);
}

Result<void> show_process_region_use(TextSink& to, const ProcTarget& target) {
    RegionLines lines(to, true);
    return visit_target(target, lines);
}

Result<void> show_process_region_sum(TextSink& to, const ProcTarget& target) {
    RegionSum all;
    TRY(visit_target(target, all));
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

namespace {
Result<FsContext> view_of(const ProcTarget& target) {
    static_cast<void>(TRY(process_source().info(target.pid)));
    FsContext view;
    Result<Path> root = process_source().root(target.pid);
    if (root.is_error()) return Errno::inval;  // a zombie has no view any more
    view.root = root.release_value();
    return view;
}
}  // namespace

Result<void> show_process_mounts(TextSink& to, const ProcTarget& target) {
    list_mounts(TRY(view_of(target)), to);
    return {};
}

Result<void> show_process_mount_details(TextSink& to, const ProcTarget& target) {
    list_mount_details(TRY(view_of(target)), to);
    return {};
}

constexpr ProcEntry kFiles[] = {
    {.name = "cmdline", .generate = show_process_arguments},
};
PROC_FILES(proc_process, kFiles);
PROC_FILES(proc_thread, kFiles);

constexpr ProcEntry kProcessFiles[] = {
    {.name = "environ",
     .mode = kTypeRegular | 0400,
     .generate = show_process_environment,
     .inspects = true},
    {.name = "maps", .generate = show_process_regions, .inspects = true},
    {.name = "smaps", .generate = show_process_region_use, .inspects = true},
    {.name = "smaps_rollup", .generate = show_process_region_sum, .inspects = true},
    {.name = "limits", .generate = show_process_limits},
    {.name = "mounts", .generate = show_process_mounts, .rendered_by_open = true},
    {.name = "mountinfo", .generate = show_process_mount_details, .rendered_by_open = true},
};
PROC_FILES(proc_process, kProcessFiles);
