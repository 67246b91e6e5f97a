// Resource limits that bind: size of files, number of processes. And devices without positions.
// Spec: getrlimit(2), write(2), truncate(2), copy_file_range(2), fallocate(2), null(4).
// needs: wing
#include <sys/mman.h>
#include <sys/resource.h>
#include <sys/sendfile.h>
#include <sys/stat.h>
#include <sys/syscall.h>

#include "tests/guest/check.hpp"

namespace {

using namespace check;

volatile sig_atomic_t told;

void limit(int what, rlim_t soft) {
    rlimit now;
    needs("getrlimit", getrlimit(what, &now));
    now.rlim_cur = soft;
    needs("setrlimit", setrlimit(what, &now));
}

off_t size_of(int fd) { return lseek(fd, 0, SEEK_END); }

void test_size(const char* name) {
    told = 0;
    const std::string text(10'000, 'x');
    int fd = needs(name, open(name, O_RDWR | O_CREAT | O_TRUNC, 0600));
    signal(SIGXFSZ, [](int) { told = told + 1; });
    limit(RLIMIT_FSIZE, 6000);
    equal("a write across the limit is cut", write(fd, text.data(), text.size()), 6000);
    equal("without a signal", told, 0);
    fails("one at the limit", write(fd, "y", 1), EFBIG);
    equal("has a signal", told, 1);
    fails("pwrite beyond it", pwrite(fd, "y", 1, 7000), EFBIG);
    equal("has a signal, too", told, 2);
    equal("below it all is well", pwrite(fd, "zz", 2, 5999), 1);
    fails("ftruncate beyond it", ftruncate(fd, 6001), EFBIG);
    fails("truncate beyond it", truncate(name, 6001), EFBIG);
    equal("each has a signal", told, 4);
    succeeds("a smaller file", ftruncate(fd, 100));
    equal("append is cut", (fcntl(fd, F_SETFL, O_APPEND), write(fd, text.data(), 10'000)), 5900);
    fails("append at the limit", write(fd, "y", 1), EFBIG);
    equal("nothing came of it all", size_of(fd), 6000);
    limit(RLIMIT_FSIZE, RLIM_INFINITY);
    equal("no limit", write(fd, "y", 1), 1);
    killed("the signal's own action", SIGXFSZ, [&] {
        signal(SIGXFSZ, SIG_DFL);
        limit(RLIMIT_FSIZE, 0);
        return write(fd, "y", 1) == 1 ? 1 : 2;
    });
    close(fd);
    unlink(name);
}

void test_processes() {
    exits("RLIMIT_NPROC binds a user", 0, [] {
        needs("setuid", setuid(4711));
        limit(RLIMIT_NPROC, 2);
        Gate gate;
        const pid_t child = start([&] { return gate.wait() != 1; });
        fails("a third process", fork(), EAGAIN);
        gate.pass();
        wait_for(child);
        exits("one may follow another", 5, [] { return 5; });
        return done();
    });
    exits("but not the superuser", 0, [] {
        limit(RLIMIT_NPROC, 1);
        exits("fork", 6, [] { return 6; });
        return done();
    });
}

void test_copying() {
    int from = needs("from", open("/tmp/from", O_RDWR | O_CREAT | O_TRUNC, 0600));
    int to = needs("to", open("/tmp/to", O_RDWR | O_CREAT | O_TRUNC, 0600));
    needs("write", write(from, "0123456789", 10));
    loff_t at = 2, where = 1;
    equal("copy_file_range", copy_file_range(from, &at, to, &where, 5, 0), 5);
    equal("moves the first position", at, 7);
    equal("and the second", where, 6);
    char text[8] = {};
    equal("what it wrote", pread(to, text, 8, 0), 6);
    same("after a hole", std::string(text + 1, 5), "23456");
    lseek(from, 8, SEEK_SET);
    equal("at the files' positions, to the end", copy_file_range(from, nullptr, to, nullptr, 9, 0),
          2);
    equal("which move", lseek(from, 0, SEEK_CUR), 10);
    at = 0, where = 3;
    fails("overlapping ranges", copy_file_range(from, &at, from, &where, 4, 0), EINVAL);
    fails("flags", copy_file_range(from, nullptr, to, nullptr, 4, 1), EINVAL);
    int folder = open("/tmp", O_RDONLY), null = open("/dev/null", O_RDWR);
    fails("from a folder", copy_file_range(folder, nullptr, to, nullptr, 4, 0), EISDIR);
    fails("to a device", copy_file_range(from, nullptr, null, nullptr, 4, 0), EINVAL);
    fails("fallocate nothing", fallocate(to, 0, 0, 0), EINVAL);
    fails("fallocate a device", fallocate(null, 0, 0, 4), ENODEV);
    equal("posix_fallocate", posix_fallocate(to, 0, 5000), 0);
    equal("so much", size_of(to), 5000);
    for (int fd : {from, to, folder, null}) close(fd);
}

off_t blocks_of(int fd) {
    struct stat now;
    needs("fstat", fstat(fd, &now));
    return now.st_blocks;
}

// Room in tmpfs, made and given back.
void test_room() {
    constexpr int kKeep = FALLOC_FL_KEEP_SIZE, kPunch = FALLOC_FL_PUNCH_HOLE;
    int fd = needs("room", open("/tmp/room", O_RDWR | O_CREAT | O_TRUNC, 0600));
    succeeds("two pages", fallocate(fd, 0, 4096, 4097));
    equal("size", size_of(fd), 8193);
    equal("pages 1 and 2", blocks_of(fd), 16);
    succeeds("beyond the end", fallocate(fd, kKeep, 0, 20'000));
    equal("which stays", size_of(fd), 8193);
    equal("five pages", blocks_of(fd), 40);
    const std::string text(20'000, 'x');
    equal("write", pwrite(fd, text.data(), text.size(), 0), 20'000);
    auto* seen = static_cast<char*>(mmap(nullptr, 20'000, PROT_READ, MAP_SHARED, fd, 0));
    that("mapped", seen[5000] == 'x' && seen[16'000] == 'x');
    succeeds("a hole", fallocate(fd, kPunch | kKeep, 1000, 12'000));
    std::string wanted = text;
    wanted.replace(1000, 12'000, 12'000, 0);
    std::string found(20'000, 'y');
    equal("read", pread(fd, found.data(), found.size(), 0), 20'000);
    that("zeros there, and only there", found == wanted);
    that("the mapping has them too", std::string(seen, 20'000) == wanted);
    succeeds("inside one page", fallocate(fd, kPunch | kKeep, 17'000, 10));
    that("is seen", seen[16'999] == 'x' && !seen[17'000] && !seen[17'009] && seen[17'010] == 'x');
    munmap(seen, 20'000);
    succeeds("all of it", fallocate(fd, kPunch | kKeep, 0, 1 << 20));
    equal("no memory is left", blocks_of(fd), 0);
    equal("the size stays", size_of(fd), 20'000);
    fails("a hole that ends the file", fallocate(fd, kPunch, 0, 4096), EOPNOTSUPP);
    fails("zeros", fallocate(fd, FALLOC_FL_ZERO_RANGE, 0, 4096), EOPNOTSUPP);
    fails("more than there is", fallocate64(fd, 0, 0, 1ll << 33), ENOSPC);
    equal("leaves nothing", blocks_of(fd), 0);
    fails("more than a number", fallocate64(fd, 0, INT64_MAX, INT64_MAX), EFBIG);
    limit(RLIMIT_FSIZE, 30'000);
    signal(SIGXFSZ, SIG_IGN);
    fails("more than allowed", fallocate(fd, 0, 0, 30'001), EFBIG);
    succeeds("but kept", fallocate(fd, kKeep, 0, 30'001));
    limit(RLIMIT_FSIZE, RLIM_INFINITY);
    close(fd);
    unlink("/tmp/room");
}

void test_exchange() {
    auto exchange = [](const char* a, const char* b) {
        return syscall(SYS_renameat2, AT_FDCWD, a, AT_FDCWD, b, RENAME_EXCHANGE);
    };
    needs("mkdir", mkdir("/tmp/e", 0700));
    needs("mkdir", mkdir("/tmp/e/d", 0700));
    const int fd = needs("file", open("/tmp/f", O_CREAT | O_WRONLY, 0600));
    auto status = [](const char* name) {
        struct stat now;
        needs(name, lstat(name, &now));
        return now;
    };
    const ino_t file = status("/tmp/f").st_ino;
    succeeds("a file and a folder", exchange("/tmp/f", "/tmp/e/d"));
    equal("the file is in there", status("/tmp/e/d").st_ino, file);
    that("the folder is here", S_ISDIR(status("/tmp/f").st_mode));
    equal("fewer folders there", status("/tmp/e").st_nlink, 2);
    fails("with nothing", exchange("/tmp/f", "/tmp/none"), ENOENT);
    fails("with what is above", exchange("/tmp/e/d", "/tmp/e"), EINVAL);
    fails("with what is below", exchange("/tmp/e", "/tmp/e/d"), EINVAL);
    fails("and not replacing", syscall(SYS_renameat2, AT_FDCWD, "/tmp/f", AT_FDCWD, "/tmp/e", 3),
          EINVAL);
    close(fd);
    unlink("/tmp/e/d");
    rmdir("/tmp/e");
    rmdir("/tmp/f");
}

void test_devices() {
    for (const char* name : {"/dev/null", "/dev/zero", "/dev/full"}) {
        int fd = needs(name, open(name, O_RDWR));
        char byte = 1;
        equal("pread anywhere", pread64(fd, &byte, 1, 1ll << 40), name[5] != 'n');
        equal("seeking leads nowhere", lseek(fd, 1000, SEEK_SET), 0);
        close(fd);
    }
    int fd = shm_open("/limits", O_RDWR | O_CREAT | O_EXCL, 0600);
    succeeds("shm_open", fd);
    succeeds("shm_unlink", shm_unlink("/limits"));
    close(fd);
}

}  // namespace

int main() {
    test_size("/tmp/limits");
    test_size("/root/limits");
    test_processes();
    test_copying();
    test_room();
    test_exchange();
    test_devices();
    return done();
}
