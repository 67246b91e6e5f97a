// memfd_create: names, sizes, re-opening, mapping, executing, and each seal against writing, cutting, growing,
// punching, mapping; that mappings which may write keep the seal away; no leak after 10,000 rounds.
// run: --smp 4
// Spec: memfd_create(2), fcntl(2) "File Sealing".
// needs: wing
#include <sys/mman.h>
#include <sys/stat.h>
#include <sys/syscall.h>

#include "tests/guest/check.hpp"
#include "tests/guest/no_leak.hpp"

using namespace check;

namespace {

constexpr int kPage = 4096, kSealNewWrites = 0x10;

int memory_file(unsigned flags = MFD_ALLOW_SEALING) {
    return int(needs("memfd_create", memfd_create("test", flags | MFD_CLOEXEC)));
}
int seal(int fd, int seals) { return fcntl(fd, F_ADD_SEALS, seals); }
void* map(int fd, int protection, int flags = MAP_SHARED) {
    return mmap(nullptr, kPage, protection, flags, fd, 0);
}
int mapped(void* where) { return where == MAP_FAILED ? -1 : 0; }
std::string link_of(int fd) {
    char link[32], name[300] = {};
    snprintf(link, sizeof link, "/proc/self/fd/%d", fd);
    needs("readlink", readlink(link, name, sizeof name - 1));
    return name;
}
int reopen(int fd, int flags) {
    char link[32];
    snprintf(link, sizeof link, "/proc/self/fd/%d", fd);
    return open(link, flags | O_CLOEXEC);
}

void test_files() {
    const int fd = int(needs("memfd_create", memfd_create("a name/with a slash", 0)));
    same("its link", link_of(fd), "/memfd:a name/with a slash (deleted)");
    equal("not closed by exec", fcntl(fd, F_GETFD), 0);
    equal("for reading and writing", fcntl(fd, F_GETFL) & O_ACCMODE, O_RDWR);
    struct stat now = {};
    needs("fstat", fstat(fd, &now));
    equal("its mode", now.st_mode, S_IFREG | 0777);
    equal("no name", now.st_nlink, 0);
    equal("empty", now.st_size, 0);
    equal("it can be written", write(fd, "hello", 5), 5);
    const int other = reopen(fd, O_RDONLY);
    succeeds("it can be opened again", other);
    char text[8] = {};
    equal("and read", read(other, text, sizeof text), 5);
    same("what was written", text, "hello");
    void* memory = map(fd, PROT_READ | PROT_WRITE);
    succeeds("mapped", mapped(memory));
    static_cast<char*>(memory)[0] = 'j';
    equal("seen by reading", pread(fd, text, 1, 0), 1);
    equal("as it is", text[0], 'j');
    munmap(memory, kPage);
    equal("may not be sealed", fcntl(fd, F_GET_SEALS), F_SEAL_SEAL);
    fails("so it is not", seal(fd, F_SEAL_WRITE), EPERM);
    close(other);
    close(fd);
    succeeds("249 bytes of name", memfd_create(std::string(249, 'n').c_str(), MFD_CLOEXEC));
    fails("250", memfd_create(std::string(250, 'n').c_str(), 0), EINVAL);
    fails("5,000", memfd_create(std::string(5000, 'n').c_str(), 0), EINVAL);
    fails("bad memory", syscall(SYS_memfd_create, 4, 0), EFAULT);
    fails("no such flag", memfd_create("x", 0x100), EINVAL);
    fails("no huge pages", memfd_create("x", MFD_HUGETLB), ENOSYS);
}

void test_sizes() {
    const int fd = memory_file();
    needs("ftruncate", ftruncate(fd, kPage));
    succeeds("F_SEAL_SHRINK", seal(fd, F_SEAL_SHRINK));
    fails("not shorter", ftruncate(fd, kPage - 1), EPERM);
    fails("by any descriptor", reopen(fd, O_RDWR | O_TRUNC), EPERM);
    succeeds("the same", ftruncate(fd, kPage));
    succeeds("longer", ftruncate(fd, 2 * kPage));
    succeeds("F_SEAL_GROW", seal(fd, F_SEAL_GROW));
    fails("not longer", ftruncate(fd, 3 * kPage), EPERM);
    fails("nor by room", fallocate(fd, 0, 0, 3 * kPage), EPERM);
    equal("inside", pwrite(fd, "x", 1, 2 * kPage - 1), 1);
    fails("not at the end", pwrite(fd, "x", 1, 2 * kPage), EPERM);
    equal("as far as it reaches", pwrite(fd, "four", 4, 2 * kPage - 2), 2);
    struct stat now = {};
    needs("fstat", fstat(fd, &now));
    equal("it is as long as it was", now.st_size, 2 * kPage);
    succeeds("holes may be made", fallocate(fd, 3, 0, kPage));
    equal("all seals", fcntl(fd, F_GET_SEALS), F_SEAL_SHRINK | F_SEAL_GROW);
    close(fd);
}

void test_writing() {
    const int fd = memory_file();
    needs("ftruncate", ftruncate(fd, 2 * kPage));
    void* shared = map(fd, PROT_READ);
    fails("a mapping that may write", seal(fd, F_SEAL_WRITE), EBUSY);
    equal("changes nothing", fcntl(fd, F_GET_SEALS), 0);
    exits("nor with a copy of it", 0, [&] {
        munmap(shared, kPage);
        fails("the parent's is there", seal(fd, F_SEAL_WRITE), EBUSY);
        return done();
    });
    munmap(shared, kPage);
    void* own = map(fd, PROT_READ | PROT_WRITE, MAP_PRIVATE);
    const int reader = reopen(fd, O_RDONLY);
    void* read_only = map(reader, PROT_READ);
    succeeds("F_SEAL_WRITE", seal(fd, F_SEAL_WRITE));
    fails("no write", write(fd, "x", 1), EPERM);
    fails("no hole", fallocate(fd, 3, 0, kPage), EPERM);
    fails("no mapping that writes", mapped(map(fd, PROT_READ | PROT_WRITE)), EPERM);
    void* later = map(fd, PROT_READ);
    succeeds("one that reads", mapped(later));
    fails("stays so", mprotect(later, kPage, PROT_READ | PROT_WRITE), EACCES);
    *static_cast<volatile char*>(own) = 1;
    equal("a private one may", *static_cast<volatile char*>(later), 0);
    succeeds("a longer file", ftruncate(fd, 3 * kPage));
    succeeds("F_SEAL_SEAL", seal(fd, F_SEAL_SEAL));
    fails("no more seals", seal(fd, F_SEAL_GROW), EPERM);
    for (void* each : {own, read_only, later}) munmap(each, kPage);
    close(reader);
    close(fd);
}

void test_new_writes() {
    const int fd = memory_file();
    needs("ftruncate", ftruncate(fd, kPage));
    void* before = map(fd, PROT_READ | PROT_WRITE);
    succeeds("F_SEAL_FUTURE_WRITE", seal(fd, kSealNewWrites));
    *static_cast<volatile char*>(before) = 5;
    char byte = 0;
    equal("who had it mapped may write", pread(fd, &byte, 1, 0), 1);
    equal("and did", byte, 5);
    fails("no write", pwrite(fd, "x", 1, 0), EPERM);
    fails("no new mapping that writes", mapped(map(fd, PROT_WRITE)), EPERM);
    fails("F_SEAL_WRITE must wait", seal(fd, F_SEAL_WRITE), EBUSY);
    munmap(before, kPage);
    succeeds("until it is gone", seal(fd, F_SEAL_WRITE));
    close(fd);
}

void test_refusals() {
    const int fd = memory_file();
    fails("no such seal", seal(fd, 0x100), EINVAL);
    const int reader = reopen(fd, O_RDONLY);
    fails("who only reads", seal(reader, F_SEAL_GROW), EPERM);
    equal("may look", fcntl(reader, F_GET_SEALS), 0);
    close(reader);
    close(fd);
    const int file = needs("open", open("/tmp/memfd", O_CREAT | O_RDWR | O_CLOEXEC, 0600));
    fails("another file", seal(file, F_SEAL_GROW), EINVAL);
    fails("has none", fcntl(file, F_GET_SEALS), EINVAL);
    close(file);
}

void test_program() {
    const int from = needs("open", open("/bin/true", O_RDONLY | O_CLOEXEC));
    const int fd = memory_file();
    char buffer[4096];
    for (ssize_t n; (n = read(from, buffer, sizeof buffer)) > 0;)
        needs("write", write(fd, buffer, size_t(n)));
    close(from);
    exits("a program of memory that is still open for writing", ETXTBSY, [&] {
        const char* words[] = {"true", nullptr};
        fexecve(fd, const_cast<char**>(words), environ);
        return errno;
    });
    const int program = reopen(fd, O_RDONLY);
    close(fd);
    exits("runs", 0, [&] {
        const char* words[] = {"true", nullptr};
        fexecve(program, const_cast<char**>(words), environ);
        return errno;
    });
    close(program);
}

void test_no_leak() {
    auto round = [] {
        const int fd = memory_file();
        const bool bad = ftruncate(fd, kPage);
        void* where = map(fd, PROT_READ | PROT_WRITE);
        *static_cast<volatile char*>(where) = 1;
        return munmap(where, kPage) || bad || seal(fd, F_SEAL_WRITE) || close(fd);
    };
    no_leak(round, 256);
}

}  // namespace

int main() {
    test_files();
    test_sizes();
    test_writing();
    test_new_writes();
    test_refusals();
    test_program();
    test_no_leak();
    return done();
}
