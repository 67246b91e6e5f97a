// lab-suspend: what medium-term scheduling does to a process. A child fills pages with numbers and
// sleeps; it is suspended, resumed, and told to look at its pages again. At each moment: its state as
// ps shows it, how many of its own pages lie in memory and in swap, and how many frames are free.
#include <fcntl.h>
#include <signal.h>
#include <sys/mman.h>
#include <sys/swap.h>
#include <sys/wait.h>
#include <unistd.h>

#include <cerrno>
#include <cstring>
#include <sstream>

#include "user/lab/command.hpp"
#include "user/lab/random.hpp"
#include "user/lab/setting.hpp"
#include "user/lab/table.hpp"

namespace {

constexpr char kHelp[] =
    "usage: lab-suspend [--pages N] [--random N [--seed S]] [--swap FILE] [--json]\n"
    "Suspends a process that uses N pages (500; --random: up to N) through "
    "/proc/sys/kernel/sched/suspend,\n"
    "and resumes it. Without swap a file of its own (/swap-of-lab) is made and used meanwhile.\n"
    "    # lab-suspend\n"
    "    moment         state  resident  swapped   free  intact\n"
    "    before         S           514        0  28011\n"
    "    suspended      T             0      514  28518\n"
    "    resumed        S             0      514  28518\n"
    "    touched again  S           502       12  28015  yes\n";

constexpr long kPageBytes = 4096;
constexpr int64_t kPatience = 20'000'000'000;

struct Moment {
    char state = '?';
    long resident = 0, swapped = 0, free = 0;
};

// The number in kB after `name:`, in pages.
long pages_after(const std::string& text, const std::string& name) {
    const size_t at = text.find(name + ":");
    return at == text.npos ? 0 : atol(text.c_str() + at + name.size() + 1) * 1024 / kPageBytes;
}

Moment look(pid_t pid) {
    const std::string status = lab::read_file("/proc/" + std::to_string(pid) + "/status");
    Moment now;
    if (const size_t at = status.find("State:"); at != status.npos)
        now.state = status[status.find_first_not_of(" \t", at + 6)];
    now.resident = pages_after(status, "RssAnon");
    now.swapped = pages_after(status, "VmSwap");
    now.free = pages_after(lab::read_file("/proc/meminfo"), "MemFree");
    return now;
}

// Some swap for the time being, unless there is some already.
class Swap {
  public:
    Swap(std::string file, long pages) : file_(std::move(file)) {
        std::istringstream areas(lab::read_file("/proc/swaps"));
        std::string line;
        std::getline(areas, line);
        if (std::getline(areas, line)) return;
        std::string page(kPageBytes, '\0');
        const int to = open(file_.c_str(), O_WRONLY | O_CREAT | O_TRUNC, 0600);
        if (to < 0) lab::fail("%s: %s", file_.c_str(), strerror(errno));
        used_ = true;
        for (long i = 0; i < pages; ++i) {
            std::string next = page;
            if (i == 0) {  // the header of mkswap: version 1, the last page, the magic word
                const uint32_t head[] = {1, static_cast<uint32_t>(pages - 1)};
                memcpy(next.data() + 1024, head, sizeof head);
                memcpy(next.data() + kPageBytes - 10, "SWAPSPACE2", 10);
            }
            if (write(to, next.data(), next.size()) != kPageBytes)
                lab::fail("%s: %s", file_.c_str(), strerror(errno));
        }
        fsync(to);
        close(to);
        if (swapon(file_.c_str(), 0)) lab::fail("swapon %s: %s", file_.c_str(), strerror(errno));
    }
    ~Swap() {
        if (!used_) return;
        swapoff(file_.c_str());
        unlink(file_.c_str());
    }
    Swap(const Swap&) = delete;

  private:
    std::string file_;
    bool used_ = false;
};

// Fills its pages; then answers each byte on `orders` with whether they still hold what they should.
[[noreturn]] void be_process(long pages, int orders, int answers) {
    auto* memory = static_cast<volatile uint32_t*>(
        mmap(nullptr, static_cast<size_t>(pages * kPageBytes), PROT_READ | PROT_WRITE,
             MAP_PRIVATE | MAP_ANONYMOUS, -1, 0));
    if (memory == MAP_FAILED) lab::fail("memory: %s", strerror(errno));
    constexpr long kWords = kPageBytes / 4;
    for (long i = 0; i < pages * kWords; ++i) memory[i] = static_cast<uint32_t>(i) * 2654435761u;
    for (char intact = 1, order;; intact = 1) {
        if (write(answers, &intact, 1) != 1 || read(orders, &order, 1) != 1) _exit(0);
        for (long i = 0; i < pages * kWords; ++i)
            if (memory[i] != static_cast<uint32_t>(i) * 2654435761u) intact = 0;
    }
}

// Waits until it has no page in memory any more, or for as long as that may take.
void wait_until_out(pid_t pid) {
    for (const int64_t end = lab::now() + kPatience; lab::now() < end && look(pid).resident;)
        lab::sleep_for(10'000'000);
}

}  // namespace

int main(int argc, char** argv) {
    long pages = 500, random = 0, seed = 1;
    bool json = false;
    std::string swap_file = "/swap-of-lab";
    const auto words = lab::Command(kHelp)
                           .number("--pages", pages, 1, 1'000'000)
                           .random(random, 1'000'000, seed)
                           .text("--swap", swap_file)
                           .flag("--json", json)
                           .parse(argc, argv);
    if (!words.empty()) lab::refuse("no arguments but options; not '%s'", words[0].c_str());
    if (random) pages = lab::Random(seed).between(1, random);
    const Swap swap(swap_file, pages + 200);
    int orders[2], answers[2];
    if (pipe(orders) || pipe(answers)) lab::fail("pipe: %s", strerror(errno));
    const pid_t child = fork();
    if (child < 0) lab::fail("fork: %s", strerror(errno));
    if (child == 0) {
        close(orders[1]);
        close(answers[0]);
        be_process(pages, orders[0], answers[1]);
    }
    char intact = 0;
    lab::Table table({{"moment", "moment"},
                      {"state", "state"},
                      {"resident", "resident"},
                      {"swapped", "swapped"},
                      {"free", "free"},
                      {"intact", "intact"}});
    auto row = [&](const char* moment, bool known) {
        const Moment m = look(child);
        table.row({moment, std::string(1, m.state), m.resident, m.swapped, m.free,
                   known ? lab::Cell(intact ? "yes" : "no", intact != 0) : lab::Cell("", nullptr)});
    };
    auto order = [&](const char* file) {
        const std::string path = std::string("/proc/sys/kernel/sched/") + file;
        if (const int error = lab::write_file(path, std::to_string(child)))
            lab::fail("%s: %s", path.c_str(), strerror(error));
    };
    if (read(answers[0], &intact, 1) != 1) lab::fail("the process has ended");
    lab::sleep_for(20'000'000);  // it sleeps by then
    row("before", false);
    order("suspend");
    wait_until_out(child);
    row("suspended", false);
    order("resume");
    lab::sleep_for(20'000'000);
    row("resumed", false);
    if (write(orders[1], "", 1) != 1 || read(answers[0], &intact, 1) != 1)
        lab::fail("it has ended");
    lab::sleep_for(20'000'000);
    row("touched again", true);
    kill(child, SIGKILL);
    waitpid(child, nullptr, 0);
    if (!json) return table.print(), 0;
    lab::Object()
        .add("lab", "lab-suspend")
        .add("input", lab::Object().add("pages", pages))
        .add("rows", table.rows())
        .print();
}
