// The disk under a file system; the formats whose files are an extent (ISO 9660) or a chain (FAT).
// Spec: fs/iso9660/record.hpp, fs/fat/layout.hpp.
#define _FILE_OFFSET_BITS 64
#include <fcntl.h>
#include <sys/mman.h>
#include <unistd.h>

#include <cerrno>
#include <cstring>
#include <fstream>
#include <sstream>

#include "fs/fat/layout.hpp"
#include "fs/iso9660/record.hpp"
#include "user/lab-fs/ext2_volume.hpp"
#include "user/lab/setting.hpp"

namespace {

constexpr char kReadAhead[] = "/proc/sys/vm/read_ahead_kb";

// A file is one run of sectors; its inode's number is half the place of its directory record.
class IsoVolume final : public Volume {
  public:
    IsoVolume(const std::string& device, const std::string& place)
        : Volume("iso9660", device, place) {}
    uint32_t block_size() const override { return iso::kSectorBytes; }
    const char* unit() const override { return "sector"; }
    Way way(const struct stat64& file, uint64_t offset) const override {
        const uint64_t at = file.st_ino * 2;
        const auto raw = bytes(at, iso::kSectorBytes - at % iso::kSectorBytes);
        const auto record = iso::decode_record(raw);
        if (!record) lab::fail("no directory record at byte %llu", at);
        const uint64_t sector = record->extent + offset / iso::kSectorBytes;
        return {"extent",
                {{"directory record: extent from sector " + std::to_string(record->extent),
                  offset / iso::kSectorBytes, sector, kInMemory}},
                false,
                sector * iso::kSectorBytes + offset % iso::kSectorBytes};
    }
};

// A file is a chain of clusters; its inode's number is the place of its directory entry / 32.
class FatVolume final : public Volume {
  public:
    FatVolume(const std::string& device, const std::string& place) : Volume("vfat", device, place) {
        const auto boot = bytes(0, 512);
        struct stat64 disk;
        const auto geometry = fat::decode_boot_sector(boot, UINT64_MAX);
        if (!geometry || stat64(device.c_str(), &disk) != 0)
            lab::fail("%s holds no FAT", device.c_str());
        geometry_ = *geometry;
    }
    uint32_t block_size() const override { return geometry_.cluster_bytes; }
    const char* unit() const override { return "cluster"; }
    Way way(const struct stat64& file, uint64_t offset) const override {
        const auto entry = bytes(file.st_ino * 32, 32);
        uint32_t cluster = fat::little16(&entry[26]);
        if (geometry_.bits == 32) cluster |= fat::little16(&entry[20]) << 16;
        Way way{"chain", {{"directory entry: first cluster", 0, cluster, kInMemory}}};
        for (uint64_t n = 0; n < offset / geometry_.cluster_bytes; ++n) {
            const uint64_t at = geometry_.fat_start + fat::entry_offset(geometry_.bits, cluster);
            const auto raw = bytes(at, 4);
            const uint32_t next = fat::entry_value(
                geometry_.bits, cluster,
                geometry_.bits == 32 ? fat::little32(raw.data()) : fat::little16(raw.data()));
            if (!geometry_.valid(next)) lab::fail("the chain ends at cluster %u", cluster);
            way.looks.push_back({"FAT", cluster, next, at});
            cluster = next;
        }
        way.data = geometry_.place(cluster) + offset % geometry_.cluster_bytes;
        return way;
    }

  private:
    fat::Geometry geometry_{};
};

}  // namespace

std::unique_ptr<Volume> Volume::of(const std::string& path) {
    struct stat64 file, top;
    if (lstat64(path.c_str(), &file) != 0) lab::fail("%s: %s", path.c_str(), std::strerror(errno));
    std::ifstream mounts("/proc/mounts");
    std::string type = "no disk's file system";
    for (std::string line; std::getline(mounts, line);) {
        std::istringstream words(line);
        std::string source, place, kind;
        words >> source >> place >> kind;
        if (stat64(place.c_str(), &top) != 0 || top.st_dev != file.st_dev) continue;
        type = kind;
        if (type == "ext2" || type == "ext3") return std::make_unique<Ext2Volume>(source, place);
        if (type == "iso9660") return std::make_unique<IsoVolume>(source, place);
        if (type == "vfat") return std::make_unique<FatVolume>(source, place);
    }
    lab::fail("%s is on %s, not on ext2, vfat or iso9660", path.c_str(), type.c_str());
}

Volume::Volume(std::string type, std::string device, std::string place)
    : type_(std::move(type)), device_(std::move(device)), place_(std::move(place)) {
    fd_ = open(device_.c_str(), O_RDONLY | O_CLOEXEC);
    if (fd_ < 0) lab::fail("%s: %s", device_.c_str(), std::strerror(errno));
}

Volume::~Volume() { close(fd_); }

void Volume::read(uint64_t offset, void* to, size_t bytes) const {
    const ssize_t done = pread64(fd_, to, bytes, static_cast<off64_t>(offset));
    if (done != static_cast<ssize_t>(bytes)) lab::fail("%s cannot be read", device_.c_str());
}

std::vector<uint8_t> Volume::bytes(uint64_t offset, size_t count) const {
    std::vector<uint8_t> all(count);
    read(offset, all.data(), count);
    return all;
}

unsigned long Volume::reads() const {
    const std::string name = device_.substr(device_.rfind('/') + 1);
    std::ifstream stats("/proc/diskstats");
    for (std::string line; std::getline(stats, line);) {
        std::istringstream words(line);
        std::string major, minor, disk;
        unsigned long reads = 0;
        words >> major >> minor >> disk >> reads;
        if (disk == name) return reads;
    }
    lab::fail("%s is not in /proc/diskstats", name.c_str());
}

OnlyWhatIsAsked::OnlyWhatIsAsked() : before_(lab::chosen_in(kReadAhead)) {
    mlockall(MCL_CURRENT | MCL_FUTURE);
    if (const int error = lab::write_file(kReadAhead, "0"))
        lab::fail("%s: %s (only root may)", kReadAhead, std::strerror(error));
}
OnlyWhatIsAsked::~OnlyWhatIsAsked() { lab::write_file(kReadAhead, before_); }

void forget(int what) {
    sync();
    const std::string caches = "/proc/sys/vm/drop_caches";
    if (const int error = lab::write_file(caches, std::to_string(what)))
        lab::fail("%s: %s (only root may)", caches.c_str(), std::strerror(error));
}
