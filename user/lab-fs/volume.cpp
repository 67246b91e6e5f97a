// The disk under a file system. See lab.hpp.
#define _FILE_OFFSET_BITS 64
#include <fcntl.h>
#include <sys/stat.h>
#include <unistd.h>

#include <cerrno>
#include <cstring>
#include <fstream>
#include <sstream>

#include "lab.hpp"

Volume::Volume(const std::string& path) {
    struct stat file, top;
    if (lstat(path.c_str(), &file) != 0) fail(path + ": " + std::strerror(errno));
    std::ifstream mounts("/proc/mounts");
    for (std::string line; std::getline(mounts, line);) {
        std::istringstream words(line);
        std::string source, place, type;
        words >> source >> place >> type;
        if (type != "ext2" || stat(place.c_str(), &top) != 0 || top.st_dev != file.st_dev) continue;
        device_ = source;
        place_ = place;
        break;
    }
    if (device_.empty()) fail(path + " is not on an ext2 file system");
    fd_ = open(device_.c_str(), O_RDONLY | O_CLOEXEC);
    if (fd_ < 0) fail(device_ + ": " + std::strerror(errno));
    read(ext2::kSuperblockOffset, &super_, sizeof super_);
    if (super_.magic != ext2::kMagic) fail(device_ + " holds no ext2");
}

Volume::~Volume() { close(fd_); }

void Volume::read(uint64_t offset, void* to, size_t bytes) const {
    const ssize_t done = pread64(fd_, to, bytes, static_cast<off64_t>(offset));
    if (done != static_cast<ssize_t>(bytes)) fail(device_ + ": can't be read");
}

std::vector<uint8_t> Volume::block(uint32_t number) const {
    std::vector<uint8_t> bytes(block_size());
    read(uint64_t{number} * block_size(), bytes.data(), bytes.size());
    return bytes;
}

ext2::GroupDescriptor Volume::group(uint32_t index) const {
    ext2::GroupDescriptor descriptor;
    const uint64_t table = uint64_t{super_.first_data_block + 1} * block_size();
    read(table + index * sizeof descriptor, &descriptor, sizeof descriptor);
    return descriptor;
}

Volume::InodePlace Volume::inode_place(uint32_t number) const {
    const uint32_t size = super_.revision ? super_.inode_size : 128;
    const uint32_t group_index = (number - 1) / super_.inodes_per_group;
    const uint32_t at = (number - 1) % super_.inodes_per_group * size;
    return {group_index, group(group_index).inode_table + at / block_size(), at % block_size()};
}

ext2::InodeRecord Volume::inode(uint32_t number) const {
    const InodePlace place = inode_place(number);
    ext2::InodeRecord record;
    read(uint64_t{place.block} * block_size() + place.offset, &record, sizeof record);
    return record;
}

unsigned long Volume::reads() const {
    const std::string name = device_.substr(device_.rfind('/') + 1);
    std::ifstream stats("/proc/diskstats");
    for (std::string line; std::getline(stats, line);) {
        std::istringstream words(line);
        std::string major, minor, disk;
        unsigned long reads = 0;
        words >> major >> minor >> disk >> reads;
        if (disk == name) return reads;
    }
    fail(name + " is not in /proc/diskstats");
}
