// The disk as /proc and /dev show it. See lab.hpp.
#define _FILE_OFFSET_BITS 64
#include "user/lab-disk/lab.hpp"

#include <dirent.h>
#include <fcntl.h>
#include <unistd.h>

#include <algorithm>
#include <cerrno>
#include <cstring>
#include <fstream>
#include <sstream>

#include "user/lab/setting.hpp"

void drop_caches() {
    sync();
    if (const int error = lab::write_file("/proc/sys/vm/drop_caches", "1"))
        lab::fail("the caches cannot be emptied: %s", std::strerror(error));
}

// Five times the same loop: but for an interrupt or two it takes the same count of ticks each time,
// if a tick is an instruction. A processor that runs in real time does not repeat itself so.
bool time_is_counted() {
    uint64_t ticks[5];
    for (uint64_t& sample : ticks) {
        const uint64_t start = __builtin_ia32_rdtsc();
        for (int n = 0; n < 2000; ++n) asm volatile("");
        sample = __builtin_ia32_rdtsc() - start;
    }
    std::ranges::sort(ticks);
    return ticks[1] == ticks[3];
}

std::string Disk::first() {
    std::string found;
    DIR* folder = opendir("/proc/sys/dev/disk");
    while (const dirent* entry = folder ? readdir(folder) : nullptr)
        if (found.empty() && entry->d_type == DT_DIR && entry->d_name[0] != '.')
            found = entry->d_name;
    if (folder) closedir(folder);
    return found;
}

Disk::Disk(const std::string& name) : name_(name.empty() ? first() : name) {
    if (name_.empty())
        lab::fail(
            "no disk here has a queue: with scripts/run --icount the root is a RAM disk, which has "
            "one once its transfers take time: echo 1000 >/proc/sys/dev/disk/ram_delay_us");
    if (access(setting("travel").c_str(), R_OK) != 0)
        lab::fail("%s is no disk with a queue; one is %s", name_.c_str(), first().c_str());
    const std::string path = "/dev/" + name_;
    fd_ = open(path.c_str(), O_RDONLY | O_CLOEXEC);
    if (fd_ < 0) lab::fail("%s: %s", path.c_str(), std::strerror(errno));
    sectors_ = static_cast<uint64_t>(lseek(fd_, 0, SEEK_END)) / 512;
}

Disk::~Disk() { close(fd_); }

void Disk::read(uint64_t sector, void* to, size_t bytes) const {
    const ssize_t done = pread(fd_, to, bytes, static_cast<off_t>(sector * 512));
    if (done < 0) lab::fail("/dev/%s: %s", name_.c_str(), std::strerror(errno));
}

Disk::Counts Disk::counts() const {
    std::ifstream stats("/proc/diskstats");
    for (std::string line; std::getline(stats, line);) {
        std::istringstream words(line);
        std::string major, minor, disk;
        unsigned long field[11] = {};
        words >> major >> minor >> disk;
        for (unsigned long& f : field) words >> f;
        if (disk == name_) return {field[0] + field[1] + field[4] + field[5], field[8]};
    }
    lab::fail("%s is not in /proc/diskstats", name_.c_str());
}
