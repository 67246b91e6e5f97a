// execve(): what a new program is given (arguments, environment, auxiliary vector, descriptors,
// signals), scripts, and every way to refuse. This program runs itself again in several roles; the
// role's exit status tells what it found, 0 for all in order.
// Spec: execve(2), getauxval(3); i386 supplement, process initialization.
#include <sys/auxv.h>
#include <sys/stat.h>

#include <vector>

#include "tests/guest/check.hpp"
#include "tests/guest/tiny_elf.hpp"

extern const Elf32_Ehdr __ehdr_start;

namespace {

using namespace check;
using Strings = std::vector<std::string>;

std::string self;
constexpr int kManyArguments = 2000;
constexpr unsigned kLongArgument = 100'000;

// Replaces this process; the result is errno.
int exec(const std::string& path, const Strings& arguments, const Strings& environment = {}) {
    auto pointers = [](const Strings& strings) {
        std::vector<char*> result;
        for (const auto& text : strings) result.push_back(const_cast<char*>(text.c_str()));
        result.push_back(nullptr);
        return result;
    };
    execve(path.c_str(), pointers(arguments).data(), pointers(environment).data());
    return errno;
}

void runs(std::string_view name, int status, const std::string& path, const Strings& arguments,
          const Strings& environment = {}, Where where = Where::current()) {
    exits(
        name, status, [&] { return exec(path, arguments, environment); }, where);
}

void file(const char* name, std::string_view content, mode_t mode = 0755) {
    int fd = needs(name, open(name, O_WRONLY | O_CREAT | O_TRUNC, 0600));
    needs(name, write(fd, content.data(), content.size()));
    close(fd);
    needs(name, chmod(name, mode));
}

void file(const char* name, const TinyElf& elf) {
    file(name, {reinterpret_cast<const char*>(&elf), sizeof elf});
}

// The roles. Each returns the number of the first thing that was wrong.

int show_arguments(int argc, char* argv[]) {
    if (argc != 5) return 1;
    if (strcmp(argv[0], "a name of its own") != 0) return 2;
    if (strcmp(argv[2], "") != 0 || strcmp(argv[3], "two words") != 0) return 3;
    if (strcmp(argv[4], "\xff\x01") != 0 || argv[5] != nullptr) return 4;
    if (!environ[0] || strcmp(environ[0], "A=1") != 0) return 5;
    if (!environ[1] || strcmp(environ[1], "B=") != 0 || environ[2]) return 6;
    return 0;
}

int show_many(int argc, char* argv[]) {
    if (argc != kManyArguments + 2) return 1;
    for (int i = 2; i < argc; i++)
        if (argv[i] != "argument " + std::to_string(i - 2)) return 2;
    return 0;
}

int show_long(int argc, char* argv[]) {
    return argc != 3 || argv[2] != std::string(kLongArgument, 'x');
}

int show_auxiliary(int, char* argv[]) {
    const auto* random = reinterpret_cast<const unsigned char*>(getauxval(AT_RANDOM));
    int sum = 0;
    for (int i = 0; random && i < 16; i++) sum += random[i];
    if (sum == 0) return 1;
    if (getauxval(AT_PAGESZ) != 4096) return 2;
    if (getauxval(AT_PHDR) != unsigned(&__ehdr_start) + __ehdr_start.e_phoff) return 3;
    if (getauxval(AT_PHNUM) != __ehdr_start.e_phnum || getauxval(AT_PHENT) != sizeof(Elf32_Phdr))
        return 4;
    if (getauxval(AT_ENTRY) != __ehdr_start.e_entry) return 5;
    if (getauxval(AT_UID) != getuid() || getauxval(AT_EGID) != getegid()) return 6;
    if (getauxval(AT_SECURE) != 0) return 7;
    if ((getauxval(AT_SYSINFO) == 0) != (getauxval(AT_SYSINFO_EHDR) == 0)) return 8;
    if (unsigned(argv - 1) % 16 != 0) return 9;  // where %esp pointed at the start
    return 0;
}

int show_inheritance(int, char* argv[]) {
    struct sigaction action;
    sigset_t mask;
    if (fcntl(atoi(argv[2]), F_GETFD) != 0) return 1;  // kept, flag clear
    if (fcntl(atoi(argv[3]), F_GETFD) != -1 || errno != EBADF) return 2;
    if (sigaction(SIGUSR1, nullptr, &action) || action.sa_handler != SIG_DFL) return 3;
    if (sigaction(SIGUSR2, nullptr, &action) || action.sa_handler != SIG_IGN) return 4;
    if (sigprocmask(SIG_BLOCK, nullptr, &mask) || !sigismember(&mask, SIGTERM)) return 5;
    if (sigpending(&mask) || !sigismember(&mask, SIGTERM)) return 6;
    stack_t stack;
    if (sigaltstack(nullptr, &stack) || stack.ss_flags != SS_DISABLE) return 7;
    if (umask(0) != 0123) return 8;
    if (getpid() != atoi(argv[4])) return 9;
    char folder[64];
    if (!getcwd(folder, sizeof folder) || strcmp(folder, "/tmp/exec.d") != 0) return 10;
    unsigned short control;
    asm volatile("fnstcw %0" : "=m"(control));
    return control == 0x37F ? 0 : 11;
}

int play(int argc, char* argv[]) {
    std::string_view role = argv[1];
    if (role == "arguments") return show_arguments(argc, argv);
    if (role == "many") return show_many(argc, argv);
    if (role == "long") return show_long(argc, argv);
    if (role == "auxiliary") return show_auxiliary(argc, argv);
    if (role == "inheritance") return show_inheritance(argc, argv);
    if (role == "of a script")
        return argc != 4 || strcmp(argv[2], "./script") != 0 || strcmp(argv[3], "given") != 0;
    if (role == "./plain-script") return argc != 3 || (argv[2][0] != 'g' && argv[2][0] != '.');
    return 99;
}

void test_passing() {
    runs("arguments and environment", 0, self,
         {"a name of its own", "arguments", "", "two words", "\xff\x01"}, {"A=1", "B="});
    Strings many = {self, "many"};
    for (int i = 0; i < kManyArguments; i++) many.push_back("argument " + std::to_string(i));
    runs("2000 arguments", 0, self, many);
    runs("an argument of 100,000 bytes", 0, self, {self, "long", std::string(kLongArgument, 'x')});
    runs("auxiliary vector", 0, self, {self, "auxiliary"});
    runs("auxiliary vector, odd strings", 0, self, {self, "auxiliary", "x"}, {"ODD=1", "Y"});

    exits("what is inherited", 0, [] {
        int kept = dup(0), closed = fcntl(0, F_DUPFD_CLOEXEC, 50);
        signal(SIGUSR1, [](int) {});
        signal(SIGUSR2, SIG_IGN);
        sigset_t set;
        sigemptyset(&set);
        sigaddset(&set, SIGTERM);
        sigprocmask(SIG_BLOCK, &set, nullptr);
        raise(SIGTERM);
        static char stack_bytes[16384];
        stack_t stack = {.ss_sp = stack_bytes, .ss_flags = 0, .ss_size = sizeof stack_bytes};
        sigaltstack(&stack, nullptr);
        umask(0123);
        unsigned short control = 0x27F;
        asm volatile("fldcw %0" ::"m"(control));
        return exec(self, {self, "inheritance", std::to_string(kept), std::to_string(closed),
                           std::to_string(getpid())});
    });
}

// The first line of a script is a string of at most 256 bytes.
void test_script_lines() {
    const auto line = [](const std::string& text) { file("line", "#!" + text); };
    const std::string zeros(200, '\0');
    line(self + " of a script" + zeros + "x\n");
    for (int i = 0; i < 20; ++i) runs("NULs in a script's argument", 1, "./line", {"", "given"});
    line(" " + self + zeros + "not an argument\n");
    runs("a NUL ends the interpreter", 99, "./line", {"", "given"});
    line(std::string(250 - self.size(), ' ') + self + "longer than the first bytes\n");
    runs("an interpreter's name that is cut", ENOEXEC, "./line", {""});
    line(std::string(300, ' '));
    runs("blanks only", ENOEXEC, "./line", {""});
    line(self + " long " + std::string(300, 'x') + "\n");
    runs("an argument that is cut", 99, "./line", {""});
    file("chain0", "#!" + self + "\n");
    for (char i = '1'; i <= '5'; ++i)
        file((std::string("chain") + i).c_str(), std::string("#!./chain") + char(i - 1) + "\n");
    runs("five scripts", 99, "./chain4", {""});
    runs("six scripts", ELOOP, "./chain5", {""});
    for (const char* name : {"line", "chain0", "chain1", "chain2", "chain3", "chain4", "chain5"})
        unlink(name);
}

void test_scripts() {
    file("script", "#! " + self + " of a script  \nrest\n");
    runs("script with an argument", 0, "./script", {"name is lost", "given"});
    file("plain-script", "#!" + self + "\n");
    runs("script without", 0, "./plain-script", {"", "given"});
    file("script-of-script", "#!./plain-script\n");
    runs("script of a script", 0, "./script-of-script", {""});
    file("endless", "#!./endless\n");
    runs("script of itself", ELOOP, "./endless", {""});
    file("lost", "#!/no/such/interpreter\n");
    runs("script without its interpreter", ENOENT, "./lost", {""});
    file("bare", "#!\n");
    runs("script that names none", ENOEXEC, "./bare", {""});
    test_script_lines();
}

void test_refusals() {
    runs("no such file", ENOENT, "./nothing", {""});
    runs("empty path", ENOENT, "", {""});
    runs("a folder", EACCES, "/tmp", {""});
    runs("a device", EACCES, "/dev/null", {""});
    runs("below a file", ENOTDIR, self + "/x", {""});
    runs("name too long", ENAMETOOLONG, std::string(300, 'x'), {""});
    runs("path too long", ENAMETOOLONG, "/" + std::string(5000, '/') + "x", {""});
    symlink("loop", "loop");
    runs("loop of links", ELOOP, "./loop", {""});
    symlink(self.c_str(), "link");
    runs("by a link", 0, "./link", {"link", "auxiliary"});
    file("plain", "#!" + self + "\n", 0644);
    runs("without the right", EACCES, "./plain", {""});
    file("empty", "");
    runs("an empty file", ENOEXEC, "./empty", {""});
    file("text", "just a line of text\n");
    runs("a text", ENOEXEC, "./text", {""});
    runs("16 MiB of arguments", E2BIG, self, Strings(160, std::string(100'000, 'x')));
}

void test_elf() {
    TinyElf elf = tiny_elf();
    file("tiny", elf);
    runs("tiny program, from tmpfs", kTinyStatus, "./tiny", {""});
    runs("no arguments at all", kTinyStatus, "./tiny", {});
    auto refused = [](const char* name, auto spoil) {
        TinyElf bad = tiny_elf();
        spoil(bad);
        file("bad", bad);
        runs(name, ENOEXEC, "./bad", {""});
    };
    refused("ELF of another machine", [](TinyElf& bad) { bad.header.e_machine = EM_ARM; });
    refused("ELF that is no program", [](TinyElf& bad) { bad.header.e_type = ET_REL; });
    refused("ELF without segments", [](TinyElf& bad) { bad.header.e_phnum = 0; });
    refused("ELF with odd headers", [](TinyElf& bad) { bad.header.e_phentsize = 31; });
    refused("ELF with headers past the end", [](TinyElf& bad) { bad.header.e_phoff = 1 << 20; });
    file("bad", std::string_view("\177ELF\1\1\1", 7));
    runs("ELF cut short", ENOEXEC, "./bad", {""});

    // These may be refused, or kill the new program; they may not run, nor hurt anyone else.
    auto harmless = [](const char* name, auto spoil) {
        TinyElf bad = tiny_elf();
        spoil(bad);
        file("bad", bad);
        int status = status_of([] { return exec("./bad", {""}) ? 1 : 0; });
        that(name, status != kTinyStatus << 8);
    };
    harmless("segment past the top", [](TinyElf& bad) {
        bad.segment.p_vaddr = 0xFFFFF000;
        bad.header.e_entry = 0xFFFFF054;
    });
    harmless("segment that wraps", [](TinyElf& bad) { bad.segment.p_memsz = 0xFFFFF000; });
    harmless("more in the file than in memory", [](TinyElf& bad) { bad.segment.p_memsz = 1; });
    harmless("entry in the kernel", [](TinyElf& bad) { bad.header.e_entry = 0xC0100000; });
    harmless("file bytes past the end", [](TinyElf& bad) {
        bad.segment.p_offset = 1 << 20;
        bad.segment.p_filesz = bad.segment.p_memsz = 4096;
    });
    // A 64-bit kernel can load this one; an i386 kernel must not.
    TinyElf bad = tiny_elf();
    bad.segment.p_vaddr = 0xC0000000;
    bad.header.e_entry = 0xC0000054;
    file("bad", bad);
    status_of([] { return exec("./bad", {""}); });
    runs("and good programs still run", kTinyStatus, "./tiny", {""});
}

}  // namespace

int main(int argc, char* argv[]) {
    if (argc > 1) return play(argc, argv);
    self = argv[0][0] == '/' ? argv[0] : std::string(get_current_dir_name()) + "/" + argv[0];
    mkdir("/tmp/exec.d", 0700);
    needs("work folder", chdir("/tmp/exec.d"));
    test_passing();
    test_scripts();
    test_refusals();
    test_elf();
    for (const char* name : {"script", "plain-script", "script-of-script", "endless", "lost",
                             "bare", "loop", "link", "plain", "empty", "text", "tiny", "bad"})
        unlink(name);
    rmdir("/tmp/exec.d");
    return done();
}
