// openat2: openat that refuses what it does not know, and may bound the way that a name leads: no links, no
// other mount, not out of the directory where it begins (fs/lookup.cpp obeys).
// Spec: openat2(2).
#include "fs/mount.hpp"
#include "kernel/linux/long_arguments.hpp"

namespace {

constexpr uint32_t kCached = 32;
constexpr uint32_t kWays =
    kWayOneMount | kWayNoMagicLinks | kWayNoLinks | kWayBelowRoot | kWayInRoot | kCached;
constexpr uint32_t kFlags = kOpenAccessMode | kOpenCreate | kOpenExclusive | kOpenNoTty |
                            kOpenTruncate | kOpenAppend | kOpenNonBlock | kOpenSync | kOpenAsync |
                            kOpenDirect | kOpenLargeFile | kOpenDirectory | kOpenNoFollow |
                            kOpenNoAtime | kOpenCloseOnExec | kOpenPath | kOpenNameless;
constexpr uint32_t kWithPath =
    kOpenPath | kOpenDirectory | kOpenNoFollow | kOpenCloseOnExec | kOpenLargeFile;

struct OpenHow {  // struct open_how
    uint64_t flags, mode, way;
};

Result<void> check(const OpenHow& how) {
    if ((how.flags & ~uint64_t{kFlags}) || (how.way & ~uint64_t{kWays})) return Errno::inval;
    if ((how.way & kWayBelowRoot) && (how.way & kWayInRoot)) return Errno::inval;
    const bool makes = how.flags & (kOpenCreate | kOpenNameless);
    if (makes ? how.mode & ~07777u : how.mode) return Errno::inval;
    if ((how.flags & kOpenPath) && (how.flags & ~uint64_t{kWithPath})) return Errno::inval;
    // Names may be cached here, but we do not tell: the caller asks again without this flag.
    if ((how.way & kCached) && (makes || (how.flags & kOpenTruncate))) return Errno::inval;
    return how.way & kCached ? Errno::again : Result<void>();
}

// The way never led above the directory, unless that was moved away meanwhile.
Result<void> check_below(const FsContext& who, const File& file) {
    Box<PageBuffer> buffer = TRY(make_box<PageBuffer>());
    bool below;
    TRY(place_name(file.path(), &who.root, buffer->span(), below));
    return below ? Result<void>() : Errno::again;
}

}  // namespace

Result<int> sys_openat2(int at, UserString name, UserPtr<const OpenHow> from, uint32_t bytes) {
    const OpenHow how = TRY(read_long_arguments(from, bytes, sizeof(OpenHow)));
    TRY(check(how));
    UserName file;
    TRY(file.load(at, name));
    const auto flags = static_cast<uint32_t>(how.flags);
    Box<FsContext> who = TRY(make_box<FsContext>(context()));
    who->way = static_cast<uint32_t>(how.way);
    const bool bounded = how.way & (kWayBelowRoot | kWayInRoot);
    if (bounded) {
        Path top = file.base();
        if (file.text().starts_with('/') && at != kAtWorkingDirectory)
            top = TRY(file_of(at))->path();
        if (!top || !top.dentry().is_directory()) return Errno::notdir;
        who->root = top;
    }
    return install_opened(flags & kOpenCloseOnExec, [&]() -> Result<Ref<File>> {
        Ref<File> opened =
            TRY(vfs_open(*who, bounded ? who->root : file.base(), file.text(),
                         flags & ~kOpenCloseOnExec, static_cast<uint32_t>(how.mode)));
        if (bounded) TRY(check_below(*who, *opened));
        return opened;
    });
}

constexpr SystemCall kOpenat2Calls[] = {
    CALL(437, openat2, sys_openat2),
};
SYSTEM_CALLS_THAT_WAIT(kOpenat2Calls);
