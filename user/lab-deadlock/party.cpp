// See lab.hpp: the device, and what /proc/deadlock says.
#include <fcntl.h>
#include <sys/ioctl.h>
#include <unistd.h>

#include <cerrno>
#include <cstdarg>
#include <cstdio>
#include <cstdlib>
#include <cstring>
#include <fstream>
#include <sstream>

#include "user/lab-deadlock/lab.hpp"

void fail(const char* format, ...) {
    va_list arguments;
    va_start(arguments, format);
    fputs("lab-deadlock: ", stderr);
    vfprintf(stderr, format, arguments);
    fputs("\n", stderr);
    va_end(arguments);
    _exit(1);
}

void set_strategy(const std::string& name) {
    std::ofstream file("/proc/sys/kernel/deadlock/strategy");
    file << name << std::flush;
    if (!file) fail("no strategy '%s'", name.c_str());
}

std::string read_all(const char* path) {
    std::ifstream file(path);
    std::stringstream text;
    text << file.rdbuf();
    return text.str();
}

Party::Party(const std::string& name) : fd_(open("/dev/resources", O_RDWR | O_CLOEXEC)) {
    if (fd_ < 0) fail("/dev/resources: %s", strerror(errno));
    char text[16] = {};
    name.copy(text, sizeof text - 1);
    ioctl(fd_, RES_NAME, text);
}

Party::~Party() { close(fd_); }

uint32_t Party::add_type(const std::string& name, uint32_t units, bool preemptible) {
    res_type type = {{}, units, preemptible, 1};
    name.copy(type.name, sizeof type.name - 1);
    int number = ioctl(fd_, RES_ADD_TYPE, &type);
    if (number < 0) fail("add a type: %s", strerror(errno));
    return number;
}

int Party::call(unsigned long what, const Row& units) {
    std::vector<res_amount> amounts;
    for (uint32_t t = 0; t < units.size(); t++)
        if (units[t] || what == RES_CLAIM) amounts.push_back({t, units[t]});
    res_list list = {uint32_t(amounts.size()), amounts.data()};
    return ioctl(fd_, what, &list) < 0 ? errno : 0;
}

namespace {

// "held 1 2 3 wanted ...": the numbers after a word.
Row numbers_after(const std::string& line, const std::string& word) {
    Row row;
    size_t at = line.find(" " + word + " ");
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
                               numbers_after(line, "wanted"),
                               line.substr(line.find(" state ") + 7)};
    if (kind == "safe")
        state.steps.push_back({name, numbers_after(line, "work"), numbers_after(line, "need"),
                               numbers_after(line, "allocation"),
                               numbers_after(line, "work_after")});
    if (kind == "requests") {
        std::istringstream pairs(line);
        for (uint64_t n; pairs >> kind >> n;) state.counts[kind] = n;
    }
}

}  // namespace

State read_state() {
    State state;
    std::istringstream text(read_all("/proc/deadlock"));
    for (std::string line; std::getline(text, line);) read_line(line, state);
    return state;
}
