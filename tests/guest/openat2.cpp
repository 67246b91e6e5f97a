// openat2: what it refuses, and each RESOLVE_ flag against links, mounts, "..", absolute names and /proc's
// links. arch_prctl, which the C library asks for at its start. Spec: openat2(2), arch_prctl(2).
// needs: wing
#include <linux/openat2.h>
#include <sys/mount.h>
#include <sys/stat.h>
#include <sys/syscall.h>

#include <cstdint>

#include "tests/guest/check.hpp"

using namespace check;

namespace {

int top;  // the directory of the test, open

int openat2(int at, const char* name, open_how how, size_t bytes = sizeof(open_how)) {
    return int(syscall(SYS_openat2, at, name, &how, bytes));
}
int resolve(const char* name, uint64_t way, uint64_t flags = O_RDONLY) {
    open_how how = {};
    how.flags = flags | O_CLOEXEC;
    how.resolve = way;
    return openat2(top, name, how);
}
void opens(const char* what, const char* name, uint64_t way) {
    const int fd = resolve(name, way);
    if (succeeds(what, fd)) close(fd);
}
// Which file it is: the byte in it.
char byte_of(const char* name, uint64_t way) {
    char byte = 0;
    const int fd = resolve(name, way);
    if (fd < 0 || read(fd, &byte, 1) != 1) byte = '!';
    close(fd);
    return byte;
}
void make(const char* name, const char* text) {
    const int fd = needs(name, openat(top, name, O_CREAT | O_WRONLY, 0644));
    needs("write", write(fd, text, strlen(text)));
    close(fd);
}

void make_tree() {
    needs("mkdir", mkdir("/tmp/openat2", 0755));
    top = needs("open", open("/tmp/openat2", O_DIRECTORY | O_CLOEXEC));
    needs("mkdir", mkdirat(top, "etc", 0755));
    needs("mkdir", mkdirat(top, "mount", 0755));
    make("etc/passwd", "i");
    make("file", "f");
    needs("symlink", symlinkat("etc/passwd", top, "link"));
    needs("symlink", symlinkat("/etc/passwd", top, "absolute"));
    needs("symlink", symlinkat("../../etc/passwd", top, "out"));
    needs("symlink", symlinkat("etc/../file", top, "round"));
    needs("mount", mount("none", "/tmp/openat2/mount", "tmpfs", 0, nullptr));
    make("mount/file", "m");
}

void test_arguments() {
    const open_how plain = {.flags = O_RDONLY, .mode = 0, .resolve = 0};
    const int fd = openat2(top, "file", plain);
    succeeds("as openat", fd);
    close(fd);
    fails("shorter", openat2(top, "file", plain, sizeof(open_how) - 1), EINVAL);
    uint64_t longer[4] = {};
    const long zeros = syscall(SYS_openat2, top, "file", longer, sizeof longer);
    succeeds("longer, with zeros", zeros);
    close(int(zeros));
    longer[3] = 1;
    fails("longer, with more", syscall(SYS_openat2, top, "file", longer, sizeof longer), E2BIG);
    fails("bad memory", syscall(SYS_openat2, top, "file", 4, sizeof(open_how)), EFAULT);
    auto refused = [](const char* what, uint64_t flags, uint64_t mode, uint64_t way) {
        fails(what, openat2(top, "file", {flags, mode, way}), EINVAL);
    };
    refused("an unknown flag", 1ull << 40, 0, 0);
    refused("an unknown way", O_RDONLY, 0, 64);
    refused("both bounds", O_RDONLY, 0, RESOLVE_BENEATH | RESOLVE_IN_ROOT);
    refused("a mode for nothing", O_RDONLY, 0644, 0);
    refused("a strange mode", O_CREAT | O_RDWR, 0200000, 0);
    refused("O_PATH with more", O_PATH | O_RDWR, 0, 0);
    refused("cached, and made", O_CREAT | O_RDWR, 0644, RESOLVE_CACHED);
    fails("cached is not told", openat2(top, "file", {O_RDONLY, 0, RESOLVE_CACHED}), EAGAIN);
    fails("no name", openat2(top, "", plain), ENOENT);
    fails("no directory", openat2(1000, "file", plain), EBADF);
    const int made = openat2(top, "made", {O_CREAT | O_EXCL | O_RDWR, 0604, RESOLVE_BENEATH});
    struct stat now = {};
    succeeds("a file is made", made);
    needs("fstat", fstat(made, &now));
    equal("with its mode", now.st_mode & 07777, 0604);
    close(made);
}

void test_links() {
    equal("a link", byte_of("link", 0), 'i');
    fails("RESOLVE_NO_SYMLINKS", resolve("link", RESOLVE_NO_SYMLINKS), ELOOP);
    opens("no link there", "etc/passwd", RESOLVE_NO_SYMLINKS);
    const int itself = resolve("link", RESOLVE_NO_SYMLINKS, O_PATH | O_NOFOLLOW);
    succeeds("the link itself", itself);
    close(itself);
    opens("RESOLVE_NO_MAGICLINKS lets links be", "link", RESOLVE_NO_MAGICLINKS);
    fails("a link of /proc", resolve("/proc/self/exe", RESOLVE_NO_MAGICLINKS), ELOOP);
    fails(
        "of a pipe",
        [] {
            int ends[2];
            needs("pipe", pipe(ends));
            char name[32];
            snprintf(name, sizeof name, "/proc/self/fd/%d", ends[0]);
            const int fd = resolve(name, RESOLVE_NO_MAGICLINKS);
            const int error = errno;
            close(ends[0]);
            close(ends[1]);
            errno = error;
            return fd;
        }(),
        ELOOP);
    opens("/proc's link by text", "/proc/self/status", RESOLVE_NO_MAGICLINKS);
}

void test_mounts() {
    equal("another mount", byte_of("mount/file", 0), 'm');
    fails("RESOLVE_NO_XDEV", resolve("mount/file", RESOLVE_NO_XDEV), EXDEV);
    opens("the same mount", "etc/passwd", RESOLVE_NO_XDEV);
    fails("through /proc", resolve("/proc/self/cwd", RESOLVE_NO_XDEV), EXDEV);
    const int inside = needs("open", openat(top, "mount", O_DIRECTORY | O_CLOEXEC));
    fails("upwards", openat2(inside, "../file", {O_RDONLY, 0, RESOLVE_NO_XDEV}), EXDEV);
    close(inside);
}

void test_bounds() {
    opens("below", "etc/passwd", RESOLVE_BENEATH);
    equal("up and down again", byte_of("etc/../file", RESOLVE_BENEATH), 'f');
    equal("by a link", byte_of("round", RESOLVE_BENEATH), 'f');
    fails("above", resolve("../openat2/file", RESOLVE_BENEATH), EXDEV);
    fails("an absolute name", resolve("/etc/passwd", RESOLVE_BENEATH), EXDEV);
    fails("an absolute link", resolve("absolute", RESOLVE_BENEATH), EXDEV);
    fails("a link out", resolve("out", RESOLVE_BENEATH), EXDEV);
    equal("in the root: an absolute name", byte_of("/etc/passwd", RESOLVE_IN_ROOT), 'i');
    equal("an absolute link", byte_of("absolute", RESOLVE_IN_ROOT), 'i');
    equal("..", byte_of("../../../file", RESOLVE_IN_ROOT), 'f');
    equal("a link out", byte_of("out", RESOLVE_IN_ROOT), 'i');
    equal(
        "the working directory's too",
        [] {
            needs("chdir", chdir("/tmp/openat2"));
            char byte = 0;
            const int fd = openat2(AT_FDCWD, "/file", {O_RDONLY, 0, RESOLVE_IN_ROOT});
            if (read(fd, &byte, 1) != 1) byte = '!';
            close(fd);
            needs("chdir", chdir("/"));
            return byte;
        }(),
        'f');
    needs("mkdir", mkdirat(top, "proc", 0755));
    needs("mount", mount("proc", "/tmp/openat2/proc", "proc", 0, nullptr));
    fails("no link of /proc leads out", resolve("proc/self/cwd", RESOLVE_IN_ROOT), EXDEV);
    fails("nor here", resolve("proc/self/cwd", RESOLVE_BENEATH), EXDEV);
    needs("umount", umount("/tmp/openat2/proc"));
}

}  // namespace

int main() {
    make_tree();
    test_arguments();
    test_links();
    test_mounts();
    test_bounds();
    needs("umount", umount("/tmp/openat2/mount"));
    equal("CPUID may be used", syscall(SYS_arch_prctl, 0x1011, 0), 1);
    fails("and that stays so", syscall(SYS_arch_prctl, 0x1012, 0), ENODEV);
    fails("no shadow stacks", syscall(SYS_arch_prctl, 0x3001, 0), EINVAL);
    return done();
}
