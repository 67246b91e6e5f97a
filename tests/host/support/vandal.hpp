// What damaged images have to bear: a tree with some of everything, and a visitor who walks it, changes it at
// random, and lets memory be reclaimed meanwhile.
#pragma once

#include <fstream>
#include <random>

#include "fs/inode_cache.hpp"
#include "fs/mount.hpp"
#include "fs/page_hash.hpp"
#include "tests/host/support/file_room.hpp"

using Bytes = std::vector<uint8_t>;

// Index blocks of two levels, directories of several blocks, links of both kinds, as ext2.
inline Bytes mixed_image(int block) {
    namespace hostfs = std::filesystem;
    HostFolder folder;
    hostfs::create_directories(folder.path / "a/b/c");
    hostfs::create_directories(folder.path / "many");
    for (int i = 0; i < 12; ++i)
        std::ofstream(folder.path / ("a/b/f" + std::to_string(i)))
            << std::string(static_cast<size_t>(i) * 40000, static_cast<char>('a' + i));
    for (int i = 0; i < 60; ++i)
        std::ofstream(folder.path / ("many/" + std::to_string(i) + std::string(60, 'n'))) << i;
    hostfs::create_symlink("b", folder.path / "a/link");
    hostfs::create_symlink(std::string(100, '/') + "a/b", folder.path / "a/slow");
    return make_image("-b " + std::to_string(block) + " -N 128 -d " + folder.path.string(), 4096);
}

// Operations on what the listing names, and on names that are new.
class Vandal {
  public:
    Vandal(const View& view, std::mt19937& random) : view_(view), random_(random) {}

    void walk(const std::string& directory, int depth) {
        Result<Ref<File>> file = view_.open(directory + "/");
        if (file.is_error()) return;
        struct Sink final : DirectorySink {
            std::vector<std::string> names;
            bool add(std::string_view name, InodeNo, uint32_t, uint64_t) override {
                names.emplace_back(name);
                return names.size() < 200;
            }
        } sink;
        static_cast<void>(file.value()->list(sink));
        for (const std::string& name : sink.names) {
            if (name == "." || name == ".." || name.find('/') != name.npos || names_.size() > 300)
                continue;
            const std::string path = directory + "/" + name;
            names_.push_back(path);
            Result<Attributes> found = vfs_stat(view_, view_.cwd, path, Follow::no);
            if (found.is_error()) continue;
            if (found.value().is_directory() && depth) walk(path, depth - 1);
            if ((found.value().mode & kTypeMask) == kTypeRegular) read(path, found.value().size);
        }
    }
    size_t found() const { return names_.size(); }
    void steps(int count) {
        for (int i = 0; i < count; ++i) step();
    }

  private:
    std::string old_name() { return names_.empty() ? "/a" : names_[random_() % names_.size()]; }
    std::string fresh_name() {
        const std::string near = old_name();
        return near.substr(0, near.rfind('/')) + "/new" + std::to_string(random_() % 50);
    }
    void read(const std::string& path, uint64_t size) {
        Result<Ref<File>> file = view_.open(path);
        if (file.is_error()) return;
        uint8_t bytes[5000];
        for (uint64_t at : {uint64_t{0}, size / 2, size - std::min<uint64_t>(size, 4000)}) {
            KernelSink sink(bytes);
            static_cast<void>(file.value()->read_at(sink, at));
        }
    }
    void write(const std::string& path) {
        Result<Ref<File>> file = view_.open(path, kOpenReadWrite | kOpenCreate, 0644);
        if (file.is_error()) return;
        const Bytes bytes(1 + random_() % 9000, 'w');
        KernelSource source(bytes);
        const uint64_t at = random_() % 4 ? random_() % 100000 : random_() % 400000000;
        static_cast<void>(file.value()->write_at(source, at));
        if (random_() % 4 == 0) static_cast<void>(file.value()->sync(false));
    }
    void step() {
        const std::string old = old_name(), fresh = fresh_name();
        const FsContext& v = view_;
        switch (random_() % 10) {
            case 0: static_cast<void>(vfs_mkdir(v, v.cwd, fresh, 0755)); return;
            case 1: static_cast<void>(vfs_unlink(v, v.cwd, old)); return;
            case 2: static_cast<void>(vfs_rmdir(v, v.cwd, old)); return;
            case 3: static_cast<void>(vfs_rename(v, v.cwd, old, v.cwd, fresh)); return;
            case 4: static_cast<void>(vfs_rename(v, v.cwd, old, v.cwd, old_name())); return;
            case 5: static_cast<void>(vfs_link(v, v.cwd, old, v.cwd, fresh, Follow::no)); return;
            case 6:
                static_cast<void>(vfs_symlink(v, std::string(random_() % 200, 's'), v.cwd, fresh));
                return;
            case 7:
                if (Result<Path> path = view_.at(old))
                    static_cast<void>(vfs_truncate(v, path.value(), random_() % 200000));
                return;
            default: write(random_() % 2 ? old : fresh);
        }
    }
    const View& view_;
    std::mt19937& random_;
    std::vector<std::string> names_;
};

// All that can be forgotten is; whether nothing is left in the page cache.
inline bool forget_all() {
    shrink_dentries(UINT32_MAX);
    shrink_inodes(UINT32_MAX);
    while (reclaim_pages(1000)) {
    }
    return page_cache_totals().all == 0;
}

// Mounted for writing, walked and changed. False: the mount was refused.
inline bool vandalise(const ImageDisk& disk, std::mt19937& random) {
    Result<Path> root = mount_root(disk.name(), false);
    if (root.is_error()) return false;
    View view;
    view.root = view.cwd = root.value();
    Vandal vandal(view, random);
    vandal.walk("", 4);
    vandal.steps(60);
    static_cast<void>(view.root.mount().file_system->sync());
    static_cast<void>(forget_all());
    vandal.steps(40);
    static_cast<void>(view.root.mount().file_system->set_read_only(true));
    return true;
}
