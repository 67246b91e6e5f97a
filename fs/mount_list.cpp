// The text of /proc/mounts and /proc/self/mountinfo. See vfs.hpp.
// Spec: proc(5), fstab(5) for the escapes.
#include "fs/mount.hpp"

namespace {

struct Option {
    uint32_t flag;
    const char* text;
};
constexpr Option kOptions[] = {
    {kMountNoSuid, ",nosuid"},    {kMountNoDevices, ",nodev"},
    {kMountNoExecute, ",noexec"}, {kMountNoLinks, ",nosymfollow"},
    {kMountNoAtime, ",noatime"},  {kMountNoDirectoryAtime, ",nodiratime"},
    {kMountRelatime, ",relatime"}};

// Words are set apart by blanks, so those inside come in octal.
void put_escaped(TextSink& to, std::string_view text) {
    if (text.empty()) return to.put("none");
    for (char c : text) {
        const bool special = c == ' ' || c == '\t' || c == '\n' || c == '\\' || c == '#';
        if (special)
            format_to(to, "\\{}{}{}", uint32_t(c) >> 6, uint32_t(c) >> 3 & 7, uint32_t(c) & 7);
        else
            to.put({&c, 1});
    }
}

void put_options(TextSink& to, const Mount& mount) {
    to.put(mount.read_only() ? "ro" : "rw");
    for (const Option& option : kOptions)
        if (mount.flags & option.flag) to.put(option.text);
}

// Those that the caller can reach, each with its name there.
template <typename F>
void for_each_reachable(const FsContext& who, F&& visit) {
    LockGuard guard(mount_table);
    char buffer[512];
    for (Mount& mount : mounts) {
        bool reached;
        Result<std::string_view> name =
            place_name(Path(Ref<Mount>(mount), mount.root), &who.root, buffer, reached);
        if (name.is_ok() && reached) visit(mount, name.value());
    }
}

// The place of the mount's top within its file system: "/" but for bind mounts.
void put_top(TextSink& to, const Mount& mount) {
    char buffer[512];
    put_escaped(to, name_in_file_system(*mount.root, buffer));
}

}  // namespace

void list_mounts(const FsContext& who, TextSink& to) {
    for_each_reachable(who, [&](const Mount& mount, std::string_view name) {
        put_escaped(to, mount.source.view());
        to.put(" ");
        put_escaped(to, name);
        format_to(to, " {} ", mount.file_system->type_name());
        put_options(to, mount);
        mount.file_system->put_options(to);
        to.put(" 0 0\n");
    });
}

void list_mount_details(const FsContext& who, TextSink& to) {
    for_each_reachable(who, [&](const Mount& mount, std::string_view name) {
        const Path place = mount.place();
        const uint32_t device = mount.file_system->device_number();
        format_to(to, "{} {} {}:{} ", mount.id, place ? place.mount().id : mount.id,
                  device_major(device), device_minor(device));
        put_top(to, mount);
        to.put(" ");
        put_escaped(to, name);
        to.put(" ");
        put_options(to, mount);
        format_to(to, " - {} ", mount.file_system->type_name());
        put_escaped(to, mount.source.view());
        to.put(mount.file_system->read_only() ? " ro" : " rw");
        mount.file_system->put_options(to);
        to.put("\n");
    });
}
