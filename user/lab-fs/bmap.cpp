// bmap: the way to a byte of a file through its format, and the disk reads of it, cold and warm.
#define _FILE_OFFSET_BITS 64
#include <fcntl.h>
#include <unistd.h>

#include <algorithm>
#include <cerrno>
#include <cstring>
#include <set>

#include "user/lab-fs/lab.hpp"
#include "user/lab/table.hpp"

namespace {

constexpr char kHelp[] =
    "usage: lab-fs bmap FILE OFFSET [--json]\n"
    "The way from a file to the byte at OFFSET, in ext2 (mixed index), FAT (explicit links) or "
    "ISO\n"
    "9660 (one run of sectors), and how many disk reads it takes with nothing of the file in "
    "memory\n"
    "(cold) and again (warm). Nothing is read ahead meanwhile. The cache reads pages of 4096 "
    "bytes:\n"
    "index blocks, or entries of a FAT, that lie in one page take one read together.\n"
    "    # lab-fs bmap /bin/busybox 500000\n"
    "    offset 500000: byte 288 of block 122, single indirect\n"
    "      inode 18, number 12 says 1182\n"
    "      index block 1182, number 110 says 1293\n"
    "      the byte is at 5296416 of /dev/hda\n"
    "    disk reads: 1 page of the index, 1 run of data; 2 cold, 0 warm\n";
constexpr uint64_t kPage = 4096;

// The pieces that the page with this byte lies in on the disk: each takes a read.
uint32_t runs_of_page(const Volume& volume, const struct stat64& file, uint64_t offset) {
    const uint64_t start = offset / kPage * kPage;
    const uint64_t end = std::min<uint64_t>(start + kPage, static_cast<uint64_t>(file.st_size));
    uint32_t runs = 0;
    uint64_t expected = 0;
    for (uint64_t at = start; at < end; at += volume.block_size() - at % volume.block_size()) {
        const Way way = volume.way(file, at);
        if (!way.hole && (!runs || way.data != expected)) ++runs;
        expected = way.hole ? 0 : way.data + volume.block_size() - at % volume.block_size();
    }
    return runs;
}

struct Reads {
    unsigned long cold, warm;
};
Reads measure(const Volume& volume, const std::string& path, uint64_t offset) {
    forget(3);
    const int fd = open(path.c_str(), O_RDONLY | O_CLOEXEC);
    if (fd < 0) lab::fail("%s: %s", path.c_str(), std::strerror(errno));
    unsigned long count[3];
    char byte;
    forget(1);
    for (unsigned long& reads : count) {
        reads = volume.reads();
        if (&reads != &count[2] && pread64(fd, &byte, 1, static_cast<off64_t>(offset)) != 1)
            lab::fail("%s cannot be read at %llu: %s", path.c_str(), offset, std::strerror(errno));
    }
    close(fd);
    return {count[1] - count[0], count[2] - count[1]};
}

void print_looks(const Way& way) {
    constexpr size_t kShown = 6;
    for (size_t i = 0; i < way.looks.size(); ++i) {
        if (way.looks.size() > kShown && i == kShown / 2) {
            std::printf("  ... %zu more\n", way.looks.size() - kShown);
            i = way.looks.size() - kShown / 2;
        }
        const Look& look = way.looks[i];
        std::printf("  %s, number %llu says %llu\n", look.what.c_str(), look.index, look.says);
    }
}

}  // namespace

int bmap(int argc, char** argv) {
    bool json = false;
    const std::vector<std::string> words =
        lab::Command(kHelp).flag("--json", json).parse(argc, argv);
    if (words.size() != 2) lab::refuse("a file and an offset, like /bin/busybox 500000");
    char* end;
    const uint64_t offset = std::strtoull(words[1].c_str(), &end, 0);
    if (words[1].empty() || *end) lab::refuse("OFFSET is a number, not '%s'", words[1].c_str());
    const std::unique_ptr<Volume> volume = Volume::of(words[0]);
    struct stat64 file;
    if (stat64(words[0].c_str(), &file) != 0)
        lab::fail("%s: %s", words[0].c_str(), std::strerror(errno));
    if (!S_ISREG(file.st_mode)) lab::fail("%s is not a regular file", words[0].c_str());
    if (offset >= static_cast<uint64_t>(file.st_size))
        lab::refuse("that is behind the end of the file: it has %lld bytes",
                    static_cast<long long>(file.st_size));
    sync();  // what is on the disk is what the kernel has in memory
    const Way way = volume->way(file, offset);
    std::set<uint64_t> pages;
    for (const Look& look : way.looks)
        if (look.place != kInMemory) pages.insert(look.place / kPage);
    const uint32_t runs = runs_of_page(*volume, file, offset);
    const OnlyWhatIsAsked guard;
    const Reads reads = measure(*volume, words[0], offset);
    if (json) {
        std::vector<lab::Object> rows;
        for (const Look& look : way.looks)
            rows.push_back(lab::Object()
                               .add("from", look.what)
                               .add("number", look.index)
                               .add("says", look.says));
        lab::Object()
            .add("lab", "lab-fs bmap")
            .add("input", lab::Object().add("file", words[0]).add("offset", offset))
            .add("format", volume->type())
            .add("unit_bytes", volume->block_size())
            .add("kind", way.kind)
            .add("hole", way.hole)
            .add("data", way.data)
            .add("index_pages", pages.size())
            .add("data_runs", runs)
            .add("cold", reads.cold)
            .add("warm", reads.warm)
            .add("rows", rows)
            .print();
        return 0;
    }
    std::printf("offset %llu: byte %llu of %s %llu, %s\n", offset, offset % volume->block_size(),
                volume->unit(), offset / volume->block_size(), way.kind.c_str());
    print_looks(way);
    if (way.hole)
        std::puts("  which is a hole");
    else
        std::printf("  the byte is at %llu of %s\n", way.data, volume->device().c_str());
    std::printf("disk reads: %zu page%s of the index, %u run%s of data; %lu cold, %lu warm\n",
                pages.size(), pages.size() == 1 ? "" : "s", runs, runs == 1 ? "" : "s", reads.cold,
                reads.warm);
    return 0;
}
