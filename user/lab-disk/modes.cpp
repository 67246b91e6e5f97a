// One read, with the controller served in three ways.
#include <sys/resource.h>

#include <fstream>
#include <sstream>
#include <vector>

#include "user/lab-disk/lab.hpp"
#include "user/lab/setting.hpp"
#include "user/lab/table.hpp"

namespace {

constexpr char kHelp[] =
    "usage: lab-disk modes [--kib N] [--mode NAME] [--json] [DISK]\n"
    "Reads N KiB (4096) of the disk by polling, by interrupts, and by DMA, or by one: CPU time, "
    "interrupts, "
    "and\n"
    "how often the program waited.\n"
    "    # lab-disk modes --kib 1024\n"
    "    1024 KiB from hda\n"
    "    mode  elapsed, ms  CPU, ms  CPU, %  interrupts  waits\n"
    "    poll       25.102   25.093    100.0           0      0\n"
    "    irq        19.870    7.106     35.8         130    144\n"
    "    dma         1.690    0.806     47.7          16     30\n";

struct Sample {
    double elapsed, cpu;  // milliseconds
    unsigned long interrupts, waits;
};

double now() { return double(lab::now()) / 1e6; }

// Of this process, in the kernel and out of it: what its waiting costs others.
double cpu_time() {
    std::istringstream words(lab::read_file("/proc/self/schedstat"));
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

int modes(int argc, char** argv) {
    long kib = 4096;
    bool json = false;
    std::string only;
    const std::vector<std::string> words = lab::Command(kHelp)
                                               .number("--kib", kib, 64, 4'194'304)
                                               .choice("--mode", only, {"poll", "irq", "dma"})
                                               .flag("--json", json)
                                               .parse(argc, argv);
    if (words.size() > 1) lab::refuse("one disk, not '%s'", lab::join(words).c_str());
    const Disk disk(words.empty() ? "" : words[0]);
    const uint64_t bytes = static_cast<uint64_t>(kib) * 1024;
    std::vector<char> buffer(64 * 1024);
    if (bytes > disk.sectors() * 512)
        lab::refuse("%s has only %llu KiB", disk.name().c_str(), disk.sectors() / 2);
    const bool counted = time_is_counted();
    lab::Setting mode("/proc/sys/dev/disk/ide");
    read_all(disk, buffer.size(), buffer);  // this program is in memory now
    lab::Table table({{"mode", "mode"},
                      {"elapsed_ms", "elapsed, ms"},
                      {"cpu_ms", "CPU, ms"},
                      {"cpu_percent", "CPU, %"},
                      {"interrupts", "interrupts"},
                      {"waits", "waits"}});
    const lab::Cell none("-", lab::Raw{"null"});
    for (const char* name : {"poll", "irq", "dma"}) {
        if (!only.empty() && only != name) continue;
        mode.set(name);
        const Sample s = read_all(disk, bytes, buffer);
        table.row({name, counted ? none : lab::Cell(lab::Decimal{s.elapsed, 3}),
                   lab::Decimal{s.cpu, 3},
                   counted ? none : lab::Cell(lab::Decimal{100 * s.cpu / s.elapsed, 1}),
                   s.interrupts, s.waits});
    }
    if (json) {
        lab::Object()
            .add("lab", "lab-disk modes")
            .add("input", lab::Object().add("disk", disk.name()).add("kib", kib))
            .add("time_is_counted", counted)
            .add("rows", table.rows())
            .print();
        return 0;
    }
    std::printf("%ld KiB from %s\n", kib, disk.name().c_str());
    table.print();
    if (counted)
        std::puts(
            "time here is counted in instructions (--icount), and the disk takes none: how long a "
            "read lasts says nothing, so it is left out; CPU time and interrupts do compare");
    return 0;
}
