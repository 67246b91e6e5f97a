// lab-faults: the page faults of some accesses, as the kernel's trace has them: address, instruction,
// cause, where the page came from, which frame, and what was evicted for it. Among them one
// instruction that faults four times before it is done.
#include <fcntl.h>
#include <sys/mman.h>
#include <sys/wait.h>
#include <unistd.h>

#include <cerrno>
#include <cstring>

#include "user/lab/command.hpp"
#include "user/lab/setting.hpp"
#include "user/lab/table.hpp"
#include "user/lab/trace.hpp"

namespace {

constexpr char kHelp[] =
    "usage: lab-faults [--json]\n"
    "Accesses that fault, and what /proc/trace says of each fault: a page of zeros, one of a file, "
    "a\n"
    "copy on write after fork, a movs whose source and destination each lie across two pages (one\n"
    "instruction, four faults), and four pages written with two frames (FIFO: dirty ones are "
    "evicted).\n"
    "    # lab-faults\n"
    "    access               address     instruction  cause                 from    frame  "
    "evicted\n"
    "    a page of zeros      0xb7efe000  0x8052647    user-write-absent     zeroed  31503  -\n"
    "    ...\n"
    "    one movs of 4 bytes  0xb7efbffe  0x804e870    user-read-absent      zeroed  31198  -\n"
    "    one movs of 4 bytes  0xb7efc000  0x804e870    user-read-absent      zeroed  30902  -\n"
    "    ...\n";
constexpr unsigned long kPage = 4096;

char* pages(unsigned long count, int flags = MAP_PRIVATE | MAP_ANONYMOUS, int file = -1) {
    void* memory = mmap(nullptr, count * kPage, PROT_READ | PROT_WRITE, flags, file, 0);
    if (memory == MAP_FAILED) lab::fail("mmap: %s", strerror(errno));
    return static_cast<char*>(memory);
}

void write_to(char* at) { *reinterpret_cast<volatile int*>(at) = 1; }
void read_from(char* at) { static_cast<void>(*reinterpret_cast<volatile int*>(at)); }

using Fields = std::map<std::string, std::string>;

class Log {
  public:
    // What happens to [from, from + bytes) while the action runs, and to `other`, if that is given.
    template <typename F>
    void record(const char* access, char* from, unsigned long bytes, F&& action,
                char* other = nullptr) {
        lab::write_file("/proc/trace", "");
        action();
        const auto inside = [&](const std::string& address) {
            const unsigned long at = std::stoul(address, nullptr, 16);
            const auto start = reinterpret_cast<unsigned long>(from),
                       second = reinterpret_cast<unsigned long>(other);
            return at - start < bytes || (other && at - second < bytes);
        };
        Fields fault;
        std::string evicted = "-";
        for (lab::TraceEvent& event : lab::read_trace()) {
            if (event.thread != gettid() || !event.fields.contains("address") ||
                !inside(event.fields["address"]))
                continue;
            if (event.name == "fault") fault = event.fields;
            if (event.name == "evict")
                evicted =
                    event.fields["address"] + (event.fields["dirty"] == "1" ? " dirty" : " clean");
            if (event.name != "fault_done" || fault.empty()) continue;
            table_.row({access, fault["address"], fault["at"], fault["cause"],
                        event.fields["source"], event.fields["frame"], evicted});
            fault.clear();
            evicted = "-";
        }
    }
    const lab::Table& table() const { return table_; }

  private:
    lab::Table table_{{{"access", "access"},
                       {"address", "address"},
                       {"at", "instruction"},
                       {"cause", "cause"},
                       {"source", "from"},
                       {"frame", "frame"},
                       {"evicted", "evicted"}}};
};

void with_two_frames(Log& log) {
    char* memory = pages(4, MAP_SHARED | MAP_ANONYMOUS);
    const std::string order =
        "fifo " + std::to_string(reinterpret_cast<unsigned long>(memory)) + " 4 2";
    if (const int error = lab::write_file("/proc/paging", order))
        lab::fail("/proc/paging: %s", strerror(error));
    log.record("4 pages in 2 frames", memory, 4 * kPage, [&] {
        for (unsigned long i = 0; i < 4; ++i) write_to(memory + i * kPage);
    });
    lab::write_file("/proc/paging", "off");
}

}  // namespace

int main(int argc, char** argv) {
    bool json = false;
    const std::vector<std::string> words =
        lab::Command(kHelp).flag("--json", json).parse(argc, argv);
    if (!words.empty()) lab::refuse("no word '%s' here; see --help", words[0].c_str());
    Log log;
    char* memory = pages(1);
    log.record("a page of zeros", memory, kPage, [&] { write_to(memory); });
    const pid_t child = fork();
    if (child == 0) {
        pause();
        _exit(0);
    }
    log.record("shared since fork", memory, kPage, [&] { write_to(memory); });
    kill(child, SIGKILL);
    waitpid(child, nullptr, 0);
    const int file = open("/proc/self/exe", O_RDONLY | O_CLOEXEC);
    char* mapped = pages(1, MAP_PRIVATE, file);
    log.record("a file's page, read", mapped, kPage, [&] { read_from(mapped); });
    log.record("the same, written", mapped, kPage, [&] { write_to(mapped); });
    char *source = pages(2), *target = pages(2);
    log.record(
        "one movs of 4 bytes", source, 2 * kPage,
        [&] {
            const char* from = source + kPage - 2;
            char* to = target + kPage - 2;
            asm volatile("movsl" : "+S"(from), "+D"(to) : : "memory");
        },
        target);
    with_two_frames(log);
    if (!json) return log.table().print(), 0;
    lab::Object()
        .add("lab", "lab-faults")
        .add("input", lab::Object())
        .add("rows", log.table().rows())
        .print();
    return 0;
}
