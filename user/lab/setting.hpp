// Settings under /proc/sys, and the clock. A Setting puts back what stood in its file, when it goes
// or when the program ends by exit(); in a process that was forked later it puts nothing back.
#pragma once

#include <ctime>

#include <cstdint>
#include <string>
#include <vector>

namespace lab {

std::string read_file(const std::string& path);                    // "": there is none
int write_file(const std::string& path, const std::string& text);  // 0 or an error number
std::vector<std::string> names_in(const std::string& path);        // of "fifo [lru] clock"
std::string chosen_in(const std::string& path);  // lru, or all; else its first line

class Setting {
  public:
    // Keeps what is there; sets it, when `value` is given. Ends the program when that fails.
    explicit Setting(std::string path, const std::string& value = "");
    ~Setting();
    Setting(const Setting&) = delete;
    Setting& operator=(const Setting&) = delete;
    void set(const std::string& value);
    const std::string& before() const { return before_; }

  private:
    std::string path_, before_;
};

inline int64_t now(clockid_t clock = CLOCK_MONOTONIC) {  // nanoseconds
    timespec t;
    clock_gettime(clock, &t);
    return t.tv_sec * 1'000'000'000ll + t.tv_nsec;
}
void sleep_until(int64_t time);  // of the monotonic clock
void sleep_for(int64_t nanoseconds);

}  // namespace lab
