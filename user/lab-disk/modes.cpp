// One read, with the controller served in three ways.
#include <sys/resource.h>
#include <time.h>

#include <fstream>
#include <sstream>

#include "lab.hpp"

namespace {

struct Sample {
    double elapsed, cpu;  // milliseconds
    unsigned long interrupts, waits;
};

double milliseconds(const timespec& t) { return double(t.tv_sec) * 1e3 + double(t.tv_nsec) / 1e6; }

double now() {
    timespec t;
    clock_gettime(CLOCK_MONOTONIC, &t);
    return milliseconds(t);
}

// Of this process, in the kernel and out of it: what its waiting costs others.
double cpu_time() {
    std::istringstream words(read_text("/proc/self/schedstat"));
    double nanoseconds = 0;
    words >> nanoseconds;
    return nanoseconds / 1e6;
}

unsigned long interrupts() {
    std::ifstream file("/proc/interrupts");
    unsigned long sum = 0;
    for (std::string line; std::getline(file, line);) {
        if (line.find(" ide") == std::string::npos) continue;
        std::istringstream words(line.substr(line.find(':') + 1));
        unsigned long count = 0;
        words >> count;
        sum += count;
    }
    return sum;
}

unsigned long waits() {
    rusage use;
    getrusage(RUSAGE_SELF, &use);
    return static_cast<unsigned long>(use.ru_nvcsw);
}

Sample read_all(const Disk& disk, uint64_t bytes, std::vector<char>& buffer) {
    drop_caches();
    Sample s{-now(), -cpu_time(), interrupts(), waits()};
    for (uint64_t at = 0; at < bytes; at += buffer.size())
        disk.read(at / 512, buffer.data(), buffer.size());
    const double end_cpu = cpu_time(), end = now();
    return {s.elapsed + end, s.cpu + end_cpu, interrupts() - s.interrupts, waits() - s.waits};
}

}  // namespace

int modes(const std::vector<std::string>& words, bool json) {
    unsigned long kib = 4096;
    std::string name;
    for (size_t i = 0; i < words.size(); ++i)
        if (words[i] == "--kib" && i + 1 < words.size())
            kib = number(words[++i]);
        else if (words[i][0] != '-' && name.empty())
            name = words[i];
        else
            usage();
    const Disk disk(name);
    const uint64_t bytes = uint64_t{kib} * 1024;
    std::vector<char> buffer(64 * 1024);
    if (kib < 64 || bytes > disk.sectors() * 512) fail("at least 64 KiB, at most the disk");
    const char* const kMode = "/proc/sys/dev/disk/ide";
    const Kept kept(kMode);
    read_all(disk, buffer.size(), buffer);  // this program is in memory now
    if (json)
        std::printf("{\"disk\": \"%s\", \"kib\": %lu, \"modes\": [", disk.name().c_str(), kib);
    else
        std::printf("%lu KiB from %s\n%-6s %12s %12s %8s %12s %8s\n", kib, disk.name().c_str(),
                    "mode", "elapsed, ms", "CPU, ms", "CPU, %", "interrupts", "waits");
    bool first = true;
    for (const char* mode : {"poll", "irq", "dma"}) {
        write_text(kMode, mode);
        const Sample s = read_all(disk, bytes, buffer);
        if (json)
            std::printf(
                "%s\n  {\"mode\": \"%s\", \"elapsed_ms\": %.3f, \"cpu_ms\": %.3f, "
                "\"interrupts\": %lu, \"waits\": %lu}",
                first ? "" : ",", mode, s.elapsed, s.cpu, s.interrupts, s.waits);
        else
            std::printf("%-6s %12.3f %12.3f %8.1f %12lu %8lu\n", mode, s.elapsed, s.cpu,
                        100 * s.cpu / s.elapsed, s.interrupts, s.waits);
        first = false;
    }
    if (json) std::puts("\n]}");
    return 0;
}
