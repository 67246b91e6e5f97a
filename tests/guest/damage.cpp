// Damaged file systems: on each of many rounds a disk gets an image with some of its metadata changed, is
// mounted, walked and changed by two processes at once, and unmounted. The kernel may refuse and fail as it
// likes, but goes on: no call hangs, and nothing stays busy.
//   damage DISK SEED ROUNDS TYPE:IMAGE...
// driven by: system.fs_damage
#include <dirent.h>
#include <linux/fiemap.h>
#include <linux/fs.h>
#include <sys/ioctl.h>
#include <sys/mman.h>
#include <sys/mount.h>
#include <sys/stat.h>
#include <sys/statfs.h>

#include <algorithm>
#include <cstdint>
#include <fstream>
#include <iterator>
#include <random>
#include <vector>

#include "check.hpp"

namespace {

using namespace check;
using Bytes = std::vector<uint8_t>;
using Random = std::minstd_rand;

const std::string kPlace = "/mnt/damaged";

struct Template {
    std::string type;
    Bytes bytes;
};

uint32_t word_at(const Bytes& image, size_t at) {
    uint32_t word = 0;
    if (at + 4 <= image.size()) memcpy(&word, &image[at], 4);
    return word;
}

// Where one change may do harm: a range of the image.
struct Range {
    size_t first, bytes;
};

Range ext2_range(const Bytes& image, Random& random) {
    const size_t block = 1024u << (word_at(image, 1024 + 24) & 3);
    const size_t descriptor = block == 1024 ? 2048 : block;
    const size_t table = word_at(image, descriptor + 8) * block;
    const size_t inode = table + random() % 64 * 256;
    switch (random() % 8) {
        case 0: return {random() % 4 ? 1024u : 1024u + 0xE8, random() % 4 ? 104u : 4u};
        case 1: return {descriptor, 32};
        case 2: return {word_at(image, descriptor) * block, block};
        case 3: return {word_at(image, descriptor + 4) * block, 32};
        case 4:
        case 5: return {inode, 128};
        default: {  // an index block or a directory's records
            const size_t target = word_at(image, inode + 40 + random() % 15 * 4) * block;
            return {target, random() % 2 ? 64u : block};
        }
    }
}

Range range_of(const Template& from, const Bytes& image, Random& random) {
    if (from.type == "ext2") return ext2_range(image, random);
    if (from.type == "iso9660") return {32768 + random() % 30 * 2048, random() % 2 ? 200u : 2048u};
    return {random() % 3 ? random() % 24 * 512 : 0, random() % 2 ? 64u : 512u};  // FAT
}

void damage(const Template& from, Bytes& image, Random& random) {
    for (unsigned hits = 1u << random() % 6; hits > 0; --hits) {
        const Range range = range_of(from, image, random);
        const size_t at = range.first + (random() % range.bytes & ~size_t{3});
        if (!range.first && from.type == "ext2") continue;
        if (at + 4 > image.size()) continue;
        uint32_t word = word_at(image, at);
        const auto any = static_cast<uint32_t>(random());
        const uint32_t nasty[] = {0,        1,          2,          0xffffffff,
                                  word + 1, word - 1,   word << 1,  word ^ 1u << any % 32,
                                  11,       any % 2048, 0x7fffffff, any};
        if (any & 0x10000)
            word = nasty[random() % std::size(nasty)];
        else
            reinterpret_cast<uint8_t*>(&word)[any % 4] = static_cast<uint8_t>(random());
        memcpy(&image[at], &word, 4);
    }
}

class Vandal {
  public:
    explicit Vandal(Random random) : random_(random) {
        if (pipe(pipe_) != 0) _exit(3);
    }

    void walk(const std::string& folder, int depth) {
        DIR* dir = opendir(folder.c_str());
        if (!dir) return;
        for (int count = 0; const dirent* entry = readdir(dir);) {
            const std::string name = entry->d_name;
            if (++count > 200 || names_.size() > 300) break;
            if (name == "." || name == ".." || name.find('/') != name.npos) continue;
            look_at(folder + "/" + name, depth);
        }
        closedir(dir);
    }
    void step() {
        const std::string old = old_name(), fresh = fresh_name();
        struct stat now;
        switch (random_() % 14) {
            case 0: mkdir(fresh.c_str(), 0755); return;
            case 1: unlink(old.c_str()); return;
            case 2: rmdir(old.c_str()); return;
            case 3: rename(old.c_str(), fresh.c_str()); return;
            case 4: rename(old.c_str(), old_name().c_str()); return;
            case 5: static_cast<void>(link(old.c_str(), fresh.c_str())); return;
            case 6:
                static_cast<void>(
                    symlink(std::string(random_() % 200, 's').c_str(), fresh.c_str()));
                return;
            case 7: static_cast<void>(truncate(old.c_str(), long(random_() % 200000))); return;
            case 8: chmod(old.c_str(), random_() % 01000); return;
            case 9: lstat(old.c_str(), &now); return;
            case 10: return walk(old, 1);
            default: return write_to(random_() % 2 ? old : fresh);
        }
    }

  private:
    std::string old_name() { return names_.empty() ? kPlace : names_[random_() % names_.size()]; }
    std::string fresh_name() {
        const std::string near = old_name();
        return near.substr(0, near.rfind('/')) + "/new" + std::to_string(random_() % 50);
    }
    void look_at(const std::string& path, int depth) {
        names_.push_back(path);
        struct stat found;
        char target[300];
        if (lstat(path.c_str(), &found) != 0) return;
        if (S_ISDIR(found.st_mode) && depth > 0) walk(path, depth - 1);
        if (S_ISLNK(found.st_mode))
            static_cast<void>(readlink(path.c_str(), target, sizeof target));
        if (S_ISREG(found.st_mode)) read_from(path, found.st_size);
    }
    void read_from(const std::string& path, off_t size) {
        const int fd = open(path.c_str(), O_RDONLY);
        if (fd < 0) return;
        char bytes[5000];
        for (off_t at : {off_t(0), size / 2, std::max(off_t(0), size - 4000)})
            static_cast<void>(pread(fd, bytes, sizeof bytes, at));
        alignas(fiemap) char space[sizeof(fiemap) + 20 * sizeof(fiemap_extent)] = {};
        auto* map = reinterpret_cast<fiemap*>(space);
        map->fm_length = FIEMAP_MAX_OFFSET;
        map->fm_extent_count = 20;
        ioctl(fd, FS_IOC_FIEMAP, map);
        through_memory(fd, PROT_READ);
        close(fd);
    }
    // The kernel copies from and to the mapping, so that a bad page is EFAULT.
    void through_memory(int fd, int protection) {
        void* mapped = mmap(nullptr, 8192, protection, MAP_SHARED, fd, 0);
        if (mapped == MAP_FAILED) return;
        char bytes[100] = {};
        if (write(pipe_[1], mapped, sizeof bytes) > 0)
            static_cast<void>(read(pipe_[0], bytes, sizeof bytes));
        if (protection & PROT_WRITE && write(pipe_[1], bytes, sizeof bytes) > 0 &&
            read(pipe_[0], static_cast<char*>(mapped) + 4096, sizeof bytes) < 0)
            static_cast<void>(read(pipe_[0], bytes, sizeof bytes));
        munmap(mapped, 8192);
    }
    void write_to(const std::string& path) {
        const int fd = open(path.c_str(), O_RDWR | O_CREAT | O_NOFOLLOW, 0644);
        if (fd < 0) return;
        const Bytes bytes(1 + random_() % 9000, 'w');
        const off_t at = off_t(random_() % 4 ? random_() % 100000 : random_() % 400000000);
        static_cast<void>(pwrite(fd, bytes.data(), bytes.size(), at));
        through_memory(fd, PROT_READ | PROT_WRITE);
        if (random_() % 4 == 0) fsync(fd);
        close(fd);
    }
    Random random_;
    int pipe_[2];
    std::vector<std::string> names_;
};

[[noreturn]] void vandalise(Random random, bool quits) {
    Vandal vandal(random);
    vandal.walk(kPlace, 4);
    for (int i = 0; i < 60; ++i) {
        vandal.step();
        if (quits && i == 40) sync();
    }
    _exit(0);
}

int disk = -1;

// Whether it could be mounted.
bool one_round(const char* device, const Template& from, uint32_t seed) {
    Random random(seed * 2654435761u + 1);
    for (int i = 0; i < 3; ++i) random();
    Bytes image = from.bytes;
    damage(from, image, random);
    disk = open(device, O_WRONLY);
    if (disk < 0 || pwrite(disk, image.data(), image.size(), 0) != ssize_t(image.size()))
        that("the image is written", false);
    close(disk);
    const unsigned long flags =
        from.type == "ext2" && random() % 8 ? 0ul : static_cast<unsigned long>(MS_RDONLY);
    if (mount(device, kPlace.c_str(), from.type.c_str(), flags, nullptr) != 0) return false;
    pid_t children[2];
    for (int i = 0; i < 2; ++i) {
        random();
        children[i] = fork();
        if (children[i] == 0) vandalise(random, i == 0 && seed % 3 == 0);
    }
    struct statfs figures;
    statfs(kPlace.c_str(), &figures);
    for (pid_t child : children) {
        int status = 0;
        waitpid(child, &status, 0);
        if (status) equal("a child's status, seed " + std::to_string(seed), status, 0);
    }
    if (seed % 4 == 0) mount(nullptr, kPlace.c_str(), nullptr, MS_REMOUNT | MS_RDONLY, nullptr);
    if (umount(kPlace.c_str()) != 0 && umount(kPlace.c_str()) != 0)
        equal("umount, seed " + std::to_string(seed), errno, 0);
    return true;
}

}  // namespace

int main(int count, char** words) {
    if (count < 5) {
        fprintf(stderr, "usage: damage DISK SEED ROUNDS TYPE:IMAGE...\n");
        return 2;
    }
    std::vector<Template> templates;
    for (int i = 4; i < count; ++i) {
        const std::string word = words[i];
        const size_t colon = word.find(':');
        std::ifstream in(word.substr(colon + 1), std::ios::binary);
        templates.push_back({word.substr(0, colon), Bytes(std::istreambuf_iterator<char>(in), {})});
        that(word, !templates.back().bytes.empty());
    }
    mkdir(kPlace.c_str(), 0755);
    const uint32_t first = uint32_t(atoi(words[2])), rounds = uint32_t(atoi(words[3]));
    uint32_t mounted = 0;
    for (uint32_t seed = first; seed < first + rounds && !failures; ++seed) {
        mounted += one_round(words[1], templates[seed % templates.size()], seed);
        if (seed % 50 == 0) print("seed " + std::to_string(seed) + "\n");
    }
    print(std::to_string(mounted) + " of " + std::to_string(rounds) + " mounted\n");
    that("most of the damaged can be mounted", mounted > rounds / 4);
    return done();
}
