// The file room on the host: frames from an arena where the kernel's direct map would be, locks of
// a single thread, disks that are image files. What runs on top is the kernel's own source.
#pragma once

#include <gtest/gtest.h>

#include <filesystem>
#include <map>
#include <set>
#include <string>
#include <vector>

#include "drivers/block.hpp"
#include "fs/vfs.hpp"

// Once per program, before anything else; further calls do nothing.
void start_file_room();

extern std::vector<std::string> log_lines;

class ImageDisk final : public BlockDevice {
  public:
    ImageDisk(std::string_view name, uint32_t minor, std::vector<uint8_t> bytes)
        : BlockDevice(name, 3 + minor / 256, minor % 256), bytes(std::move(bytes)) {}
    uint64_t sectors() const override { return bytes.size() / kSectorSize; }
    Result<void> read(Sector first, uint32_t count, void* to) override;
    Result<void> write(Sector first, uint32_t count, const void* from) override;
    Result<void> flush() override;
    bool read_only() const override { return write_protected; }

    std::vector<uint8_t> bytes;
    std::set<uint64_t> bad_sectors;
    std::set<uint64_t> unwritable_sectors;
    bool write_protected = false;
    // A cut of power: after so many more writes nothing reaches the disk.
    uint64_t writes_left = UINT64_MAX;
    uint64_t writes = 0;
    uint32_t requests = 0;
    struct Write {
        uint64_t sector;
        std::vector<uint8_t> bytes;
    };
    std::vector<Write>* log = nullptr;  // gets each write, if it is set
};

// A disk that is registered forever, with the image as its contents.
ImageDisk& make_disk(std::vector<uint8_t> bytes);
std::vector<uint8_t> read_host_file(const std::filesystem::path& path);
// Runs mke2fs with these words over a fresh image of that many KiB, and debugfs with the commands
// in `changes`; its contents.
std::vector<uint8_t> make_image(const std::string& options, uint64_t kib, const char* changes = "");

// An empty folder that goes with the object.
struct HostFolder {
    HostFolder();
    ~HostFolder();
    std::filesystem::path path;
};

// One view of the tree: what a process has.
struct View : FsContext {
    // On the root of this disk; the test fails if that doesn't work.
    static View of_disk(const ImageDisk& disk);
    // A fresh tmpfs on the root directory's "mnt" of a shared base image.
    static View of_tmpfs();

    Result<Path> at(std::string_view name, Follow follow = Follow::yes) const {
        return resolve(*this, cwd, name, follow);
    }
    Result<Ref<File>> open(std::string_view name, uint32_t flags = 0, uint32_t mode = 0) const {
        return vfs_open(*this, cwd, name, flags | kOpenLargeFile, mode);
    }
    Errno error_of(std::string_view name, Follow follow = Follow::yes) const;
    std::string name_of(const Path& path) const;
    std::string read(std::string_view name) const;  // "?N" for error N
    Errno write(std::string_view name, std::string_view text, uint32_t flags = kOpenCreate) const;
    std::vector<std::string> list(std::string_view name) const;
    void become(uint32_t uid, uint32_t gid);
};

template <typename T>
Errno error(const Result<T>& result) {
    return result.is_error() ? result.error() : Errno{};
}
inline void PrintTo(Errno error, std::ostream* out) { *out << "errno " << static_cast<int>(error); }
