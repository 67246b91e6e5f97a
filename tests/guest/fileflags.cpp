// chattr(1)'s flags on ext2: what is immutable or append-only is so for the superuser too; who may change
// them; which ones files inherit; times of access of NOATIME. Spec: ioctl_iflags(2), chattr(1).
//   fileflags image FOLDER    of an image on which debugfs has set them (system/storage_test.sh)
#include <linux/fs.h>
#include <sys/ioctl.h>
#include <sys/mman.h>
#include <sys/mount.h>
#include <sys/stat.h>
#include <sys/time.h>

#include <cstdint>

#include "check.hpp"

namespace {

using namespace check;

int get_flags(const std::string& name) {
    const int fd = needs(name, open(name.c_str(), O_RDONLY));
    int flags = 0;
    const int result = ioctl(fd, FS_IOC_GETFLAGS, &flags);
    close(fd);
    return result < 0 ? -1 : flags;
}
int set_flags(const std::string& name, int flags) {
    const int fd = needs(name, open(name.c_str(), O_RDONLY));
    const int result = ioctl(fd, FS_IOC_SETFLAGS, &flags);
    const int error = errno;
    close(fd);
    errno = error;
    return result;
}
int open_it(const std::string& name, int flags) {
    const int fd = open(name.c_str(), flags, 0600);
    if (fd >= 0) close(fd);
    return fd < 0 ? -1 : 0;
}
void make(const std::string& name) { needs(name, open_it(name, O_CREAT | O_WRONLY)); }

// statx(2) tells them too.
uint64_t told(const char* name) {
    struct statx s {};
    needs("statx", statx(AT_FDCWD, name, 0, STATX_BASIC_STATS, &s));
    constexpr uint64_t kFlags = STATX_ATTR_IMMUTABLE | STATX_ATTR_APPEND | STATX_ATTR_NODUMP;
    equal("it could tell", static_cast<long long>(s.stx_attributes_mask & kFlags), kFlags);
    return s.stx_attributes & kFlags;
}

void immutable_file(const std::string& file) {
    const char* const name = file.c_str();
    equal("told by statx", static_cast<long long>(told(name)), STATX_ATTR_IMMUTABLE);
    const std::string other = file + ".other";
    fails("writing", open_it(file, O_WRONLY), EPERM);
    fails("appending", open_it(file, O_WRONLY | O_APPEND), EPERM);
    fails("emptying", open_it(file, O_RDONLY | O_TRUNC), EPERM);
    fails("cutting", truncate(name, 0), EPERM);
    fails("may it be written", access(name, W_OK), EPERM);
    succeeds("reading", open_it(file, O_RDONLY));
    fails("unlink", unlink(name), EPERM);
    fails("rename", rename(name, other.c_str()), EPERM);
    make(other);
    fails("being replaced", rename(other.c_str(), name), EPERM);
    unlink(other.c_str());
    fails("link", link(name, other.c_str()), EPERM);
    fails("chmod", chmod(name, 0777), EPERM);
    fails("chown", chown(name, 1, 1), EPERM);
    fails("times", utimes(name, nullptr), EPERM);
}
void append_only_file(const std::string& file) {
    const char* const name = file.c_str();
    equal("told by statx", static_cast<long long>(told(name)), STATX_ATTR_APPEND);
    const std::string other = file + ".other";
    fails("writing", open_it(file, O_WRONLY), EPERM);
    fails("emptying", open_it(file, O_WRONLY | O_APPEND | O_TRUNC), EPERM);
    fails("cutting", truncate(name, 0), EPERM);
    const int fd = open(name, O_RDWR | O_APPEND);
    succeeds("appending", fd);
    equal("is possible", write(fd, "more", 4), 4);
    fails("but not cutting", ftruncate(fd, 0), EPERM);
    fails("nor writing elsewhere", fcntl(fd, F_SETFL, 0), EPERM);
    that("nor by a mapping",
         mmap(nullptr, 4096, PROT_READ, MAP_SHARED, fd, 0) == MAP_FAILED && errno == EACCES);
    close(fd);
    fails("unlink", unlink(name), EPERM);
    fails("rename", rename(name, other.c_str()), EPERM);
    fails("link", link(name, other.c_str()), EPERM);
    fails("chmod", chmod(name, 0777), EPERM);
    const timeval times[2] = {{1, 0}, {1, 0}};
    fails("times of one's own", utimes(name, times), EPERM);
    succeeds("the present time", utimes(name, nullptr));
}
void immutable_folder(const std::string& folder) {
    const std::string inside = folder + "/inside";
    fails("creating", open_it(folder + "/new", O_CREAT | O_WRONLY), EPERM);
    fails("without a name", open_it(folder, O_TMPFILE | O_RDWR), EPERM);
    fails("mkdir", mkdir((folder + "/new").c_str(), 0755), EPERM);
    fails("unlink in it", unlink(inside.c_str()), EPERM);
    fails("rename in it", rename(inside.c_str(), (folder + "/new").c_str()), EPERM);
    succeeds("its files are written", open_it(inside, O_WRONLY | O_TRUNC));
    fails("rmdir", rmdir(folder.c_str()), EPERM);
}
void append_only_folder(const std::string& folder) {
    const std::string inside = folder + "/inside";
    succeeds("creating", open_it(folder + "/new", O_CREAT | O_WRONLY));
    fails("unlink in it", unlink(inside.c_str()), EPERM);
    fails("rename in it", rename(inside.c_str(), (folder + "/newer").c_str()), EPERM);
    succeeds("its files are written", open_it(inside, O_WRONLY | O_TRUNC));
    fails("rmdir", rmdir(folder.c_str()), EPERM);
}

void test_who() {
    const std::string file = "/var/flags/own";
    make(file);
    needs("chown", chown(file.c_str(), 1000, 1000));
    exits("the owner", 0, [&] {
        needs("setuid", setuid(1000));
        succeeds("may set some", set_flags(file, FS_NODUMP_FL | FS_NOATIME_FL));
        equal("which are kept", get_flags(file), FS_NODUMP_FL | FS_NOATIME_FL);
        fails("not immutable", set_flags(file, FS_IMMUTABLE_FL), EPERM);
        fails("nor append-only", set_flags(file, FS_APPEND_FL), EPERM);
        return failures;
    });
    exits("another user", 0, [&] {
        needs("chmod", chmod(file.c_str(), 0644));
        needs("setuid", setuid(1001));
        equal("may look", get_flags(file), FS_NODUMP_FL | FS_NOATIME_FL);
        fails("no more", set_flags(file, 0), EPERM);
        return failures;
    });
    unlink(file.c_str());
    fails("not in /proc", get_flags("/proc/version"), ENOTTY);
    fails("nor of devices", get_flags("/dev/null"), ENOTTY);
}

void test_inheritance() {
    needs("mkdir", mkdir("/var/flags/parent", 0755));
    succeeds("flags", set_flags("/var/flags/parent", FS_NODUMP_FL | FS_NOATIME_FL | FS_DIRSYNC_FL));
    make("/var/flags/parent/file");
    needs("mkdir", mkdir("/var/flags/parent/folder", 0755));
    equal("a file", get_flags("/var/flags/parent/file"), FS_NODUMP_FL | FS_NOATIME_FL);
    equal("a folder", get_flags("/var/flags/parent/folder"),
          FS_NODUMP_FL | FS_NOATIME_FL | FS_DIRSYNC_FL);
    succeeds("only of folders", set_flags("/var/flags/parent/file", FS_DIRSYNC_FL));
    equal("is dropped", get_flags("/var/flags/parent/file"), 0);
    unlink("/var/flags/parent/file");
    rmdir("/var/flags/parent/folder");
    rmdir("/var/flags/parent");
}

void test_no_access_time() {
    const std::string file = "/var/flags/times";
    const int fd = needs("file", open(file.c_str(), O_CREAT | O_RDWR, 0600));
    needs("write", write(fd, "x", 1));
    const timeval old[2] = {{1000, 0}, {2000, 0}};
    struct stat s;
    char byte;
    for (const bool kept : {true, false}) {
        needs("times", utimes(file.c_str(), old));
        needs("flags", set_flags(file, kept ? FS_NOATIME_FL : 0));
        needs("read", pread(fd, &byte, 1, 0));
        fstat(fd, &s);
        equal("time of access", s.st_atime == 1000, kept);
    }
    close(fd);
    unlink(file.c_str());
}

}  // namespace

int main(int count, char** words) {
    if (count == 3 && !strcmp(words[1], "image")) {
        const std::string folder = words[2];
        immutable_file(folder + "/immutable");
        append_only_file(folder + "/append");
        immutable_folder(folder + "/fixed");
        append_only_folder(folder + "/growing");
        return done();
    }
    needs("folder", mkdir("/var/flags", 0755));
    make("/var/flags/i");
    equal("none", get_flags("/var/flags/i"), 0);
    succeeds("immutable", set_flags("/var/flags/i", FS_IMMUTABLE_FL));
    equal("is so", get_flags("/var/flags/i"), FS_IMMUTABLE_FL);
    immutable_file("/var/flags/i");
    succeeds("not any more", set_flags("/var/flags/i", 0));
    succeeds("unlink", unlink("/var/flags/i"));
    make("/var/flags/a");
    succeeds("append-only", set_flags("/var/flags/a", FS_APPEND_FL));
    append_only_file("/var/flags/a");
    set_flags("/var/flags/a", 0);
    succeeds("unlink", unlink("/var/flags/a"));
    for (const int flag : {FS_IMMUTABLE_FL, FS_APPEND_FL}) {
        const std::string folder = "/var/flags/d";
        needs("mkdir", mkdir(folder.c_str(), 0755));
        make(folder + "/inside");
        succeeds("folder", set_flags(folder, flag));
        (flag == FS_APPEND_FL ? append_only_folder : immutable_folder)(folder);
        set_flags(folder, 0);
        unlink((folder + "/inside").c_str());
        unlink((folder + "/new").c_str());
        succeeds("rmdir", rmdir(folder.c_str()));
    }
    test_who();
    test_inheritance();
    test_no_access_time();
    succeeds("nothing is left", rmdir("/var/flags"));
    return done();
}
