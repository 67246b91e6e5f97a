// levels: how large a file each level of ext2's mixed index reaches, and its last block in use.
#define _FILE_OFFSET_BITS 64
#include <fcntl.h>
#include <sys/vfs.h>
#include <unistd.h>

#include <cerrno>
#include <cstring>

#include "user/lab-fs/lab.hpp"
#include "user/lab/table.hpp"

namespace {

constexpr char kHelp[] =
    "usage: lab-fs levels [--write DIRECTORY] [--json]\n"
    "The last block that each level of the mixed index reaches (12 direct numbers, then a single, "
    "a\n"
    "double and a triple indirect one, of 4 bytes each), and the largest file up to there. With\n"
    "--write, in a directory on ext2: a file whose last block is that one is made, read, and "
    "removed.\n"
    "    # lab-fs levels\n"
    "    block  level            last block   largest file  written and read by\n"
    "     1024  direct                   11          12288  -\n"
    "     1024  single indirect         267         274432  -\n"
    "     1024  double indirect       65803       67383296  -\n"
    "     1024  triple indirect    16843019    17247252480  -\n"
    "    ...\n";
constexpr const char* kLevels[] = {"direct", "single indirect", "double indirect",
                                   "triple indirect"};

uint64_t last_block(uint64_t block_size, uint32_t level) {
    const uint64_t p = block_size / 4;
    uint64_t reach = 12, power = 1;
    for (uint32_t i = 0; i < level; ++i) reach += power *= p;
    return reach - 1;
}

// Writes the block, reads it through a cold cache, and tells the way to it.
std::string try_block(const std::string& path, uint64_t block, uint64_t size) {
    const int fd = open(path.c_str(), O_RDWR | O_CREAT | O_TRUNC | O_CLOEXEC, 0600);
    if (fd < 0) lab::fail("%s: %s", path.c_str(), std::strerror(errno));
    std::vector<char> out(size), in(size);
    for (size_t i = 0; i < size; ++i) out[i] = static_cast<char>(block + i * 7);
    const auto at = static_cast<off64_t>(block * size);
    if (pwrite64(fd, out.data(), size, at) != static_cast<ssize_t>(size))
        lab::fail("block %llu cannot be written: %s", block, std::strerror(errno));
    forget(1);
    if (pread64(fd, in.data(), size, at) != static_cast<ssize_t>(size) || in != out)
        lab::fail("block %llu was lost", block);
    struct stat64 file;
    fstat64(fd, &file);
    close(fd);
    std::string text;
    const std::unique_ptr<Volume> volume = Volume::of(path);
    for (const Look& look : volume->way(file, block * size).looks)
        text += (text.empty() ? "" : " -> ") + std::to_string(look.says);
    unlink(path.c_str());
    return text;
}

}  // namespace

int levels(int argc, char** argv) {
    std::string folder;
    bool json = false;
    const std::vector<std::string> words =
        lab::Command(kHelp).text("--write", folder).flag("--json", json).parse(argc, argv);
    if (!words.empty()) lab::refuse("no word '%s' here; see --help", words[0].c_str());
    uint32_t only = 0;
    if (!folder.empty()) {
        const std::unique_ptr<Volume> volume = Volume::of(folder);
        only = volume->block_size();
        if (volume->type() != "ext2" && volume->type() != "ext3")
            lab::refuse("%s is on %s: the levels are ext2's", folder.c_str(),
                        volume->type().c_str());
    }
    lab::Table table({{"block_size", "block"},
                      {"level", "level"},
                      {"last_block", "last block"},
                      {"largest", "largest file"},
                      {"way", "written and read by"}});
    for (uint32_t size : {1024u, 2048u, 4096u}) {
        if (only && size != only) continue;
        for (uint32_t level = 0; level < 4; ++level) {
            const uint64_t last = last_block(size, level);
            table.row({size, kLevels[level], last, (last + 1) * size,
                       only ? try_block(folder + "/.lab-fs-levels", last, size) : "-"});
        }
    }
    if (!json) return table.print(), 0;
    lab::Object()
        .add("lab", "lab-fs levels")
        .add("input", lab::Object().add("write", folder))
        .add("rows", table.rows())
        .print();
    return 0;
}
