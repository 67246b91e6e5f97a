// What a mapping may become: moved, doubled, left out of a child or empty there, emptied for all,
// brought in; what counts against limits when it replaces another; the most that was resident.
// Spec: mremap(2), madvise(2), mmap(2), mlockall(2), mprotect(2), getrusage(2).
// needs: wing
#include <sys/mman.h>
#include <sys/resource.h>
#include <sys/syscall.h>

#include <cstdint>

#include "tests/guest/check.hpp"

namespace {

using namespace check;

constexpr unsigned kPage = 4096;
constexpr int kReadWrite = PROT_READ | PROT_WRITE, kOwn = MAP_PRIVATE | MAP_ANONYMOUS,
              kShared = MAP_SHARED | MAP_ANONYMOUS;
constexpr int kRemove = 9, kDontFork = 10, kDoFork = 11, kWipeOnFork = 18, kKeepOnFork = 19,
              kPopulateRead = 22, kPopulateWrite = 23, kMove = MREMAP_MAYMOVE,
              kKeep = MREMAP_MAYMOVE | 4 /* MREMAP_DONTUNMAP */;

char* map(unsigned pages, int flags = kOwn, int protection = kReadWrite, int fd = -1) {
    return static_cast<char*>(mmap(nullptr, pages * kPage, protection, flags, fd, 0));
}
bool refused(const void* result, int error) { return result == MAP_FAILED && errno == error; }
char* remap(char* from, unsigned pages, unsigned to, int flags, char* where = nullptr) {
    return static_cast<char*>(mremap(from, pages * kPage, to * kPage, flags, where));
}
int there(char* memory, unsigned pages) {
    unsigned char vector[64] = {};
    if (mincore(memory, pages * kPage, vector)) return -1;
    int count = 0;
    for (unsigned i = 0; i < pages; ++i) count += vector[i] & 1;
    return count;
}
int three_pages(const char* name) {
    int fd = needs("open", open(name, O_RDWR | O_CREAT | O_TRUNC, 0600));
    for (char page : {'A', 'B', 'C'}) needs("write", pwrite(fd, &page, 1, (page - 'A') * kPage));
    needs("ftruncate", ftruncate(fd, 3 * kPage));
    return fd;
}

void test_second_view() {
    char* shared = map(4, kShared);
    shared[kPage] = 7;
    char* again = remap(shared + kPage, 0, 2, kMove);
    that("of shared memory", again != MAP_FAILED && again != shared && again[0] == 7);
    again[kPage] = 8;
    equal("both are the same", shared[2 * kPage], 8);
    that("not of private memory", refused(remap(map(1), 0, 1, kMove), EINVAL));
    that("not instead of itself",
         refused(remap(shared, 0, 2, kMove | MREMAP_FIXED, shared), EFAULT) && shared[kPage] == 7);
    that("not in place", refused(remap(shared, 0, 1, 0), ENOMEM));
    int fd = three_pages("/tmp/memadvice");
    char* file = map(3, MAP_SHARED, kReadWrite, fd);
    char* part = remap(file + kPage, 0, 2, kMove);
    that("of a file", part != MAP_FAILED && part[0] == 'B' && part[kPage] == 'C');
    for (char* view : {shared, again, file, part}) munmap(view, 2 * kPage);
    close(fd);
}

void test_keeping() {
    char* memory = map(3);
    memset(memory, 'k', 3 * kPage);
    char* moved = remap(memory + kPage, 1, 1, kKeep);
    that("the pages move", moved != MAP_FAILED && moved[9] == 'k');
    that("their place stays mapped, empty", memory[kPage] == 0 && memory[2 * kPage] == 'k');
    that("only whole", refused(remap(memory, 1, 2, kKeep), EINVAL));
    that("only if it may move", refused(remap(memory, 1, 1, 4), EINVAL));
    char* target = map(2);
    target[0] = 't';
    that("to a given place",
         remap(memory, 1, 1, kKeep | MREMAP_FIXED, target) == target && target[0] == 'k');
    int fd = three_pages("/tmp/memadvice");
    char* file = map(1, MAP_PRIVATE, kReadWrite, fd);
    file[0] = 'x';
    moved = remap(file, 1, 1, kKeep);
    that("a private file's page comes from the file again", moved[0] == 'x' && file[0] == 'A');
    that("beyond what can be counted",
         refused(mremap(reinterpret_cast<char*>(
                            syscall(SYS_mmap2, 0, kPage, PROT_READ, MAP_SHARED, fd, 0xFFFFFFFE)),
                        kPage, 4 * kPage, kMove),
                 EINVAL));
    close(fd);
    that("shrinking needs only its start mapped", remap(map(1), 2, 1, 0) != MAP_FAILED);
}

void test_children() {
    char* memory = map(3);
    memset(memory, 'c', 3 * kPage);
    succeeds("MADV_WIPEONFORK", madvise(memory, kPage, kWipeOnFork));
    succeeds("MADV_DONTFORK", madvise(memory + kPage, kPage, kDontFork));
    exits("a child has zeros there", 0, [=] { return memory[0] || memory[2 * kPage] != 'c'; });
    killed("and nothing there", SIGSEGV, [=] { return int(*(volatile char*)(memory + kPage)); });
    that("its parent has all", memory[0] == 'c' && memory[kPage] == 'c');
    exits("the children's children as well", 0, [=] {
        memory[0] = 'd';
        return status_of([=] { return memory[0]; });
    });
    succeeds("MADV_KEEPONFORK", madvise(memory, kPage, kKeepOnFork));
    succeeds("MADV_DOFORK", madvise(memory + kPage, kPage, kDoFork));
    exits("as ever", 0, [=] { return memory[0] != 'c' || memory[kPage] != 'c'; });
    fails("no wiping of shared memory", madvise(map(1, kShared), kPage, kWipeOnFork), EINVAL);
    munmap(memory, 3 * kPage);
}

void test_emptying() {
    char* memory = map(3, kShared);
    memset(memory, 's', 3 * kPage);
    char* view = remap(memory, 0, 3, kMove);
    succeeds("MADV_REMOVE", madvise(memory + kPage, kPage, kRemove));
    that("for every view", memory[kPage] == 0 && view[kPage] == 0);
    that("no page more", view[0] == 's' && view[2 * kPage] == 's');
    memory[kPage] = 'n';
    equal("and it is one page again", view[kPage], 'n');
    fails("not private memory", madvise(map(1), kPage, kRemove), EINVAL);
    int fd = three_pages("/tmp/memadvice");
    fails("not private copies", madvise(map(1, MAP_PRIVATE, kReadWrite, fd), kPage, kRemove),
          EACCES);
    close(fd);
}

void test_bringing_in() {
    char* memory = map(4);
    succeeds("MADV_POPULATE_WRITE", madvise(memory, 4 * kPage, kPopulateWrite));
    equal("all there", there(memory, 4), 4);
    mprotect(memory, kPage, PROT_READ);
    fails("not what may not be written", madvise(memory, kPage, kPopulateWrite), EINVAL);
    succeeds("but read", madvise(memory, kPage, kPopulateRead));
    munmap(memory + kPage, kPage);
    fails("not over a hole", madvise(memory, 4 * kPage, kPopulateRead), ENOMEM);
    int fd = three_pages("/tmp/memadvice");
    char* file = map(4, MAP_SHARED, kReadWrite, fd);
    fails("not beyond a file's end", madvise(file, 4 * kPage, kPopulateRead), EFAULT);
    equal("MAP_POPULATE", there(map(4, kOwn | MAP_POPULATE), 4), 4);
    equal("not with MAP_NONBLOCK", there(map(4, kOwn | MAP_POPULATE | MAP_NONBLOCK), 4), 0);
    close(fd);
}

void test_kinds() {
    const int validate = 3;
    int fd = three_pages("/tmp/memadvice");
    that("MAP_SHARED_VALIDATE", map(1, validate | MAP_POPULATE, kReadWrite, fd) != MAP_FAILED);
    that("wants to know all flags",
         refused(map(1, validate | 0x80000, kReadWrite, fd), EOPNOTSUPP));
    that("and a file", refused(map(1, validate | MAP_ANONYMOUS), EINVAL));
    close(fd);
    int zero = open("/dev/zero", O_RDWR);
    char* shared = map(2, MAP_SHARED, kReadWrite, zero);
    exits("/dev/zero shared", 5, [=] { return int(shared[kPage] = 5); });
    equal("with a child", shared[kPage], 5);
    equal("and no more than asked for", WTERMSIG(status_of([=] {
              return int(*(volatile char*)(remap(shared, 2, 4, kMove) + 3 * kPage));
          })),
          SIGBUS);
    equal("private", map(1, MAP_PRIVATE, kReadWrite, zero)[7], 0);
    close(zero);
    char* memory = map(2);
    succeeds("PROT_SEM is let pass", mprotect(memory, kPage, kReadWrite | 8));
    fails("PROT_GROWSDOWN of what doesn't", mprotect(memory, kPage, kReadWrite | PROT_GROWSDOWN),
          EINVAL);
    char* here = reinterpret_cast<char*>(uintptr_t(__builtin_frame_address(0)) & -kPage);
    succeeds("of the stack", mprotect(here, kPage, kReadWrite | PROT_GROWSDOWN));
}

void limit(int which, rlim_t soft) {
    rlimit now;
    getrlimit(which, &now);
    now.rlim_cur = soft;
    setrlimit(which, &now);
}

void test_limits() {
    constexpr unsigned kMegabyte = 1 << 20, kPages = 20 * kMegabyte / kPage;
    exits("what goes doesn't count", 0, [] {
        char* memory = map(kPages);
        limit(RLIMIT_AS, 30 * kMegabyte);
        limit(RLIMIT_DATA, 22 * kMegabyte);
        if (mmap(memory, kPages * kPage, kReadWrite, kOwn | MAP_FIXED, -1, 0) != memory) return 1;
        return refused(map(kPages), ENOMEM) ? 0 : 2;
    });
    exits("RLIMIT_DATA when it becomes writable", 0, [] {
        limit(RLIMIT_DATA, 8 * kMegabyte);
        char* memory = map(kPages, kOwn, PROT_READ);
        return mprotect(memory, kPages * kPage, kReadWrite) != -1 || errno != ENOMEM;
    });
    exits("the superuser's locks know none", 0, [] {
        limit(RLIMIT_MEMLOCK, kPage);
        char* memory = map(8, kOwn | MAP_LOCKED);
        return memory == MAP_FAILED || there(memory, 8) != 8;
    });
}

void test_locks() {
    exits("the heap of who locks all", 0, [] {
        mlockall(MCL_FUTURE);
        char* end = reinterpret_cast<char*>((syscall(SYS_brk, 0) + kPage - 1) & -kPage);
        syscall(SYS_brk, end + 4 * kPage);
        return there(end, 4) != 4;
    });
    exits("but not ahead of use", 0, [] {
        mlockall(MCL_FUTURE | MCL_ONFAULT);
        return there(map(4), 4);
    });
    exits("what a locked mapping grows by", 0, [] {
        char* memory = map(2);
        mlock(memory, 2 * kPage);
        return there(remap(memory, 2, 6, kMove), 6) != 6;
    });
    char* memory = map(1);
    mlock(memory, kPage);
    fails("locked pages don't go out", madvise(memory, kPage, 21 /* MADV_PAGEOUT */), EINVAL);
    munmap(memory, kPage);
}

void test_peak() {
    constexpr long kPages = 4096;  // 16 MiB
    auto peak = [](int who) {
        rusage usage{};
        getrusage(who, &usage);
        return usage.ru_maxrss;
    };
    const long before = peak(RUSAGE_SELF);
    exits("the most that was resident", 0, [=] {
        char* memory = map(kPages);
        memset(memory, 1, kPages * kPage);
        munmap(memory, kPages * kPage);
        const long now = peak(RUSAGE_SELF);
        return now < kPages * 4 || now > before + kPages * 4 + 64;
    });
    that("of a child that was waited for", peak(RUSAGE_CHILDREN) >= kPages * 4);
    that("nobody else's", peak(RUSAGE_SELF) < kPages * 4);
}

}  // namespace

int main() {
    test_second_view();
    test_keeping();
    test_children();
    test_emptying();
    test_bringing_in();
    test_kinds();
    test_limits();
    test_locks();
    test_peak();
    unlink("/tmp/memadvice");
    return done();
}
