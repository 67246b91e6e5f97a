// O_DIRECT on ext2: the same bytes as without it, and none of them stay in the cache; what has to be
// aligned; holes, the end of the file, mappings and others who write at the same time.
// Spec: open(2), "O_DIRECT"; fcntl(2).
// needs: wing
#include <sys/mman.h>
#include <sys/mount.h>
#include <sys/stat.h>
#include <sys/uio.h>

#include <vector>

#include "check.hpp"

namespace {

using namespace check;

constexpr unsigned kPage = 4096, kSector = 512, kPages = 64, kSize = kPages * kPage;
const char* const kFile = "/var/direct.test";
char* buffer;  // page-aligned, kSize and a page more

unsigned resident(int fd) {
    unsigned char pages[kPages] = {};
    void* map = mmap(nullptr, kSize, PROT_READ, MAP_SHARED, fd, 0);
    needs("mincore", mincore(map, kSize, pages));
    munmap(map, kSize);
    unsigned count = 0;
    for (unsigned char page : pages) count += page & 1;
    return count;
}
std::string pattern(unsigned bytes, unsigned seed) {
    std::string text(bytes, 0);
    for (unsigned i = 0; i < bytes; ++i) text[i] = char((i * 7 + i / 512 + seed) % 251);
    return text;
}
std::string contents(int fd) {
    std::string text(2 * kSize, 0);
    const ssize_t got = pread(fd, text.data(), text.size(), 0);
    text.resize(got > 0 ? size_t(got) : 0);
    return text;
}
void forget(int fd) { posix_fadvise(fd, 0, 0, POSIX_FADV_DONTNEED); }
ssize_t write_at(int fd, const std::string& text, unsigned offset) {
    memcpy(buffer, text.data(), text.size());
    return pwrite(fd, buffer, text.size(), offset);
}

void test_reading(int direct, int usual) {
    const std::string text = pattern(kSize - 100, 1);
    equal("write", pwrite(usual, text.data(), text.size(), 0), long(text.size()));
    equal("what is dirty is read", pread(direct, buffer, kSize, 0), long(text.size()));
    that("as it was written", !memcmp(buffer, text.data(), text.size()));
    forget(usual);
    equal("from the disk", pread(direct, buffer, kSize, 0), long(text.size()));
    that("the same", !memcmp(buffer, text.data(), text.size()));
    equal("nothing stays", resident(usual), 0);
    for (const unsigned at : {512u, 3584u, 4096u, 66048u, 131072u + 1536u}) {
        equal("from a sector", pread(direct, buffer, 5 * kSector, at), 5 * kSector);
        that("the same", !memcmp(buffer, text.data() + at, 5 * kSector));
    }
    equal("the last sector", pread(direct, buffer, kPage, kSize - kSector), kSector - 100);
    equal("at the end", pread(direct, buffer, kPage, kSize), 0);
    equal("not aligned, but behind the end", pread(direct, buffer + 1, 3, kSize + 5), 0);
    equal("nothing", pread(direct, buffer, 0, 0), 0);
    lseek(direct, 0, SEEK_SET);
    equal("in a row", read(direct, buffer, 1024), 1024);
    equal("and on", read(direct, buffer, 1024), 1024);
    that("the same", !memcmp(buffer, text.data() + 1024, 1024));
    const iovec ranges[] = {{buffer + kPage, kSector}, {buffer, 3 * kSector}};
    equal("into ranges", preadv(direct, ranges, 2, kPage), 4 * kSector);
    that("the same", !memcmp(buffer + kPage, text.data() + kPage, kSector) &&
                         !memcmp(buffer, text.data() + kPage + kSector, 3 * kSector));
    equal("nothing stays", resident(usual), 0);
}

void test_alignment(int direct) {
    fails("offset", pread(direct, buffer, kSector, 1), EINVAL);
    fails("address", pread(direct, buffer + 4, kSector, 0), EINVAL);
    fails("length", pread(direct, buffer, 100, 0), EINVAL);
    fails("offset of a write", pwrite(direct, buffer, kSector, 256), EINVAL);
    fails("its address", pwrite(direct, buffer + 256, kSector, 0), EINVAL);
    fails("its length", pwrite(direct, buffer, kSector + 1, 0), EINVAL);
    const iovec ranges[] = {{buffer, kSector}, {buffer + kSector, 100}};
    fails("a range", preadv(direct, ranges, 2, 0), EINVAL);
    fails("bad memory", pread(direct, reinterpret_cast<void*>(0x1000), kSector, 0), EFAULT);
    fails("bad memory", pwrite(direct, reinterpret_cast<void*>(0x1000), kPage, 0), EFAULT);
    auto* edge = static_cast<char*>(
        mmap(nullptr, 4 * kPage, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0));
    munmap(edge + 2 * kPage, 2 * kPage);
    equal("as far as memory goes", pread(direct, edge, 4 * kPage, 0), 2 * kPage);
    equal("writing too", pwrite(direct, edge, 4 * kPage, 0), 2 * kPage);
}

void test_writing(int direct, int usual) {
    needs("truncate", ftruncate(usual, 0));
    const std::string text = pattern(kSize, 2);
    equal("a new file", write_at(direct, text, 0), long(kSize));
    equal("nothing stays", resident(usual), 0);
    that("is written", contents(usual) == text);
    std::string wanted = text;
    for (const unsigned at : {0u, 512u, 4096u, 9216u, 20480u, 99840u}) {
        for (const unsigned length : {512u, 4096u, 8704u, 70144u}) {
            const std::string piece = pattern(length, at + length);
            wanted.replace(at, length, piece);
            if (write_at(direct, piece, at) != ssize_t(length)) equal("a piece", at, length);
        }
    }
    that("over it, where the cache has it", contents(usual) == wanted);
    forget(usual);
    that("and on the disk", contents(usual) == wanted);
    const std::string more = pattern(3 * kSector, 9);
    equal("behind the end", write_at(direct, more, kSize + kPage), long(more.size()));
    wanted += std::string(kPage, 0) + more;
    that("with a hole between", contents(usual) == wanted);
    needs("a hole", ftruncate(usual, 0));
    needs("of all", ftruncate(usual, kSize));
    const std::string inside = pattern(2 * kPage, 4);
    equal("into it", write_at(direct, inside, 8 * kPage), long(inside.size()));
    wanted = std::string(kSize, 0);
    wanted.replace(8 * kPage, inside.size(), inside);
    that("only that", contents(usual) == wanted);
    struct stat s;
    needs("fstat", fstat(usual, &s));
    that("the rest stays a hole", s.st_blocks <= 32);
    const int end = needs("append", open(kFile, O_WRONLY | O_APPEND | O_DIRECT));
    equal("at the end", write_at(end, more, 0), long(more.size()));
    that("is the end", contents(usual) == wanted + more);
    close(end);
}

void test_mappings(int direct, int usual) {
    needs("truncate", ftruncate(usual, 0));
    equal("file", write_at(direct, pattern(kSize, 5), 0), long(kSize));
    auto* map =
        static_cast<char*>(mmap(nullptr, kSize, PROT_READ | PROT_WRITE, MAP_SHARED, usual, 0));
    auto* own = static_cast<char*>(mmap(nullptr, kSize, PROT_READ, MAP_PRIVATE, usual, 0));
    equal("as it was", map[5 * kPage] == own[5 * kPage], true);
    const std::string fresh = pattern(8 * kPage, 6);
    equal("write", write_at(direct, fresh, 2 * kPage), long(fresh.size()));
    that("is seen in a mapping", !memcmp(map + 2 * kPage, fresh.data(), fresh.size()));
    that("and in a private one", !memcmp(own + 2 * kPage, fresh.data(), fresh.size()));
    map[kPage + 7] = 'M';
    equal("read", pread(direct, buffer, kPage, kPage), long(kPage));
    equal("what a mapping wrote", buffer[7], 'M');
    munmap(map, kSize);
    munmap(own, kSize);
}

// Each writes pages of its own, one past the cache, one through it; both are whole in the end.
void test_side_by_side(int usual) {
    needs("truncate", ftruncate(usual, 0));
    const auto writer = [&](int flags, unsigned first, char what) {
        return start([=] {
            const int fd = needs("open", open(kFile, O_RDWR | flags));
            memset(buffer, what, kPage);
            for (unsigned page = first; page < kPages; page += 2)
                needs("write", pwrite(fd, buffer, kPage, page * kPage));
            return 0;
        });
    };
    const pid_t a = writer(O_DIRECT, 0, 'a'), b = writer(0, 1, 'b');
    equal("one", wait_for(a), 0);
    equal("the other", wait_for(b), 0);
    std::string wanted;
    for (unsigned page = 0; page < kPages; ++page)
        wanted += std::string(kPage, page % 2 ? 'b' : 'a');
    that("each has its pages", contents(usual) == wanted);
    forget(usual);
    that("on the disk too", contents(usual) == wanted);
}

void test_where() {
    needs("tmpfs", mount("none", "/mnt", "tmpfs", 0, nullptr));
    fails("not in memory", open("/mnt/x", O_CREAT | O_RDWR | O_DIRECT, 0600), EINVAL);
    fails("nor in /proc", open("/proc/meminfo", O_RDONLY | O_DIRECT), EINVAL);
    const int fd = needs("open", open("/mnt/x", O_RDWR));
    fails("nor later", fcntl(fd, F_SETFL, O_DIRECT), EINVAL);
    close(fd);
    umount("/mnt");
    const int disk = needs("disk", open("/dev/hda", O_RDONLY | O_DIRECT));
    equal("a disk", pread(disk, buffer, kPage, 0), long(kPage));
    equal("is ext2's", buffer[1024 + 56] & 0xff, 0x53);
    fails("by sectors", pread(disk, buffer, 100, 0), EINVAL);
    close(disk);
}

}  // namespace

int main() {
    buffer = static_cast<char*>(
        mmap(nullptr, kSize + kPage, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0));
    const int usual = needs("file", open(kFile, O_CREAT | O_RDWR | O_TRUNC, 0600));
    const int direct = needs("direct", open(kFile, O_RDWR | O_DIRECT));
    equal("the flag", fcntl(direct, F_GETFL) & O_DIRECT, O_DIRECT);
    test_reading(direct, usual);
    test_alignment(direct);
    test_writing(direct, usual);
    test_mappings(direct, usual);
    test_side_by_side(usual);
    succeeds("off", fcntl(direct, F_SETFL, 0));
    equal("and then all is well", pread(direct, buffer + 1, 3, 1), 3);
    succeeds("and on", fcntl(direct, F_SETFL, O_DIRECT));
    fails("again", pread(direct, buffer + 1, 3, 1), EINVAL);
    test_where();
    unlink(kFile);
    return done();
}
