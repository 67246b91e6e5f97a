// Memory: the heap's end, mappings made, split, moved, protected and shared, copy-on-write, the
// stack's growth, and what lies beyond the end of a mapped file.
// Spec: brk(2), mmap(2), munmap(2), mprotect(2), mremap(2), madvise(2).
// needs: wing
#include <sys/mman.h>
#include <sys/resource.h>
#include <sys/syscall.h>

#include "tests/guest/check.hpp"

namespace {

using namespace check;

constexpr unsigned kPage = 4096;
constexpr int kOwn = MAP_PRIVATE | MAP_ANONYMOUS, kFixed = kOwn | MAP_FIXED;
constexpr int kReadWrite = PROT_READ | PROT_WRITE;

char* map(unsigned pages, int flags = kOwn, int protection = kReadWrite, int fd = -1,
          void* where = nullptr, off_t offset = 0) {
    return static_cast<char*>(mmap(where, pages * kPage, protection, flags, fd, offset));
}

// What reading, or writing, a byte does to a child: 0, or the signal that killed it.
int reading(const volatile char* address) {
    return WTERMSIG(status_of([=] { return *address, 0; }));
}

int writing(volatile char* address) {
    return WTERMSIG(status_of([=] { return *address = 1, 0; }));
}

bool all(const char* memory, unsigned bytes, char value) {
    for (unsigned i = 0; i < bytes; i++)
        if (memory[i] != value) return false;
    return true;
}

int temporary(std::string_view content) {
    int fd = needs("open", open("/tmp/memory.file", O_RDWR | O_CREAT | O_TRUNC, 0600));
    needs("write", write(fd, content.data(), content.size()));
    return fd;
}

void test_brk() {
    auto brk_to = [](char* end) { return reinterpret_cast<char*>(syscall(SYS_brk, end)); };
    exits("brk", 0, [=] {
        char* end = brk_to(nullptr);
        if (brk_to(end + 10 * kPage) != end + 10 * kPage) return 1;
        if (!all(end, 10 * kPage, 0)) return 2;
        memset(end, 'x', 10 * kPage);
        if (brk_to(end + kPage) != end + kPage) return 3;  // gives back
        if (brk_to(end + 10 * kPage) != end + 10 * kPage) return 4;
        char* second = reinterpret_cast<char*>((unsigned(end) + 2 * kPage - 1) & -kPage) + kPage;
        if (!all(second, 7 * kPage, 0)) return 5;  // fresh again
        if (brk_to(reinterpret_cast<char*>(0xFFFFF000)) != end + 10 * kPage) return 6;
        if (brk_to(reinterpret_cast<char*>(1)) != end + 10 * kPage) return 7;
        return end[0] == 'x' ? 0 : 8;
    });
    exits("brk stops before a mapping", 0, [=] {
        char* end = brk_to(nullptr);
        char* next = reinterpret_cast<char*>((unsigned(end) + kPage - 1) & -kPage) + 4 * kPage;
        if (map(1, kFixed, PROT_READ, -1, next) != next) return 1;
        return brk_to(next + 2 * kPage) == end ? 0 : 2;
    });
}

void test_anonymous() {
    char* memory = map(8);
    that("fresh memory is zero", memory != MAP_FAILED && all(memory, 8 * kPage, 0));
    memset(memory, 'a', 8 * kPage);
    succeeds("munmap in the middle", munmap(memory + 2 * kPage, 2 * kPage));
    that("both ends stay", all(memory, 2 * kPage, 'a') && all(memory + 4 * kPage, 4 * kPage, 'a'));
    equal("the middle is gone", reading(memory + 2 * kPage), SIGSEGV);
    equal("to its last byte", reading(memory + 4 * kPage - 1), SIGSEGV);
    succeeds("munmap of nothing", munmap(memory + 2 * kPage, 2 * kPage));
    char* hole = memory + 2 * kPage;
    that("MAP_FIXED fills it",
         map(2, kFixed, kReadWrite, -1, hole) == hole && all(hole, 2 * kPage, 0));
    that("MAP_FIXED replaces",
         map(2, kFixed, PROT_READ, -1, memory) == memory && all(memory, 2 * kPage, 0));
    that("a free hint is taken",
         munmap(hole, kPage) == 0 && map(1, kOwn, PROT_READ, -1, hole) == hole);
    char* elsewhere = map(1, kOwn, PROT_READ, -1, memory + 4 * kPage);
    that("a taken one is not", elsewhere != memory + 4 * kPage && memory[4 * kPage] == 'a');
    munmap(elsewhere, kPage);
    munmap(memory, 8 * kPage);

    auto refused = [](const char* name, int error, void* result) {
        fails(name, result == MAP_FAILED ? -1 : 0, error);
    };
    refused("nothing at all", EINVAL, map(0));
    refused("neither private nor shared", EINVAL, map(1, MAP_ANONYMOUS));
    refused("fixed, off a page", EINVAL, map(1, kFixed, PROT_READ, -1, memory + 1));
    refused("without a file", EBADF, map(1, MAP_PRIVATE));
    refused("fixed, past the top", ENOMEM,
            map(1, kFixed, PROT_READ, -1, reinterpret_cast<void*>(0xFFFFF000)));
    refused("more than there is", ENOMEM, mmap(nullptr, 0xF0000000, PROT_READ, kOwn, -1, 0));
    fails("munmap off a page", munmap(memory + 1, kPage), EINVAL);
    fails("munmap of no bytes", munmap(memory, 0), EINVAL);
    fails("munmap past the top", munmap(reinterpret_cast<void*>(0xFFFFF000), 0x2000), EINVAL);
}

void test_protection() {
    char* memory = map(3);
    memset(memory, 'a', 3 * kPage);
    succeeds("mprotect the middle", mprotect(memory + kPage, kPage, PROT_READ));
    equal("it can be read", reading(memory + kPage), 0);
    equal("not written", writing(memory + kPage), SIGSEGV);
    equal("the page before can", writing(memory + kPage - 1), 0);
    equal("and the page after", writing(memory + 2 * kPage), 0);
    mprotect(memory, 3 * kPage, PROT_NONE);
    equal("PROT_NONE", reading(memory), SIGSEGV);
    mprotect(memory, 3 * kPage, kReadWrite);
    that("its content is kept", all(memory, 3 * kPage, 'a'));
    fails("mprotect off a page", mprotect(memory + 1, kPage, PROT_READ), EINVAL);
    munmap(memory + kPage, kPage);
    fails("mprotect over a hole", mprotect(memory, 3 * kPage, PROT_READ), ENOMEM);
    munmap(memory, 3 * kPage);
    int fd = temporary("content");
    close(fd);
    fd = open("/tmp/memory.file", O_RDONLY);
    memory = map(1, MAP_SHARED, PROT_READ, fd);
    fails("no writing to a file opened to read", mprotect(memory, kPage, kReadWrite), EACCES);
    that("private memory of it may be", map(1, MAP_PRIVATE, kReadWrite, fd) != MAP_FAILED);
    close(fd);
}

void test_copy_on_write() {
    char* memory = map(4);
    memset(memory, 'p', 4 * kPage);
    Gate changed, checked;
    pid_t child = start([&] {
        memset(memory, 'c', kPage);  // the child writes first to one page,
        changed.pass();
        checked.wait();  // the parent to another
        return all(memory, kPage, 'c') && all(memory + kPage, 3 * kPage, 'p') ? 0 : 1;
    });
    changed.wait();
    that("parent keeps what a child changed", all(memory, 4 * kPage, 'p'));
    memset(memory + kPage, 'P', kPage);
    checked.pass();
    equal("child keeps what the parent changed", wait_for(child), 0);
    that("untouched pages are one's own again", writing(memory) == 0 && all(memory, kPage, 'p'));
    exits("through several generations", 0, [=] {
        for (int i = 0; i < 5; i++) {
            memory[i] = 'g';
            if (fork() != 0) {
                int status = 1;
                wait(&status);
                return int(status != 0 || memory[i + 1] == 'g');
            }
        }
        return int(!all(memory, 5, 'g'));
    });
    int ends[2];
    needs("pipe", pipe(ends));
    write(ends[1], "k", 1);
    wait_for(start([=] { return int(read(ends[0], memory, 1)); }));
    equal("the kernel's own writes copy, too", memory[0], 'p');
    munmap(memory, 4 * kPage);
}

void test_shared() {
    char* memory = map(2, MAP_SHARED | MAP_ANONYMOUS);
    memory[0] = 1;
    exits("child sees shared memory", 1, [=] {
        memory[kPage] = 2;
        return int(memory[0]);
    });
    equal("and its parent what the child wrote", memory[kPage], 2);
    munmap(memory, 2 * kPage);

    int fd = temporary("hello, file");
    char* shared = map(1, MAP_SHARED, kReadWrite, fd);
    char* own = map(1, MAP_PRIVATE, kReadWrite, fd);
    that("a mapped file", memcmp(shared, "hello, file", 12) == 0);
    pwrite(fd, "J", 1, 0);
    equal("write() shows in the mapping", shared[0], 'J');
    own[1] = 'E';
    memcpy(shared + 7, "FILE", 4);
    char text[12] = "";
    pread(fd, text, 11, 0);
    same("the shared mapping writes, the private does not", text, "Jello, FILE");
    equal("private memory keeps its own", own[1], 'E');
    succeeds("msync", msync(shared, kPage, MS_SYNC));
    close(fd);
    equal("a mapping outlives its descriptor", shared[0], 'J');
    that("zeros after the end of the file", all(shared + 11, kPage - 11, 0));
    munmap(own, kPage);
    munmap(shared, kPage);
}

void test_past_the_end() {
    int fd = temporary("short");
    char* memory = map(3, MAP_SHARED, kReadWrite, fd);
    equal("the page of the end can be read", reading(memory + kPage - 1), 0);
    equal("the next is SIGBUS", reading(memory + kPage), SIGBUS);
    equal("written to, too", writing(memory + 2 * kPage), SIGBUS);
    ftruncate(fd, 2 * kPage);
    equal("until the file grows", reading(memory + kPage), 0);
    char byte;
    int zero = open("/dev/zero", O_RDONLY);
    fails("a call gets EFAULT there", read(zero, memory + 2 * kPage, 1), EFAULT);
    memory[kPage] = 'x';
    ftruncate(fd, 10);
    equal("cut off again", reading(memory + kPage), SIGBUS);
    pread(fd, &byte, 1, 0);
    char* second = map(1, MAP_PRIVATE, PROT_READ, fd, nullptr, kPage);
    equal("a mapping that starts past it", reading(second), SIGBUS);
    fails("an offset off a page", syscall(SYS_mmap2, 0, kPage, PROT_READ, MAP_PRIVATE, 99, 0),
          EBADF);
    munmap(memory, 3 * kPage);
    close(zero);
    close(fd);
}

void test_remap() {
    char* memory = map(4);
    memset(memory, 'a', 2 * kPage);
    munmap(memory + 2 * kPage, 2 * kPage);
    that("mremap grows in place", mremap(memory, 2 * kPage, 3 * kPage, 0) == memory);
    that("with zeros", all(memory, 2 * kPage, 'a') && all(memory + 2 * kPage, kPage, 0));
    map(1, kFixed, PROT_NONE, -1, memory + 3 * kPage);
    fails("not over another", mremap(memory, 3 * kPage, 5 * kPage, 0) == MAP_FAILED ? -1 : 0,
          ENOMEM);
    char* moved = static_cast<char*>(mremap(memory, 3 * kPage, 5 * kPage, MREMAP_MAYMOVE));
    that("but it may move", moved != MAP_FAILED && moved != memory && all(moved, 2 * kPage, 'a'));
    equal("leaving nothing behind", reading(memory), SIGSEGV);
    that("mremap shrinks", mremap(moved, 5 * kPage, kPage, 0) == moved);
    equal("the rest is gone", reading(moved + kPage), SIGSEGV);
    succeeds("MADV_DONTNEED", madvise(moved, kPage, MADV_DONTNEED));
    that("gives zeros", all(moved, kPage, 0));
    fails("madvise off a page", madvise(moved + 1, kPage, MADV_DONTNEED), EINVAL);
    fails("unknown advice", madvise(moved, kPage, 9999), EINVAL);
    munmap(moved, kPage);
}

int use_stack(int kilobytes) {
    volatile char frame[1024];
    frame[0] = char(kilobytes);
    int rest = kilobytes ? use_stack(kilobytes - 1) : 0;
    return rest + (frame[0] == char(kilobytes));
}

void test_stack() {
    exits("the stack grows by megabytes", 0, [] { return use_stack(4000) != 4001; });
    exits("the kernel's writes make it grow, too", 0, [] {
        volatile char* here = static_cast<volatile char*>(__builtin_alloca(200'000));
        int fd = open("/dev/zero", O_RDONLY);
        return read(fd, const_cast<char*>(here), 200'000) != 200'000;
    });
    rlimit limit;
    that("RLIMIT_STACK", getrlimit(RLIMIT_STACK, &limit) == 0 && limit.rlim_cur >= 1 << 20);
}

}  // namespace

int main() {
    test_brk();
    test_anonymous();
    test_protection();
    test_copy_on_write();
    test_shared();
    test_past_the_end();
    test_remap();
    test_stack();
    unlink("/tmp/memory.file");
    return done();
}
