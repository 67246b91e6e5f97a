// The kernel's log: see kernel/lib/log.hpp. Lines are "<level>[seconds.micros] text\n" in a ring.
// Locks: log (innermost but for the console's).
#include "kernel/lib/log.hpp"

#include "kernel/sync/spin_lock.hpp"
#include "kernel/trace/log_levels.hpp"

constinit LogHooks log_hooks{};

namespace {

constexpr uint32_t kRingBytes = 64 * 1024;
constinit IrqSpinLock lock{LockRank::log};
constinit char ring[kRingBytes] GUARDED_BY(lock) = {};
constinit uint64_t written GUARDED_BY(lock) =
    0;  // bytes ever; the ring holds the last kRingBytes of them
constinit uint64_t visible_from GUARDED_BY(lock) = 0;

void append(std::string_view text) REQUIRES(lock) {
    for (char c : text) ring[written++ % kRingBytes] = c;
}

uint64_t first_whole_line() REQUIRES(lock) {
    if (written <= kRingBytes) return visible_from;
    uint64_t at = written - kRingBytes;
    while (at < written && ring[at % kRingBytes] != '\n') ++at;
    return at + 1 > visible_from ? at + 1 : visible_from;
}

}  // namespace

void log_line(LogLevel level, std::string_view format, std::span<const FormatArgument> arguments) {
    char line[256];
    BufferSink sink(line);
    uint64_t now = log_hooks.nanoseconds ? log_hooks.nanoseconds() : 0;
    auto seconds = static_cast<uint32_t>(now / 1'000'000'000);
    auto micros = static_cast<uint32_t>(now % 1'000'000'000) / 1000;
    format_to(sink, "<{}>[{:5}.{:06}] ", static_cast<uint32_t>(level), seconds, micros);
    format_arguments(sink, format, arguments);
    std::string_view text = sink.view();
    LockGuard guard(lock);
    append(text);
    append("\n");
    if (log_hooks.write && static_cast<uint32_t>(level) < console_level) {
        log_hooks.write(text.substr(3));
        log_hooks.write("\n");
    }
}

size_t log_size() {
    LockGuard guard(lock);
    return written - first_whole_line();
}

size_t log_read(std::span<char> to) {
    LockGuard guard(lock);
    uint64_t from = first_whole_line();
    if (written - from > to.size()) {
        from = written - to.size();
        while (from > 0 && from < written && ring[(from - 1) % kRingBytes] != '\n') ++from;
    }
    size_t count = written - from;
    for (size_t i = 0; i < count; ++i) to[i] = ring[(from + i) % kRingBytes];
    return count;
}

void log_clear() {
    LockGuard guard(lock);
    visible_from = written;
}

void log_set_console_level(uint32_t level) { console_level = level; }
