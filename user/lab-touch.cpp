// lab-touch: touches a page in a given order, and tells what came of each access: where the page came
// from, as the kernel's trace says, and what is in it; or how the access was refused.
#include <fcntl.h>
#include <setjmp.h>
#include <signal.h>
#include <sys/mman.h>
#include <sys/wait.h>
#include <unistd.h>

#include <cerrno>
#include <cstdlib>
#include <cstring>
#include <map>
#include <memory>
#include <sstream>

#include "user/lab/command.hpp"
#include "user/lab/lines.hpp"
#include "user/lab/setting.hpp"

namespace {

constexpr char kHelp[] =
    "usage: lab-touch [--json] WORD...\n"
    "First a page: private, shared, file (a private mapping of one whose first word is 100), "
    "readonly,\n"
    "forbidden. Then what is done with it, step by step: read, write (the step's number, into the "
    "first\n"
    "word); fork, child-read, child-write, end (of the child); rights=rw, rights=r, rights=none; "
    "unmap.\n"
    "    # lab-touch private read fork child-write write end write\n"
    "    1 read: zeroed, 0\n"
    "    3 write: copy, 3\n"
    "    4 write: write, 4\n"
    "    6 write: no fault, 6\n";
constexpr size_t kPage = 4096;
const std::map<std::string, int> kRights = {
    {"rw", PROT_READ | PROT_WRITE}, {"r", PROT_READ}, {"none", PROT_NONE}};

sigjmp_buf refused;
volatile int refusal;  // si_code

void on_refusal(int, siginfo_t* info, void*) {
    refusal = info->si_code;
    siglongjmp(refused, 1);
}

// Where the page came from, by each fault on it that this process had since its last mark.
std::string sources(const volatile int* page) {
    std::ostringstream address;
    address << "address=0x" << std::hex << reinterpret_cast<unsigned long>(page) << ' ';
    std::istringstream trace(lab::read_file("/proc/trace"));
    std::string all;
    for (std::string line; std::getline(trace, line);) {
        if (atoi(line.c_str()) != getpid()) continue;
        if (line.find(" mark ") != line.npos) all.clear();
        const size_t at = line.find(" source=");
        if (at == line.npos || line.find(address.str()) == line.npos) continue;
        const size_t start = at + strlen(" source=");
        all += (all.empty() ? "" : "+") + line.substr(start, line.find(' ', start) - start);
    }
    return all.empty() ? "no fault" : all;
}

lab::Lines lines;

// What is said of it. A write puts the step's number there.
std::string touch(int step, bool writes, volatile int* page) {
    // An event of the trace, at which a debugger can stop (scripts/debug --at).
    lab::write_file("/proc/trace_marker", "step " + std::to_string(step));
    std::string came;
    if (sigsetjmp(refused, 1)) {
        came = refusal == SEGV_MAPERR ? "refused, nothing is mapped" : "refused, not allowed";
    } else {
        if (writes) *page = step;
        const int value = *page;
        came = sources(page) + ", " + std::to_string(value);
    }
    return std::to_string(step) + (writes ? " write: " : " read: ") + came;
}

volatile int* new_page(const std::string& kind) {
    int file = -1, flags = kind == "shared" ? MAP_SHARED : MAP_PRIVATE;
    if (kind == "file") {
        static int word = 100;
        char name[] = "/tmp/lab-touch-XXXXXX";
        file = mkstemp(name);
        if (file < 0 || write(file, &word, sizeof word) != sizeof word ||
            ftruncate(file, kPage) != 0)
            lab::fail("%s: %s", name, strerror(errno));
        unlink(name);
    }
    const int rights = kRights.at(kind == "readonly" ? "r" : kind == "forbidden" ? "none" : "rw");
    if (file < 0) flags |= MAP_ANONYMOUS;
    void* page = mmap(nullptr, kPage, rights, flags, file, 0);
    if (page == MAP_FAILED) lab::fail("mmap: %s", strerror(errno));
    return static_cast<volatile int*>(page);
}

// It does what a child's word says, and answers when that is done.
class Child {
  public:
    explicit Child(volatile int* page) {
        signal(SIGPIPE, SIG_IGN);
        if (pipe(orders_) || pipe(answers_)) lab::fail("pipe: %s", strerror(errno));
        pid_ = fork();
        if (pid_ < 0) lab::fail("fork: %s", strerror(errno));
        close(orders_[pid_ ? 0 : 1]);
        close(answers_[pid_ ? 1 : 0]);
        if (pid_) return;
        for (Order order; read(orders_[0], &order, sizeof order) == sizeof order;) {
            Answer answer{};
            touch(order.step, order.writes, page).copy(answer.text, sizeof answer.text - 1);
            static_cast<void>(!write(answers_[1], &answer, sizeof answer));
        }
        _exit(0);
    }
    ~Child() {
        close(orders_[1]);
        close(answers_[0]);
        waitpid(pid_, nullptr, 0);
    }
    Child(const Child&) = delete;
    Child& operator=(const Child&) = delete;
    std::string touch_by(int step, bool writes) const {
        const Order order{step, writes};
        Answer answer;
        if (write(orders_[1], &order, sizeof order) != sizeof order ||
            read(answers_[0], &answer, sizeof answer) != sizeof answer)
            lab::fail("the child has ended");
        return answer.text;
    }

  private:
    struct Order {
        int step;
        bool writes;
    };
    struct Answer {
        char text[200];
    };
    int orders_[2], answers_[2];
    pid_t pid_;
};

void set_rights(volatile int* page, const std::string& name) {
    const auto rights = kRights.find(name);
    if (rights == kRights.end())
        lab::refuse("rights=rw, rights=r or rights=none, not '%s'", name.c_str());
    if (mprotect(const_cast<int*>(page), kPage, rights->second))
        lab::fail("mprotect: %s", strerror(errno));
}

void perform(const std::string& word, int step, volatile int* page, std::unique_ptr<Child>& child) {
    const bool writes = word.ends_with("write");
    if (word == "read" || word == "write")
        lines.say(touch(step, writes, page));
    else if (word == "fork")
        child = std::make_unique<Child>(page);
    else if (word == "child-read" || word == "child-write")
        child ? lines.say(child->touch_by(step, writes))
              : lab::refuse("%s: 'fork' comes first", word.c_str());
    else if (word == "end")
        child.reset();
    else if (word == "unmap")
        munmap(const_cast<int*>(page), kPage);
    else if (word.starts_with("rights="))
        set_rights(page, word.substr(7));
    else
        lab::refuse("what is '%s'? see --help", word.c_str());
}

}  // namespace

int main(int argc, char** argv) {
    const std::vector<std::string> words =
        lab::Command(kHelp).flag("--json", lines.as_json).parse(argc, argv);
    if (words.empty()) lab::refuse("a page and what is done with it; see --help");
    // Each access is looked up in the trace, which must not be long.
    const lab::Setting events("/proc/sys/kernel/trace/events", "fault,mark");
    lab::write_file("/proc/trace", "");
    struct sigaction action {};
    action.sa_sigaction = on_refusal;
    action.sa_flags = SA_SIGINFO;
    sigaction(SIGSEGV, &action, nullptr);
    const std::string kind =
        lab::one_of("a page", words[0], {"private", "shared", "file", "readonly", "forbidden"});
    volatile int* page = new_page(kind);
    std::unique_ptr<Child> child;
    for (size_t i = 1; i < words.size(); ++i) perform(words[i], static_cast<int>(i), page, child);
    lines.end("lab-touch", words);
}
