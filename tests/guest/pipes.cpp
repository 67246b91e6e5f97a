// Pipes and waiting for descriptors: order and atomicity of what goes through, ends and broken
// ends, blocking and not, named pipes; poll() over pipes and files.
// Spec: pipe(7), fifo(7), poll(2).
#include <poll.h>
#include <sys/stat.h>
#include <sys/time.h>
#include <sys/uio.h>

#include <algorithm>

#include "tests/guest/check.hpp"

namespace {

using namespace check;

struct Pipe {
    int out, in;  // read from `out` what was written to `in`
    explicit Pipe(int flags = 0) {
        int ends[2];
        needs("pipe2", pipe2(ends, flags));
        out = ends[0];
        in = ends[1];
    }
    ~Pipe() {
        close(out);
        close(in);
    }
    void close_in() {
        close(in);
        in = -1;
    }
    void close_out() {
        close(out);
        out = -1;
    }
};

void test_basics() {
    Pipe pipe;
    char text[64];
    equal("write", write(pipe.in, "one", 3), 3);
    equal("write more", write(pipe.in, "two", 3), 3);
    equal("read takes what is there", read(pipe.out, text, sizeof text), 6);
    that("in order", memcmp(text, "onetwo", 6) == 0);
    write(pipe.in, "abcdef", 6);
    equal("read a part", read(pipe.out, text, 2), 2);
    equal("and the rest", read(pipe.out, text, 9), 4);
    fails("read from the wrong end", read(pipe.in, text, 1), EBADF);
    fails("write to the wrong end", write(pipe.out, text, 1), EBADF);
    fails("no seeking", lseek(pipe.out, 0, SEEK_SET), ESPIPE);
    fails("no pread", pread(pipe.out, text, 1, 0), ESPIPE);
    struct stat info;
    fstat(pipe.out, &info);
    that("its kind", S_ISFIFO(info.st_mode));
    write(pipe.in, "end", 3);
    pipe.close_in();
    equal("the last bytes outlive the writer", read(pipe.out, text, 9), 3);
    equal("then the end", read(pipe.out, text, 9), 0);
    fails("pipe2 with odd flags", pipe2(&pipe.in, 1), EINVAL);
    pipe.in = -1;
}

void test_non_blocking() {
    Pipe pipe(O_NONBLOCK);
    static char page[4096];
    fails("an empty pipe", read(pipe.out, page, 1), EAGAIN);
    int pages = 0;
    while (write(pipe.in, page, sizeof page) == 4096) pages++;
    fails("a full pipe", write(pipe.in, page, sizeof page), EAGAIN);
    that("held something", pages >= 1);
    fails("full, for one byte, too", write(pipe.in, page, 1), EAGAIN);
    needs("read", read(pipe.out, page, 1));
    fails("a page never goes in by parts", write(pipe.in, page, sizeof page), EAGAIN);
    needs("read", read(pipe.out, page, 4095));
    equal("until there is room for it", write(pipe.in, page, sizeof page), 4096);
    pipe.close_out();
    signal(SIGPIPE, SIG_IGN);
    fails("nobody reads", write(pipe.in, page, 1), EPIPE);
}

// More than a pipe holds passes, in order, between two processes.
void test_stream() {
    Pipe pipe;
    constexpr unsigned kBytes = 300'000;
    pid_t writer = start([&] {
        static unsigned char data[7001];
        for (unsigned sent = 0; sent < kBytes;) {
            unsigned count = std::min<unsigned>(sizeof data, kBytes - sent);
            for (unsigned i = 0; i < count; i++) data[i] = (sent + i) * 7 % 251;
            if (write(pipe.in, data, count) != int(count)) return 1;
            sent += count;
        }
        return 0;
    });
    pipe.close_in();
    unsigned received = 0;
    bool right = true;
    unsigned char data[3333];
    for (int got; (got = read(pipe.out, data, sizeof data)) > 0; received += got)
        for (int i = 0; i < got; i++) right &= data[i] == (received + i) * 7 % 251;
    equal("all of a long stream", received, kBytes);
    that("in order", right);
    equal("its writer was content", wait_for(writer), 0);
}

// Writes of at most PIPE_BUF bytes from several processes do not mix.
void test_atomic() {
    Pipe pipe;
    constexpr int kWriters = 4, kRecords = 100, kBytes = 1000;
    pid_t writers[kWriters];
    for (int i = 0; i < kWriters; i++)
        writers[i] = start([&] {
            std::string record(kBytes, 'a' + i);
            for (int j = 0; j < kRecords; j++)
                if (write(pipe.in, record.data(), kBytes) != kBytes) return 1;
            return 0;
        });
    pipe.close_in();
    int records = 0;
    bool whole = true;
    std::string record(kBytes, 0);
    for (int filled = 0, got; (got = read(pipe.out, &record[filled], kBytes - filled)) > 0;) {
        if ((filled += got) < kBytes) continue;
        whole &= record == std::string(kBytes, record[0]);
        records++;
        filled = 0;
    }
    equal("every record of four writers", records, kWriters * kRecords);
    that("none mixed", whole);
    for (pid_t writer : writers) wait_for(writer);
}

void test_vectors() {
    Pipe pipe;
    char text[16] = {};
    static iovec pieces[1025] = {{text, 2}, {text, 0}, {text, 3}};
    equal("writev", writev(pipe.in, pieces, 3), 5);
    equal("readv", readv(pipe.out, pieces, 3), 5);
    equal("of nothing", writev(pipe.in, pieces, 0), 0);
    fails("too many", writev(pipe.in, pieces, 1025), EINVAL);
    pieces[0].iov_len = 0x7fffffff;
    fails("a sum beyond ssize_t", writev(pipe.in, pieces, 3), EINVAL);
}

void test_blocking() {
    Pipe pipe;
    pid_t reader = start([&] {
        char byte = 0;
        return read(pipe.out, &byte, 1) == 1 ? byte : 1;
    });
    wait_until(reader);
    write(pipe.in, "\7", 1);
    equal("a reader sleeps until there is a byte", wait_for(reader), 7 << 8);
    reader = start([&] {
        pipe.close_in();
        char byte;
        return read(pipe.out, &byte, 1) == 0 ? 8 : 1;
    });
    wait_until(reader);
    pipe.close_in();
    equal("or until the last writer is gone", wait_for(reader), 8 << 8);

    Pipe full;
    fcntl(full.in, F_SETFL, O_NONBLOCK);
    static char page[4096];
    while (write(full.in, page, sizeof page) > 0) {
    }
    fcntl(full.in, F_SETFL, 0);
    pid_t writer = start([&] {
        full.close_out();
        signal(SIGPIPE, SIG_IGN);
        return write(full.in, page, sizeof page) < 0 ? errno : 0;
    });
    wait_until(writer);
    full.close_out();
    equal("a sleeping writer learns that nobody reads", wait_for(writer), EPIPE << 8);
}

void test_named() {
    const char* name = "/tmp/pipes.fifo";
    unlink(name);
    needs("mkfifo", mkfifo(name, 0600));
    fails("no reader: a writer that will not wait", open(name, O_WRONLY | O_NONBLOCK), ENXIO);
    pid_t writer = start([=] {
        int fd = open(name, O_WRONLY);  // waits for the reader
        return write(fd, "hello", 5) != 5;
    });
    wait_until(writer);
    int fd = open(name, O_RDONLY);
    char text[16];
    int got = 0;
    for (int more; (more = read(fd, text + got, sizeof text - got)) > 0;) got += more;
    equal("through a named pipe", got, 5);
    equal("its writer", wait_for(writer), 0);
    close(fd);
    unlink(name);
}

int ready(int fd, short events, int milliseconds = 0) {
    pollfd polled = {.fd = fd, .events = events, .revents = 0};
    return poll(&polled, 1, milliseconds) < 0 ? -1 : polled.revents;
}

void test_poll() {
    Pipe pipe;
    static char page[4096];
    equal("poll: nothing to read", ready(pipe.out, POLLIN), 0);
    equal("poll: room to write", ready(pipe.in, POLLOUT), POLLOUT);
    equal("poll gives up in time", ready(pipe.out, POLLIN, 20), 0);
    pid_t child = start([&] { return ready(pipe.out, POLLIN, -1) == POLLIN ? 0 : 1; });
    wait_until(child);
    write(pipe.in, "x", 1);
    equal("poll is woken", wait_for(child), 0);
    equal("poll: something to read", ready(pipe.out, POLLIN), POLLIN);
    fcntl(pipe.in, F_SETFL, O_NONBLOCK);
    while (write(pipe.in, page, sizeof page) > 0) {
    }
    equal("poll: no room", ready(pipe.in, POLLOUT), 0);
    pipe.close_in();
    equal("poll: writer gone, data left", ready(pipe.out, POLLIN), POLLIN | POLLHUP);
    equal("poll: not open", ready(99, POLLIN), POLLNVAL);
    equal("poll: negative is skipped", ready(-1, POLLIN), 0);
    Pipe broken;
    broken.close_out();
    equal("poll: reader gone", ready(broken.in, POLLOUT), POLLOUT | POLLERR);
    int fd = open("/dev/null", O_RDWR);
    equal("poll: a device is always ready", ready(fd, POLLIN | POLLOUT), POLLIN | POLLOUT);
    close(fd);
}

void test_size() {
    Pipe pipe(O_NONBLOCK);
    static char page[4096];
    equal("F_GETPIPE_SZ", fcntl(pipe.out, F_GETPIPE_SZ), 65536);
    equal("F_SETPIPE_SZ rounds up", fcntl(pipe.in, F_SETPIPE_SZ, 5000), 8192);
    equal("both ends see it", fcntl(pipe.out, F_GETPIPE_SZ), 8192);
    equal("a page is the least", fcntl(pipe.in, F_SETPIPE_SZ, 0), 4096);
    equal("it holds that", write(pipe.in, page, sizeof page), 4096);
    fails("and not more", write(pipe.in, page, 1), EAGAIN);
    equal("a larger one", fcntl(pipe.in, F_SETPIPE_SZ, 1 << 20), 1 << 20);
    int pages = 1;
    while (write(pipe.in, page, sizeof page) == 4096) ++pages;
    equal("holds more", pages, 256);
    fails("what is in it has to fit", fcntl(pipe.in, F_SETPIPE_SZ, 1 << 19), EBUSY);
    fails("not any number", fcntl(pipe.in, F_SETPIPE_SZ, 0x80000001), EINVAL);
    fails("not of a file", fcntl(open("/bin/sh", O_RDONLY), F_GETPIPE_SZ), EBADF);
    exits("beyond the limit", 0, [&] {
        needs("setuid", setuid(1));
        if (fcntl(pipe.in, F_SETPIPE_SZ, 1 << 21) != -1 || errno != EPERM) return 1;
        return 0;
    });
    char text[16] = {};
    int fd = open("/proc/sys/fs/pipe-max-size", O_RDONLY);
    equal("the limit", read(fd, text, sizeof text) > 0 ? atoi(text) : 0, 1 << 20);
    const int limit = open("/proc/sys/fs/pipe-max-size", O_WRONLY);
    fails("less than a page is no limit", write(limit, "4095", 4), EINVAL);
    equal("it can be set", write(limit, "8192", 4), 4);
    exits("and holds", 0, [&]() -> int {
        Pipe small;
        needs("setuid", setuid(1));
        if (fcntl(small.in, F_SETPIPE_SZ, 8192) != 8192) return 1;
        return fcntl(small.in, F_SETPIPE_SZ, 16384) != -1 || errno != EPERM;
    });
    equal("and back", write(limit, "1048576", 7), 7);

    Pipe full;
    fcntl(full.in, F_SETPIPE_SZ, 4096);
    write(full.in, page, sizeof page);
    pid_t writer = start([&] { return write(full.in, "x", 1) != 1; });
    wait_until(writer);
    fcntl(full.in, F_SETPIPE_SZ, 8192);
    equal("a writer who waits goes on with the new room", wait_for(writer), 0);
}

}  // namespace

int main() {
    test_basics();
    test_size();
    test_non_blocking();
    test_stream();
    test_atomic();
    test_vectors();
    test_blocking();
    test_named();
    test_poll();
    return done();
}
