// lab-ipc [--json] [--items N] [--bytes N] [MEANS...]: moves N items from one process to another by
// each means, and tells what that took: how often the kernel copied each byte, system calls, context
// switches, how often a process blocked, time. Every word of every item is checked on arrival.
#include "user/lab-ipc/lab.hpp"

#include <sys/mman.h>
#include <sys/resource.h>
#include <sys/wait.h>
#include <unistd.h>

#include <algorithm>
#include <cinttypes>
#include <cstdio>
#include <cstdlib>
#include <cstring>
#include <fstream>
#include <string>

int as_json;
long calls_made;

void fail(const char* what) {
    perror((std::string("lab-ipc: ") + what).c_str());
    exit(1);
}

long made(long result, const char* what) {
    ++calls_made;
    if (result < 0) fail(what);
    return result;
}

namespace {

struct Kind {
    const char* name;
    std::unique_ptr<Means> (*make)(const Load&);
    const char* what;
};
constexpr Kind kKinds[] = {
    {"alone", make_alone, "one process makes and checks the items"},
    {"shared", make_shared, "shmat, semop"},
    {"mapped", make_mapped, "mmap(MAP_SHARED), futex"},
    {"pipe", make_pipe, "pipe: write, read"},
    {"mailbox", make_mailbox, "msgsnd, msgrcv"},
    {"socket", make_socket, "AF_UNIX, SOCK_SEQPACKET"},
    {"stream", make_stream, "AF_UNIX, SOCK_STREAM"},
};
constexpr uint32_t kMaxBytes = 8192;  // of a message (/proc/sys/kernel/msgmax)

struct Counts {
    long calls = 0, switches = 0, blocks = 0;
    Counts operator-(const Counts& o) const {
        return {calls - o.calls, switches - o.switches, blocks - o.blocks};
    }
    Counts operator+(const Counts& o) const {
        return {calls + o.calls, switches + o.switches, blocks + o.blocks};
    }
};

Counts counts_now() {
    rusage usage;
    if (getrusage(RUSAGE_SELF, &usage) < 0) fail("getrusage");
    return {calls_made, usage.ru_nvcsw + usage.ru_nivcsw, usage.ru_nvcsw};
}

uint64_t ticks() {
    uint32_t low, high;
    asm volatile("rdtsc" : "=a"(low), "=d"(high));
    return uint64_t{high} << 32 | low;
}

// Bytes that the kernel has copied from and to programs; -1 if it doesn't count them.
long long copied_now() {
    std::ifstream file("/proc/vmstat");
    long long all = -1, value;
    for (std::string name; file >> name >> value;)
        if (name == "user_bytes_in" || name == "user_bytes_out") all = std::max(all, 0ll) + value;
    return all;
}

// What both processes see.
struct Board {
    Counts producer;
    uint64_t end;
};

// An item is its number, in each word. String instructions, so that this costs the same for all.
void make_item(uint32_t* item, uint32_t words, uint32_t number) {
    asm volatile("rep stosl" : "+D"(item), "+c"(words) : "a"(number) : "memory");
}
bool is_item(const uint32_t* item, uint32_t words, uint32_t number) {
    bool same;
    asm volatile("repe scasl" : "+D"(item), "+c"(words), "=@cce"(same) : "a"(number) : "memory");
    return same;
}

void produce(Means& means, const Load& load) {
    for (uint32_t i = 0; i < load.items; ++i) {
        make_item(means.place(), load.bytes / 4, i);
        means.send();
    }
}

// How many items were not what they should be.
uint32_t consume(Means& means, const Load& load) {
    uint32_t wrong = 0;
    for (uint32_t i = 0; i < load.items; ++i) {
        wrong += !is_item(means.receive(), load.bytes / 4, i);
        means.release();
    }
    return wrong;
}

struct Result {
    Counts counts;
    long long copied = 0;
    uint64_t ticks = 0;
    uint32_t wrong = 0;
};

Result run_alone(Means& means, const Load& load) {
    Result result;
    const uint64_t start = ticks();
    for (uint32_t i = 0; i < load.items; ++i) {
        make_item(means.place(), load.bytes / 4, i);
        means.send();
        result.wrong += !is_item(means.receive(), load.bytes / 4, i);
        means.release();
    }
    result.ticks = ticks() - start;
    return result;
}

// The producer begins when the consumer lets it: `gate` is a pipe that both have.
[[noreturn]] void producer(Means& means, const Load& load, const int gate[2], Board& board) {
    char go;
    means.be_producer();
    if (read(gate[0], &go, 1) != 1) _exit(1);
    calls_made = 0;
    const Counts before = counts_now();
    produce(means, load);
    board.producer = counts_now() - before;
    _exit(0);
}

Result run_two(Means& means, const Load& load, Board& board) {
    int gate[2];
    if (pipe(gate) < 0) fail("pipe");
    const pid_t child = fork();
    if (child < 0) fail("fork");
    if (child == 0) producer(means, load, gate, board);
    means.be_consumer();
    Result result;
    const long long copied = copied_now();
    const Counts before = counts_now();
    const uint64_t start = ticks();
    if (write(gate[1], "g", 1) != 1) fail("write");
    result.wrong = consume(means, load);
    result.ticks = ticks() - start;
    const Counts own = counts_now() - before;
    int status = -1;
    if (waitpid(child, &status, 0) != child || status != 0) fail("the producer");
    result.copied = copied < 0 ? -1 : copied_now() - copied;
    result.counts = own + board.producer;
    close(gate[0]);
    close(gate[1]);
    return result;
}

void show(const Kind& kind, const Load& load, const Result& r, bool first) {
    const double copies = static_cast<double>(r.copied) / load.items / load.bytes;
    const uint64_t each = (r.ticks + load.items / 2) / load.items;
    if (as_json) {
        printf("%s\n  {\"means\": \"%s\", \"copies\": ", first ? "" : ",", kind.name);
        r.copied < 0 ? printf("null") : printf("%.2f", copies);
        printf(", \"system_calls\": %ld, \"switches\": %ld, \"blocks\": %ld, \"ticks\": %" PRIu64
               ", \"wrong\": %u}",
               r.counts.calls, r.counts.switches, r.counts.blocks, each, r.wrong);
        return;
    }
    if (first)
        printf("%u items of %u bytes\n%-8s %6s %7s %8s %7s %10s\n", load.items, load.bytes, "means",
               "copies", "calls", "switches", "blocks", "ticks each");
    printf("%-8s %6.2f %7ld %8ld %7ld %10" PRIu64 "  %s%s\n", kind.name, copies, r.counts.calls,
           r.counts.switches, r.counts.blocks, each, kind.what, r.wrong ? ": WRONG DATA" : "");
    fflush(stdout);
}

[[noreturn]] void usage() {
    fputs(
        "usage: lab-ipc [--json] [--items N] [--bytes N] [MEANS...]\n"
        "N bytes: a multiple of 4, up to 8192. Means:\n",
        stderr);
    for (const Kind& kind : kKinds) fprintf(stderr, "  %-8s %s\n", kind.name, kind.what);
    exit(2);
}

uint32_t number(const char* text, uint32_t most) {
    char* end;
    const unsigned long value = text ? strtoul(text, &end, 10) : 0;
    if (!text || end == text || *end || value < 1 || value > most) usage();
    return static_cast<uint32_t>(value);
}

const Kind* find(const char* name) {
    for (const Kind& kind : kKinds)
        if (strcmp(kind.name, name) == 0) return &kind;
    usage();
}

}  // namespace

int main(int argc, char* argv[]) {
    Load load;
    std::vector<const Kind*> wanted;
    for (int i = 1; i < argc; ++i) {
        if (strcmp(argv[i], "--json") == 0)
            as_json = 1;
        else if (strcmp(argv[i], "--items") == 0)
            load.items = number(argv[++i], 100'000'000);
        else if (strcmp(argv[i], "--bytes") == 0)
            load.bytes = number(argv[++i], kMaxBytes);
        else
            wanted.push_back(find(argv[i]));
    }
    if (load.bytes % 4) usage();
    if (wanted.empty())
        for (const Kind& kind : kKinds) wanted.push_back(&kind);

    void* memory =
        mmap(nullptr, sizeof(Board), PROT_READ | PROT_WRITE, MAP_SHARED | MAP_ANONYMOUS, -1, 0);
    if (memory == MAP_FAILED) fail("mmap");
    uint32_t wrong = 0;
    if (as_json) printf("{\"items\": %u, \"bytes\": %u, \"rows\": [", load.items, load.bytes);
    for (const Kind* kind : wanted) {
        fflush(stdout);
        const std::unique_ptr<Means> means = kind->make(load);
        calls_made = 0;
        const Result result = kind->make == make_alone
                                  ? run_alone(*means, load)
                                  : run_two(*means, load, *static_cast<Board*>(memory));
        show(*kind, load, result, kind == wanted.front());
        wrong += result.wrong;
    }
    if (as_json) printf("\n]}\n");
    return wrong != 0;
}
