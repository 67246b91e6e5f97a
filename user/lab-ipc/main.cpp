// lab-ipc [--json] [--items N] [--bytes N] [MEANS...]: moves N items from one process to another by
// each means, and tells what that took: how often the kernel copied each byte, system calls, context
// switches, how often one blocked, time. Every word of every item is checked on arrival.
#include "user/lab-ipc/lab.hpp"
#include "user/lab/command.hpp"
#include "user/lab/random.hpp"
#include "user/lab/table.hpp"

#include <semaphore.h>
#include <sys/mman.h>
#include <sys/resource.h>
#include <sys/wait.h>
#include <unistd.h>

#include <algorithm>
#include <cstdio>
#include <cstdlib>
#include <cstring>
#include <fstream>
#include <string>

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
    {"direct", make_direct, "sigqueue, sigwaitinfo: words to a process by its number"},
    {"mailbox", make_mailbox, "msgsnd, msgrcv: indirect"},
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
    sem_t go;  // for the producer
    Counts producer;
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

// The producer begins when the consumer lets it.
[[noreturn]] void producer(Means& means, const Load& load, Board& board) {
    means.be_producer();
    while (sem_wait(&board.go) != 0) {
    }
    calls_made = 0;
    const Counts before = counts_now();
    produce(means, load);
    board.producer = counts_now() - before;
    _exit(0);
}

Result run_two(Means& means, const Load& load, Board& board) {
    sem_init(&board.go, 1, 0);
    const pid_t child = fork();
    if (child < 0) fail("fork");
    if (child == 0) producer(means, load, board);
    means.be_consumer();
    Result result;
    const long long copied = copied_now();
    const Counts before = counts_now();
    const uint64_t start = ticks();
    sem_post(&board.go);
    result.wrong = consume(means, load);
    result.ticks = ticks() - start;
    const Counts own = counts_now() - before;
    int status = -1;
    if (waitpid(child, &status, 0) != child || status != 0) fail("the producer");
    result.copied = copied < 0 ? -1 : copied_now() - copied;
    result.counts = own + board.producer;
    return result;
}

constexpr char kHelp[] =
    "usage: lab-ipc [--items N] [--bytes N] [--random N [--seed S]] [--json] [MEANS...]\n"
    "       lab-ipc script pipe|mailbox|shared ACT... [--room N]\n"
    "A producer sends N items (1024) of so many bytes (1024; a multiple of 4 up to 8192) to a "
    "consumer by\n"
    "each means; direct messages, of a word each, carry a 16th of them. --random: up to N items, "
    "drawn.\n"
    "  alone    one process makes and checks the items\n"
    "  shared   shmat, semop                      mapped   mmap(MAP_SHARED), futex\n"
    "  pipe     write, read                       direct   sigqueue, sigwaitinfo: by process "
    "number\n"
    "  mailbox  msgsnd, msgrcv: indirect          socket   AF_UNIX, SOCK_SEQPACKET\n"
    "  stream   AF_UNIX, SOCK_STREAM\n"
    "script: processes act one after the other, and a line tells who waits. pipe: w1:write:BYTES, "
    "r1:read:BYTES,\n"
    "w1:close; mailbox: a:send:TYPE:BYTES, b:receive:TYPE, and sendnow, receivenow, which do not "
    "wait; shared:\n"
    "p:make, c:receive, c:release. --room: of the pipe (8192), the mailbox (100), in places (3).\n"
    "    # lab-ipc pipe mailbox\n"
    "    1024 items of 1024 bytes\n"
    "    means    items  copies  calls  switches  blocks  ticks each  wrong  by\n"
    "    pipe      1024    2.00   2048       127     127       18506      0  pipe: write, read\n"
    "    mailbox   1024    2.02   2048       127     127       21909      0  msgsnd, msgrcv: "
    "indirect\n";

lab::Table table({{"means", "means"},
                  {"items", "items"},
                  {"copies", "copies"},
                  {"system_calls", "calls"},
                  {"switches", "switches"},
                  {"blocks", "blocks"},
                  {"ticks", "ticks each"},
                  {"wrong", "wrong"},
                  {"by", "by"}});

void show(const Kind& kind, const Load& load, const Result& r) {
    const double copies = static_cast<double>(r.copied) / load.items / load.bytes;
    table.row({kind.name, load.items,
               r.copied < 0 ? lab::Cell("-", nullptr) : lab::Cell(lab::Decimal{copies, 2}),
               r.counts.calls, r.counts.switches, r.counts.blocks,
               (r.ticks + load.items / 2) / load.items, r.wrong, kind.what});
}

const Kind& find(const std::string& name) {
    std::vector<std::string> names;
    for (const Kind& kind : kKinds) {
        if (kind.name == name) return kind;
        names.push_back(kind.name);
    }
    lab::refuse("MEANS is one of: %s; not '%s'", lab::join(names).c_str(), name.c_str());
}

}  // namespace

int main(int argc, char* argv[]) {
    long items = 1024, bytes = 1024, random = 0, seed = 1, room = 0;
    bool json = false;
    std::vector<const Kind*> wanted;
    const std::vector<std::string> words = lab::Command(kHelp)
                                               .number("--items", items, 1, 100'000'000)
                                               .number("--bytes", bytes, 4, kMaxBytes)
                                               .number("--room", room, 1, 65536)
                                               .random(random, 1'000'000, seed)
                                               .flag("--json", json)
                                               .parse(argc, argv);
    if (!words.empty() && words[0] == "script") return run_script(words, room);
    for (const std::string& name : words) wanted.push_back(&find(name));
    if (random) {
        lab::Random draw(seed);
        items = draw.between(1, random);
        bytes = 4 * draw.between(1, 500);
    }
    if (bytes % 4) lab::refuse("--bytes wants a multiple of 4, not '%ld'", bytes);
    const Load load{static_cast<uint32_t>(items), static_cast<uint32_t>(bytes)};
    if (wanted.empty())
        for (const Kind& kind : kKinds) wanted.push_back(&kind);

    void* memory =
        mmap(nullptr, sizeof(Board), PROT_READ | PROT_WRITE, MAP_SHARED | MAP_ANONYMOUS, -1, 0);
    if (memory == MAP_FAILED) fail("mmap");
    uint32_t wrong = 0;
    for (const Kind* kind : wanted) {
        Load part = load;
        if (kind->make == make_direct) part.items = std::max(1u, load.items / 16);
        const std::unique_ptr<Means> means = kind->make(part);
        calls_made = 0;
        const Result result = kind->make == make_alone
                                  ? run_alone(*means, part)
                                  : run_two(*means, part, *static_cast<Board*>(memory));
        show(*kind, part, result);
        wrong += result.wrong;
    }
    if (json) {
        lab::Object()
            .add("lab", "lab-ipc")
            .add("input", lab::Object().add("items", load.items).add("bytes", load.bytes))
            .add("items", load.items)
            .add("bytes", load.bytes)
            .add("rows", table.rows())
            .print();
    } else {
        printf("%u items of %u bytes\n", load.items, load.bytes);
        table.print();
    }
    return wrong != 0;
}
