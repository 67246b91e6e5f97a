// See ext2_volume.hpp. Spec: fs/ext2/layout.hpp, fs/ext2/block_map.hpp.
#include "user/lab-fs/ext2_volume.hpp"

#include <cstring>

#include "fs/ext2/block_map.hpp"

Ext2Volume::Ext2Volume(const std::string& device, const std::string& place)
    : Volume("ext2", device, place) {
    read(ext2::kSuperblockOffset, &super_, sizeof super_);
    if (super_.magic != ext2::kMagic) lab::fail("%s holds no ext2", device.c_str());
}

std::vector<uint8_t> Ext2Volume::block(uint32_t number) const {
    return bytes(uint64_t{number} * block_size(), block_size());
}

ext2::GroupDescriptor Ext2Volume::group(uint32_t index) const {
    ext2::GroupDescriptor descriptor;
    const uint64_t table = uint64_t{super_.first_data_block + 1} * block_size();
    read(table + index * sizeof descriptor, &descriptor, sizeof descriptor);
    return descriptor;
}

Ext2Volume::InodePlace Ext2Volume::inode_place(uint32_t number) const {
    const uint32_t size = super_.revision ? super_.inode_size : 128;
    const uint32_t group_index = (number - 1) / super_.inodes_per_group;
    const uint32_t at = (number - 1) % super_.inodes_per_group * size;
    return {group_index, group(group_index).inode_table + at / block_size(), at % block_size()};
}

ext2::InodeRecord Ext2Volume::inode(uint32_t number) const {
    const InodePlace place = inode_place(number);
    ext2::InodeRecord record;
    read(uint64_t{place.block} * block_size() + place.offset, &record, sizeof record);
    return record;
}

Way Ext2Volume::way_of(uint32_t number, const ext2::InodeRecord& inode, uint32_t block) const {
    constexpr const char* kKinds[] = {"direct", "single indirect", "double indirect",
                                      "triple indirect"};
    const auto bits = static_cast<uint32_t>(8 + super_.log_block_size);
    const std::optional<ext2::BlockPath> path = ext2::block_path(block, bits);
    if (!path) lab::fail("no index reaches block %u", block);
    Way way{kKinds[path->levels], {}};
    way.looks.push_back({"inode " + std::to_string(number), path->index[0],
                         inode.block[path->index[0]], kInMemory});
    for (uint32_t level = 1; level <= path->levels && way.looks.back().says; ++level) {
        const auto from = static_cast<uint32_t>(way.looks.back().says);
        const uint64_t place = uint64_t{from} * block_size() + path->index[level] * 4;
        uint32_t pointer;
        read(place, &pointer, sizeof pointer);
        way.looks.push_back(
            {"index block " + std::to_string(from), path->index[level], pointer, place});
    }
    way.hole = !way.looks.back().says;
    way.data = way.looks.back().says * block_size();
    return way;
}

Way Ext2Volume::way(const struct stat64& file, uint64_t offset) const {
    const auto number = static_cast<uint32_t>(file.st_ino);
    Way way = way_of(number, inode(number), static_cast<uint32_t>(offset / block_size()));
    way.data += offset % block_size();
    return way;
}
