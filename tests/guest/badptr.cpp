// Bad pointers to every system call that takes one: null, kernel addresses, the very top of memory,
// holes, pages without the right, and buffers that leave the end of a mapping after each of their
// bytes. Each must end in EFAULT (a read or write may transfer the part that is there), leak no
// descriptor, and leave kernel and process alive; the same call with the last byte in place must
// not end in EFAULT.
// needs: wing
#include <sys/mman.h>
#include <sys/resource.h>

#include "tests/guest/badptr_calls.hpp"
#include "tests/guest/check.hpp"

namespace {

using namespace badptr;

constexpr int kPage = 4096;
char* edge;                   // the end of a mapping, a hole behind it
char *read_only, *no_access;  // pages
const char* self;             // this program's path

long raw(int number, const long (&arguments)[6]) {
    // %ebp and %ebx may be the compiler's: the arguments travel by a pointer and all are restored.
    long result;
    asm volatile(
        "pushl %%ebp\n\tpushl %%ebx\n\tmovl (%2), %%ebx\n\tmovl 4(%2), %%ecx\n\t"
        "movl 8(%2), %%edx\n\tmovl 16(%2), %%edi\n\tmovl 20(%2), %%ebp\n\t"
        "movl 12(%2), %%esi\n\tint $0x80\n\tpopl %%ebx\n\tpopl %%ebp"
        : "=a"(result)
        : "0"(number), "S"(arguments)
        : "ecx", "edx", "edi", "memory");
    return result;
}

void make_zombie() {
    check::wait_until(check::start([] { return 0; }), 'Z');
}

// One row of the table, and what was first found wrong with it.
class Trial {
  public:
    explicit Trial(const Call& call) : call_{call} {}

    std::string run() {
        int first_free = dup(0);
        close(first_free);
        for (int i = 0; i < 6 && wrong_.empty(); i++)
            if (call_.arguments[i].kind != Argument::value) try_bad_pointers(i);
        int free_now = dup(0);
        close(free_now);
        if (wrong_.empty() && free_now != first_free) wrong_ = "leaked a descriptor";
        for (int i = 0; i < 6 && wrong_.empty() && !(call_.flags & bad_only); i++)
            if (call_.arguments[i].kind != Argument::value) try_good_pointer(i);
        return wrong_;
    }

  private:
    long call_with(int which, unsigned pointer) {
        static char good[6][512];
        long arguments[6];
        for (int i = 0; i < 6; i++) {
            const Argument& argument = call_.arguments[i];
            if (argument.data) memcpy(good[i], argument.data, argument.number);
            arguments[i] = argument.kind == Argument::value ? argument.number : long(good[i]);
        }
        arguments[which] = pointer;
        for (int fd : {kFile, kFolder, kMeminfo}) lseek(fd, 0, SEEK_SET);
        if (call_.flags & needs_zombie) make_zombie();
        long result = raw(call_.number, arguments);
        while (call_.flags & needs_zombie && waitpid(-1, nullptr, 0) > 0) {
        }
        return result;
    }

    // POINTER leads to AVAILABLE good bytes of what the argument needs, and bad ones after them.
    void expect_fault(int which, unsigned pointer, int available, const char* what) {
        long result = call_with(which, pointer);
        if (result == -EFAULT || !wrong_.empty()) return;
        if (result == -ENOSYS && call_.flags & may_lack) return;
        const Argument& argument = call_.arguments[which];
        if (argument.partial && result > 0 && result <= available + argument.padding) return;
        if (argument.text && available > 0 && result < 0) return;
        wrong_ = std::string("argument ") + std::to_string(which + 1) + " " + what + " with " +
                 std::to_string(available) + " good bytes: " + std::to_string(result) +
                 ", not EFAULT";
    }

    void try_bad_pointers(int which) {
        const Argument& argument = call_.arguments[which];
        if (!argument.null_means_none) expect_fault(which, 0, 0, "null");
        expect_fault(which, argument.step, 0, "in the first page");
        for (unsigned kernel : {0xC0000000, 0xC0100000, 0xFFFFF000, 0xFFFFFFFC})
            expect_fault(which, kernel, 0, "in the kernel");
        if (argument.step == 1) expect_fault(which, 0xFFFFFFFF, 0, "at the last byte");
        if (argument.step == 1) expect_fault(which, 0xBFFFFFFF, 1, "below the kernel");
        expect_fault(which, unsigned(no_access), 0, "without access");
        if (argument.kind != Argument::in) {
            if (argument.data) {
                mprotect(read_only, kPage, PROT_READ | PROT_WRITE);
                memcpy(read_only, argument.data, argument.number);
                mprotect(read_only, kPage, PROT_READ);
            }
            expect_fault(which, unsigned(read_only), 0, "read-only");
        }
        for (int available = 0; available < argument.number; available += argument.step) {
            if (argument.data) memcpy(edge - available, argument.data, available);
            expect_fault(which, unsigned(edge - available), argument.text ? 0 : available, "cut");
        }
    }

    void try_good_pointer(int which) {
        const Argument& argument = call_.arguments[which];
        char* pointer = edge - argument.number;
        if (argument.data) memcpy(pointer, argument.data, argument.number);
        long result = call_with(which, unsigned(pointer));
        if (result == -EFAULT || (result == -ENOSYS && !(call_.flags & may_lack)))
            wrong_ = std::string("argument ") + std::to_string(which + 1) +
                     " whole: " + strerrorname_np(-result);
    }

    const Call& call_;
    std::string wrong_;
};

void move_to(int opened, int fd) {
    check::needs("open", opened);
    check::needs("dup2", dup2(opened, fd));
    close(opened);
}

void prepare() {
    char* pages = static_cast<char*>(
        mmap(nullptr, 5 * kPage, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0));
    munmap(pages + kPage, kPage);
    edge = pages + kPage;
    read_only = pages + 2 * kPage;
    no_access = pages + 4 * kPage;
    mprotect(read_only, kPage, PROT_READ);
    mprotect(no_access, kPage, PROT_NONE);

    mkdir(kWorkFolder, 0700);
    check::needs("work folder", chdir(kWorkFolder));
    mkdir("dir", 0700);
    close(creat("moved", 0600));
    unlink("link");
    check::needs("symlink", symlink("a target", "link"));
    move_to(open("file", O_RDWR | O_CREAT, 0600), kFile);
    check::needs("ftruncate", ftruncate(kFile, 4096));
    move_to(open(".", O_RDONLY | O_DIRECTORY), kFolder);
    move_to(open("/dev/zero", O_RDONLY), kZero);
    move_to(open("/dev/null", O_RDWR), kNull);
    move_to(open("/dev/urandom", O_RDONLY), kRandom);
    move_to(open("/proc/meminfo", O_RDONLY), kMeminfo);
    int ends[2];
    check::needs("pipe", pipe2(ends, O_NONBLOCK));
    move_to(ends[0], kPipeOut);
    move_to(ends[1], kPipeIn);
    static char block[2048];
    check::needs("fill the pipe", write(kPipeIn, block, sizeof block));
}

void clean_up() {
    for (const char* name :
         {"file", "linked", "linked2", "moved", "node", "node2", "link", "symlinked", "symlinked2"})
        unlink(name);
    for (const char* name : {"dir", "made", "made2", kWorkFolder}) rmdir(name);
}

// execve() reads three levels of pointers; each must be checked.
void test_execve() {
    auto fails = [](const char* name, const void* path, const void* arguments,
                    const void* environment) {
        check::exits(name, EFAULT, [=] {
            return int(-raw(11, {long(path), long(arguments), long(environment), 0, 0, 0}));
        });
    };
    const unsigned kernel = 0xC0000000;
    static const char *good[] = {self, "exit", nullptr}, *bad[] = {self, (char*)kernel, nullptr},
                      *hole[] = {self, edge, nullptr};
    fails("execve path in the kernel", (void*)kernel, good, good);
    fails("execve path null", nullptr, good, good);
    fails("execve arguments in the kernel", self, (void*)kernel, good);
    fails("execve argument in the kernel", self, bad, good);
    fails("execve argument in a hole", self, hole, good);
    fails("execve environment in the kernel", self, good, (void*)kernel);
    fails("execve variable in the kernel", self, good, bad);

    memcpy(edge - 8, good, 8);  // arguments that miss their ending null
    fails("execve arguments unended", self, edge - 8, good);
    memcpy(edge - 5, "abcde", 5);
    const char* unended[] = {self, edge - 5, nullptr};
    fails("execve argument unended", self, unended, good);
    memcpy(edge - 12, good, 12);
    check::exits("execve whole", 42, [] {
        return int(raw(11, {long(self), long(edge - 12), long(edge - 4), 0, 0, 0}));
    });
}

// Vectors whose own place is good, but not where they point.
void test_vectors() {
    struct {
        unsigned base, bytes;
    } vectors[2];
    for (int number : {145, 146}) {
        std::string name = number == 145 ? "readv" : "writev";
        vectors[0] = {0xC0000000, 8};
        vectors[1] = {unsigned(sink), 8};
        check::equal(name + " first base in the kernel",
                     raw(number, {kFile, long(vectors), 2, 0, 0, 0}), -EFAULT);
        vectors[0] = {unsigned(sink), 8};
        vectors[1] = {0xC0000000, 8};
        long result = raw(number, {kFile, long(vectors), 2, 0, 0, 0});
        check::that(name + " second base in the kernel", result == 8 || result == -EFAULT);
        vectors[1] = {unsigned(sink), 0x80000000};
        check::equal(name + " negative length", raw(number, {kFile, long(vectors), 2, 0, 0, 0}),
                     -EINVAL);
    }
}

void test_wrapping_ranges() {
    auto read = [](const char* name, unsigned buffer, unsigned bytes) {
        check::that(name, raw(3, {kZero, long(buffer), long(bytes), 0, 0, 0}) < 0);
    };
    read("read across the top", 0xFFFFF000, 0x2000);
    read("read whose end wraps to low memory", 0xFFFFFFF0, 0x90000000);
    read("read into the kernel, long", 0xC0000000, 0x3FFFFFFF);
    long result = raw(3, {kZero, long(edge - 16), -1, 0, 0, 0});
    check::that("read of -1 bytes", result < 0 || result == 16);
    check::exits("exit with clear_child_tid in the kernel", 0, [] {
        raw(258, {long(0xC0000000), 0, 0, 0, 0, 0});
        return 0;
    });
}

}  // namespace

int main(int argc, char* argv[]) {
    if (argc > 1 && strcmp(argv[1], "exit") == 0) return 42;
    static const std::string path =
        argv[0][0] == '/' ? argv[0] : std::string(get_current_dir_name()) + "/" + argv[0];
    self = path.c_str();
    prepare();
    for (const Call& call : kCalls)
        check::exits(call.name, 0, [&] {
            std::string wrong = Trial{call}.run();
            if (!wrong.empty()) check::print(std::string(call.name) + ": " + wrong + "\n");
            return int(!wrong.empty());
        });
    test_execve();
    test_vectors();
    test_wrapping_ranges();
    clean_up();
    return check::done();
}
