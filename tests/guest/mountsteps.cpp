// Mounts made in steps: a context and its messages, a detached mount and its place, copies of trees, changes of
// what is mounted, and who may do what. Spec: fsopen(2), fsconfig(2), fsmount(2), fspick(2), open_tree(2),
// move_mount(2), mount_setattr(2).
// needs: wing
#include <sys/mount.h>
#include <sys/stat.h>
#include <sys/statvfs.h>
#include <sys/syscall.h>

#include <cstring>
#include <string>
#include <thread>

#include "tests/guest/check.hpp"
#include "tests/guest/no_leak.hpp"

using namespace check;

namespace {

enum : unsigned { flag, text, binary, path, path_or_empty, file, create, reconfigure };
constexpr unsigned kFromEmpty = 4, kClone = 1, kRecursive = 0x8000, kEmpty = AT_EMPTY_PATH;
constexpr unsigned kReadOnly = 1, kNoSuid = 2, kNoExec = 8, kNoAtime = 0x10, kTimes = 0x70,
                   kIdMap = 0x100000;

int open_fs(const char* type, unsigned flags = 1) { return int(syscall(SYS_fsopen, type, flags)); }
int configure(int fd, unsigned command, const char* key = nullptr, const void* value = nullptr,
              int extra = 0) {
    return int(syscall(SYS_fsconfig, fd, command, key, value, extra));
}
int mount_of(int fd, unsigned attributes = 0) {
    return int(syscall(SYS_fsmount, fd, 1, attributes));
}
int tree_of(const char* name, unsigned flags) {
    return int(syscall(SYS_open_tree, AT_FDCWD, name, flags | O_CLOEXEC));
}
int pick(const char* name, unsigned flags = 1) {
    return int(syscall(SYS_fspick, AT_FDCWD, name, flags));
}
int move_to(int fd, const char* to, unsigned flags = kFromEmpty, const char* from = "") {
    return int(syscall(SYS_move_mount, fd, from, AT_FDCWD, to, flags));
}
struct Attributes {
    unsigned long long set, clear, propagation, users;
};
int change(int fd, const char* name, unsigned flags, Attributes wanted,
           size_t bytes = sizeof(Attributes)) {
    return int(syscall(SYS_mount_setattr, fd, name, flags, &wanted, bytes));
}

const std::string kTop = "/tmp/mountsteps.test";
std::string at(const std::string& name) { return kTop + "/" + name; }
bool there(const std::string& name) { return access(at(name).c_str(), F_OK) == 0; }
void put(const std::string& name) {
    close(int(needs(name, open(at(name).c_str(), O_CREAT | O_WRONLY | O_CLOEXEC, 0600))));
}
unsigned long flags_of(const std::string& name) {
    struct statvfs now;
    needs("statvfs", statvfs(at(name).c_str(), &now));
    return now.f_flag;
}
int unmount(const std::string& name, int flags = 0) { return umount2(at(name).c_str(), flags); }

// A mount of tmpfs that is nowhere yet.
int fresh(unsigned attributes = 0) {
    const int fs = int(needs("fsopen", open_fs("tmpfs")));
    needs("create", configure(fs, create));
    const int fd = int(needs("fsmount", mount_of(fs, attributes)));
    close(fs);
    return fd;
}

std::string message_of(int fd) {
    char buffer[200];
    const ssize_t n = read(fd, buffer, sizeof buffer);
    return n < 0 ? "" : std::string(buffer, size_t(n));
}

void test_context() {
    const int fs = int(needs("fsopen", open_fs("tmpfs")));
    char small[4];
    fails("no message", read(fs, small, sizeof small), ENODATA);
    fails("nothing is written", write(fs, "x", 1), EINVAL);
    fails("no file system yet", mount_of(fs), EINVAL);
    fails("not there to be changed", configure(fs, reconfigure), EBUSY);
    succeeds("a source", configure(fs, text, "source", "a b"));
    fails("a second", configure(fs, text, "source", "c"), EINVAL);
    that("tells so", message_of(fs).starts_with("e "));
    fails("a comma", configure(fs, text, "size", "1,2"), EINVAL);
    fails("too small for the message", read(fs, small, sizeof small), EMSGSIZE);
    fails("which is lost", read(fs, small, sizeof small), ENODATA);
    fails("a file as a parameter", configure(fs, file, "size", nullptr, 0), EINVAL);
    fails("no such file", configure(fs, file, "size", nullptr, 99), EBADF);
    succeeds("of what all know it does not count", configure(fs, file, "sync", nullptr, 0));
    for (int i = 0; i < 20; ++i) configure(fs, text, "a,b", "c");
    int messages = 0;
    while (!message_of(fs).empty()) ++messages;
    equal("eight messages are kept", messages, 8);
    succeeds("an option", configure(fs, text, "mode", "0711"));
    succeeds("create", configure(fs, create));
    fails("not twice", configure(fs, create), EBUSY);
    fails("too late", configure(fs, flag, "rw"), EBUSY);
    const int fd = mount_of(fs, kNoSuid);
    succeeds("fsmount", fd);
    fails("not twice", mount_of(fs), EBUSY);
    succeeds("a place", move_to(fd, at("a").c_str()));
    struct stat now;
    stat(at("a").c_str(), &now);
    equal("with the mode", now.st_mode & 07777, 0711);
    fails("busy: the descriptor", unmount("a"), EBUSY);
    close(fd);
    succeeds("the context does not keep it busy", unmount("a"));
    fails("what is gone does not change", configure(fs, flag, "ro") | configure(fs, reconfigure),
          EINVAL);
    close(fs);
    const int bad = int(needs("fsopen", open_fs("tmpfs")));
    succeeds("a bad option", configure(bad, text, "size", "many"));
    fails("is refused", configure(bad, create), EINVAL);
    that("with a message", message_of(bad).find("size=many") != std::string::npos);
    fails("and that is the end", configure(bad, create), EBUSY);
    close(bad);
}

void test_arguments() {
    const int fs = int(needs("fsopen", open_fs("ext2")));
    const std::string long_text(256, 'x');
    fails("an unknown type", open_fs("none"), ENODEV);
    fails("unknown flags", open_fs("tmpfs", 2), EINVAL);
    fails("no text", open_fs(nullptr), EFAULT);
    fails("no descriptor", configure(-1, flag, "rw"), EINVAL);
    fails("not open", configure(99, flag, "rw"), EBADF);
    fails("another file", configure(0, flag, "rw"), EINVAL);
    fails("an unknown command", configure(fs, 8, "rw"), EOPNOTSUPP);
    fails("a long key", configure(fs, flag, long_text.c_str()), EINVAL);
    fails("a long value", configure(fs, text, "a", long_text.c_str()), EINVAL);
    fails("no key", configure(fs, flag), EINVAL);
    fails("an empty name", configure(fs, path, "a", "", AT_FDCWD), ENOENT);
    int full = 0;
    while (full < 100 && !configure(fs, text, "", long_text.c_str() + 6)) ++full;
    equal("a page of options", full, 16);
    close(fs);
    const int none = int(needs("fsopen", open_fs("ext2")));
    fails("a disk is needed", configure(none, create), EINVAL);
    close(none);
    fails("unknown attributes", mount_of(fs, 0x100), EINVAL);
    fails("two kinds of times", mount_of(fs, 0x30), EINVAL);
    fails("not open", mount_of(99), EBADF);
    fails("recursion is of copies", tree_of("/", kRecursive), EINVAL);
    fails("unknown flags", tree_of("/", 2), EINVAL);
    fails("no top of a mount", pick(kTop.c_str()), EINVAL);
    fails("unknown flags", pick("/", 16), EINVAL);
    fails("unknown flags", move_to(0, "/", 8), EINVAL);
    fails("propagation", move_to(AT_FDCWD, "/", 0x100, "/"), EINVAL);
    fails("short", change(AT_FDCWD, "/", 0, {}, 31), EINVAL);
    fails("long", change(AT_FDCWD, "/", 0, {}, 5000), E2BIG);
    succeeds("nothing, anywhere", change(99, "/none", 0, {}));
    fails("unknown attributes", change(AT_FDCWD, "/", 0, {0x100, 0, 0, 0}), EINVAL);
    fails("shared", change(AT_FDCWD, "/", 0, {0, 0, MS_SHARED, 0}), EINVAL);
    succeeds("private", change(AT_FDCWD, "/", 0, {0, 0, MS_PRIVATE, 0}));
    fails("times not cleared", change(AT_FDCWD, "/", 0, {kNoAtime, 0, 0, 0}), EINVAL);
    fails("ids of no file", change(AT_FDCWD, "/", 0, {kIdMap, 0, 0, 99}), EBADF);
    fails("ids of another file", change(AT_FDCWD, "/", 0, {kIdMap, 0, 0, 0}), EINVAL);
    fails("no top of a mount", change(AT_FDCWD, kTop.c_str(), 0, {kNoSuid, 0, 0, 0}), EINVAL);
}

void test_detached() {
    const int fd = fresh();
    const int inside = openat(fd, "x", O_CREAT | O_RDWR | O_CLOEXEC, 0600);
    succeeds("a file in it", inside);
    fails("only a place", read(fd, nullptr, 0), EBADF);
    const std::string name = "/proc/self/fd/" + std::to_string(fd);
    fails("no mount on it", mount("x", name.c_str(), "tmpfs", 0, nullptr), EINVAL);
    fails("not unmounted", umount2(name.c_str(), 0), EINVAL);
    fails("not bound", mount(name.c_str(), at("a").c_str(), nullptr, MS_BIND, nullptr), EINVAL);
    succeeds("it can still be written", mkdirat(fd, "w", 0700));
    fails("no copy of it", tree_of(name.c_str(), kClone), EINVAL);
    fails("not into itself", move_to(fd, name.c_str()), EINVAL);
    fails("a directory on a file", move_to(fd, at("f").c_str()), EINVAL);
    fails("only its top", move_to(fd, at("a").c_str(), 0, "x"), EINVAL);
    succeeds("attributes", change(fd, "", kEmpty, {kNoExec | kNoAtime, kTimes, 0, 0}));
    fails("read-only while written", change(fd, "", kEmpty, {kReadOnly, 0, 0, 0}), EBUSY);
    close(inside);
    succeeds("a place", move_to(fd, at("a").c_str()));
    that("there it is", there("a/x"));
    equal("attributes are kept", flags_of("a") & (ST_NOEXEC | ST_NOATIME), ST_NOEXEC | ST_NOATIME);
    succeeds("another place", move_to(fd, at("b").c_str()));
    that("moved", !there("a/x") && there("b/x"));
    succeeds("by name", move_to(AT_FDCWD, at("a").c_str(), 0, at("b").c_str()));
    fails("not below itself", move_to(fd, (mkdirat(fd, "d", 0700), at("a/d").c_str())), ELOOP);
    succeeds("lazily away", unmount("a", MNT_DETACH));
    fails("then nowhere again", move_to(fd, at("a").c_str()), EINVAL);
    close(fd);
}

void test_trees() {
    succeeds("outer", move_to(fresh(), at("a").c_str()));
    mkdir(at("a/in").c_str(), 0700);
    succeeds("inner", mount("x", at("a/in").c_str(), "tmpfs", 0, nullptr));
    put("a/in/deep");
    int fd = tree_of(at("a").c_str(), kClone);
    succeeds("a copy of one", fd);
    fails("without the other", faccessat(fd, "in/deep", F_OK, 0), ENOENT);
    close(fd);
    fd = tree_of(at("a").c_str(), kClone | kRecursive);
    succeeds("of both", faccessat(fd, "in/deep", F_OK, 0));
    succeeds("changed together", change(fd, "", kEmpty | kRecursive, {kReadOnly, 0, 0, 0}));
    fails("the inner too", openat(fd, "in/new", O_CREAT | O_WRONLY, 0600), EROFS);
    succeeds("a place", move_to(fd, at("b").c_str()));
    close(fd);
    that("with both", there("b/in/deep"));
    put("a/in/new");
    succeeds("inner", unmount("b/in"));
    succeeds("outer", unmount("b"));
    fd = tree_of(at("a").c_str(), kClone | kRecursive);
    close(fd);
    succeeds("a place is no mount", fd = tree_of(at("a").c_str(), 0));
    close(fd);
    succeeds("inner: no copy is left", unmount("a/in"));
    succeeds("outer", unmount("a", MNT_DETACH));
}

// Each on the one before: a copy of all takes no more of the kernel's stack than a copy of one.
void test_high_stack() {
    constexpr int kHeight = 200;
    for (int i = 0; i < kHeight; ++i)
        needs("mount", mount("x", at("a").c_str(), "tmpfs", 0, nullptr));
    put("a/top");
    const int fd = tree_of(kTop.c_str(), kClone | kRecursive);
    succeeds("a copy of a high stack", faccessat(fd, "a/top", F_OK, 0));
    close(fd);
    int height = 0;
    while (height < kHeight && unmount("a") == 0) ++height;
    equal("no copy is left", height, kHeight);
}

void test_pick() {
    succeeds("tmpfs", move_to(fresh(), at("a").c_str()));
    const int fs = pick(at("a").c_str());
    succeeds("fspick", fs);
    succeeds("ro", configure(fs, flag, "ro") | configure(fs, reconfigure));
    that("read-only", flags_of("a") & ST_RDONLY);
    succeeds("rw", configure(fs, flag, "rw") | configure(fs, reconfigure));
    that("no more", !(flags_of("a") & ST_RDONLY));
    fails("nothing to be made", configure(fs, create), EBUSY);
    fails("nor mounted", mount_of(fs), EBUSY);
    close(fs);
    unmount("a", MNT_DETACH);
}

void test_rights() {
    const int fd = fresh(), fs = open_fs("tmpfs"), there = pick("/");
    exits("another user", 0, [&] {
        needs("setuid", setuid(61));
        succeeds("a parameter", configure(fs, flag, "ro"));
        fails("create", configure(fs, create), EPERM);
        fails("reconfigure", configure(there, reconfigure), EPERM);
        fails("fsopen", open_fs("none", 8), EPERM);
        fails("fspick", pick("/none", 16), EPERM);
        fails("fsmount", mount_of(99, 0x100), EPERM);
        fails("move_mount", move_to(fd, "/none", 8), EPERM);
        fails("open_tree", tree_of("/none", kClone), EPERM);
        const int place = tree_of("/", 0);
        succeeds("but for a place", place);
        close(place);
        fails("mount_setattr", change(99, "", kEmpty, {}), EPERM);
        return done();
    });
    succeeds("nothing was made meanwhile", configure(fs, create));
    for (int open : {fd, fs, there}) close(open);
}

int once_around() {
    const int fd = fresh();
    const bool placed = move_to(fd, at("a").c_str()) == 0;
    const int copy = tree_of(at("a").c_str(), kClone | kRecursive);
    const bool all = placed && copy >= 0 && unmount("a", MNT_DETACH) == 0;
    close(copy);
    close(fd);
    return !all;
}

}  // namespace

int main() {
    mkdir(kTop.c_str(), 0755);
    mkdir(at("a").c_str(), 0755);
    mkdir(at("b").c_str(), 0755);
    put("f");
    test_context();
    test_arguments();
    test_detached();
    test_trees();
    test_high_stack();
    test_pick();
    test_rights();
    std::thread other([] {
        for (int i = 0; i < 2000; ++i) close(fresh());
    });
    no_leak(once_around, 1024);
    other.join();
    that("no mount is left", !there("a/x") && unmount("a") && errno == EINVAL);
    return done();
}
