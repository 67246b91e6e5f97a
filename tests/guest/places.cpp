// Where the stack, the heap, mappings and position-independent programs lie: elsewhere in each run;
// the same with personality(ADDR_NO_RANDOMIZE), as debuggers ask for, and with randomize_va_space 0;
// with 1 only the heap stays. A set-user-id program does not inherit that personality.
#include <elf.h>
#include <sys/auxv.h>
#include <sys/mman.h>
#include <sys/personality.h>
#include <sys/stat.h>

#include <set>

#include "check.hpp"
#include "tiny_elf.hpp"

namespace {

using namespace check;

constexpr int kRuns = 12;
const char* const kSetting = "/proc/sys/kernel/randomize_va_space";

struct Places {
    unsigned long stack, heap, mapping;
};

void write_all(const char* path, std::string_view text) {
    const int fd = int(needs(path, open(path, O_WRONLY)));
    equal(path, write(fd, text.data(), text.size()), long(text.size()));
    close(fd);
}

// What a program that PREPARE starts sends home.
template <typename Prepare>
Places run(const char* path, Prepare&& prepare) {
    int ends[2];
    needs("pipe", pipe(ends));
    const pid_t child = fork();
    if (child == 0) {
        prepare();
        dup2(ends[1], 1);
        execl(path, path, "tell", nullptr);
        _exit(126);
    }
    close(ends[1]);
    Places places = {};
    equal("all that it tells", read(ends[0], &places, sizeof places), sizeof places);
    close(ends[0]);
    int status = 0;
    equal("it ends", waitpid(child, &status, 0), child);
    equal("well", status, 0);
    return places;
}

int tell() {
    int here = 0;
    void* mapping = mmap(nullptr, 4096, PROT_READ, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
    // sbrk(0) is above what the library has taken already: each run takes as much.
    const Places places = {(unsigned long)&here, (unsigned long)sbrk(0), (unsigned long)mapping};
    return write(1, &places, sizeof places) != sizeof places;
}

// How many different places there are in some runs.
struct Spread {
    std::set<unsigned long> stack, heap, mapping;
};
template <typename Prepare>
Spread spread(const char* path, Prepare&& prepare) {
    Spread seen;
    for (int i = 0; i < kRuns; ++i) {
        const Places at = run(path, prepare);
        seen.stack.insert(at.stack);
        seen.heap.insert(at.heap);
        seen.mapping.insert(at.mapping);
    }
    return seen;
}

void varies(std::string_view what, const std::set<unsigned long>& places) {
    that(what, places.size() > kRuns / 2);
}
void stays(std::string_view what, const std::set<unsigned long>& places) {
    equal(what, long(places.size()), 1);
}

// Its exit status is bits 12 to 19 of the address at which it runs.
void position_independent() {
    TinyElf elf = tiny_elf();
    elf.header.e_type = ET_DYN;
    elf.header.e_entry -= kTinyBase;
    elf.segment.p_vaddr = elf.segment.p_paddr = 0;
    // call 1f; 1: pop %ebx; shr $12, %ebx; mov $1, %al; int $0x80 (%eax was 0)
    const unsigned char code[] = {0xE8, 0, 0, 0, 0, 0x5B, 0xC1, 0xEB, 12, 0x40, 0xCD, 0x80};
    static_assert(sizeof code == sizeof elf.code);
    memcpy(elf.code, code, sizeof code);
    const int fd = int(needs("a program", open("pie", O_CREAT | O_WRONLY | O_TRUNC, 0755)));
    equal("written", write(fd, &elf, sizeof elf), sizeof elf);
    close(fd);
    for (bool fixed : {false, true}) {
        std::set<unsigned long> seen;
        for (int i = 0; i < kRuns; ++i) {
            const pid_t child = fork();
            if (child == 0) {
                if (fixed) personality(ADDR_NO_RANDOMIZE);
                execl("pie", "pie", nullptr);
                _exit(126);
            }
            int status = 0;
            waitpid(child, &status, 0);
            that("it runs", WIFEXITED(status));
            seen.insert(WEXITSTATUS(status));
        }
        if (fixed)
            stays("a program stays", seen);
        else
            varies("a program's place varies", seen);
    }
}

void set_user_id(const char* self) {
    const std::string copy = "/tmp/places-set-id";
    equal("a copy", system(("cp " + std::string(self) + " " + copy).c_str()), 0);
    needs("chmod", chmod(copy.c_str(), 0755));
    const auto as_user = [] {
        personality(ADDR_NO_RANDOMIZE);
        if (setgid(1000) || setuid(1000)) _exit(125);
    };
    stays("as a user: the same", spread(copy.c_str(), as_user).stack);
    needs("chmod", chmod(copy.c_str(), 04755));
    varies("a set-user-id program's stack varies", spread(copy.c_str(), as_user).stack);
    unlink(copy.c_str());
}

}  // namespace

int main(int count, char**) {
    if (count > 1) return tell();
    const char* const self = "/proc/self/exe";
    char path[256] = {};
    needs("readlink", readlink(self, path, sizeof path - 1));
    needs("chdir", chdir("/tmp"));
    char old[8] = {};
    const int fd = int(needs("setting", open(kSetting, O_RDONLY)));
    needs("read", read(fd, old, sizeof old - 1));
    close(fd);

    write_all(kSetting, "2");
    Spread seen = spread(path, [] {});
    varies("the stack varies", seen.stack);
    varies("the heap varies", seen.heap);
    varies("mappings vary", seen.mapping);
    bool aligned = true, in_page = false;
    for (unsigned long at : seen.stack)
        aligned &= at % 4 == 0, in_page |= at % 4096 != *seen.stack.begin() % 4096;
    that("a stack is aligned", aligned);
    that("it begins within a page", in_page);
    seen = spread(path, [] { personality(ADDR_NO_RANDOMIZE); });
    stays("without: the stack", seen.stack);
    stays("without: the heap", seen.heap);
    stays("without: mappings", seen.mapping);
    position_independent();
    set_user_id(path);

    write_all(kSetting, "1");
    seen = spread(path, [] {});
    varies("1: the stack varies", seen.stack);
    stays("1: the heap does not", seen.heap);
    write_all(kSetting, "0");
    stays("0: the stack does not", spread(path, [] {}).stack);
    const int again = open(kSetting, O_WRONLY);
    fails("3 is refused", write(again, "3", 1), EINVAL);
    close(again);
    write_all(kSetting, old);
    return done();
}
