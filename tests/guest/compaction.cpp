// Compaction: after every other page of most memory was given back, no large run of frames is free,
// until pages are moved: then there are many, and every page still has its contents. On demand too.
// Spec: /proc/sys/vm/compact_memory and /proc/buddyinfo in proc(5).
// run: --mem 48
// needs: wing
#include <asm/ldt.h>
#include <pthread.h>
#include <sys/mman.h>
#include <sys/syscall.h>

#include <atomic>
#include <fstream>
#include <sstream>
#include <vector>

#include "tests/guest/check.hpp"

namespace {

using namespace check;

constexpr unsigned kPageWords = 1024, kOrders = 11;

std::vector<unsigned> free_runs() {
    std::ifstream file("/proc/buddyinfo");
    std::string word, line;
    std::getline(file, line);
    std::istringstream text(line.substr(line.find("Normal") + 6));
    std::vector<unsigned> runs(kOrders);
    for (unsigned& run : runs) text >> run;
    return runs;
}
unsigned runs_from(unsigned order) {
    const std::vector<unsigned> runs = free_runs();
    unsigned sum = 0;
    for (unsigned k = order; k < kOrders; ++k) sum += runs[k] << (k - order);
    return sum;
}
unsigned counter(const std::string& name) {
    std::ifstream file("/proc/vmstat");
    for (std::string word; file >> word;)
        if (unsigned value; word == name && file >> value) return value;
    return 0;
}
unsigned unusable(unsigned order) {  // in thousandths
    std::ifstream file("/proc/extfrag");
    std::string line;
    std::getline(file, line);
    std::istringstream text(line.substr(line.find("Normal") + 6));
    double value = 0;
    for (unsigned k = 0; k <= order; ++k) text >> value;
    return unsigned(value * 1000 + 0.5);
}
void put(const char* file, const char* text) {
    const int fd = needs(file, open(file, O_WRONLY));
    succeeds(std::string("write to ") + file, write(fd, text, strlen(text)));
    close(fd);
}

struct Pages {
    explicit Pages(unsigned count) : count(count) {
        words = static_cast<volatile unsigned*>(mmap(nullptr, count * 4096, PROT_READ | PROT_WRITE,
                                                     MAP_PRIVATE | MAP_ANONYMOUS, -1, 0));
        for (unsigned i = 0; i < count; ++i) {
            words[i * kPageWords] = i;
            words[i * kPageWords + 1023] = i;
        }
    }
    // Every other page goes, so that hardly two neighbours are free.
    void thin() {
        for (unsigned i = 0; i < count; i += 2)
            madvise(const_cast<unsigned*>(words + i * kPageWords), 4096, MADV_DONTNEED);
    }
    bool intact() const {
        for (unsigned i = 1; i < count; i += 2)
            if (words[i * kPageWords] != i || words[i * kPageWords + 1023] != i) return false;
        return true;
    }
    volatile unsigned* words;
    unsigned count;
};

// Writes to its own pages all the while: what moves must not be lost under its hands.
std::atomic<bool> over{false}, wrong{false};
std::atomic<unsigned> rounds = 0;

void* scribble(void* memory) {
    auto* words = static_cast<volatile unsigned*>(memory);
    for (unsigned round = 1; !over; ++round) {
        for (unsigned i = 0; i < 256; ++i) {
            volatile unsigned& word = words[i * kPageWords + 7];
            if (word != round - 1) wrong = true;
            word = round;
        }
        rounds = round;
    }
    return nullptr;
}

void test_trigger(unsigned count) {
    TakingTurns turns;
    Pages pages(count);
    pages.thin();
    const unsigned before = runs_from(6), moved = counter("pgmigrate_success");
    const unsigned lost = unusable(6);
    Pages busy(256);
    for (unsigned i = 0; i < 256; ++i) busy.words[i * kPageWords + 7] = 0;
    pthread_t thread;
    needs("thread", -pthread_create(&thread, nullptr, scribble, const_cast<unsigned*>(busy.words)));
    const pid_t child = start([&] {  // its pages are shared, until one writes
        for (int i = 0; i < 20; ++i) sched_yield();
        return pages.intact() ? 0 : 1;
    });
    // Written since the fork, the busy pages are nobody else's: those may move.
    for (const unsigned seen = rounds; rounds < seen + 2;) sched_yield();
    put("/proc/sys/vm/compact_memory", "1");
    that("pages have moved", counter("pgmigrate_success") > moved);
    equal("the child's pages are whole", wait_for(child), 0);
    put("/proc/sys/vm/compact_memory", "1");
    over = true;
    pthread_join(thread, nullptr);
    that("what was written meanwhile is there", !wrong);
    that("all pages are whole", pages.intact());
    print("runs of 64 frames: " + std::to_string(before) + ", then " +
          std::to_string(runs_from(6)) + "; unusable for such: " + std::to_string(lost) +
          " thousandths, then " + std::to_string(unusable(6)) + "\n");
    that("there are more large runs", runs_from(6) >= before + count / 2 / 64 / 2);
    that("less of the free memory is unusable", unusable(6) < lost);
    munmap(const_cast<unsigned*>(pages.words), count * 4096);
    munmap(const_cast<unsigned*>(busy.words), 256 * 4096);
}

// The longest table of local descriptors takes 16 frames in a row.
int hold_table() {
    user_desc d = {};
    d.entry_number = 8191;
    d.limit = 1;
    d.seg_32bit = 1;
    const char result = syscall(SYS_modify_ldt, 0x11, &d, sizeof d) == 0 ? 0 : char(errno);
    write(STDOUT_FILENO, &result, 1);
    for (;;) pause();
}
void test_demand(unsigned count) {
    const unsigned stalls = counter("compact_stall"), successes = counter("compact_success");
    Pages pages(count);
    std::vector<Pages> rest;  // what is left in larger runs
    while (runs_from(4) > 0 && rest.size() < 4000) rest.emplace_back(16);
    for (Pages& p : rest) p.thin();
    pages.thin();
    const unsigned runs = runs_from(4);
    // Some runs may be free by now, for caches give frames back; so programs take such tables, and
    // keep them, until one had to wait for compaction.
    std::vector<pid_t> holders;
    while (counter("compact_stall") == stalls && holders.size() < 40) {
        int ready[2];
        needs("pipe", pipe(ready));
        holders.push_back(start([&] {
            dup2(ready[1], STDOUT_FILENO);
            execl("/proc/self/exe", "compaction", "hold", nullptr);
            return 1;
        }));
        close(ready[1]);
        char result = -1;
        read(ready[0], &result, 1);
        equal("a table of 64 KiB", result, 0);
        close(ready[0]);
    }
    that("it took compaction", counter("compact_stall") > stalls);
    that("compaction made room", counter("compact_success") > successes);
    for (pid_t holder : holders) {
        kill(holder, SIGKILL);
        wait_for(holder);
    }
    that("pages are whole after that", pages.intact());
    bool whole = true;
    for (const Pages& p : rest) whole &= p.intact();
    that("so are the others", whole);
    print("runs of 16 frames before: " + std::to_string(runs) + "\n");
}

}  // namespace

int main(int argc, char**) {
    if (argc > 1) return hold_table();
    const int fd = needs("compact_memory", open("/proc/sys/vm/compact_memory", O_WRONLY));
    fails("only 1 may be written", write(fd, "2", 1), EINVAL);
    close(fd);
    const unsigned free_pages = counter("nr_free_pages");
    test_trigger(free_pages * 3 / 4);
    test_demand(free_pages * 3 / 4);
    return done();
}
