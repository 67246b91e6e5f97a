// Files and descriptors: opening, duplicating, seeking, vectors, devices, the read-only root.
// Works in a folder of its own below /tmp.
// Spec: open(2), dup(2), fcntl(2), lseek(2), readv(2), pread(2); null(4), full(4), random(4).
#include <sys/stat.h>
#include <sys/statfs.h>
#include <sys/uio.h>

#include "tests/guest/check.hpp"

namespace {

using namespace check;

int create(const char* name, std::string_view content, mode_t mode = 0644) {
    int fd = needs(name, open(name, O_RDWR | O_CREAT | O_TRUNC, mode));
    needs(name, write(fd, content.data(), content.size()));
    needs(name, lseek(fd, 0, SEEK_SET));
    return fd;
}

std::string content_of(const char* name) {
    char text[256];
    int fd = open(name, O_RDONLY);
    ssize_t length = fd < 0 ? -1 : read(fd, text, sizeof text);
    close(fd);
    return length < 0 ? std::string("(") + strerror(errno) + ")" : std::string(text, length);
}

void test_open() {
    fails("open nothing", open("nothing", O_RDONLY), ENOENT);
    fails("open an empty name", open("", O_RDONLY), ENOENT);
    fails("create below a missing folder", open("no/file", O_WRONLY | O_CREAT, 0600), ENOENT);
    close(create("file", "0123456789"));
    fails("O_EXCL on what is there", open("file", O_WRONLY | O_CREAT | O_EXCL, 0600), EEXIST);
    fails("a file as a folder", open("file/x", O_RDONLY), ENOTDIR);
    fails("O_DIRECTORY of a file", open("file", O_RDONLY | O_DIRECTORY), ENOTDIR);
    fails("a folder for writing", open(".", O_RDWR), EISDIR);
    fails("O_CREAT of a folder", open(".", O_RDONLY | O_CREAT, 0600), EISDIR);
    fails("a trailing slash after a file", open("file/", O_RDONLY), ENOTDIR);
    fails("name of 256 bytes", open(std::string(256, 'n').c_str(), O_RDONLY), ENAMETOOLONG);
    fails("name of 255 bytes", open(std::string(255, 'n').c_str(), O_RDONLY), ENOENT);
    fails("path of 4096 bytes", open(std::string(4096, '/').c_str(), O_RDONLY), ENAMETOOLONG);
    int fd = open(std::string(4095, '/').c_str(), O_RDONLY);
    succeeds("path of 4095 slashes", fd);
    close(fd);

    fd = open("file", O_RDONLY);
    fails("write to a file opened to read", write(fd, "x", 1), EBADF);
    close(fd);
    fd = open("file", O_WRONLY);
    char byte;
    fails("read from a file opened to write", read(fd, &byte, 1), EBADF);
    close(fd);
    fails("close twice", close(fd), EBADF);
    fails("read a closed descriptor", read(fd, &byte, 1), EBADF);
    fails("close -1", close(-1), EBADF);
    fd = open(".", O_RDONLY);
    fails("read a folder", read(fd, &byte, 1), EISDIR);
    close(fd);
    fd = open("file", O_WRONLY | O_TRUNC);
    equal("O_TRUNC empties", lseek(fd, 0, SEEK_END), 0);
    close(fd);
    fd = open("file", O_WRONLY | O_APPEND);
    needs("write", write(fd, "abc", 3));
    lseek(fd, 0, SEEK_SET);
    needs("write", write(fd, "def", 3));
    close(fd);
    same("O_APPEND writes at the end", content_of("file"), "abcdef");
    mode_t old = umask(027);
    close(open("masked", O_WRONLY | O_CREAT, 0666));
    umask(old);
    struct stat info;
    stat("masked", &info);
    equal("umask", info.st_mode, S_IFREG | 0640);
}

void test_duplicates() {
    int fd = create("file", "0123456789"), copy = dup(fd);
    char byte = 0;
    needs("read", read(fd, &byte, 1));
    needs("read", read(copy, &byte, 1));
    equal("duplicates share the position", byte, '1');
    wait_for(start([&] { return int(read(fd, &byte, 1)); }));
    needs("read", read(copy, &byte, 1));
    equal("so do parent and child", byte, '3');
    equal("dup2 to itself", dup2(fd, fd), fd);
    equal("dup2", dup2(fd, 77), 77);
    equal("dup takes the lowest", dup(fd), copy + 1);
    close(copy + 1);
    fails("dup3 to itself", dup3(fd, fd, 0), EINVAL);
    equal("dup3", dup3(fd, 77, O_CLOEXEC), 77);
    equal("its O_CLOEXEC", fcntl(77, F_GETFD), FD_CLOEXEC);
    equal("dup2 clears it", dup2(fd, 77) == 77 ? fcntl(77, F_GETFD) : -1, 0);
    fails("dup of a closed one", dup(78), EBADF);
    fails("dup2 to a huge number", dup2(fd, 1 << 30), EBADF);
    fails("dup2 to -1", dup2(fd, -1), EBADF);
    equal("F_DUPFD", fcntl(fd, F_DUPFD, 90), 90);
    equal("F_DUPFD_CLOEXEC", fcntl(fd, F_DUPFD_CLOEXEC, 90), 91);
    equal("sets the flag", fcntl(91, F_GETFD), FD_CLOEXEC);
    fails("F_DUPFD of -1", fcntl(fd, F_DUPFD, -1), EINVAL);
    equal("F_GETFL", fcntl(fd, F_GETFL) & (O_ACCMODE | O_APPEND), O_RDWR);
    fcntl(90, F_SETFL, O_APPEND);
    equal("F_SETFL, shared by duplicates", fcntl(fd, F_GETFL) & O_APPEND, O_APPEND);
    fails("fcntl of an unknown command", fcntl(fd, 9999), EINVAL);
    for (int open_one : {fd, copy, 77, 90, 91}) close(open_one);
}

void test_positions() {
    int fd = create("file", "0123456789");
    equal("SEEK_END", lseek(fd, -3, SEEK_END), 7);
    equal("SEEK_CUR", lseek(fd, -2, SEEK_CUR), 5);
    fails("before the start", lseek(fd, -1, SEEK_SET), EINVAL);
    fails("no such origin", lseek(fd, 0, 9), EINVAL);
    equal("the position stays", lseek(fd, 0, SEEK_CUR), 5);
    char text[16] = "";
    equal("read to the end", read(fd, text, sizeof text), 5);
    equal("read at the end", read(fd, text, sizeof text), 0);
    equal("past the end is allowed", lseek(fd, 100, SEEK_SET), 100);
    equal("and reads nothing", read(fd, text, 1), 0);
    equal("pread", pread(fd, text, 3, 4), 3);
    that("reads there", memcmp(text, "456", 3) == 0);
    equal("pwrite", pwrite(fd, "ab", 2, 1), 2);
    equal("neither moves", lseek(fd, 0, SEEK_CUR), 100);
    fails("pread before the start", pread(fd, text, 1, -1), EINVAL);
    close(fd);
    same("pwrite wrote there", content_of("file"), "0ab3456789");
    equal("a large position", lseek64(fd = open("file", O_RDONLY), 5'000'000'000, SEEK_SET),
          5'000'000'000);
    close(fd);

    fd = create("file", "");
    iovec out[3] = {{(void*)"one ", 4}, {nullptr, 0}, {(void*)"two", 3}};
    equal("writev", writev(fd, out, 3), 7);
    char first[2], second[10];
    iovec in[2] = {{first, 2}, {second, 10}};
    lseek(fd, 0, SEEK_SET);
    equal("readv stops at the end", readv(fd, in, 2), 7);
    that("readv scatters", memcmp(first, "on", 2) == 0 && memcmp(second, "e two", 5) == 0);
    equal("writev of nothing", writev(fd, out, 0), 0);
    for (volatile int bad : {1025, -1})
        fails("writev of " + std::to_string(bad), writev(fd, out, bad), EINVAL);
    close(fd);
}

void test_devices() {
    char data[64];
    memset(data, 'x', sizeof data);
    int fd = needs("/dev/null", open("/dev/null", O_RDWR));
    equal("null reads nothing", read(fd, data, 64), 0);
    equal("null takes all", write(fd, data, 64), 64);
    close(fd);
    fd = needs("/dev/zero", open("/dev/zero", O_RDWR));
    equal("zero reads", read(fd, data, 64), 64);
    that("zeros", std::string_view(data, 64) == std::string(64, '\0'));
    equal("zero takes all", write(fd, data, 64), 64);
    close(fd);
    fd = needs("/dev/full", open("/dev/full", O_RDWR));
    equal("full reads", read(fd, data, 64), 64);
    fails("full is full", write(fd, data, 64), ENOSPC);
    close(fd);
    for (const char* name : {"/dev/random", "/dev/urandom"}) {
        char other[64] = "";
        fd = needs(name, open(name, O_RDONLY));
        equal(std::string(name) + " reads", read(fd, data, 64), 64);
        needs(name, read(fd, other, 64));
        that(std::string(name) + " never the same", memcmp(data, other, 64) != 0);
        close(fd);
    }
    struct stat info;
    stat("/dev/null", &info);
    that("a device's kind and number", S_ISCHR(info.st_mode) && info.st_rdev == 0x103);
    fails("no terminal", isatty(open("/dev/null", O_RDWR)) ? 0 : -1, ENOTTY);
}

// Only where the root is mounted read-only, as a system under test may have it.
void test_read_only_root() {
    struct statfs info;
    succeeds("statfs of the root", statfs("/", &info));
    that("its sizes", info.f_bsize >= 512 && info.f_blocks > 0 && info.f_namelen == 255);
    if (!(info.f_flags & 1)) return;  // ST_RDONLY
    fails("EROFS: create", open("/new", O_WRONLY | O_CREAT, 0600), EROFS);
    fails("EROFS: mkdir", mkdir("/new", 0700), EROFS);
    fails("EROFS: write", open("/bin/hello", O_WRONLY), EROFS);
    fails("EROFS: unlink", unlink("/bin/hello"), EROFS);
    fails("EROFS: rename", rename("/bin/hello", "/bin/goodbye"), EROFS);
    fails("EROFS: chmod", chmod("/bin/hello", 0700), EROFS);
    fails("EROFS: symlink", symlink("x", "/new"), EROFS);
    fails("EROFS: link", link("file", "/new"), EROFS);
    fails("mkdir of what is there", mkdir("/bin", 0700), EEXIST);
}

}  // namespace

int main() {
    mkdir("/tmp/files.d", 0700);
    needs("work folder", chdir("/tmp/files.d"));
    test_open();
    test_duplicates();
    test_positions();
    test_devices();
    test_read_only_root();
    unlink("file");
    unlink("masked");
    rmdir("/tmp/files.d");
    return done();
}
