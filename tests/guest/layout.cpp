// Where the blocks of files lie (FIEMAP): one that is written in one go in one piece, index blocks among
// its own; so do two that grow side by side, and one that grows by a few bytes at a time; what was
// reserved for them is free again afterwards. Works on the root's file system, ext2.
// boot: its own, before other programs have run
#include <linux/fiemap.h>
#include <linux/fs.h>
#include <sys/ioctl.h>
#include <sys/stat.h>
#include <sys/statfs.h>

#include <vector>

#include "check.hpp"

namespace {

using namespace check;

constexpr unsigned kSize = 1 << 19;  // an eighth of the group that is free may be reserved

// How many pieces the file lies in; one block between two extents, of the index, joins them.
int pieces_of(int fd) {
    alignas(fiemap) static char space[sizeof(fiemap) + 200 * sizeof(fiemap_extent)];
    auto* map = reinterpret_cast<fiemap*>(space);
    *map = {};
    map->fm_length = FIEMAP_MAX_OFFSET;
    map->fm_extent_count = 200;
    needs("FIEMAP", ioctl(fd, FS_IOC_FIEMAP, map));
    int block = 0, pieces = 0;
    needs("FIGETBSZ", ioctl(fd, FIGETBSZ, &block));
    unsigned long long end = 0, next = 0;
    for (unsigned i = 0; i < map->fm_mapped_extents; ++i) {
        const fiemap_extent& e = map->fm_extents[i];
        that("in order, without holes", e.fe_logical == next);
        next = e.fe_logical + e.fe_length;
        // The second level of index brings two blocks at once.
        pieces += i == 0 || e.fe_physical < end || e.fe_physical > end + 2u * unsigned(block);
        end = e.fe_physical + e.fe_length;
    }
    equal("all of it", long(next), kSize);
    return pieces;
}

int create(const std::string& name) {
    return needs(name, open(name.c_str(), O_CREAT | O_RDWR | O_TRUNC, 0600));
}
void add(int fd, unsigned bytes) {
    static const std::vector<char> data(kSize, 'x');
    equal("write", write(fd, data.data(), bytes), bytes);
}

}  // namespace

int main() {
    needs("folder", mkdir("/var/layout", 0700));
    needs("chdir", chdir("/var/layout"));
    struct statfs before, after;
    statfs(".", &before);
    int one = create("one");
    add(one, kSize);
    equal("in one go: one piece", pieces_of(one), 1);
    close(one);

    int fds[3] = {create("a"), create("b"), create("c")};
    for (unsigned done = 0; done < kSize; done += 65536)
        for (int i = 0; i < 2; ++i) add(fds[i], 65536);
    for (int i = 0; i < 2; ++i) equal("side by side: one piece", pieces_of(fds[i]), 1);
    for (unsigned done = 0; done < kSize; done += 4096) add(fds[2], 4096);
    equal("little by little: one piece", pieces_of(fds[2]), 1);
    statfs(".", &after);
    const auto used = before.f_bfree - after.f_bfree;
    that("what is reserved counts as free", used < 4 * kSize / before.f_bsize + 20);
    for (int fd : fds) close(fd);
    for (const char* name : {"one", "a", "b", "c"}) unlink(name);
    sync();
    statfs(".", &after);
    that("all is free again", after.f_bfree >= before.f_bfree - 2);
    needs("back", chdir("/"));
    rmdir("/var/layout");
    return done();
}
