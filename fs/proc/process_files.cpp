// The other files of a process: its arguments and environment, memory regions, mounts.
// Spec: proc(5).
#include "fs/proc/region_lines.hpp"
#include "fs/proc/proc_entry.hpp"

namespace {

template <auto ProcessSource::*read>
Result<void> show_area(TextSink& to, const ProcTarget& target) {
    char piece[256];
    for (uint32_t offset = 0;;) {
        const uint32_t bytes = TRY((process_source().*read)(target, offset, std::span(piece)));
        if (!bytes) return {};
        to.put({piece, bytes});
        offset += bytes;
    }
}

// A line is a line, whatever the name.
void put_name(TextSink& to, std::string_view name) {
    for (size_t end; (end = name.find('\n')) != name.npos; name.remove_prefix(end + 1)) {
        to.put(name.substr(0, end));
        to.put("\\012");
    }
    to.put(name);
}

char* put_hex(char* to, uint32_t value, int digits) {  // at least so many
    while (digits < 8 && value >> 4 * digits) ++digits;
    for (int i = digits; i-- > 0; value >>= 4) to[i] = "0123456789abcdef"[value & 15];
    return to + digits;
}

}  // namespace

void put_region_line(TextSink& to, const RegionInfo& r) {
    constexpr uint32_t kNameColumn = 49;
    char line[80], buffer[256];
    char* at = put_hex(line, r.start.raw(), 8);
    *at++ = '-';
    at = put_hex(at, r.end.raw(), 8);
    for (char c : {' ', r.protection & kProtRead ? 'r' : '-', r.protection & kProtWrite ? 'w' : '-',
                   r.protection & kProtExecute ? 'x' : '-', r.flags & kMapShared ? 's' : 'p', ' '})
        *at++ = c;
    if (const uint32_t high = r.page_offset >> (32 - kPageShift)) at = put_hex(at, high, 1);
    at = put_hex(at, r.page_offset << kPageShift, 8);
    const uint32_t device = r.pager ? r.pager->device_number() : 0;
    BufferSink sink({at, line + sizeof line});
    format_to(sink, " {:02x}:{:02x} {} ", device_major(device), device_minor(device),
              r.pager ? r.pager->inode_number() : 0);
    const std::string_view name = r.pager ? r.pager->name(buffer) : r.label;
    at += sink.view().size();
    while (!name.empty() && at < line + kNameColumn) *at++ = ' ';
    to.put({line, at});
    put_name(to, name);
    to.put("\n");
}

// A zombie has none.
Result<void> visit_regions_of(const ProcTarget& target, RegionVisitor& visitor) {
    Result<Ref<AddressSpace>> space = process_source().space(target);
    if (space.is_ok()) visit_regions(*space.value(), visitor);
    return {};
}

Result<void> show_process_regions(TextSink& to, const ProcTarget& target) {
    Result<Ref<AddressSpace>> space = process_source().space(target);
    if (space.is_ok())
        for_each_region(*space.value(), [&](const RegionInfo& r) { put_region_line(to, r); });
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
    {.name = "cmdline", .generate = show_area<&ProcessSource::command_line>},
};
PROC_FILES(proc_process, kFiles);
PROC_FILES(proc_thread, kFiles);

constexpr ProcEntry kProcessFiles[] = {
    {.name = "environ",
     .mode = kTypeRegular | 0400,
     .generate = show_area<&ProcessSource::environment>,
     .inspects = true},
    {.name = "maps", .generate = show_process_regions, .inspects = true},
    {.name = "mounts", .generate = show_process_mounts, .rendered_by_open = true},
    {.name = "mountinfo", .generate = show_process_mount_details, .rendered_by_open = true},
};
PROC_FILES(proc_process, kProcessFiles);
