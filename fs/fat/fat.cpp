// FAT, read-only: a file's clusters are a chain through the table, so a byte far inside a file takes
// as many look-ups as there are clusters before it. Each inode remembers where it was last. An
// inode's number is the place of its directory entry on the disk / 32; the root's is 1.
// Invariant: no cluster is used that isn't on the disk, and no chain is followed for longer than
// the file's size says; what makes no sense is EIO.
// Locks: what is mounted doesn't change; the remembered place: a spin lock (rank inode_records).
// Spec: see layout.hpp.
#include "fs/fat/fat.hpp"

#include <algorithm>

#include "drivers/block.hpp"
#include "drivers/rtc_time.hpp"
#include "fs/cached_file.hpp"
#include "fs/fat/name.hpp"
#include "fs/inode_cache.hpp"
#include "fs/mount.hpp"

namespace fat {

namespace {

constexpr uint32_t kRootNumber = 1;
constexpr uint32_t kMaxDirectory = 65536 * kEntryBytes;

class Fat final : public FileSystem {
  public:
    static Result<Ref<FileSystem>> mount(std::string_view source, uint32_t flags,
                                         std::string_view options);
    Fat(BlockDevice& disk, PageCache& cache, const Geometry& g)
        : device(disk), geometry(g), cache_(cache) {}
    std::string_view type_name() const override { return "vfat"; }
    Ref<Inode> root() override { return root_; }
    FileSystemStatistics statistics() override {
        return {.type = 0x4d44,
                .block_size = geometry.cluster_bytes,
                .blocks = geometry.last_cluster - 1};
    }
    bool read_only() const override { return true; }
    Result<void> set_read_only(bool read_only) override {
        return read_only ? Result<void>() : Errno::rofs;
    }
    uint32_t device_number() const override { return device.device_number(); }
    void unmounted() override {
        root_ = {};
        forget_inodes(*this);
    }

    // The cluster after this one; 0 at the end of the chain.
    Result<uint32_t> next(uint32_t cluster) {
        const uint64_t at = geometry.fat_start + entry_offset(geometry.bits, cluster);
        uint32_t raw = 0;
        for (uint32_t i = 0; i < (geometry.bits == 32 ? 4u : 2u); ++i) {
            const HeldPage page = TRY(cache_.page(static_cast<uint32_t>((at + i) >> kPageShift)));
            raw |= uint32_t{page.data()[(at + i) & kPageMask]} << 8 * i;
        }
        const uint32_t value = entry_value(geometry.bits, cluster, raw);
        return geometry.valid(value) ? value : 0;
    }
    Result<Ref<Inode>> inode_at(uint64_t place, const Entry& entry);

    BlockDevice& device;
    const Geometry geometry;

  private:
    Result<uint32_t> directory_bytes(uint32_t cluster);

    PageCache& cache_;
    Ref<Inode> root_;  // dropped when unmounted: it refers to us
};

class FatInode final : public CachedInode, private PageSource {
  public:
    // `first` 0: the root of FAT12 and FAT16, which lies in one piece, or an empty file.
    FatInode(Fat& fat, InodeNo number, const Entry& e, uint32_t bytes)
        : CachedInode(fat, number),
          fat_(fat),
          first_(e.first_cluster),
          bytes_(bytes),
          directory_(e.is_directory()),
          read_only_(e.attributes & attribute_read_only),
          modified_(time_of(e)),
          known_cluster_(first_) {
        cache_.set_size(bytes);
    }
    Attributes attributes() override;
    Result<Ref<File>> open(uint32_t flags) override {
        if (directory_) return TRY(make_ref<DirectoryFile>(flags, *this));
        return TRY(make_ref<CachedFile>(flags, *this, cache_));
    }
    Result<Ref<Inode>> lookup_child(std::string_view name) override;
    Result<uint64_t> list(DirectorySink& sink, uint64_t offset) override;

  private:
    static int64_t time_of(const Entry& e) {
        const uint32_t month = e.date >> 5 & 15, day = e.date & 31;
        if (!month || month > 12 || !day) return 0;
        return int64_t{days_since_1970(1980 + (e.date >> 9), month, day)} * 86400 +
               (e.time >> 11) * 3600 + (e.time >> 5 & 63) * 60 + (e.time & 31) * 2;
    }
    Result<void> fill_pages(uint32_t first, uint32_t count, void* to) override;
    Result<uint32_t> cluster_at(uint32_t index);
    Result<uint64_t> place_of(uint32_t offset);
    // visit(entry, its place on the disk, the offset behind it) until it says false.
    template <typename F>
    Result<void> scan(uint64_t offset, F&& visit);

    Fat& fat_;
    const uint32_t first_, bytes_;
    const bool directory_, read_only_;
    const int64_t modified_;
    SpinLock lock_{LockRank::inode_records};
    uint32_t known_index_ GUARDED_BY(lock_) = 0;
    uint32_t known_cluster_ GUARDED_BY(lock_);
    PageCache cache_{*this, this, this};
};

Attributes FatInode::attributes() {
    Attributes a;
    a.mode = directory_ ? kTypeDirectory | 0755 : kTypeRegular | (read_only_ ? 0555 : 0755);
    a.links = directory_ ? 2 : 1;
    a.size = bytes_;
    a.blocks512 = (uint64_t{bytes_} + kSectorSize - 1) / kSectorSize;
    a.block_size = fat_.geometry.cluster_bytes;
    a.device = fat_.device_number();
    a.inode = number();
    a.accessed.seconds = a.modified.seconds = a.changed.seconds = modified_;
    return a;
}

// EIO if the chain ends before.
Result<uint32_t> FatInode::cluster_at(uint32_t index) {
    uint32_t at = 0, cluster = first_;
    {
        LockGuard guard(lock_);
        if (known_index_ <= index) {
            at = known_index_;
            cluster = known_cluster_;
        }
    }
    for (; at < index && cluster; ++at) cluster = TRY(fat_.next(cluster));
    if (!cluster) return Errno::io;
    LockGuard guard(lock_);
    known_index_ = index;
    known_cluster_ = cluster;
    return cluster;
}

Result<uint64_t> FatInode::place_of(uint32_t offset) {
    const Geometry& g = fat_.geometry;
    if (!first_) return g.root_start + offset;
    return g.place(TRY(cluster_at(offset / g.cluster_bytes))) + offset % g.cluster_bytes;
}

// Clusters that lie one behind the other are read with one request.
Result<void> FatInode::fill_pages(uint32_t first, uint32_t count, void* to) {
    const Geometry& g = fat_.geometry;
    const uint64_t start = uint64_t{first} << kPageShift;
    const uint64_t all = align_up(uint64_t{bytes_}, uint64_t{kSectorSize});
    const uint64_t end = std::min(start + (uint64_t{count} << kPageShift), all);
    for (uint64_t at = start; at < end;) {
        const auto offset = static_cast<uint32_t>(at);
        const uint64_t place = TRY(place_of(offset));
        uint64_t run = first_ ? g.cluster_bytes - offset % g.cluster_bytes : end - at;
        while (at + run < end && TRY(place_of(static_cast<uint32_t>(at + run))) == place + run)
            run += g.cluster_bytes;
        const auto bytes = static_cast<uint32_t>(std::min(run, end - at));
        TRY(fat_.device.read(Sector(place / kSectorSize), bytes / kSectorSize,
                             static_cast<uint8_t*>(to) + (at - start)));
        at += bytes;
    }
    return {};
}

template <typename F>
Result<void> FatInode::scan(uint64_t offset, F&& visit) {
    if (!directory_) return Errno::notdir;
    NameReader names;
    Entry entry;
    for (uint64_t at = offset; at + kEntryBytes <= bytes_; at += kEntryBytes) {
        const HeldPage page = TRY(cache_.page(static_cast<uint32_t>(at >> kPageShift)));
        const NameReader::Next next = names.feed(page.data() + (at & kPageMask), entry);
        if (next == NameReader::Next::end) break;
        if (next != NameReader::Next::entry) continue;
        if (entry.is_dot()) continue;
        const uint64_t place = TRY(place_of(static_cast<uint32_t>(at)));
        if (!visit(entry, place, at + kEntryBytes)) break;
    }
    return {};
}

Result<Ref<Inode>> FatInode::lookup_child(std::string_view name) {
    uint64_t found = 0;
    Entry entry;
    TRY(scan(0, [&](const Entry& e, uint64_t place, uint64_t) {
        if (e.view() != name) return true;
        found = place;
        entry = e;
        return false;
    }));
    if (!found) return Errno::noent;
    if (entry.is_directory() && entry.first_cluster == first_)
        return Errno::io;  // a directory in itself
    return fat_.inode_at(found, entry);
}

// Offsets: 0 ".", 1 "..", then 2 + that of an entry's first piece.
Result<uint64_t> FatInode::list(DirectorySink& sink, uint64_t offset) {
    if (!directory_) return Errno::notdir;
    if (offset == 0 && !sink.add(".", number(), kTypeDirectory >> 12, 1)) return 0ull;
    if (offset <= 1 && !sink.add("..", number(), kTypeDirectory >> 12, 2)) return 1ull;
    uint64_t reached = std::max<uint64_t>(offset, 2);
    if ((reached - 2) % kEntryBytes) return Errno::inval;
    TRY(scan(reached - 2, [&](const Entry& e, uint64_t place, uint64_t behind) {
        const InodeNo inode(static_cast<uint32_t>(place / kEntryBytes));
        if (!sink.add(e.view(), inode, (e.is_directory() ? kTypeDirectory : kTypeRegular) >> 12,
                      behind + 2))
            return false;
        reached = behind + 2;
        return true;
    }));
    return reached;
}

// A directory is as long as its chain.
Result<uint32_t> Fat::directory_bytes(uint32_t cluster) {
    uint32_t bytes = 0;
    for (; cluster; cluster = TRY(next(cluster))) {
        bytes += geometry.cluster_bytes;
        if (bytes > kMaxDirectory + geometry.cluster_bytes) return Errno::io;  // a circle
    }
    return bytes;
}

Result<Ref<Inode>> Fat::inode_at(uint64_t place, const Entry& e) {
    if (place / kEntryBytes > UINT32_MAX) return Errno::io;
    const InodeNo number(static_cast<uint32_t>(place / kEntryBytes));
    if (Ref<CachedInode> known = find_inode(*this, number)) return known;
    uint32_t bytes = e.bytes;
    if (number.raw() == kRootNumber && !e.first_cluster) {
        bytes = static_cast<uint32_t>(geometry.root_bytes);
    } else if (e.is_directory()) {
        if (!geometry.valid(e.first_cluster)) return Errno::io;
        bytes = TRY(directory_bytes(e.first_cluster));
    } else {
        if (bytes && !geometry.valid(e.first_cluster)) return Errno::io;
        if (bytes > uint64_t{geometry.last_cluster - 1} * geometry.cluster_bytes) return Errno::io;
    }
    return insert_inode(TRY(make_ref<FatInode>(*this, number, e, bytes)));
}

Result<Ref<FileSystem>> Fat::mount(std::string_view source, uint32_t, std::string_view) {
    BlockDevice* disk = find_block_device(source);
    if (!disk) return refuse_mount(Errno::nxio, "vfat: no disk named {}", source);
    PageCache* cache = TRY(device_cache(*disk));
    const HeldPage page = TRY(cache->page(0));
    const std::optional<Geometry> g =
        decode_boot_sector({page.data(), kSectorSize}, disk->sectors() * kSectorSize);
    if (!g) return Errno::inval;
    Ref<Fat> fat = TRY(make_ref<Fat>(*disk, *cache, *g));
    Entry top{};
    top.attributes = attribute_directory;
    top.first_cluster = g->bits == 32 ? g->root_cluster : 0;
    Result<Ref<Inode>> root = fat->inode_at(kRootNumber * kEntryBytes, top);
    if (root.is_error()) {
        fat->unmounted();
        return root.error();
    }
    fat->root_ = root.value();
    return Ref<FileSystem>(std::move(fat));
}

constinit FileSystemType type{"vfat", true, Fat::mount, nullptr, false};

}  // namespace

}  // namespace fat

void fat_init() { register_file_system(fat::type); }
