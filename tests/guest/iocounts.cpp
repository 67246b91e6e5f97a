// /proc/PID/io: what a process and its children that it waited for have read and written; threads each
// their own; pages that were cut off before they were written; and who may read it.
// needs: wing
#include <fcntl.h>
#include <sys/resource.h>
#include <sys/sendfile.h>
#include <sys/uio.h>
#include <unistd.h>

#include <thread>

#include "tests/guest/check.hpp"

namespace {

using namespace check;

struct Counts {
    unsigned long long read, written, reads, writes, from_disk, to_disk, cancelled;
};

// Of its own reading of that file nothing is in it yet.
Counts counts(const std::string& name = "/proc/self/io") {
    char text[400] = {};
    const int fd = needs("open", open(name.c_str(), O_RDONLY));
    needs("read", read(fd, text, sizeof text - 1));
    close(fd);
    Counts c{};
    const int found =
        sscanf(text,
               "rchar: %llu\nwchar: %llu\nsyscr: %llu\nsyscw: %llu\nread_bytes: "
               "%llu\nwrite_bytes: %llu\ncancelled_write_bytes: %llu\n",
               &c.read, &c.written, &c.reads, &c.writes, &c.from_disk, &c.to_disk, &c.cancelled);
    equal("all seven lines", found, 7);
    return c;
}

char buffer[16 * 4096];

void test_calls() {
    const int zero = open("/dev/zero", O_RDONLY), null = open("/dev/null", O_WRONLY);
    const int file = open("/root/iocounts", O_RDWR | O_CREAT | O_TRUNC, 0600);
    pwrite(file, buffer, 100, 0);
    const Counts a = counts();
    read(zero, buffer, 10);
    pread(file, buffer, 20, 0);
    iovec both[] = {{buffer, 3}, {buffer, 4}};
    readv(zero, both, 2);
    read(zero, buffer, 0);
    read(null, buffer, 1);  // refused before it is a call to the file
    write(null, buffer, 50);
    pwrite(file, buffer, 60, 0);
    writev(null, both, 2);
    off_t start = 0;
    equal("sendfile", sendfile(null, file, &start, 30), 30);
    const Counts b = counts();
    equal("read calls", b.reads - a.reads, 1 + 4 + 1);  // the first is that of the file of counts
    equal("write calls", b.writes - a.writes, 3 + 1 + 2);  // and two checks that print
    that("bytes read", b.read - a.read >= 10 + 20 + 7 + 30 && b.read - a.read < 67 + 400);
    that("bytes written", b.written - a.written >= 50 + 60 + 7 + 30);
    close(zero);
    close(null);
    close(file);
}

void test_disk() {
    const int file = open("/root/iocounts", O_RDWR | O_CREAT | O_TRUNC, 0600);
    fsync(file);
    rusage before{}, after{};
    getrusage(RUSAGE_SELF, &before);
    const Counts a = counts();
    write(file, buffer, sizeof buffer);
    const Counts b = counts();
    that("dirty pages", b.to_disk - a.to_disk >= sizeof buffer);
    ftruncate(file, 0);
    const Counts c = counts();
    equal("cut off before they were written", c.cancelled - b.cancelled, sizeof buffer);
    pwrite(file, buffer, sizeof buffer, 0);
    fsync(file);
    posix_fadvise(file, 0, 0, POSIX_FADV_DONTNEED);
    const Counts d = counts();
    pread(file, buffer, sizeof buffer, 0);
    const Counts e = counts();
    that("read from the disk", e.from_disk - d.from_disk >= sizeof buffer);
    pread(file, buffer, sizeof buffer, 0);
    equal("and once only", counts().from_disk, e.from_disk);
    getrusage(RUSAGE_SELF, &after);
    that("blocks of getrusage, read", after.ru_inblock - before.ru_inblock >= 128);
    that("written", after.ru_oublock - before.ru_oublock >= 128);
    close(file);
    unlink("/root/iocounts");
}

void test_sums() {
    const int null = open("/dev/null", O_WRONLY);
    const Counts a = counts();
    std::thread([&] { write(null, buffer, 1000); }).join();
    const Counts b = counts();
    that("of a thread that has ended", b.written - a.written >= 1000);
    const std::string own = "/proc/self/task/" + std::to_string(getpid()) + "/io";
    that("not the first thread's", counts(own).written < b.written - 900);
    const pid_t child = start([&] { return write(null, buffer, 5000) != 5000; });
    wait_for(child);
    that("of a child that was waited for", counts().written - b.written >= 5000);
    close(null);
}

void test_rights() {
    Gate gate;
    const pid_t other = start([&] {
        gate.wait();
        return 0;
    });
    const std::string name = "/proc/" + std::to_string(other) + "/io";
    exits("a user", 0, [&] {
        needs("setuid", setresuid(1000, 1000, 1000));
        fails("another's", open(name.c_str(), O_RDONLY), EACCES);
        return done();
    });
    const int fd = open(name.c_str(), O_RDONLY);
    exits("a user with the superuser's descriptor", 0, [&] {
        needs("setuid", setresuid(1000, 1000, 1000));
        fails("another's", read(fd, buffer, 100), EACCES);
        return done();
    });
    gate.pass();
    wait_for(other);
    fails("of a process that is gone", read(fd, buffer, 100), ESRCH);
    close(fd);
}

}  // namespace

int main() {
    test_calls();
    test_disk();
    test_sums();
    test_rights();
    return done();
}
