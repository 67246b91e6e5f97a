// bmap, lookup and bitmap: through index blocks, through directories, and what is free.
#define _FILE_OFFSET_BITS 64
#include <fcntl.h>
#include <sys/mman.h>
#include <sys/stat.h>
#include <unistd.h>

#include <algorithm>
#include <cerrno>
#include <cstring>
#include <fstream>

#include "fs/ext2/block_map.hpp"
#include "fs/free_space/free_bitmap.hpp"
#include "lab.hpp"

std::vector<Step> way_to(const Volume& volume, const ext2::InodeRecord& inode, uint32_t block) {
    const auto bits = static_cast<uint32_t>(8 + volume.super().log_block_size);
    const std::optional<ext2::BlockPath> path = ext2::block_path(block, bits);
    if (!path) fail("no index reaches that block");
    std::vector<Step> steps;
    steps.push_back({0, path->index[0], inode.block[path->index[0]]});
    for (uint32_t level = 1; level <= path->levels && steps.back().to; ++level) {
        const uint32_t from = steps.back().to;
        uint32_t pointer;
        std::memcpy(&pointer, volume.block(from).data() + path->index[level] * 4, 4);
        steps.push_back({from, path->index[level], pointer});
    }
    return steps;
}

namespace {

// Requests that reading one byte there costs, with nothing cached but the inode, and again.
struct Reads {
    unsigned long cold, warm;
};
Reads measure(const Volume& volume, int fd, uint64_t offset) {
    sync();
    mlockall(MCL_CURRENT);  // this program's own pages are not what is counted
    if (!(std::ofstream("/proc/sys/vm/drop_caches") << "1\n" << std::flush))
        fail("the caches can't be emptied (only root may)");
    unsigned long before[3];
    for (unsigned long& count : before) {
        count = volume.reads();
        char byte;
        if (&count != &before[2] && pread64(fd, &byte, 1, static_cast<off64_t>(offset)) < 0)
            fail(std::string("read: ") + std::strerror(errno));
    }
    return {before[1] - before[0], before[2] - before[1]};
}

constexpr const char* kLevels[] = {"direct", "single indirect", "double indirect",
                                   "triple indirect"};

// The entry of that name in a block of a directory, or null. Counts the names in use that it passes.
// Lab 13.3: stub { passed += block.size() * 0 + name.size() * 0; return nullptr; }
const uint8_t* entry_named(const std::vector<uint8_t>& block, const std::string& name,
                           uint32_t& passed) {
    for (size_t at = 0; at + 8 <= block.size();) {
        uint32_t inode;
        uint16_t length;
        std::memcpy(&inode, &block[at], 4);
        std::memcpy(&length, &block[at + 4], 2);
        if (length < 8 || at + length > block.size()) fail("a damaged directory");
        const std::string_view here(reinterpret_cast<const char*>(&block[at + 8]), block[at + 6]);
        if (inode && here == name) return &block[at];
        passed += inode != 0;
        at += length;
    }
    return nullptr;
}

// Looks for the name in all blocks of a directory, and says in which. 0: not there.
uint32_t find_in(const Volume& volume, uint32_t directory, const std::string& name) {
    const ext2::InodeRecord record = volume.inode(directory);
    const Volume::InodePlace place = volume.inode_place(directory);
    std::printf("inode %u (group %u, block %u, byte %u)\n", directory, place.group, place.block,
                place.offset);
    uint32_t passed = 0;
    for (uint32_t block = 0; block * volume.block_size() < record.size_low; ++block) {
        const uint32_t at = way_to(volume, record, block).back().to;
        if (!at) continue;
        const std::vector<uint8_t> bytes = volume.block(at);
        if (const uint8_t* entry = entry_named(bytes, name, passed)) {
            uint32_t found;
            std::memcpy(&found, entry, 4);
            std::printf(
                "  block %u of it, %u on the disk, byte %u: \"%s\" is inode %u"
                " (%u names before it)\n",
                block, at, static_cast<uint32_t>(entry - bytes.data()), name.c_str(), found,
                passed);
            return found;
        }
        std::printf("  block %u of it, %u on the disk: not there\n", block, at);
    }
    return 0;
}

std::string target_of(const Volume& volume, const ext2::InodeRecord& link) {
    if (link.size_low < sizeof link.block)
        return {reinterpret_cast<const char*>(link.block), link.size_low};
    const std::vector<uint8_t> bytes = volume.block(link.block[0]);
    return {reinterpret_cast<const char*>(bytes.data()), link.size_low};
}

}  // namespace

int bmap(const std::vector<std::string>& words, bool json) {
    if (words.size() != 2) usage();
    char* end;
    const uint64_t offset = std::strtoull(words[1].c_str(), &end, 0);
    if (words[1].empty() || *end) usage();
    const Volume volume(words[0]);
    const int fd = open(words[0].c_str(), O_RDONLY | O_CLOEXEC);
    struct stat64 file;
    if (fd < 0 || fstat64(fd, &file) != 0) fail(words[0] + ": " + std::strerror(errno));
    if (!S_ISREG(file.st_mode)) fail(words[0] + " is not a regular file");
    if (offset >= static_cast<uint64_t>(file.st_size)) fail("that is behind the end of the file");
    const auto block = static_cast<uint32_t>(offset / volume.block_size());
    const auto inode = static_cast<uint32_t>(file.st_ino);
    sync();  // the inode on the disk says what the one in memory does
    const std::vector<Step> way = way_to(volume, volume.inode(inode), block);
    const uint32_t pointer = way.front().pointer;
    const uint32_t levels = pointer < ext2::kDirectBlocks ? 0 : pointer - ext2::kDirectBlocks + 1;
    const auto needed = static_cast<uint32_t>(way.size() - (way.back().to == 0));
    const Reads reads = measure(volume, fd, offset);
    if (json) {
        std::printf("{\"offset\": %llu, \"block\": %u, \"levels\": %u, \"path\": [",
                    static_cast<unsigned long long>(offset), block, levels);
        for (const Step& step : way)
            std::printf("%s{\"from\": %u, \"pointer\": %u, \"to\": %u}",
                        &step == &way[0] ? "" : ", ", step.index_block, step.pointer, step.to);
        std::printf(
            "], \"data\": %u, \"disk_reads\": {\"way\": %u, \"cold\": %lu, \"warm\": %lu}}\n",
            way.back().to, needed, reads.cold, reads.warm);
        return 0;
    }
    std::printf("offset %llu: byte %u of block %u, %s\n", static_cast<unsigned long long>(offset),
                static_cast<uint32_t>(offset % volume.block_size()), block, kLevels[levels]);
    for (const Step& step : way) {
        if (step.index_block)
            std::printf("  index block %u", step.index_block);
        else
            std::printf("  inode %u", inode);
        std::printf(", pointer %u -> %u\n", step.pointer, step.to);
    }
    std::puts(way.back().to ? "  which is the data" : "  which is a hole");
    std::printf(
        "disk reads: %u on the way, %lu cold, %lu warm (reading ahead adds or saves some)\n",
        needed, reads.cold, reads.warm);
    return 0;
}

int lookup(const std::vector<std::string>& words) {
    if (words.size() != 1 || words[0].empty() || words[0][0] != '/') usage();
    const Volume volume(words[0]);
    sync();
    const std::string& top = volume.mounted_at();
    std::string left = top == "/" ? words[0] : words[0].substr(top.size());
    std::vector<uint32_t> above{ext2::kRootInode};
    for (int links = 0;;) {
        left.erase(0, left.find_first_not_of('/'));
        if (left.empty()) break;
        const std::string name = left.substr(0, left.find('/'));
        left.erase(0, name.size());
        const uint32_t found = find_in(volume, above.back(), name);
        if (!found) fail(name + ": no such file");
        const ext2::InodeRecord record = volume.inode(found);
        if ((record.mode & 0170000) == 0120000 && !left.empty()) {
            const std::string target = target_of(volume, record);
            std::printf("  a symbolic link to %s\n", target.c_str());
            if (++links > 40) fail("too many symbolic links");
            if (target[0] == '/') above.resize(1);
            left = target + left;
            continue;
        }
        above.push_back(found);
    }
    const Volume::InodePlace place = volume.inode_place(above.back());
    const ext2::InodeRecord record = volume.inode(above.back());
    std::printf("inode %u (group %u, block %u, byte %u): mode %o, %u links, %u bytes\n",
                above.back(), place.group, place.block, place.offset, record.mode,
                record.links_count, record.size_low);
    return 0;
}

int bitmap(const std::vector<std::string>& words) {
    uint32_t group = 0, columns = 64;
    std::string path = "/";
    for (size_t i = 0; i < words.size(); ++i) {
        const bool value = i + 1 < words.size();
        if (words[i] == "--group" && value)
            group = number(words[++i].c_str());
        else if (words[i] == "--columns" && value)
            columns = number(words[++i].c_str());
        else if (words[i][0] != '-')
            path = words[i];
        else
            usage();
    }
    if (columns < 1 || columns > 1024) usage();
    const Volume volume(path);
    if (group >= volume.groups()) fail("there are " + std::to_string(volume.groups()) + " groups");
    const ext2::GroupDescriptor descriptor = volume.group(group);
    const ext2::Superblock& super = volume.super();
    const uint32_t first = super.first_data_block + group * super.blocks_per_group;
    const uint32_t count = std::min(super.blocks_per_group, super.blocks_count - first);
    const std::vector<uint8_t> bits = volume.block(descriptor.block_bitmap);
    std::printf("group %u: blocks %u to %u, %u free; its bitmap is block %u\n", group, first,
                first + count - 1, descriptor.free_blocks_count, descriptor.block_bitmap);
    std::printf("row i, column j of n = %u: b = n(i-1)+j, which is block b %+d\n", columns,
                static_cast<int>(first) - 1);
    std::string last;
    uint32_t same = 0;
    for (uint32_t b = 1; b <= count; b += columns) {
        std::string row;
        for (uint32_t j = 0; j < columns && b + j <= count; ++j)
            row += bits[(b + j - 1) / 8] >> (b + j - 1) % 8 & 1 ? '1' : '0';
        const bool end = b + columns > count;
        if (row == last && !end) {
            ++same;
            continue;
        }
        if (same) std::printf("        and %u rows like it\n", same);
        same = 0;
        std::printf("%7u %s\n", place_of(b, columns).row, row.c_str());
        last = row;
    }
    return 0;
}
