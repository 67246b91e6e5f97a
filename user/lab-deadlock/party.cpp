// See lab.hpp: the device, and what /proc/deadlock says.
#include <fcntl.h>
#include <sys/ioctl.h>
#include <sys/wait.h>
#include <unistd.h>

#include <cerrno>
#include <cstring>
#include <sstream>

#include "user/lab-deadlock/lab.hpp"

Party::Party(const std::string& name) : fd_(open("/dev/resources", O_RDWR | O_CLOEXEC)) {
    if (fd_ < 0) lab::fail("/dev/resources: %s", strerror(errno));
    char text[16] = {};
    name.copy(text, sizeof text - 1);
    ioctl(fd_, RES_NAME, text);
}

Party::~Party() { close(fd_); }

void Party::add_type(uint32_t number, const std::string& name, uint32_t units, bool preemptible,
                     bool consumable) {
    res_type type = {{}, units, preemptible, 1, consumable};
    name.copy(type.name, sizeof type.name - 1);
    const int got = ioctl(fd_, RES_ADD_TYPE, &type);
    if (got < 0) lab::fail("a type of resource: %s", strerror(errno));
    if (static_cast<uint32_t>(got) != number) lab::fail("/dev/resources is in use");
}

int Party::call(unsigned long what, const Row& units) {
    std::vector<res_amount> amounts;
    for (uint32_t t = 0; t < units.size(); t++)
        if (units[t] || what == RES_CLAIM) amounts.push_back({t, units[t]});
    res_list list = {static_cast<uint32_t>(amounts.size()), amounts.data()};
    return ioctl(fd_, what, &list) < 0 ? errno : 0;
}

int Party::produce(uint32_t type, uint32_t units) {
    res_amount amount = {type, units};
    res_list list = {1, &amount};
    return ioctl(fd_, RES_PRODUCE, &list) < 0 ? errno : 0;
}

Row one_unit(uint32_t types, std::initializer_list<uint32_t> of) {
    Row row(types, 0);
    for (const uint32_t t : of) row[t] = 1;
    return row;
}

namespace {

// "held 1 2 3 wanted ...": the numbers after a word.
Row numbers_after(const std::string& line, const std::string& word) {
    Row row;
    const size_t at = line.find(" " + word + " ");
    if (at == line.npos) return row;
    std::istringstream rest(line.substr(at + word.size() + 2));
    for (uint32_t n; rest >> n;) row.push_back(n);
    return row;
}

void read_line(const std::string& line, State& state) {
    std::istringstream words(line);
    std::string kind, name;
    words >> kind >> name;
    if (kind == "type") state.available.push_back(numbers_after(line, "available")[0]);
    if (kind == "state") state.safe = name == "safe";
    if (kind == "deadlocked") state.deadlocked = line.substr(kind.size() + 1);
    if (kind == "party")
        state.members[name] = {numbers_after(line, "max"), numbers_after(line, "held"),
                               numbers_after(line, "wanted"), numbers_after(line, "cost")[0],
                               line.substr(line.find(" state ") + 7)};
    if (kind == "safe")
        state.steps.push_back({name, numbers_after(line, "work"), numbers_after(line, "need"),
                               numbers_after(line, "allocation"),
                               numbers_after(line, "work_after")});
    if (kind == "victim") {
        state.victim = {{"name", name}};
        for (std::string key, value; words >> key >> value;) state.victim[key] = value;
    }
    if (kind == "requests") {
        std::istringstream pairs(line);
        for (uint64_t n; pairs >> kind >> n;) state.counts[kind] = n;
    }
}

}  // namespace

State read_state() {
    State state;
    std::istringstream text(lab::read_file("/proc/deadlock"));
    for (std::string line; std::getline(text, line);) read_line(line, state);
    return state;
}

pid_t fork_or_fail() {
    const pid_t pid = fork();
    if (pid < 0) lab::fail("fork: %s", strerror(errno));
    return pid;
}

bool all_end(const std::vector<pid_t>& children, int64_t patience_ns) {
    int64_t since = 0;  // when the deadlock was seen first; 0: there is none
    for (size_t gone = 0;;) {
        const pid_t pid = waitpid(-1, nullptr, WNOHANG);
        if (pid > 0 && ++gone == children.size()) return true;
        if (pid != 0) continue;
        if (read_state().deadlocked.empty())
            since = 0;
        else if (!since)
            since = lab::now();
        if (since && lab::now() - since >= patience_ns) return false;
        lab::sleep_for(1'000'000);
    }
}
