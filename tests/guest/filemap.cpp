// FIBMAP and FIEMAP: they agree with each other, tell holes from data at each level of index blocks,
// and refuse what the manual says.
// Spec: Linux, Documentation/filesystems/fiemap.rst.
#define _FILE_OFFSET_BITS 64
#include <fcntl.h>
#include <linux/fiemap.h>
#include <linux/fs.h>
#include <sys/ioctl.h>
#include <sys/stat.h>

#include <cstdint>
#include <vector>

#include "tests/guest/check.hpp"

namespace {

using namespace check;

struct Map {
    long result = -1;
    uint32_t mapped = 0, flags = 0;
    std::vector<fiemap_extent> extents;
};
Map map_of(int fd, uint64_t start, uint64_t length, uint32_t room, uint32_t flags = 0) {
    std::vector<char> memory(sizeof(fiemap) + room * sizeof(fiemap_extent));
    auto* map = reinterpret_cast<fiemap*>(memory.data());
    map->fm_start = start;
    map->fm_length = length;
    map->fm_flags = flags;
    map->fm_extent_count = room;
    Map out;
    out.result = ioctl(fd, FS_IOC_FIEMAP, map);
    out.mapped = map->fm_mapped_extents;
    out.flags = map->fm_flags;
    for (uint32_t i = 0; i < map->fm_mapped_extents && i < room; ++i)
        out.extents.push_back(map->fm_extents[i]);
    return out;
}

}  // namespace

int main() {
    const int fd = needs("file", open("/filemap", O_RDWR | O_CREAT | O_TRUNC, 0600));
    int size = 0;
    succeeds("FIGETBSZ", ioctl(fd, FIGETBSZ, &size));
    const uint64_t p = size / 4, block = size;
    // In the middle of each level, and three blocks in a row at the start.
    const std::vector<uint64_t> places{0, 1, 2, 12 + p / 2, 12 + p + p * p / 2};
    const std::vector<char> data(block, 'x');
    for (uint64_t place : places)
        needs("write", pwrite(fd, data.data(), block, static_cast<off_t>(place * block)));
    const uint64_t all = (places.back() + 1) * block;

    equal("all that is there is counted", map_of(fd, 0, ~0ull, 0).mapped, 3);
    const Map map = map_of(fd, 0, ~0ull, 10, FIEMAP_FLAG_SYNC);
    succeeds("FIEMAP", map.result);
    if (equal("runs of blocks", map.extents.size(), 3)) {
        equal("three in a row", map.extents[0].fe_length, 3 * block);
        equal("the last is marked", map.extents[2].fe_flags & FIEMAP_EXTENT_LAST,
              FIEMAP_EXTENT_LAST);
        equal("and no other", map.extents[0].fe_flags & FIEMAP_EXTENT_LAST, 0);
        equal("where it is in the file", map.extents[2].fe_logical, places.back() * block);
        for (const fiemap_extent& extent : map.extents)
            for (uint64_t at = 0; at < extent.fe_length; at += block) {
                int number = static_cast<int>((extent.fe_logical + at) / block);
                needs("FIBMAP", ioctl(fd, FIBMAP, &number));
                if (number * block != extent.fe_physical + at)
                    equal("FIBMAP", number * block, extent.fe_physical + at);
            }
    }
    int hole = 5;
    succeeds("FIBMAP of a hole", ioctl(fd, FIBMAP, &hole));
    equal("a hole is block 0", hole, 0);
    hole = -1;
    fails("FIBMAP of -1", ioctl(fd, FIBMAP, &hole), EINVAL);
    equal("a part", map_of(fd, block, block, 10).extents.size(), 1);
    equal("room for one only", map_of(fd, 0, ~0ull, 1).extents.size(), 1);
    equal("behind the end", map_of(fd, all + 10 * block, ~0ull, 4).extents.size(), 0);
    fails("length 0", map_of(fd, 0, 0, 4).result, EINVAL);
    fails(
        "too much room",
        [&] {
            fiemap huge{};
            huge.fm_length = ~0ull;
            huge.fm_extent_count = 0x20000000;
            return ioctl(fd, FS_IOC_FIEMAP, &huge);
        }(),
        EINVAL);
    const Map unknown = map_of(fd, 0, ~0ull, 4, 0x80000001);
    fails("unknown flags", unknown.result, EBADR);
    equal("which are told", unknown.flags, 0x80000000);
    fails("bad pointer", ioctl(fd, FS_IOC_FIEMAP, 16), EFAULT);
    fails("FIBMAP, bad pointer", ioctl(fd, FIBMAP, 16), EFAULT);
    fails("of a directory", ioctl(open("/", O_RDONLY), FS_IOC_FIEMAP, &hole), ENOTTY);
    if (fork() == 0) {
        int number = 0;
        needs("setuid", setuid(1000));
        fails("FIBMAP is for root", ioctl(fd, FIBMAP, &number), EPERM);
        _exit(done());
    }
    int status;
    wait(&status);
    equal("the other user's checks", status, 0);
    unlink("/filemap");
    return done();
}
