// splice, tee and vmsplice: between pipes, files, sockets and memory; waiting, refusals, nothing lost when the other
// side takes less; many rounds. Spec: splice(2), tee(2), vmsplice(2).
// needs: wing
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/uio.h>

#include <string>

#include "tests/guest/check.hpp"

using namespace check;

namespace {

struct Pipe {
    int ends[2];
    explicit Pipe(int flags = 0) { needs("pipe", pipe2(ends, flags)); }
    ~Pipe() { close(ends[0]), close(ends[1]); }
    int out() const { return ends[0]; }
    int in() const { return ends[1]; }
};

std::string pattern(size_t bytes) {
    std::string text(bytes, 0);
    for (size_t i = 0; i < bytes; ++i) text[i] = char(i * 7 + i / 251);
    return text;
}

std::string all_of(int fd, size_t bytes) {
    std::string text(bytes, 0);
    size_t done = 0;
    while (done < bytes) {
        const ssize_t got = read(fd, text.data() + done, bytes - done);
        if (got <= 0) break;
        done += size_t(got);
    }
    text.resize(done);
    return text;
}

int file_of(const std::string& text) {
    const int fd = int(needs("a file", open("/tmp/splice-file", O_CREAT | O_TRUNC | O_RDWR, 0600)));
    needs("written", write(fd, text.data(), text.size()));
    lseek(fd, 0, SEEK_SET);
    return fd;
}

void test_file_and_pipe() {
    const std::string text = pattern(50'000);
    const int file = file_of(text);
    Pipe pipe;
    equal("file to pipe", splice(file, nullptr, pipe.in(), nullptr, 50'000, 0), 50'000);
    that("its bytes", all_of(pipe.out(), 50'000) == text);
    equal("the position moved", lseek(file, 0, SEEK_CUR), 50'000);
    loff_t at = 49'990;
    equal("from a place, to the end", splice(file, &at, pipe.in(), nullptr, 100, 0), 10);
    equal("the place moved", at, 50'000);
    at = 3;
    equal("pipe to file", splice(pipe.out(), nullptr, file, &at, 100, 0), 10);
    char there[10];
    pread(file, there, 10, 3);
    that("arrived", !memcmp(there, text.data() + 49'990, 10) && at == 13);
    equal("at most what a pipe holds", splice(file, (at = 0, &at), pipe.in(), nullptr, 1 << 20, 0),
          50'000);
    at = 0;
    equal("the rest of its room", splice(file, &at, pipe.in(), nullptr, 1 << 20, 0),
          65536 - 50'000);
    fails("full", splice(file, &at, pipe.in(), nullptr, 1, SPLICE_F_NONBLOCK), EAGAIN);
    close(file);
}

void test_pipes() {
    Pipe a, b;
    write(a.in(), "hello", 5);
    equal("tee", tee(a.out(), b.in(), 100, 0), 5);
    that("both have it", all_of(b.out(), 5) == "hello");
    equal("splice", splice(a.out(), nullptr, b.in(), nullptr, 3, 0), 3);
    that("some of it", all_of(b.out(), 3) == "hel" && all_of(a.out(), 2) == "lo");
    fails("nothing there", splice(a.out(), nullptr, b.in(), nullptr, 3, SPLICE_F_NONBLOCK), EAGAIN);
    fails("the same pipe", splice(a.out(), nullptr, a.in(), nullptr, 3, 0), EINVAL);
    fails("tee of the same", tee(a.out(), a.in(), 3, 0), EINVAL);
    fails(
        "places in a pipe",
        [&] {
            loff_t at = 0;
            return splice(a.out(), &at, b.in(), nullptr, 3, 0);
        }(),
        ESPIPE);
    fails("the wrong end", splice(a.in(), nullptr, b.in(), nullptr, 3, 0), EBADF);
    fails("flags", splice(a.out(), nullptr, b.in(), nullptr, 3, 16), EINVAL);
    equal("of nothing", splice(-1, nullptr, -1, nullptr, 0, 0), 0);
    const std::string text = pattern(40'000);
    write(a.in(), text.data(), text.size());
    equal("many pages", tee(a.out(), b.in(), 1 << 20, 0), 40'000);
    equal("until the other is full", splice(a.out(), nullptr, b.in(), nullptr, 1 << 20, 0),
          65536 - 40'000);
    that("in order", all_of(b.out(), 65536) == text + text.substr(0, 65536 - 40'000));
    that("the rest stays", all_of(a.out(), 80'000 - 65536) == text.substr(65536 - 40'000));
}

void test_less_than_offered() {
    int ends[2];
    needs("socketpair", socketpair(AF_UNIX, SOCK_STREAM | SOCK_NONBLOCK, 0, ends));
    const std::string text = pattern(60'000);
    std::string arrived;
    Pipe pipe;
    size_t sent = 0;
    while (arrived.size() < 10 * text.size()) {
        if (sent < 10 * text.size() && write(pipe.in(), text.data(), text.size()) > 0)
            sent += text.size();
        while (splice(pipe.out(), nullptr, ends[0], nullptr, 1 << 20, SPLICE_F_NONBLOCK) > 0) {
        }
        char buffer[5000];
        for (ssize_t got; (got = read(ends[1], buffer, sizeof buffer)) > 0;)
            arrived.append(buffer, size_t(got));
        while (splice(pipe.out(), nullptr, ends[0], nullptr, 1 << 20, SPLICE_F_NONBLOCK) > 0)
            for (ssize_t got; (got = read(ends[1], buffer, sizeof buffer)) > 0;)
                arrived.append(buffer, size_t(got));
    }
    bool same = true;
    for (int i = 0; i < 10; ++i)
        same &= arrived.compare(size_t(i) * text.size(), text.size(), text) == 0;
    that("nothing is lost through a socket", same);
    write(ends[1], "back", 4);
    equal("socket to pipe", splice(ends[0], nullptr, pipe.in(), nullptr, 100, 0), 4);
    that("its bytes", all_of(pipe.out(), 4) == "back");
    close(ends[0]), close(ends[1]);
}

void test_other_files() {
    Pipe pipe;
    const int zero = open("/dev/zero", O_RDWR), folder = open("/tmp", O_RDONLY),
              proc = open("/proc/self/maps", O_RDONLY);
    equal("zeros", splice(zero, nullptr, pipe.in(), nullptr, 5000, 0), 5000);
    that("are zeros", all_of(pipe.out(), 5000) == std::string(5000, 0));
    that("a file of /proc", splice(proc, nullptr, pipe.in(), nullptr, 100, 0) > 0);
    const int null = open("/dev/null", O_WRONLY);
    that("into nothing", splice(pipe.out(), nullptr, null, nullptr, 1000, 0) > 0);
    fails("a directory", splice(folder, nullptr, pipe.in(), nullptr, 1, 0), EINVAL);
    fails("two files", splice(zero, nullptr, null, nullptr, 1, 0), EINVAL);
    const int append = open("/tmp/splice-file", O_WRONLY | O_APPEND);
    write(pipe.in(), "x", 1);
    fails("appending", splice(pipe.out(), nullptr, append, nullptr, 1, 0), EINVAL);
    loff_t negative = -1;
    fails("a negative place", splice(pipe.out(), nullptr, append, &negative, 1, 0), EINVAL);
    for (int fd : {zero, folder, proc, null, append}) close(fd);
}

void test_endings() {
    signal(SIGPIPE, SIG_IGN);
    Pipe from;
    write(from.in(), "x", 1);
    int ends[2];
    needs("pipe", pipe(ends));
    close(ends[0]);
    fails("no reader", splice(from.out(), nullptr, ends[1], nullptr, 1, 0), EPIPE);
    iovec piece{const_cast<char*>("abc"), 3};
    fails("no reader of memory", vmsplice(ends[1], &piece, 1, 0), EPIPE);
    close(ends[1]);
    needs("pipe", pipe(ends));
    close(ends[1]);
    equal("no writer: the end", splice(ends[0], nullptr, from.in(), nullptr, 1, 0), 0);
    close(ends[0]);
    exits("a signal ends the wait", 0, [] {
        Pipe empty, other;
        struct sigaction action {};
        action.sa_handler = [](int) {};
        sigaction(SIGALRM, &action, nullptr);
        ualarm(1000, 1000);
        fails("interrupted", splice(empty.out(), nullptr, other.in(), nullptr, 1, 0), EINTR);
        return done();
    });
}

// Two readers of one pipe: who comes too late for a byte waits for the next one, and is told no end.
void test_two_readers() {
    const int nowhere = int(needs("/dev/null", open("/dev/null", O_WRONLY | O_CLOEXEC)));
    Pipe pipe, taken;
    pid_t readers[4];
    for (int i = 0; i < 4; ++i)
        readers[i] = start([&] {
            close(pipe.in());
            while (i % 2 ? splice(pipe.out(), nullptr, nowhere, nullptr, 1, 0) == 1
                         : splice(pipe.out(), nullptr, taken.in(), nullptr, 1, 0) == 1) {
                char byte;
                if (i % 2 == 0 && read(taken.out(), &byte, 1) != 1) return 2;
            }
            return 0;
        });
    bool all = true;
    for (int i = 0; i < 20'000; ++i) all &= write(pipe.in(), "x", 1) == 1;
    for (pid_t reader : readers) all &= waitpid(reader, nullptr, WNOHANG) == 0;
    that("none has seen an end", all);
    close(pipe.ends[1]);
    pipe.ends[1] = -1;
    for (pid_t reader : readers) equal("now each has", wait_for(reader), 0);
    close(nowhere);
}

void test_memory() {
    Pipe pipe;
    char text[] = "one two", back[8] = {};
    iovec pieces[2] = {{text, 3}, {text + 3, 4}};
    equal("memory to pipe", vmsplice(pipe.in(), pieces, 2, 0), 7);
    iovec to{back, 7};
    equal("pipe to memory", vmsplice(pipe.out(), &to, 1, 0), 7);
    same("the same", back, "one two");
    fails("nothing there", vmsplice(pipe.out(), &to, 1, SPLICE_F_NONBLOCK), EAGAIN);
    fails("too many pieces", vmsplice(pipe.in(), pieces, 1025, 0), EINVAL);
    fails("not a pipe", vmsplice(0, pieces, 1, 0), EBADF);
    iovec bad{reinterpret_cast<void*>(0xd0000000), 4};
    fails("not ours", vmsplice(pipe.in(), &bad, 1, 0), EFAULT);
    for (int i = 0; i < 10'000; ++i) {
        vmsplice(pipe.in(), pieces, 2, 0);
        vmsplice(pipe.out(), &to, 1, 0);
    }
    same("ten thousand times", back, "one two");
}

}  // namespace

int main() {
    test_file_and_pipe();
    test_pipes();
    test_less_than_offered();
    test_other_files();
    test_endings();
    test_two_readers();
    test_memory();
    unlink("/tmp/splice-file");
    return done();
}
