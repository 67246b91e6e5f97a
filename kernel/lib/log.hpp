// The kernel's log: lines of text in a ring that `dmesg` reads, and on the console as they come.
// log_info("ide: {} sectors", n) adds the time stamp and the line end itself.
// Locks: the log's own (innermost) lock; callable from everywhere, interrupt handlers too.
#pragma once

#include "kernel/lib/format.hpp"

enum class LogLevel : uint8_t {
    emergency = 0,
    error = 3,
    warning = 4,
    notice = 5,
    info = 6,
    debug = 7
};

void log_line(LogLevel level, std::string_view format, std::span<const FormatArgument> arguments);

template <typename... Args>
void log_at(LogLevel level, std::string_view format, const Args&... args) {
    const FormatArgument arguments[] = {format_argument(args)..., FormatArgument{}};
    log_line(level, format, {arguments, sizeof...(args)});
}
template <typename... Args>
void log_info(std::string_view format, const Args&... args) {
    log_at(LogLevel::info, format, args...);
}
template <typename... Args>
void log_warning(std::string_view format, const Args&... args) {
    log_at(LogLevel::warning, format, args...);
}
template <typename... Args>
void log_error(std::string_view format, const Args&... args) {
    log_at(LogLevel::error, format, args...);
}

// What start-up connects: where lines also go, and what time it is.
struct LogHooks {
    void (*write)(std::string_view text) = nullptr;
    uint64_t (*nanoseconds)() = nullptr;
};
extern LogHooks log_hooks;

// The ring's text, oldest whole line first, for dmesg: copies what fits of its last `to.size()`
// bytes and returns how many. `log_size` is what there is; clearing hides what was logged so far.
size_t log_read(std::span<char> to);
size_t log_size();
void log_clear();
void log_set_console_level(uint32_t level);  // lines of a smaller level number reach the console
