// Loop devices: files as disks. What loop(4) says of each call, errors in Linux's order; a file system on
// one; the file cut off or unlinked under it; devices on devices; no leak. And /sys, which shows them.
// needs: wing
#include <fcntl.h>
#include <linux/fs.h>
#include <linux/loop.h>
#include <sys/ioctl.h>
#include <sys/mount.h>
#include <sys/stat.h>
#include <unistd.h>

#include <cstdint>
#include <fstream>
#include <iterator>

#include "tests/guest/check.hpp"
#include "tests/guest/no_leak.hpp"

namespace {

using namespace check;

constexpr int kSize = 1 << 20;
const std::string kTop = "/root/loop.d";
std::string at(const std::string& name) { return kTop + "/" + name; }

std::string text_of(const std::string& file) {
    std::ifstream from(file);
    std::string all{std::istreambuf_iterator<char>(from), {}};
    if (!all.empty() && all.back() == '\n') all.pop_back();
    return all;
}

// A file of so many bytes, open.
int file(const std::string& name, int bytes = kSize, int flags = O_RDWR) {
    const int fd = open(at(name).c_str(), O_RDWR | O_CREAT, 0600);
    needs("ftruncate", ftruncate(fd, bytes));
    close(fd);
    return needs("open", open(at(name).c_str(), flags | O_CLOEXEC));
}

int control = -1;

struct Device {
    explicit Device(int flags = O_RDWR) {
        number = needs("LOOP_CTL_GET_FREE", ioctl(control, LOOP_CTL_GET_FREE));
        path = "/dev/loop" + std::to_string(number);
        sys = "/sys/block/loop" + std::to_string(number) + "/";
        fd = needs("open", open(path.c_str(), flags | O_CLOEXEC));
    }
    ~Device() {
        ioctl(fd, LOOP_CLR_FD);
        close(fd);
    }
    std::string sys_text(const std::string& name) const { return text_of(sys + name); }
    int number, fd;
    std::string path, sys;
};

uint64_t size_of(int fd) {
    uint64_t bytes = 0;
    needs("BLKGETSIZE64", ioctl(fd, BLKGETSIZE64, &bytes));
    return bytes;
}

void test_binding() {
    Device d;
    loop_info64 status{};
    fails("status of nothing", ioctl(d.fd, LOOP_GET_STATUS64, &status), ENXIO);
    fails("nothing let go", ioctl(d.fd, LOOP_CLR_FD), ENXIO);
    fails("capacity of nothing", ioctl(d.fd, LOOP_SET_CAPACITY), ENXIO);
    fails("no such descriptor", ioctl(d.fd, LOOP_SET_FD, 1000), EBADF);
    fails("a directory", ioctl(d.fd, LOOP_SET_FD, needs("open", open("/", O_RDONLY))), EINVAL);
    fails("itself", ioctl(d.fd, LOOP_SET_FD, d.fd), EBADF);
    fails("an unknown call", ioctl(d.fd, 0x4C77), EINVAL);
    equal("no bytes", size_of(d.fd), 0);
    succeeds("nothing to be flushed", fsync(d.fd));
    that("no settings in /sys", access((d.sys + "loop").c_str(), F_OK) != 0);

    const int image = file("image");
    succeeds("bound", ioctl(d.fd, LOOP_SET_FD, image));
    fails("twice", ioctl(d.fd, LOOP_SET_FD, image), EBUSY);
    equal("its size", size_of(d.fd), kSize);
    same("the size in /sys", d.sys_text("size"), std::to_string(kSize / 512));
    same("the file in /sys", d.sys_text("loop/backing_file"), at("image"));
    struct stat info {};
    fstat(image, &info);
    succeeds("status", ioctl(d.fd, LOOP_GET_STATUS64, &status));
    equal("its inode", status.lo_inode, info.st_ino);
    equal("its number", status.lo_number, d.number);
    loop_info old{};
    succeeds("the old status", ioctl(d.fd, LOOP_GET_STATUS, &old));
    equal("its inode", old.lo_inode, info.st_ino);

    equal("a write", pwrite(d.fd, "orrery", 6, 4096 + 3), 6);
    char text[6] = {};
    equal("is in the file", pread(image, text, 6, 4096 + 3), 6);
    same("as it was", {text, 6}, "orrery");
    unlink(at("image").c_str());
    same("unlinked", d.sys_text("loop/backing_file"), at("image") + " (deleted)");
    equal("and still there", pread(d.fd, text, 6, 4096 + 3), 6);
    fails("in use, not removed", ioctl(control, LOOP_CTL_REMOVE, d.number), EBUSY);
    succeeds("let go", ioctl(d.fd, LOOP_CLR_FD));
    equal("no bytes", size_of(d.fd), 0);
    equal("none to read", pread(d.fd, text, 6, 0), 0);
    fails("none to write", pwrite(d.fd, text, 6, 0), ENOSPC);
    close(image);
}

void test_settings() {
    Device d;
    const int image = file("image");
    pwrite(image, "here", 4, 8192);
    loop_config config{};
    config.fd = static_cast<uint32_t>(image);
    config.block_size = 768;
    fails("an odd block size", ioctl(d.fd, LOOP_CONFIGURE, &config), EINVAL);
    config.block_size = 4096;
    config.info.lo_flags = 2;
    fails("an unknown flag", ioctl(d.fd, LOOP_CONFIGURE, &config), EINVAL);
    config.info.lo_flags = 0;
    config.info.lo_encrypt_type = LO_CRYPT_XOR;
    fails("encryption", ioctl(d.fd, LOOP_CONFIGURE, &config), EINVAL);
    config.info.lo_encrypt_type = 0;
    config.info.lo_offset = 1ull << 63;
    fails("an offset below 0", ioctl(d.fd, LOOP_CONFIGURE, &config), EOVERFLOW);
    config.info.lo_offset = 8192;
    config.info.lo_sizelimit = 65536;
    succeeds("configured", ioctl(d.fd, LOOP_CONFIGURE, &config));
    equal("the limit", size_of(d.fd), 65536);
    int sector = 0;
    succeeds("BLKSSZGET", ioctl(d.fd, BLKSSZGET, &sector));
    equal("the block size", sector, 4096);
    same("in /sys", d.sys_text("queue/logical_block_size"), "4096");
    char text[4] = {};
    equal("read at the offset", pread(d.fd, text, 4, 0), 4);
    same("what is there", {text, 4}, "here");
    fails("write behind the limit", pwrite(d.fd, text, 4, 65536), ENOSPC);

    loop_info64 status{};
    status.lo_offset = 4096;
    succeeds("another offset", ioctl(d.fd, LOOP_SET_STATUS64, &status));
    equal("no limit", size_of(d.fd), kSize - 4096);
    equal("read again", pread(d.fd, text, 4, 4096), 4);
    same("what is there", {text, 4}, "here");
    needs("ftruncate", ftruncate(image, 2 * kSize));
    equal("not seen", size_of(d.fd), kSize - 4096);
    succeeds("LOOP_SET_CAPACITY", ioctl(d.fd, LOOP_SET_CAPACITY));
    equal("seen", size_of(d.fd), 2 * kSize - 4096);
    fails("a small block size", ioctl(d.fd, LOOP_SET_BLOCK_SIZE, 256), EINVAL);
    succeeds("another block size", ioctl(d.fd, LOOP_SET_BLOCK_SIZE, 1024));
    fails("direct", ioctl(d.fd, LOOP_SET_DIRECT_IO, 1), EINVAL);
    succeeds("not direct", ioctl(d.fd, LOOP_SET_DIRECT_IO, 0));
    const int reader = open(d.path.c_str(), O_RDONLY);
    fails("not read only, so not changed", ioctl(d.fd, LOOP_CHANGE_FD, image), EINVAL);
    close(reader);
    close(image);
}

void test_reading_only() {
    Device d;
    const int image = file("image", kSize, O_RDONLY), other = file("other", kSize);
    const int shorter = file("shorter", kSize / 2);
    pwrite(other, "other", 5, 0);
    succeeds("bound", ioctl(d.fd, LOOP_SET_FD, image));
    same("in /sys", d.sys_text("ro"), "1");
    int read_only = 0;
    succeeds("BLKROGET", ioctl(d.fd, BLKROGET, &read_only));
    equal("read only", read_only, 1);
    fails("a write", pwrite(d.fd, "x", 1, 0), EPERM);
    fails("opened to write", open(d.path.c_str(), O_RDWR), EROFS);
    char text[5] = {};
    equal("read", pread(d.fd, text, 5, 0), 5);
    fails("another size", ioctl(d.fd, LOOP_CHANGE_FD, shorter), EINVAL);
    const int place = open(at("other").c_str(), O_PATH | O_CLOEXEC);
    fails("a place is no file", ioctl(d.fd, LOOP_CHANGE_FD, place), EBADF);
    close(place);
    succeeds("another file", ioctl(d.fd, LOOP_CHANGE_FD, other));
    equal("read", pread(d.fd, text, 5, 0), 5);
    same("the other's", {text, 5}, "other");
    for (int fd : {image, other, shorter}) close(fd);
}

void test_protection() {
    Device d;
    const int image = file("image");
    succeeds("bound", ioctl(d.fd, LOOP_SET_FD, image));
    int wanted = 1;
    succeeds("BLKROSET", ioctl(d.fd, BLKROSET, &wanted));
    fails("a write", pwrite(d.fd, "x", 1, 0), EPERM);
    fails("mounted to write", mount(d.path.c_str(), "/mnt", "ext2", 0, nullptr), EACCES);
    wanted = 0;
    succeeds("and back", ioctl(d.fd, BLKROSET, &wanted));
    equal("a write", pwrite(d.fd, "x", 1, 0), 1);
    close(image);
}

void test_circles() {
    Device a, b;
    const int image = file("image");
    fails("on an unbound one", ioctl(b.fd, LOOP_SET_FD, a.fd),
          b.number == a.number ? EBADF : EINVAL);
    succeeds("bound", ioctl(a.fd, LOOP_SET_FD, image));
    Device c;
    succeeds("on the first", ioctl(c.fd, LOOP_SET_FD, a.fd));
    equal("as large", size_of(c.fd), kSize);
    equal("a write through both", pwrite(c.fd, "deep", 4, 512), 4);
    char text[4] = {};
    equal("is in the file", pread(image, text, 4, 512), 4);
    same("as it was", {text, 4}, "deep");
    succeeds("let go", ioctl(c.fd, LOOP_CLR_FD));
    close(image);
}

bool bound(const Device& d) { return access((d.sys + "loop").c_str(), F_OK) == 0; }

void test_endings() {
    Device d;
    const int image = file("image");
    succeeds("bound", ioctl(d.fd, LOOP_SET_FD, image));
    const int second = open(d.path.c_str(), O_RDONLY);
    succeeds("let go while another has it", ioctl(d.fd, LOOP_CLR_FD));
    that("it stays", bound(d));
    same("until then", d.sys_text("loop/autoclear"), "1");
    close(second);
    that("not the last", bound(d));
    close(d.fd);
    that("the last", !bound(d));
    d.fd = open(d.path.c_str(), O_RDWR);
    close(image);
}

int run(const std::string& command) {
    return WEXITSTATUS(system(("{ " + command + "; } >/dev/null 2>&1").c_str()));
}

void test_file_system() {
    Device d;
    int image = file("image", 4 * kSize);
    succeeds("bound", ioctl(d.fd, LOOP_SET_FD, image));
    equal("mke2fs", run("mke2fs " + d.path), 0);
    succeeds("mounted", mount(d.path.c_str(), "/mnt", "ext2", 0, nullptr));
    fails("open to write", open(d.path.c_str(), O_RDWR), EBUSY);
    equal("a file", run("cp /bin/busybox /mnt/kept && sync && cmp /bin/busybox /mnt/kept"), 0);
    succeeds("let go while mounted", ioctl(d.fd, LOOP_CLR_FD));
    close(d.fd);
    that("it stays", bound(d));
    // The file ends in the midst of it: what is gone is zeros, and nothing stops.
    needs("ftruncate", ftruncate(image, kSize));
    run("cat /mnt/kept; ls -lR /mnt; cp /bin/busybox /mnt/more; sync");
    unlink(at("image").c_str());
    run("cp /bin/busybox /mnt/again; rm /mnt/more; sync");
    succeeds("away", umount("/mnt"));
    that("and the file with it", !bound(d));
    d.fd = open(d.path.c_str(), O_RDWR);
    close(image);
}

void test_numbers() {
    fails("one that is there", ioctl(control, LOOP_CTL_ADD, 0), EEXIST);
    equal("one by its number", ioctl(control, LOOP_CTL_ADD, 20), 20);
    const int fd = open("/dev/loop20", O_RDWR);
    succeeds("its name is there", fd);
    fails("it is open", ioctl(control, LOOP_CTL_REMOVE, 20), EBUSY);
    close(fd);
    equal("gone", ioctl(control, LOOP_CTL_REMOVE, 20), 20);
    that("from /sys too", access("/sys/block/loop20", F_OK) != 0);
    fails("twice", ioctl(control, LOOP_CTL_REMOVE, 20), ENODEV);
    fails("no number", ioctl(control, LOOP_CTL_REMOVE, -1), EINVAL);
    fails("no call", ioctl(control, 0x4C99), ENOSYS);
}

void test_leaks() {
    Device d;
    const int image = file("image");
    no_leak([&] { return ioctl(d.fd, LOOP_SET_FD, image) || ioctl(d.fd, LOOP_CLR_FD); }, 256);
    close(image);
}

}  // namespace

int main() {
    mount("sysfs", "/sys", "sysfs", 0, nullptr);
    mkdir(kTop.c_str(), 0700);
    control = needs("/dev/loop-control", open("/dev/loop-control", O_RDWR | O_CLOEXEC));
    test_binding();
    test_settings();
    test_reading_only();
    test_protection();
    test_circles();
    test_endings();
    test_file_system();
    test_numbers();
    test_leaks();
    return done();
}
