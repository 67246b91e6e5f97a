// See setting.hpp.
#include "user/lab/setting.hpp"

#include <fcntl.h>
#include <unistd.h>

#include <algorithm>
#include <cerrno>
#include <cstdlib>
#include <cstring>
#include <fstream>
#include <map>
#include <sstream>

#include "user/lab/command.hpp"

namespace lab {

namespace {

std::map<std::string, std::string> to_put_back;  // what exit() has to put back
pid_t owner;

void put_back_all() {
    if (getpid() != owner) return;
    for (const auto& [path, value] : to_put_back) write_file(path, value);
}

}  // namespace

std::string read_file(const std::string& path) {
    std::ifstream file(path);
    std::stringstream text;
    text << file.rdbuf();
    return text.str();
}

int write_file(const std::string& path, const std::string& text) {
    const int file = open(path.c_str(), O_WRONLY | O_CLOEXEC);
    if (file < 0) return errno;
    const int error = write(file, text.data(), text.size()) < 0 ? errno : 0;
    close(file);
    return error;
}

std::vector<std::string> names_in(const std::string& path) {
    std::istringstream text(read_file(path));
    std::vector<std::string> names;
    for (std::string name; text >> name; names.push_back(name))
        std::erase_if(name, [](char c) { return c == '[' || c == ']'; });
    return names;
}

std::string chosen_in(const std::string& path) {
    std::string text = read_file(path);
    text.resize(std::min(text.find('\n'), text.size()));
    if (text.find('[') == text.npos) return text;
    std::string chosen;
    for (size_t open = 0; (open = text.find('[', open)) != text.npos; ++open)
        chosen +=
            (chosen.empty() ? "" : " ") + text.substr(open + 1, text.find(']', open) - open - 1);
    return chosen;
}

Setting::Setting(std::string path, const std::string& value)
    : path_(std::move(path)), before_(chosen_in(path_)) {
    if (!owner) atexit(put_back_all);
    owner = getpid();
    to_put_back.insert({path_, before_});
    if (!value.empty()) set(value);
}

Setting::~Setting() {
    if (getpid() != owner) return;
    write_file(path_, before_);
    to_put_back.erase(path_);
}

void Setting::set(const std::string& value) {
    if (const int error = write_file(path_, value))
        fail("%s = %s: %s", path_.c_str(), value.c_str(), strerror(error));
}

void sleep_until(int64_t time) {
    const timespec t{static_cast<time_t>(time / 1'000'000'000),
                     static_cast<long>(time % 1'000'000'000)};
    while (clock_nanosleep(CLOCK_MONOTONIC, TIMER_ABSTIME, &t, nullptr) == EINTR) {
    }
}
void sleep_for(int64_t nanoseconds) { sleep_until(now() + nanoseconds); }

}  // namespace lab
