// The disk as /proc and /dev show it. See lab.hpp.
#define _FILE_OFFSET_BITS 64
#include <dirent.h>
#include <fcntl.h>
#include <unistd.h>

#include <cerrno>
#include <cstring>
#include <fstream>
#include <sstream>

#include "lab.hpp"

std::string read_text(const std::string& path) {
    std::ifstream file(path);
    std::string line;
    if (!std::getline(file, line)) fail(path + " can't be read");
    return line;
}

void write_text(const std::string& path, const std::string& text) {
    const int fd = open(path.c_str(), O_WRONLY | O_CLOEXEC);
    const bool done = fd >= 0 && write(fd, text.data(), text.size()) == ssize_t(text.size());
    const int error = errno;
    if (fd >= 0) close(fd);
    if (!done) fail(path + ": " + std::strerror(error));
}

std::string chosen_of(const std::string& path) {
    const std::string line = read_text(path);
    const size_t start = line.find('['), end = line.find(']');
    if (start == std::string::npos || end == std::string::npos) fail(path + " names no choice");
    return line.substr(start + 1, end - start - 1);
}

void drop_caches() {
    sync();
    write_text("/proc/sys/vm/drop_caches", "1");
}

namespace {

std::string first_disk() {
    std::string found;
    DIR* folder = opendir("/proc/sys/dev/disk");
    if (!folder) fail("/proc/sys/dev/disk: " + std::string(std::strerror(errno)));
    while (const dirent* entry = readdir(folder))
        if (found.empty() && entry->d_type == DT_DIR && entry->d_name[0] != '.')
            found = entry->d_name;
    closedir(folder);
    if (found.empty()) fail("no disk here has a queue");
    return found;
}

}  // namespace

Disk::Disk(std::string name) : name_(name.empty() ? first_disk() : std::move(name)) {
    if (access(setting("travel").c_str(), R_OK) != 0) fail(name_ + " is no disk with a queue");
    const std::string path = "/dev/" + name_;
    fd_ = open(path.c_str(), O_RDONLY | O_CLOEXEC);
    if (fd_ < 0) fail(path + ": " + std::strerror(errno));
    sectors_ = static_cast<uint64_t>(lseek(fd_, 0, SEEK_END)) / 512;
}

Disk::~Disk() { close(fd_); }

void Disk::read(uint64_t sector, void* to, size_t bytes) const {
    const ssize_t done = pread(fd_, to, bytes, static_cast<off_t>(sector * 512));
    if (done < 0) fail("/dev/" + name_ + ": " + std::strerror(errno));
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
    fail(name_ + " is not in /proc/diskstats");
}
