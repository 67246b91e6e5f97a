// lookup: each name on the way to a file, where the format keeps it, and the disk reads that the
// kernel needs to find it when nothing of it is in memory. directory: what it costs to find a name
// where directories hold whole file control blocks (FCBs), and where they hold names and numbers of
// inodes.
#define _FILE_OFFSET_BITS 64
#include <dirent.h>
#include <fcntl.h>
#include <unistd.h>

#include <cerrno>
#include <cstdlib>
#include <cstring>

#include "user/lab-fs/ext2_volume.hpp"
#include "user/lab/setting.hpp"
#include "user/lab/random.hpp"
#include "user/lab/table.hpp"

namespace {

constexpr char kLookupHelp[] =
    "usage: lab-fs lookup PATH [--json]\n"
    "Each name of an absolute path (symbolic links resolved) on ext2, FAT or ISO 9660: where it "
    "stands, and how many disk reads\n"
    "it takes to find it with nothing in memory but what the names before it brought.\n"
    "    # lab-fs lookup /etc/passwd\n"
    "    name    inode  at byte  reads  where\n"
    "    etc        14    36096      3  \"etc\" is inode 14 (5 names before it), block 0 of its "
    "directory, ...\n"
    "    passwd     26    39168      2  ...\n"
    "    5 disk reads in all\n";
constexpr char kDirectoryHelp[] =
    "usage: lab-fs directory [--names N] [--fcb BYTES] [--entry BYTES] [--block BYTES] [--json]\n"
    "       lab-fs directory DIRECTORY... [--samples N] [--seed S] [--json]\n"
    "Blocks read to find one of N names (3200): directories of FCBs (64 bytes each), or of names "
    "with\n"
    "an inode's number (16 bytes) and one more read for the inode. With directories: N of their "
    "names\n"
    "(10) looked up with nothing in memory, on ext2 (inodes), FAT or ISO 9660 (FCBs).\n"
    "    # lab-fs directory\n"
    "    directory holds  bytes a name  names a block  blocks  mean reads\n"
    "    FCBs                       64             16     200       100.5\n"
    "    inode numbers              16             64      50        26.5\n";

using lab::fail;

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

// What the name means, and in which block of a directory it is.
std::string find_in(const Ext2Volume& volume, uint32_t directory, const std::string& name) {
    const ext2::InodeRecord record = volume.inode(directory);
    uint32_t passed = 0;
    for (uint32_t block = 0; block * volume.block_size() < record.size_low; ++block) {
        const Way way = volume.way_of(directory, record, block);
        if (way.hole) continue;
        const auto at = static_cast<uint32_t>(way.looks.back().says);
        const std::vector<uint8_t> bytes = volume.block(at);
        if (const uint8_t* entry = entry_named(bytes, name, passed)) {
            uint32_t found;
            std::memcpy(&found, entry, 4);
            return "\"" + name + "\" is inode " + std::to_string(found) + " (" +
                   std::to_string(passed) + " names before it), block " + std::to_string(block) +
                   " of its directory, " + std::to_string(at) + " on the disk";
        }
    }
    return "not there";
}

// Disk reads that the kernel needs for the attributes of `path`, which it has not in memory.
unsigned long reads_of(const Volume& volume, const std::string& path, struct stat64& file) {
    const unsigned long before = volume.reads();
    if (lstat64(path.c_str(), &file) != 0) lab::fail("%s: %s", path.c_str(), std::strerror(errno));
    return volume.reads() - before;
}

// Where the name stands, as the format says; byte: of the entry or the inode.
struct Place {
    uint64_t byte;
    std::string text;
};
Place place_of(const Volume& volume, uint32_t parent, const std::string& name, uint64_t number) {
    if (volume.type() == "vfat")
        return {number * 32, "a directory entry of 32 bytes, which is the FCB"};
    if (volume.type() == "iso9660") return {number * 2, "a directory record, which is the FCB"};
    const auto& ext2 = static_cast<const Ext2Volume&>(volume);
    const Ext2Volume::InodePlace inode = ext2.inode_place(static_cast<uint32_t>(number));
    return {uint64_t{inode.block} * ext2.block_size() + inode.offset,
            find_in(ext2, parent, name) + "; inode in block " + std::to_string(inode.block)};
}

}  // namespace

int lookup(int argc, char** argv) {
    bool json = false;
    const std::vector<std::string> words =
        lab::Command(kLookupHelp).flag("--json", json).parse(argc, argv);
    if (words.size() != 1 || words[0][0] != '/') lab::refuse("an absolute path, like /bin/busybox");
    char* real = realpath(words[0].c_str(), nullptr);
    if (!real) lab::fail("%s: %s", words[0].c_str(), std::strerror(errno));
    const std::string wanted = real;
    std::free(real);
    struct stat64 file;
    const std::unique_ptr<Volume> volume = Volume::of(wanted);
    std::string path = volume->mounted_at() == "/" ? "" : volume->mounted_at();
    const std::string left = wanted.substr(path.size());
    if (stat64(volume->mounted_at().c_str(), &file) != 0 || chdir("/") != 0)
        lab::fail("%s: %s", volume->mounted_at().c_str(), std::strerror(errno));
    auto parent = static_cast<uint32_t>(file.st_ino);
    const OnlyWhatIsAsked guard;
    forget(3);
    lab::Table table({{"name", "name"},
                      {"inode", "inode"},
                      {"byte", "at byte"},
                      {"reads", "reads"},
                      {"where", "where"}});
    unsigned long all = 0;
    std::vector<std::pair<std::string, unsigned long>> found;
    for (const std::string& name : lab::split(left, "/")) {
        if (name.empty()) continue;
        lab::write_file("/proc/trace_marker", "name " + name);  // a debugger may stop here
        path += "/" + name;
        found.push_back({name, reads_of(*volume, path, file)});
        all += found.back().second;
    }
    path = volume->mounted_at() == "/" ? "" : volume->mounted_at();
    for (const auto& [name, reads] : found) {  // now that what this program reads does not count
        path += "/" + name;
        if (lstat64(path.c_str(), &file) != 0) lab::fail("%s went", path.c_str());
        const Place place = place_of(*volume, parent, name, file.st_ino);
        table.row({name, file.st_ino, place.byte, reads, place.text});
        parent = static_cast<uint32_t>(file.st_ino);
    }
    if (json) {
        lab::Object()
            .add("lab", "lab-fs lookup")
            .add("input", lab::Object().add("path", wanted))
            .add("format", volume->type())
            .add("reads", all)
            .add("rows", table.rows())
            .print();
        return 0;
    }
    table.print();
    std::printf("%lu disk reads in all\n", all);
    return 0;
}

namespace {

lab::Decimal mean_of_scan(uint64_t blocks, uint32_t more) {
    return {double(blocks + 1) / 2 + more, 1};
}

void compute(lab::Table& table, long names, long fcb, long entry, long block) {
    const auto row = [&](const char* what, long bytes, uint32_t more) {
        const long per_block = block / bytes, blocks = (names + per_block - 1) / per_block;
        table.row(
            {what, bytes, per_block, blocks, mean_of_scan(static_cast<uint64_t>(blocks), more)});
    };
    row("FCBs", fcb, 0);
    row("inode numbers", entry, 1);
}

std::vector<std::string> names_of(const std::string& path) {
    std::vector<std::string> names;
    DIR* folder = opendir(path.c_str());
    if (!folder) lab::fail("%s: %s", path.c_str(), std::strerror(errno));
    while (const dirent64* entry = readdir64(folder))
        if (std::strcmp(entry->d_name, ".") != 0 && std::strcmp(entry->d_name, "..") != 0)
            names.push_back(entry->d_name);
    closedir(folder);
    if (names.empty()) lab::fail("%s is empty", path.c_str());
    return names;
}

void measure(lab::Table& table, const std::string& path, long samples, long seed) {
    const std::unique_ptr<Volume> volume = Volume::of(path);
    const std::vector<std::string> names = names_of(path);
    lab::Random random(seed);
    unsigned long reads = 0;
    struct stat64 file;
    if (stat64(path.c_str(), &file) != 0) lab::fail("%s: %s", path.c_str(), std::strerror(errno));
    const uint64_t bytes = static_cast<uint64_t>(file.st_size);
    for (long i = 0; i < samples; ++i) {
        const std::string& name =
            names[static_cast<size_t>(random.between(0, static_cast<long>(names.size()) - 1))];
        forget(3);
        reads_of(*volume, path, file);
        reads += reads_of(*volume, path + "/" + name, file);
    }
    const bool inodes = volume->type() == "ext2" || volume->type() == "ext3";
    table.row({volume->type() + (inodes ? ": inode numbers" : ": FCBs"), bytes / names.size(),
               uint64_t{volume->block_size()} * names.size() / bytes,
               (bytes + volume->block_size() - 1) / volume->block_size(),
               lab::Decimal{double(reads) / double(samples), 1}});
}

}  // namespace

int directory(int argc, char** argv) {
    long names = 3200, fcb = 64, entry = 16, block = 1024, samples = 10, seed = 1;
    bool json = false;
    const std::vector<std::string> paths = lab::Command(kDirectoryHelp)
                                               .number("--names", names, 1, 100'000'000)
                                               .number("--fcb", fcb, 1, 4096)
                                               .number("--entry", entry, 1, 4096)
                                               .number("--block", block, 512, 65'536)
                                               .number("--samples", samples, 1, 1000)
                                               .number("--seed", seed, 0, 2'147'483'647)
                                               .flag("--json", json)
                                               .parse(argc, argv);
    if (fcb > block || entry > block) lab::refuse("an entry is larger than a block");
    lab::Table table({{"holds", "directory holds"},
                      {"bytes", "bytes a name"},
                      {"names", "names a block"},
                      {"blocks", "blocks"},
                      {"reads", "mean reads"}});
    if (paths.empty()) {
        compute(table, names, fcb, entry, block);
    } else {
        const OnlyWhatIsAsked guard;
        for (const std::string& path : paths) measure(table, path, samples, seed);
    }
    if (!json) return table.print(), 0;
    lab::Object input;
    if (paths.empty())
        input.add("names", names).add("fcb", fcb).add("entry", entry).add("block", block);
    else
        input.add("directories", paths).add("samples", samples).add("seed", seed);
    lab::Object()
        .add("lab", "lab-fs directory")
        .add("input", input)
        .add("rows", table.rows())
        .print();
    return 0;
}
