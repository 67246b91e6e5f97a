// Twins: the same random operations on a file system of ours and in a folder of the host, compared.
#pragma once

#include <sys/stat.h>
#include <unistd.h>

#include <algorithm>
#include <random>

#include "tests/host/support/ext2_check.hpp"
#include "tests/host/support/file_room.hpp"

namespace hostfs = std::filesystem;

inline std::string noise(size_t bytes, std::mt19937& random) {
    std::string text(bytes, 0);
    for (char& c : text) c = static_cast<char>(random() | 1);
    return text;
}

inline Errno write_at(const View& view, std::string_view name, uint64_t offset,
                      std::string_view text) {
    Result<Ref<File>> file = view.open(name, kOpenWriteOnly);
    if (file.is_error()) return file.error();
    KernelSource source({reinterpret_cast<const uint8_t*>(text.data()), text.size()});
    Result<uint32_t> done = file.value()->write_at(source, offset);
    if (done.is_ok() && done.value() != text.size()) return Errno::nospc;
    return error(done);
}

class Twins {
  public:
    Twins(View view, uint32_t seed) : view_(std::move(view)), random_(seed) {}

    void step() {
        switch (random_() % 16) {
            case 0:
            case 1:
            case 2: make_file(); break;
            case 3:
            case 4:
            case 5: write_file(); break;
            case 6: truncate(); break;
            case 7: make_directory(); break;
            case 8:
            case 9: unlink(); break;
            case 10: remove_directory(); break;
            case 11:
            case 12: rename(); break;
            case 13: link(); break;
            case 14: symlink(); break;
            default: mode(); break;
        }
    }
    void compare(const std::string& directory = "") {
        std::vector<std::string> names = view_.list(directory + "/"), host = {".", ".."};
        for (auto& entry :
             hostfs::directory_iterator(folder_.path / directory.substr(directory.empty() ? 0 : 1)))
            host.push_back(entry.path().filename());
        std::sort(host.begin(), host.end());
        std::erase(names, "lost+found");
        ASSERT_EQ(names, host) << directory;
        for (const std::string& name : names)
            if (name != "." && name != "..") compare_one(directory + "/" + name);
    }

  private:
    // Errors that differ between kernels for good reason are counted as one.
    static bool same(Errno ours, bool host_ok) { return (ours == Errno{}) == host_ok; }
    std::string host(const std::string& name) { return folder_.path.string() + name; }
    std::string any_name() {
        std::string name;
        const int depth = static_cast<int>(random_() % 3);
        for (int i = 0; i < depth; ++i) name += "/d" + std::to_string(random_() % 3);
        static const std::string kLong(240, 'n');
        return name + (random_() % 2
                           ? "/d" + std::to_string(random_() % 3)
                           : "/f" + std::to_string(random_() % 8) + (random_() % 4 ? "" : kLong));
    }
    void make_file() {
        const std::string name = any_name();
        const Errno done = view_.write(name, "", kOpenCreate | kOpenExclusive);
        int fd = ::open(host(name).c_str(), O_CREAT | O_EXCL | O_WRONLY, 0644);
        EXPECT_TRUE(same(done, fd >= 0)) << "create " << name;
        if (fd >= 0) ::close(fd);
    }
    void write_file() {
        const std::string name = any_name();
        const uint64_t offset = random_() % 4 ? random_() % 20000 : random_() % 3000000;
        const std::string text = noise(1 + random_() % (random_() % 4 ? 3000 : 30000), random_);
        const Errno done = write_at(view_, name, offset, text);
        int fd = ::open(host(name).c_str(), O_WRONLY);
        EXPECT_TRUE(same(done, fd >= 0)) << "write " << name;
        if (fd < 0) return;
        EXPECT_EQ(pwrite(fd, text.data(), text.size(), static_cast<off_t>(offset)),
                  static_cast<ssize_t>(text.size()));
        ::close(fd);
    }
    void truncate() {
        const std::string name = any_name();
        const uint64_t size = random_() % 40000;
        Result<Path> path = view_.at(name);
        const Errno done =
            path.is_error() ? path.error() : error(vfs_truncate(view_, path.value(), size));
        EXPECT_TRUE(same(done, ::truncate(host(name).c_str(), static_cast<off_t>(size)) == 0))
            << "truncate " << name;
    }
    void make_directory() {
        const std::string name = any_name();
        EXPECT_TRUE(same(error(vfs_mkdir(view_, view_.cwd, name, 0755)),
                         ::mkdir(host(name).c_str(), 0755) == 0))
            << "mkdir " << name;
    }
    void unlink() {
        const std::string name = any_name();
        EXPECT_TRUE(
            same(error(vfs_unlink(view_, view_.cwd, name)), ::unlink(host(name).c_str()) == 0))
            << "unlink " << name;
    }
    void remove_directory() {
        const std::string name = any_name();
        EXPECT_TRUE(
            same(error(vfs_rmdir(view_, view_.cwd, name)), ::rmdir(host(name).c_str()) == 0))
            << "rmdir " << name;
    }
    void rename() {
        const std::string from = any_name(), to = any_name();
        EXPECT_TRUE(same(error(vfs_rename(view_, view_.cwd, from, view_.cwd, to)),
                         ::rename(host(from).c_str(), host(to).c_str()) == 0))
            << "rename " << from << " " << to;
    }
    void link() {
        const std::string from = any_name(), to = any_name();
        EXPECT_TRUE(same(error(vfs_link(view_, view_.cwd, from, view_.cwd, to, Follow::no)),
                         ::link(host(from).c_str(), host(to).c_str()) == 0))
            << "link " << from << " " << to;
    }
    void symlink() {
        const std::string name = any_name();
        const std::string target(1 + random_() % 900, 't');
        EXPECT_TRUE(same(error(vfs_symlink(view_, target, view_.cwd, name)),
                         ::symlink(target.c_str(), host(name).c_str()) == 0))
            << "symlink " << name;
    }
    void mode() {
        const std::string name = any_name();
        Result<Path> path = view_.at(name);
        SetAttributes changes;
        changes.set_mode = true;
        changes.mode = 0700 | random_() % 0100;
        const Errno done = path.is_error()
                               ? path.error()
                               : error(vfs_set_attributes(view_, path.value(), changes));
        EXPECT_TRUE(same(done, ::chmod(host(name).c_str(), changes.mode) == 0)) << "chmod " << name;
    }
    void compare_one(const std::string& name) {
        struct stat there;
        ASSERT_EQ(lstat(host(name).c_str(), &there), 0);
        Result<Attributes> here = vfs_stat(view_, view_.cwd, name, Follow::no);
        ASSERT_TRUE(here.is_ok()) << name;
        ASSERT_EQ(here.value().mode, there.st_mode) << name;
        EXPECT_EQ(here.value().links, there.st_nlink) << name;
        if (here.value().is_directory()) return compare(name);
        EXPECT_EQ(here.value().size, static_cast<uint64_t>(there.st_size)) << name;
        if (here.value().is_symlink()) {
            char buffer[kMaxPath];
            Result<uint32_t> length = vfs_readlink(view_, view_.cwd, name, buffer);
            ASSERT_TRUE(length.is_ok()) << name;
            EXPECT_EQ(std::string(buffer, length.value()),
                      hostfs::read_symlink(host(name)).string());
            return;
        }
        std::vector<uint8_t> bytes = read_host_file(host(name));
        EXPECT_TRUE(view_.read(name) == std::string(bytes.begin(), bytes.end())) << name;
    }

    View view_;
    std::mt19937 random_;
    HostFolder folder_;
};
