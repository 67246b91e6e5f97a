// Calls on files where the manual pages go into detail: programs that run and are written to; flags of
// single reads and writes; times left out; who asks by which ids; folders that lose names while they are
// read; what statfs tells; extended attributes, which there are none of.
//   filecalls reserve FOLDER    a small file system of its own
// Spec: execve(2), open(2), truncate(2), preadv2(2), utimensat(2), faccessat2(2), getdents(2), statfs(2).
// needs: wing
#include <dirent.h>
#include <grp.h>
#include <sys/mman.h>
#include <sys/mount.h>
#include <sys/sendfile.h>
#include <sys/stat.h>
#include <sys/statfs.h>
#include <sys/syscall.h>
#include <sys/uio.h>
#include <sys/xattr.h>

#include <set>

#include "check.hpp"

namespace {

using namespace check;

const std::string kFolder = "/var/filecalls";
std::string in(const std::string& name) { return kFolder + "/" + name; }
int made(const std::string& name, int flags = O_RDWR, int mode = 0644) {
    return needs(name, open(in(name).c_str(), flags | O_CREAT, mode));
}

// busybox, so that it sleeps under another name.
void test_busy_programs() {
    const std::string program = in("sleep");
    needs("copy", system(("cp /bin/busybox " + program).c_str()));
    Gate started;
    const pid_t child = start([&] {
        execl(program.c_str(), "sleep", "1000", nullptr);
        return 1;
    });
    wait_until(child);
    fails("writing to it", open(program.c_str(), O_WRONLY), ETXTBSY);
    fails("emptying it", open(program.c_str(), O_RDONLY | O_TRUNC), ETXTBSY);
    fails("cutting it", truncate(program.c_str(), 0), ETXTBSY);
    const int reader = open(program.c_str(), O_RDONLY);
    succeeds("reading it", reader);
    close(reader);
    succeeds("renaming it", rename(program.c_str(), in("nap").c_str()));
    fails("does not help", open(in("nap").c_str(), O_RDWR), ETXTBSY);
    kill(child, SIGKILL);
    wait_for(child);
    const int writer = open(in("nap").c_str(), O_RDWR);
    succeeds("afterwards", writer);
    exits("it can't be run then", 0, [&] {
        fails("execve", execl(in("nap").c_str(), "true", nullptr), ETXTBSY);
        return failures;
    });
    close(writer);
    exits("until it is closed", 1, [&] {
        execl(in("nap").c_str(), "false", nullptr);
        return 3;
    });
    unlink(in("nap").c_str());
}

void test_single_flags() {
    const int fd = made("vectors");
    char bytes[8] = "";
    const iovec out = {const_cast<char*>("abcdef"), 6}, rest = {const_cast<char*>("XY"), 2};
    const iovec into = {bytes, 4};
    equal("write", pwritev2(fd, &out, 1, 0, RWF_SYNC), 6);
    equal("at the end", pwritev2(fd, &rest, 1, 0, RWF_APPEND), 2);
    equal("read", preadv2(fd, &into, 1, 4, RWF_HIPRI), 4);
    same("both", std::string(bytes, 4), "efXY");
    equal("its offset was left alone", lseek(fd, 0, SEEK_CUR), 0);
    equal("at the offset", preadv2(fd, &into, 1, -1, 0), 4);
    equal("which moves", lseek(fd, 0, SEEK_CUR), 4);
    equal("writing too", pwritev2(fd, &rest, 1, -1, RWF_DSYNC), 2);
    equal("which moves", lseek(fd, 0, SEEK_CUR), 6);
    equal("at the end, by offset", pwritev2(fd, &rest, 1, -1, RWF_APPEND), 2);
    equal("which is there", lseek(fd, 0, SEEK_CUR), 10);
    fails("without waiting", preadv2(fd, &into, 1, 0, RWF_NOWAIT), EOPNOTSUPP);
    fails("no such flag", pwritev2(fd, &rest, 1, 0, 0x100), EOPNOTSUPP);
    fails("negative", preadv2(fd, &into, 1, -2, 0), EINVAL);
    int ends[2];
    needs("pipe", pipe(ends));
    equal("a pipe", pwritev2(ends[1], &rest, 1, -1, 0), 2);
    equal("both ways", preadv2(ends[0], &into, 1, -1, 0), 2);
    fails("has no positions", preadv2(ends[0], &into, 1, 0, 0), ESPIPE);
    off_t offset = 0;
    fails("sendfile of it", sendfile(fd, ends[0], &offset, 1), ESPIPE);
    close(fd);
}

void test_times() {
    const timespec neither[2] = {{0, UTIME_OMIT}, {0, UTIME_OMIT}};
    succeeds("neither: nobody looks", utimensat(AT_FDCWD, "/no/such/file", neither, 0));
    const int fd = made("times");
    const timespec one[2] = {{1000, 0}, {0, UTIME_OMIT}}, both[2] = {{1, 0}, {2, 0}};
    succeeds("both", futimens(fd, both));
    succeeds("one", futimens(fd, one));
    struct stat s;
    fstat(fd, &s);
    equal("changed", s.st_atime, 1000);
    equal("left", s.st_mtime, 2);
    that("the change is noted", s.st_ctime > 1000);
    close(fd);
    chmod(in("times").c_str(), 0666);
    exits("others", 0, [] {
        needs("setuid", setuid(1000));
        const std::string name = in("times");
        const timespec now[2] = {{0, UTIME_NOW}, {0, UTIME_NOW}};
        const timespec half[2] = {{0, UTIME_NOW}, {0, UTIME_OMIT}};
        succeeds("now, who may write", utimensat(AT_FDCWD, name.c_str(), now, 0));
        succeeds("likewise", utimensat(AT_FDCWD, name.c_str(), nullptr, 0));
        fails("only one", utimensat(AT_FDCWD, name.c_str(), half, 0), EPERM);
        const timespec some[2] = {{1, 0}, {1, 0}};
        fails("another time", utimensat(AT_FDCWD, name.c_str(), some, 0), EPERM);
        return failures;
    });
    chmod(in("times").c_str(), 0644);
    exits("and who may not write", 0, [] {
        needs("setuid", setuid(1000));
        fails("now", utimensat(AT_FDCWD, in("times").c_str(), nullptr, 0), EACCES);
        return failures;
    });
}

// Reading, mapping and running are access, the first time after a change.
void test_access_times() {
    const std::string name = in("accessed");
    needs("copy", system(("cp /bin/busybox " + name).c_str()));
    const int fd = needs("open", open(name.c_str(), O_RDONLY));
    const timespec old[2] = {{1000, 0}, {2000, 0}};
    struct stat s;
    const auto changed = [&](const char* what, auto&& access) {
        needs("times", utimensat(AT_FDCWD, name.c_str(), old, 0));
        access();
        needs("fstat", fstat(fd, &s));
        that(what, s.st_atime > 1000);
    };
    char byte;
    changed("reading", [&] { static_cast<void>(read(fd, &byte, 1)); });
    changed("mapping", [&] { munmap(mmap(nullptr, 1, PROT_READ, MAP_PRIVATE, fd, 0), 1); });
    changed("running", [&] {
        wait_for(start([&] {
            execl(name.c_str(), "true", nullptr);
            return 1;
        }));
    });
    close(fd);
    unlink(name.c_str());
}

void test_ids() {
    close(made("secret", O_RDWR, 0600));
    exits("by real and effective ids", 0, [] {
        needs("setresuid", setresuid(1000, 0, 0));
        const int fd = needs("open", open(in("secret").c_str(), O_RDONLY));
        fails("real", access(in("secret").c_str(), R_OK), EACCES);
        succeeds("effective", faccessat(AT_FDCWD, in("secret").c_str(), R_OK, AT_EACCESS));
        const auto empty = [&](int mode, int flags) {
            return syscall(SYS_faccessat2, fd, "", mode, AT_EMPTY_PATH | flags);
        };
        fails("real, of a descriptor", empty(R_OK, 0), EACCES);
        succeeds("effective", empty(R_OK, AT_EACCESS));
        succeeds("is it there", empty(F_OK, 0));
        fails("no such mode", empty(8, 0), EINVAL);
        return failures;
    });
    needs("mkdir", mkdir(in("group").c_str(), 0777));
    needs("chown", chown(in("group").c_str(), 0, 50));
    needs("chmod", chmod(in("group").c_str(), 02777));
    exits("a group's folder", 0, [] {
        const gid_t groups[] = {60};
        needs("setgroups", setgroups(1, groups));
        needs("setgid", setgid(1000));
        needs("setuid", setuid(1000));
        umask(0);
        struct stat s;
        close(needs("open", open(in("group/a").c_str(), O_CREAT | O_WRONLY, 02755)));
        stat(in("group/a").c_str(), &s);
        equal("gives its group", s.st_gid, 50);
        equal("not its rights", s.st_mode & 07777, 0755);
        close(needs("open", open(in("group/b").c_str(), O_CREAT | O_WRONLY, 02745)));
        stat(in("group/b").c_str(), &s);
        equal("what is no program keeps the bit", s.st_mode & 07777, 02745);
        needs("mkdir", mkdir(in("group/c").c_str(), 0755));
        stat(in("group/c").c_str(), &s);
        equal("folders hand it on", s.st_mode & 07777, 02755);
        return failures;
    });
}

// Each name that stays is seen once, whatever goes meanwhile.
void test_reading_folders() {
    const std::string folder = in("folder");
    for (const char* where : {"/var/filecalls/folder", "/mnt/folder"}) {
        needs("mkdir", mkdir(where, 0755));
        const auto name = [&](int i) {
            return std::string(where) + "/" + std::string(40, 'n') + std::to_string(1000 + i);
        };
        for (int i = 0; i < 300; ++i) close(needs("create", open(name(i).c_str(), O_CREAT, 0600)));
        DIR* dir = opendir(where);
        std::multiset<std::string> seen;
        long middle = 0;
        for (int i = 0; const dirent* entry = readdir(dir); ++i) {
            seen.insert(entry->d_name);
            if (i == 150) middle = telldir(dir);
            if (i % 3 == 0)
                for (int k = i; k < i + 3 && k < 300; k += 2) unlink(name(k).c_str());
        }
        int once = 0, twice = 0;
        for (int i = 0; i < 300; ++i) {
            const auto count = seen.count(name(i).substr(std::string(where).size() + 1));
            if (access(name(i).c_str(), F_OK) == 0) once += count == 1;
            twice += count > 1;
        }
        int left = 0;
        for (int i = 0; i < 300; ++i) left += access(name(i).c_str(), F_OK) == 0;
        equal("those that stay are seen", once, left);
        equal("none twice", twice, 0);
        seekdir(dir, middle);
        std::set<std::string> again;
        while (const dirent* entry = readdir(dir)) again.insert(entry->d_name);
        that("from the middle on", !again.empty() && again.size() < size_t(left));
        rewinddir(dir);
        int all = 0;
        while (readdir(dir)) ++all;
        equal("from the beginning", all, left + 2);
        for (int i = 0; i < 300; ++i) unlink(name(i).c_str());
        needs("rmdir", rmdir(where));
        char buffer[256];
        lseek(dirfd(dir), 0, SEEK_SET);
        fails("of one that is gone", syscall(SYS_getdents64, dirfd(dir), buffer, sizeof buffer),
              ENOENT);
        closedir(dir);
    }
}

void test_statfs() {
    struct statfs s;
    constexpr long kReadOnly = 1, kNoSuid = 2, kNoAtime = 1024, kRelative = 4096;
    needs("statfs", statfs("/mnt", &s));
    equal("flags", s.f_flags & ~0x20L, kRelative);
    needs("remount",
          mount("none", "/mnt", nullptr, MS_REMOUNT | MS_RDONLY | MS_NOSUID | MS_NOATIME, nullptr));
    needs("statfs", statfs("/mnt", &s));
    equal("as mounted", s.f_flags & ~0x20L, kReadOnly | kNoSuid | kNoAtime);
    fails("gone or not: read-only", unlink("/mnt/none"), EROFS);
    needs("remount", mount("none", "/mnt", nullptr, MS_REMOUNT, nullptr));
    needs("statfs", statfs("/", &s));
    equal("ext2", s.f_type, 0xef53);
    equal("names", s.f_namelen, 255);
    that("sums", s.f_bavail <= s.f_bfree && s.f_bfree <= s.f_blocks && s.f_ffree <= s.f_files);
    int ends[2];
    needs("pipe", pipe(ends));
    succeeds("a pipe", fstatfs(ends[0], &s));
    equal("is one", s.f_type, 0x50495045);
}

void test_attributes() {
    const int fd = made("attributes");
    char value[8];
    const std::string name = in("attributes");
    fails("getxattr", getxattr(name.c_str(), "user.x", value, 8), EOPNOTSUPP);
    fails("setxattr", setxattr(name.c_str(), "user.x", "v", 1, 0), EOPNOTSUPP);
    fails("flistxattr", flistxattr(fd, value, 8), EOPNOTSUPP);
    fails("of nothing", lgetxattr(in("none").c_str(), "user.x", value, 8), ENOENT);
    fails("of nothing", fremovexattr(-1, "user.x"), EBADF);
    fails("fallocate", fallocate(fd, 0, 0, 4096), EOPNOTSUPP);
    fails("of no file", fallocate(-1, 0, -1, 0), EBADF);
    fails("of nothing", fallocate(fd, 0, 0, 0), EINVAL);
    const int reader = open(name.c_str(), O_RDONLY);
    fails("who only reads", fallocate(reader, 0, 0, 1), EBADF);
    fails("renameat2 with a place that is there",
          syscall(SYS_renameat2, AT_FDCWD, name.c_str(), AT_FDCWD, "/var/.", 1), EEXIST);
    close(made("other"));
    fails("exchanging, which ext2 cannot",
          syscall(SYS_renameat2, AT_FDCWD, name.c_str(), AT_FDCWD, in("other").c_str(), 2), EINVAL);
    succeeds("but with itself",
             syscall(SYS_renameat2, AT_FDCWD, name.c_str(), AT_FDCWD, name.c_str(), 2));
    close(fd);
    close(reader);
}

// What is kept for the superuser (mke2fs -m), for system/fs_limits_test.sh.
int use_reserve(const std::string& folder) {
    needs("chmod", chmod(folder.c_str(), 0777));
    struct statfs s;
    needs("statfs", statfs(folder.c_str(), &s));
    that("some is kept", s.f_bavail < s.f_bfree);
    const std::string name = folder + "/user";
    exits("others", 0, [&] {
        needs("setuid", setuid(1000));
        const int fd = needs("open", open(name.c_str(), O_CREAT | O_RDWR, 0600));
        const std::string piece(65536, 'u');
        while (write(fd, piece.data(), piece.size()) > 0) {
        }
        fails("are at the end", write(fd, piece.data(), piece.size()), ENOSPC);
        equal("may write over what they have", pwrite(fd, piece.data(), piece.size(), 0), 65536);
        fails("make no folders", mkdir((folder + "/d").c_str(), 0755), ENOSPC);
        needs("statfs", statfs(folder.c_str(), &s));
        equal("nothing is for them", s.f_bavail, 0);
        return failures;
    });
    needs("statfs", statfs(folder.c_str(), &s));
    that("what is kept is there", s.f_bfree > 100);
    const int fd = needs("root", open((folder + "/root").c_str(), O_CREAT | O_RDWR, 0600));
    const std::string piece(65536, 'r');
    equal("for the superuser", write(fd, piece.data(), piece.size()), 65536);
    return done();
}

}  // namespace

int main(int count, char** words) {
    if (count == 3 && !strcmp(words[1], "reserve")) return use_reserve(words[2]);
    needs("tmpfs", mount("none", "/mnt", "tmpfs", 0, nullptr));
    needs("folder", mkdir(kFolder.c_str(), 0755));
    test_busy_programs();
    test_single_flags();
    test_times();
    test_access_times();
    test_ids();
    test_reading_folders();
    test_statfs();
    test_attributes();
    return done();
}
