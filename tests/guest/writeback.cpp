// What is written back when: the figures in /proc/sys/vm/dirty_*, the thread that follows them; hints
// (posix_fadvise, readahead) that bring pages in and let them go; O_SYNC, O_DSYNC, fdatasync, syncfs, msync.
// Works on the root's file system, ext2.
// needs: wing
#include <sys/mman.h>
#include <sys/stat.h>
#include <sys/syscall.h>

#include <chrono>
#include <cstdint>
#include <vector>

#include "check.hpp"

namespace {

using namespace check;

constexpr unsigned kPages = 64, kSize = kPages * 4096;
const char* const kFile = "/var/writeback.test";

std::string setting(const std::string& name) {
    char text[32] = "";
    const int fd = needs(name, open(("/proc/sys/vm/" + name).c_str(), O_RDONLY));
    const ssize_t length = read(fd, text, sizeof text);
    close(fd);
    return std::string(text, size_t(length > 0 ? length - 1 : 0));
}
int set(const std::string& name, const std::string& value) {
    const int fd = needs(name, open(("/proc/sys/vm/" + name).c_str(), O_WRONLY));
    const bool failed = write(fd, value.data(), value.size()) < 0;
    close(fd);
    return failed ? -1 : 0;
}
long dirty_kilobytes() {
    char text[2048] = "";
    const int fd = needs("/proc/meminfo", open("/proc/meminfo", O_RDONLY));
    needs("read", read(fd, text, sizeof text - 1));
    close(fd);
    const char* line = strstr(text, "Dirty:");
    return line ? atol(line + 6) : -1;
}
unsigned resident(int fd) {
    unsigned char pages[kPages];
    void* map = mmap(nullptr, kSize, PROT_READ, MAP_SHARED, fd, 0);
    needs("mincore", mincore(map, kSize, pages));
    munmap(map, kSize);
    unsigned count = 0;
    for (unsigned char page : pages) count += page & 1;
    return count;
}

void test_settings() {
    same("background ratio", setting("dirty_background_ratio"), "10");
    same("ratio", setting("dirty_ratio"), "20");
    same("age", setting("dirty_expire_centisecs"), "3000");
    same("interval", setting("dirty_writeback_centisecs"), "500");
    succeeds("as bytes", set("dirty_bytes", "1048576"));
    same("ends the ratio", setting("dirty_ratio"), "0");
    succeeds("as a ratio", set("dirty_ratio", "20"));
    same("ends the bytes", setting("dirty_bytes"), "0");
    fails("too few bytes", set("dirty_bytes", "100"), EINVAL);
    fails("more than all", set("dirty_ratio", "101"), EINVAL);
    fails("no number", set("dirty_background_ratio", "x"), EINVAL);
    fails("negative", set("dirty_expire_centisecs", "-1"), EINVAL);
}

// Waits for the thread: it looks twice a second.
void falls_below(const char* what, long kilobytes) {
    for (int i = 0; i < 100 && dirty_kilobytes() >= kilobytes; ++i) usleep(100000);
    that(what, dirty_kilobytes() < kilobytes);
}

void test_thread(int fd) {
    const std::vector<char> data(kSize, 'd');
    sync();
    succeeds("by amount", set("dirty_background_bytes", "65536"));
    equal("write", pwrite(fd, data.data(), kSize, 0), kSize);
    falls_below("most is written", 100);
    set("dirty_background_ratio", "10");
    sync();
    succeeds("by age", set("dirty_expire_centisecs", "100"));
    set("dirty_writeback_centisecs", "10");
    equal("write again", pwrite(fd, data.data(), kSize, 0), kSize);
    that("is dirty", dirty_kilobytes() >= long(kSize / 1024));
    falls_below("all is written", 8);
    set("dirty_expire_centisecs", "3000");
    set("dirty_writeback_centisecs", "500");
}

void test_hints(int fd) {
    equal("let go", posix_fadvise(fd, 0, 0, POSIX_FADV_DONTNEED), 0);
    equal("none is there", resident(fd), 0);
    equal("bring in", posix_fadvise(fd, 0, kSize / 2, POSIX_FADV_WILLNEED), 0);
    that("half is there", resident(fd) >= kPages / 2);
    succeeds("read ahead", readahead(fd, 0, kSize));
    equal("all is there", resident(fd), kPages);
    equal("let go of a part", posix_fadvise(fd, 4096, 8192, POSIX_FADV_DONTNEED), 0);
    equal("which is not there", resident(fd), kPages - 2);
    equal("half a page stays", posix_fadvise(fd, 16384 + 1, 4096, POSIX_FADV_DONTNEED), 0);
    equal("is there", resident(fd), kPages - 2);
    char one = 'n', got = 0;
    equal("dirty", pwrite(fd, &one, 1, 20000), 1);
    equal("dirty ones are written before", posix_fadvise(fd, 0, 0, POSIX_FADV_DONTNEED), 0);
    equal("none is there", resident(fd), 0);
    equal("and read again", pread(fd, &got, 1, 20000), 1);
    equal("what was written", got, one);
    equal("no such advice", posix_fadvise(fd, 0, 0, 9), EINVAL);
    int ends[2];
    needs("pipe", pipe(ends));
    equal("of a pipe", posix_fadvise(ends[0], 0, 0, POSIX_FADV_DONTNEED), ESPIPE);
    fails("read ahead in a pipe", readahead(ends[0], 0, 1), EINVAL);
    const int writer = open(kFile, O_WRONLY);
    fails("read ahead without reading", readahead(writer, 0, 1), EBADF);
    close(writer);
    const int folder = needs("folder", open("/var", O_RDONLY));
    fails("read ahead in a folder", readahead(folder, 0, 1), EINVAL);
    close(folder);
}

// How many pages come in with the second of two that are read in a row.
unsigned after_reading(int fd, int advice) {
    char byte;
    posix_fadvise(fd, 0, 0, POSIX_FADV_DONTNEED);
    equal("advice", posix_fadvise(fd, 0, 0, advice), 0);
    pread(fd, &byte, 1, kSize - 1);
    pread(fd, &byte, 1, 0);
    equal("read", pread(fd, &byte, 1, 4096), 1);
    return resident(fd) - 2;
}
unsigned after_touching(int fd, int advice) {
    auto* map = static_cast<char*>(mmap(nullptr, kSize, PROT_READ, MAP_SHARED, fd, 0));
    posix_fadvise(fd, 0, 0, POSIX_FADV_DONTNEED);
    succeeds("advice", madvise(map, kSize, advice));
    const volatile char* pages = map;
    static_cast<void>(pages[0]);
    const unsigned around = resident(fd);
    static_cast<void>(pages[around * 4096]);
    const unsigned count = resident(fd) - around;
    munmap(map, kSize);
    return count;
}

// struct cachestat: cached, dirty, being written, evicted, evicted recently.
void test_cachestat(int fd) {
    struct {
        uint64_t offset, bytes;
    } all{0, 0}, two{4096, 8192}, edge{4095, 2}, beyond{uint64_t(1) << 50, 1};
    uint64_t use[5];
    auto ask = [&](int of, void* range, void* to = nullptr, unsigned flags = 0) {
        return syscall(451, of, range, to ? to : use, flags);
    };
    needs("fsync", fsync(fd));
    needs("advice", posix_fadvise(fd, 0, 0, POSIX_FADV_DONTNEED));
    succeeds("cachestat", ask(fd, &all));
    equal("nothing is cached", use[0], 0);
    const char byte = 'c';
    for (int page = 0; page < 4; ++page) needs("write", pwrite(fd, &byte, 1, page * 4096));
    succeeds("of all", ask(fd, &all));
    that("four are", use[0] >= 4 && use[1] + use[2] >= 1 && use[1] <= 4);
    succeeds("of two pages", ask(fd, &two));
    equal("are two", use[0], 2);
    succeeds("of an edge", ask(fd, &edge));
    equal("two as well", use[0], 2);
    needs("fsync", fsync(fd));
    succeeds("written", ask(fd, &two));
    that("none is dirty", use[0] == 2 && !use[1] && !use[2] && !use[3] && !use[4]);
    succeeds("beyond all", ask(fd, &beyond));
    equal("nothing", use[0], 0);
    // A file of 8 TiB with a page at each end: what is between costs nothing.
    const int vast = int(needs("memfd_create", memfd_create("vast", MFD_CLOEXEC)));
    constexpr off64_t kVast = off64_t(1) << 43;
    needs("ftruncate", ftruncate64(vast, kVast));
    for (const off64_t at : {off64_t(0), kVast - 1}) needs("write", pwrite64(vast, &byte, 1, at));
    const auto start = std::chrono::steady_clock::now();
    succeeds("of a vast file", ask(vast, &all));
    equal("its two pages", use[0], 2);
    that("at once", std::chrono::steady_clock::now() - start < std::chrono::seconds(5));
    close(vast);
    fails("no file", ask(-1, &all), EBADF);
    fails("no range", ask(fd, nullptr), EFAULT);
    fails("nowhere to", ask(fd, &all, reinterpret_cast<void*>(4)), EFAULT);
    fails("flags", ask(fd, &all, nullptr, 1), EINVAL);
}

void test_read_ahead(int fd) {
    const unsigned usual = after_reading(fd, POSIX_FADV_NORMAL);
    that("the next are read too", usual > 1);
    equal("none when reading here and there", after_reading(fd, POSIX_FADV_RANDOM), 1);
    equal("more when one after the other", after_reading(fd, POSIX_FADV_SEQUENTIAL), 2 * usual);
    equal("no matter how often", after_reading(fd, POSIX_FADV_NOREUSE), 2 * usual);
    equal("and as usual again", after_reading(fd, POSIX_FADV_NORMAL), usual);
    char bytes[3 * 4096];
    after_reading(fd, POSIX_FADV_RANDOM);
    const unsigned before = resident(fd);
    equal("what is asked for comes", pread(fd, bytes, sizeof bytes, 40960), long(sizeof bytes));
    equal("and no more", resident(fd) - before, 3);
    const int other = needs("another opener", open(kFile, O_RDONLY));
    equal("has advice of its own", after_reading(other, POSIX_FADV_NORMAL), usual);
    close(other);
    equal("behind a mapping's page too", after_touching(fd, MADV_NORMAL), usual);
    equal("none here and there", after_touching(fd, MADV_RANDOM), 1);
    equal("more one after the other", after_touching(fd, MADV_SEQUENTIAL), 2 * usual);
}

void test_ranges(int fd) {
    const std::vector<char> data(kSize, 'r');
    constexpr long kKilobytes = kSize / 1024;
    constexpr unsigned kBoth = SYNC_FILE_RANGE_WAIT_BEFORE | SYNC_FILE_RANGE_WAIT_AFTER;
    sync();
    const long before = dirty_kilobytes();
    pwrite(fd, data.data(), kSize, 0);
    succeeds("no flag", sync_file_range(fd, 0, 0, 0));
    succeeds("only waiting", sync_file_range(fd, 0, 0, kBoth));
    equal("writes nothing", dirty_kilobytes() - before, kKilobytes);
    succeeds("a quarter", sync_file_range(fd, kSize / 4, kSize / 4, SYNC_FILE_RANGE_WRITE | kBoth));
    equal("is written", dirty_kilobytes() - before, kKilobytes * 3 / 4);
    succeeds("a byte", sync_file_range(fd, kSize / 4 - 1, 1, SYNC_FILE_RANGE_WRITE | kBoth));
    equal("is a page", dirty_kilobytes() - before, kKilobytes * 3 / 4 - 4);
    succeeds("to the end", sync_file_range(fd, kSize / 2, 0, SYNC_FILE_RANGE_WRITE | kBoth));
    equal("is written", dirty_kilobytes() - before, kKilobytes / 4 - 4);
    succeeds("beyond the end", sync_file_range(fd, 1LL << 40, 4096, SYNC_FILE_RANGE_WRITE | kBoth));
    succeeds("all", sync_file_range(fd, 0, INT64_MAX, SYNC_FILE_RANGE_WRITE | kBoth));
    equal("is written", dirty_kilobytes() - before, 0);
    fails("no such flag", sync_file_range(fd, 0, 0, 8), EINVAL);
    fails("before the beginning", sync_file_range(fd, -1, 4096, SYNC_FILE_RANGE_WRITE), EINVAL);
    fails("negative length", sync_file_range(fd, 4096, -1, SYNC_FILE_RANGE_WRITE), EINVAL);
    fails("too far", sync_file_range(fd, INT64_MAX, 2, SYNC_FILE_RANGE_WRITE), EINVAL);
    fails("no file", sync_file_range(-1, 0, 0, 0), EBADF);
    const int place = needs("place", open(kFile, O_PATH));
    fails("only a place", sync_file_range(place, 0, 0, 0), EBADF);
    close(place);
    const int reader = needs("reader", open(kFile, O_RDONLY));
    succeeds("by who only reads", sync_file_range(reader, 0, 0, SYNC_FILE_RANGE_WRITE));
    close(reader);
    const int folder = needs("folder", open("/var", O_RDONLY));
    succeeds("a folder", sync_file_range(folder, 0, 0, SYNC_FILE_RANGE_WRITE | kBoth));
    close(folder);
    int ends[2];
    needs("pipe", pipe(ends));
    fails("a pipe", sync_file_range(ends[1], 0, 0, 0), ESPIPE);
    const int null = needs("null", open("/dev/null", O_RDWR));
    fails("a device", sync_file_range(null, 0, 0, 0), ESPIPE);
    equal("advice for a device", posix_fadvise(null, 0, 0, POSIX_FADV_RANDOM), 0);
}

void test_synchronous() {
    const std::vector<char> data(8192, 's');
    sync();
    const long before = dirty_kilobytes();
    for (const int flag : {O_SYNC, O_DSYNC}) {
        const int fd = needs("open", open(kFile, O_WRONLY | flag));
        equal("the flag is kept", fcntl(fd, F_GETFL) & O_SYNC, flag);
        equal("write", write(fd, data.data(), data.size()), long(data.size()));
        that("is on the disk", dirty_kilobytes() <= before);
        close(fd);
    }
    const int fd = needs("open", open(kFile, O_RDWR));
    int (*const calls[])(int) = {fsync, fdatasync, syncfs};
    for (const auto call : calls) {
        pwrite(fd, data.data(), data.size(), 0);
        succeeds("call", call(fd));
        that("is on the disk", dirty_kilobytes() <= before);
    }
    auto* map = static_cast<char*>(mmap(nullptr, 8192, PROT_READ | PROT_WRITE, MAP_SHARED, fd, 0));
    map[5000] = 'm';
    succeeds("msync", msync(map, 8192, MS_SYNC));
    that("is on the disk", dirty_kilobytes() <= before);
    fails("msync both ways", msync(map, 8192, MS_SYNC | MS_ASYNC), EINVAL);
    fails("msync of nothing", msync(reinterpret_cast<void*>(0x10000000), 4096, MS_SYNC), ENOMEM);
    munmap(map, 8192);
    close(fd);
    fails("fsync of a closed one", fsync(fd), EBADF);
    int ends[2];
    needs("pipe", pipe(ends));
    fails("fsync of a pipe", fsync(ends[0]), EINVAL);
}

}  // namespace

int main() {
    const int fd = needs("file", open(kFile, O_CREAT | O_RDWR | O_TRUNC, 0600));
    test_settings();
    test_thread(fd);
    test_hints(fd);
    test_cachestat(fd);
    test_read_ahead(fd);
    test_ranges(fd);
    test_synchronous();
    close(fd);
    unlink(kFile);
    return done();
}
