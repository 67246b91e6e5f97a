// Core files: who leaves one, its name, its ELF form, notes of process and threads, the memory, holes, the
// limit. That GDB opens one: tests/system/core_files_test.py.
// run: --smp 4
// Spec: core(5), setrlimit(2) RLIMIT_CORE.
// needs: wing
#include <elf.h>
#include <pthread.h>
#include <sys/mman.h>
#include <sys/procfs.h>
#include <sys/resource.h>
#include <sys/stat.h>
#include <sys/syscall.h>

#include <cstdint>
#include <vector>

#include "tests/guest/check.hpp"

using namespace check;

namespace {

constexpr const char* kTop = "/root/cores";

void set_limit(rlim_t bytes) {
    const rlimit limit = {bytes, RLIM_INFINITY};
    needs("setrlimit", setrlimit(RLIMIT_CORE, &limit));
}
void write_setting(const char* name, const char* value) {
    const std::string path = std::string("/proc/sys/kernel/") + name;
    const int fd = needs(name, open(path.c_str(), O_WRONLY));
    needs(name, write(fd, value, strlen(value)));
    close(fd);
}
long size_of(const char* name) {
    struct stat now;
    return stat(name, &now) ? -1 : long(now.st_size);
}

struct Core {
    std::vector<char> bytes;
    const Elf32_Ehdr& header() const { return *reinterpret_cast<const Elf32_Ehdr*>(bytes.data()); }
    const Elf32_Phdr& segment(int i) const {
        return reinterpret_cast<const Elf32_Phdr*>(bytes.data() + header().e_phoff)[i];
    }
    // The nth note of that type, and its length.
    const char* note(uint32_t type, int nth, uint32_t& length) const {
        const Elf32_Phdr& notes = segment(0);
        for (uint32_t at = notes.p_offset; at < notes.p_offset + notes.p_filesz;) {
            const auto& head = *reinterpret_cast<const Elf32_Nhdr*>(&bytes[at]);
            at += sizeof head + (head.n_namesz + 3) / 4 * 4;
            length = head.n_descsz;
            if (head.n_type == type && nth-- == 0) return &bytes[at];
            at += (head.n_descsz + 3) / 4 * 4;
        }
        return nullptr;
    }
    // What was at this address; null if that is not in the file.
    const char* memory(const volatile void* where) const {
        const auto address = uint32_t(reinterpret_cast<uintptr_t>(where));
        for (int i = 1; i < header().e_phnum; ++i) {
            const Elf32_Phdr& s = segment(i);
            if (address - s.p_vaddr < s.p_filesz) return &bytes[s.p_offset + (address - s.p_vaddr)];
        }
        return nullptr;
    }
};
Core read_core(const char* name) {
    Core core;
    const int fd = needs(name, open(name, O_RDONLY));
    core.bytes.resize(size_t(size_of(name)));
    size_t done = 0;
    for (ssize_t n; (n = read(fd, &core.bytes[done], core.bytes.size() - done)) > 0;) done += n;
    close(fd);
    return core;
}

volatile int in_data = 0x12345678;
pthread_barrier_t barrier;

void* other_thread(void*) {
    // Its %esi and the top of x87's stack are what the core must tell of it.
    pthread_barrier_wait(&barrier);
    asm volatile("mov $0x0badcafe, %%esi; fldpi; 1: pause; jmp 1b" ::: "esi");
    return nullptr;
}
// Needs a page that is written, one that is not, and a private and a shared mapping.
struct Memory {
    char* anonymous;
    char* shared;
};
Memory make_memory() {
    auto map = [](size_t bytes, int flags) {
        return static_cast<char*>(
            mmap(nullptr, bytes, PROT_READ | PROT_WRITE, flags | MAP_ANONYMOUS, -1, 0));
    };
    const Memory made = {map(64 << 20, MAP_PRIVATE), map(4096, MAP_SHARED)};
    strcpy(made.anonymous + (32 << 20), "far inside");
    strcpy(made.shared, "shared");
    return made;
}

void test_contents() {
    const Memory memory = make_memory();
    set_limit(RLIM_INFINITY);
    const pid_t child = start([&] {
        in_data = 0x600dda7a;
        pthread_barrier_init(&barrier, nullptr, 2);
        pthread_t thread;
        needs("pthread_create", -pthread_create(&thread, nullptr, other_thread, nullptr));
        pthread_barrier_wait(&barrier);
        usleep(50'000);
        asm volatile("mov $0x5eed, %%edi; movl $1, 0x10" ::: "edi", "memory");
        return 0;
    });
    const int status = wait_for(child);
    that("killed by SIGSEGV", WIFSIGNALED(status) && WTERMSIG(status) == SIGSEGV);
    that("with a core", WCOREDUMP(status));
    struct stat now = {};
    needs("core", stat("core", &now));
    equal("only its owner reads it", now.st_mode, S_IFREG | 0600);
    that("holes are not stored", now.st_size > 64 << 20 && now.st_blocks < 16 << 11);
    const Core core = read_core("core");
    const Elf32_Ehdr& header = core.header();
    that("an ELF file", memcmp(header.e_ident, ELFMAG "\1\1\1", 7) == 0);
    equal("a core", header.e_type, ET_CORE);
    equal("of an i386", header.e_machine, EM_386);
    equal("notes first", core.segment(0).p_type, PT_NOTE);

    uint32_t length = 0;
    const auto* first = reinterpret_cast<const elf_prstatus*>(core.note(NT_PRSTATUS, 0, length));
    equal("NT_PRSTATUS", length, sizeof(elf_prstatus));
    equal("the thread that died", first->pr_pid, child);
    equal("of", first->pr_cursig, SIGSEGV);
    equal("its parent", first->pr_ppid, getpid());
    equal("its %edi", long(first->pr_reg[4]), 0x5eed);
    that("its instruction is there",
         core.memory(reinterpret_cast<void*>(first->pr_reg[12])) || first->pr_reg[12] > 0x1000);
    that("its stack too", core.memory(reinterpret_cast<void*>(first->pr_reg[15])));
    const auto* second = reinterpret_cast<const elf_prstatus*>(core.note(NT_PRSTATUS, 1, length));
    that("the other thread", second && second->pr_pid != child);
    equal("its %esi", long(second->pr_reg[3]), 0x0badcafe);
    const char* x87 = core.note(NT_FPREGSET, 1, length);
    equal("NT_FPREGSET", length, 108);
    const uint8_t pi[10] = {0x35, 0xc2, 0x68, 0x21, 0xa2, 0xda, 0x0f, 0xc9, 0x00, 0x40};
    that("its pi", memcmp(x87 + 28, pi, sizeof pi) == 0);
    core.note(NT_PRXFPREG, 1, length);
    equal("NT_PRXFPREG", length, 512);
    const auto* process = reinterpret_cast<const elf_prpsinfo*>(core.note(NT_PRPSINFO, 0, length));
    equal("NT_PRPSINFO", length, sizeof(elf_prpsinfo));
    same("its name", process->pr_fname, "corefiles");
    that("its arguments", strstr(process->pr_psargs, "corefiles"));
    const auto* signal_info = reinterpret_cast<const siginfo_t*>(core.note(NT_SIGINFO, 0, length));
    that("where it faulted", signal_info->si_addr == reinterpret_cast<void*>(0x10));
    const auto* auxiliary = reinterpret_cast<const Elf32_auxv_t*>(core.note(NT_AUXV, 0, length));
    that("NT_AUXV ends", auxiliary[length / 8 - 1].a_type == AT_NULL && length > 80);
    const char* files = core.note(NT_FILE, 0, length);
    that("NT_FILE", files && memmem(files, length, "/corefiles", 11));

    const char* data = core.memory(&in_data);
    that("its variables", data && *reinterpret_cast<const int*>(data) == 0x600dda7a);
    const char* far_inside = core.memory(memory.anonymous + (32 << 20));
    that("its pages", far_inside && !strcmp(far_inside, "far inside"));
    const char* shared = core.memory(memory.shared);
    that("shared ones", shared && !strcmp(shared, "shared"));
    munmap(memory.anonymous, 64 << 20);
    munmap(memory.shared, 4096);
    unlink("core");
}

int die() {
    raise(SIGABRT);
    return 0;
}
bool leaves_core(int status) { return WIFSIGNALED(status) && WCOREDUMP(status); }

void test_who() {
    set_limit(0);
    that("not with a limit of 0", !leaves_core(status_of(die)));
    equal("no file", size_of("core"), -1);
    set_limit(20'000);
    that("a limit cuts it", leaves_core(status_of(die)));
    that("there", size_of("core") > 0 && size_of("core") <= 20'000);
    unlink("core");
    set_limit(RLIM_INFINITY);
    that("not every signal does", !leaves_core(status_of([] { return raise(SIGTERM); })));
    equal("no file", size_of("core"), -1);
    needs("symlink", symlink("elsewhere", "core"));
    that("a link is not followed", !leaves_core(status_of(die)));
    equal("nowhere", size_of("elsewhere"), -1);
    unlink("core");
    needs("mkdir", mkdir("core", 0755));
    that("nor a directory replaced", !leaves_core(status_of(die)));
    rmdir("core");
    close(needs("open", open("core", O_CREAT | O_WRONLY, 0600)));
    needs("link", link("core", "other"));
    that("nor a file with two names", !leaves_core(status_of(die)));
    equal("it is as it was", size_of("core"), 0);
    unlink("other");
    that("one of its own is", leaves_core(status_of(die)));
    unlink("core");
    exits("another user", 0, [] {
        needs("setuid", setuid(44));
        that("may not write here", !leaves_core(status_of(die)));
        return done();
    });
}

void test_names() {
    write_setting("core_pattern", "/root/cores/c.%e.%p.%s.%%");
    pid_t child = start(die);
    that("a pattern", leaves_core(wait_for(child)));
    const std::string name = "c.corefiles." + std::to_string(child) + ".6.%";
    that("its name", size_of(name.c_str()) > 0);
    unlink(name.c_str());
    write_setting("core_pattern", "core");
    write_setting("core_uses_pid", "1");
    child = start(die);
    that("core_uses_pid", leaves_core(wait_for(child)));
    const std::string with_pid = "core." + std::to_string(child);
    that("its name", size_of(with_pid.c_str()) > 0);
    unlink(with_pid.c_str());
    write_setting("core_uses_pid", "0");
    const int fd = needs("open", open("/proc/sys/kernel/core_pattern", O_WRONLY));
    fails("no program", write(fd, "|/bin/cat", 9), EINVAL);
    close(fd);
}

}  // namespace

int main() {
    needs("mkdir", mkdir(kTop, 0755));
    needs("chdir", chdir(kTop));
    test_contents();
    test_who();
    test_names();
    return done();
}
