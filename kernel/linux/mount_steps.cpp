// Mounts made in steps: a file system (fsopen, fsconfig), a mount of it (fsmount) or a copy of one (open_tree),
// its place (move_mount); and changes of what is mounted (fspick, mount_setattr). A mount without a place is
// a file, and goes with it. All mounts are private, and none maps ids.
// Spec: fsopen(2), fsconfig(2), fsmount(2), fspick(2), open_tree(2), move_mount(2), mount_setattr(2).
#include "fs/cached_file.hpp"
#include "kernel/linux/long_arguments.hpp"
#include "kernel/linux/mount_context.hpp"

namespace {

constexpr uint32_t kCloseOnExec = 1;  // of fsopen, fsmount and fspick

// MOUNT_ATTR_...; of the three ways to keep times of access one is zero.
constexpr uint32_t kAttributeNoAtime = 0x10, kAttributeStrict = 0x20, kAttributeTimes = 0x70,
                   kAttributeIdMap = 0x100000, kAttributes = 0x2000ff;
constexpr uint32_t kTimes = kMountNoAtime | kMountRelatime;

Result<void> check_administrator() {
    return context().credentials.may(Capability::sys_admin) ? Result<void>() : Errno::perm;
}

// kMount... for all but the times of access.
uint32_t plain_flags(uint32_t attributes) {
    constexpr uint32_t kNoDirectoryAtime = 0x80, kNoLinks = 0x200000;
    return (attributes & (kMountReadOnly | kMountNoSuid | kMountNoDevices | kMountNoExecute)) |
           (attributes & kNoDirectoryAtime ? kMountNoDirectoryAtime : 0) |
           (attributes & kNoLinks ? kMountNoLinks : 0);
}
Result<uint32_t> time_flags(uint32_t attributes) {
    switch (attributes & kAttributeTimes) {
        case 0: return kMountRelatime;
        case kAttributeNoAtime: return kMountNoAtime;
        case kAttributeStrict: return 0u;
        default: return Errno::inval;
    }
}

// EINVAL: it is longer than the calls take.
Result<std::string_view> copy_short(UserText& text, UserString from, uint32_t most) {
    const Result<std::string_view> given = text.copy(from);
    if (given.is_error()) return given.error() == Errno::nametoolong ? Errno::inval : given.error();
    if (given.value().size() >= most) return Errno::inval;
    return given.value();
}

struct OpenContext {
    Ref<File> file;
    MountContext* context;
};
Result<OpenContext> context_of(int fd) {
    OpenContext found{TRY(file_of(fd)), nullptr};
    if (found.file->flags() & kOpenPath) return Errno::badf;
    found.context = file_as<MountContext>(*found.file);
    return found.context ? Result(std::move(found)) : Errno::inval;
}

// O_PATH of the top of a mount, which goes with it unless it has got a place.
class DetachedFile final : public InodeFile {
  public:
    explicit DetachedFile(Path top) : InodeFile(kOpenPath, inode_of(top)) {
        set_path(std::move(top));
    }
    ~DetachedFile() override { drop_detached(Ref<Mount>(path().mount())); }
};
Result<Ref<File>> file_of_detached(Ref<Mount> mount) {
    Ref<Dentry> top = mount->root;
    return Ref<File>(TRY(make_ref<DetachedFile>(Path(std::move(mount), std::move(top)))));
}

Result<Path> place_of(int at, UserString name, uint32_t empty, bool follow) {
    UserName place;
    TRY(place.load(at, name, empty ? EmptyName::allowed : EmptyName::refused));
    return place.resolve(follow ? Follow::yes : Follow::no);
}

}  // namespace

Result<int> sys_fsopen(UserString name, uint32_t flags) {
    TRY(check_administrator());
    if (flags & ~kCloseOnExec) return Errno::inval;
    UserText text;
    FileSystemType* type = find_file_system_type(TRY(copy_short(text, name, kPageSize)));
    if (!type) return Errno::nodev;
    return install(Ref<File>(TRY(make_ref<MountContext>(*type))), flags & kCloseOnExec);
}

Result<int> sys_fspick(int at, UserString name, uint32_t flags) {
    enum : uint32_t { no_follow = 2, no_automount = 4, empty_path = 8 };
    TRY(check_administrator());
    if (flags & ~(kCloseOnExec | no_follow | no_automount | empty_path)) return Errno::inval;
    const Path place = TRY(place_of(at, name, flags & empty_path, !(flags & no_follow)));
    Mount& mount = place.mount();
    if (&place.dentry() != mount.root.get()) return Errno::inval;
    return install(Ref<File>(TRY(make_ref<MountContext>(mount.file_system))), flags & kCloseOnExec);
}

Result<void> sys_fsconfig(int fd, uint32_t command, UserString key, uint32_t value, int extra) {
    enum : uint32_t { flag, text, binary, path, path_or_empty, file, create, reconfigure };
    constexpr uint32_t kMostText = 256;
    constexpr int kMostBinary = 1024 * 1024;
    if (fd < 0) return Errno::inval;
    if (command > reconfigure) return Errno::opnotsupp;
    const bool is_path = command == path || command == path_or_empty;
    const bool needs_key = command < create,
               needs_value = command == text || command == binary || is_path;
    if (needs_key != bool(key) || needs_value != (value != 0)) return Errno::inval;
    const bool extra_fits = command == binary ? extra > 0 && extra <= kMostBinary
                            : is_path         ? extra >= 0 || extra == kAtWorkingDirectory
                            : command == file ? extra >= 0
                                              : extra == 0;
    if (!extra_fits) return Errno::inval;
    OpenContext open = TRY(context_of(fd));
    if (command == create) return open.context->create(context());
    if (command == reconfigure) return open.context->reconfigure(context());
    UserText key_text, value_text;
    const std::string_view name = TRY(copy_short(key_text, key, kMostText));
    if (command == flag) return open.context->set(name, MountContext::Value::flag, {});
    if (command == text)
        return open.context->set(name, MountContext::Value::text,
                                 TRY(copy_short(value_text, UserString(value), kMostText)));
    // No file system here has a parameter of the other kinds.
    if (is_path && TRY(value_text.copy(UserString(value))).empty() && command == path)
        return Errno::noent;
    if (command == file) TRY(file_of(extra));
    return open.context->set(name, MountContext::Value::other, {});
}

Result<int> sys_fsmount(int fd, uint32_t flags, uint32_t attributes) {
    TRY(check_administrator());
    if ((flags & ~kCloseOnExec) || (attributes & ~kAttributes)) return Errno::inval;
    const uint32_t kept = plain_flags(attributes) | TRY(time_flags(attributes));
    OpenContext open = TRY(context_of(fd));
    return install_opened(flags & kCloseOnExec, [&]() -> Result<Ref<File>> {
        Ref<Mount> mount = TRY(open.context->take());
        // What has no disk was made read-only by its first mount's flag.
        mount->flags = kept | (mount->file_system->read_only() ? 0 : mount->flags & kMountReadOnly);
        return file_of_detached(std::move(mount));
    });
}

Result<int> sys_open_tree(int at, UserString name, uint32_t flags) {
    constexpr uint32_t kClone = 1, kRecursive = 0x8000;
    if (flags &
        ~(kAtEmptyPath | kAtNoAutomount | kRecursive | kAtNoFollow | kClone | kOpenCloseOnExec))
        return Errno::inval;
    if ((flags & (kRecursive | kClone)) == kRecursive) return Errno::inval;
    if (flags & kClone) TRY(check_administrator());
    return install_opened(flags & kOpenCloseOnExec, [&]() -> Result<Ref<File>> {
        const Path place = TRY(place_of(at, name, flags & kAtEmptyPath, !(flags & kAtNoFollow)));
        if (!(flags & kClone)) return open_path(context(), place, kOpenPath);
        return file_of_detached(TRY(clone_detached(place, flags & kRecursive)));
    });
}

Result<void> sys_move_mount(int from_at, UserString from_name, int to_at, UserString to_name,
                            uint32_t flags) {
    enum : uint32_t { follow = 1, automount = 2, empty = 4, all = follow | automount | empty };
    constexpr uint32_t kTo = 4, kSetGroup = 0x100;  // the bits of the second name; of propagation
    TRY(check_administrator());
    if (flags & ~(all | all << kTo | kSetGroup)) return Errno::inval;
    const Path from = TRY(place_of(from_at, from_name, flags & empty, flags & follow));
    const Path to = TRY(place_of(to_at, to_name, flags >> kTo & empty, flags >> kTo & follow));
    return flags & kSetGroup ? Errno::inval : move_mount_to(from, to);
}

struct MountAttributes {  // struct mount_attr
    uint64_t set, clear, propagation, users_fd;
};

Result<void> sys_mount_setattr(int at, UserString name, uint32_t flags,
                               UserPtr<const MountAttributes> from, uint32_t bytes) {
    constexpr uint32_t kRecursive = 0x8000;
    if (flags & ~(kAtEmptyPath | kRecursive | kAtNoFollow | kAtNoAutomount)) return Errno::inval;
    if (bytes > kPageSize) return Errno::toobig;
    if (bytes < sizeof(MountAttributes)) return Errno::inval;
    TRY(check_administrator());
    const MountAttributes wanted = TRY(read_long_arguments(from, bytes, sizeof wanted));
    if (!wanted.set && !wanted.clear && !wanted.propagation) return {};
    // Of the kinds of propagation two change nothing, for all mounts are private.
    if (wanted.propagation && wanted.propagation != kMountPrivate &&
        wanted.propagation != kMountSlave)
        return Errno::inval;
    if ((wanted.set | wanted.clear) & ~uint64_t{kAttributes | kAttributeIdMap}) return Errno::inval;
    const auto set = static_cast<uint32_t>(wanted.set), clear = static_cast<uint32_t>(wanted.clear);
    uint32_t more = plain_flags(set), less = plain_flags(clear);
    if (clear & kAttributeTimes) {
        if ((clear & kAttributeTimes) != kAttributeTimes) return Errno::inval;
        less |= kTimes;
        more |= TRY(time_flags(set));
    } else if (set & kAttributeTimes) {
        return Errno::inval;
    }
    if ((set | clear) & kAttributeIdMap) {
        if ((clear & kAttributeIdMap) || wanted.users_fd > INT32_MAX) return Errno::inval;
        TRY(file_of(static_cast<int>(wanted.users_fd)));
        return Errno::inval;  // no file is a name space of users
    }
    const Path place = TRY(place_of(at, name, flags & kAtEmptyPath, !(flags & kAtNoFollow)));
    return change_mount_flags(place, less, more, flags & kRecursive);
}

constexpr SystemCall kMountCalls[] = {
    CALL(428, open_tree, sys_open_tree),
    CALL(429, move_mount, sys_move_mount),
    CALL(430, fsopen, sys_fsopen),
    CALL(431, fsconfig, sys_fsconfig),
    CALL(432, fsmount, sys_fsmount),
    CALL(433, fspick, sys_fspick),
    CALL(442, mount_setattr, sys_mount_setattr),
};
SYSTEM_CALLS(kMountCalls);
