// ISO 9660, read-only: every file is one run of sectors, so a byte's place is a sum. An inode's
// number is half the place of its directory record on the disk: no table, records are even.
// Invariant: no extent is used that reaches beyond the disk; what makes no sense is EIO.
// Locks: none; what is mounted doesn't change.
// Spec: ECMA-119 (8.4 primary volume descriptor, 9.1 directory record).
#include "fs/iso9660/iso9660.hpp"

#include <algorithm>

#include "drivers/block.hpp"
#include "fs/cached_file.hpp"
#include "fs/inode_cache.hpp"
#include "fs/iso9660/record.hpp"
#include "fs/mount.hpp"

namespace iso {

namespace {

constexpr uint32_t kFirstDescriptor = 16, kLastDescriptor = 32, kRootRecord = 156;
constexpr uint32_t kMaxDirectory = 64 << 20;

class Iso final : public FileSystem {
  public:
    static Result<Ref<FileSystem>> mount(std::string_view source, uint32_t flags,
                                         std::string_view options);
    Iso(BlockDevice& disk, PageCache& cache) : device(disk), cache_(cache) {}
    std::string_view type_name() const override { return "iso9660"; }
    Ref<Inode> root() override { return root_; }
    FileSystemStatistics statistics() override {
        return {.type = 0x9660, .block_size = kSectorBytes, .blocks = bytes() / kSectorBytes};
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

    uint64_t bytes() const { return device.sectors() * kSectorSize; }
    Result<HeldPage> page_at(uint64_t place) {
        return cache_.page(static_cast<uint32_t>(place >> kPageShift));
    }
    Result<Record> record_at(uint64_t place);
    Result<Ref<Inode>> inode_at(uint64_t place);

    BlockDevice& device;

  private:
    PageCache& cache_;
    Ref<Inode> root_;  // dropped when unmounted: it refers to us
};

class IsoInode final : public CachedInode, private PageSource {
  public:
    IsoInode(Iso& iso, InodeNo number, const Record& record)
        : CachedInode(iso, number), iso_(iso), record_(record) {
        cache_.set_size(record.bytes);
    }
    Attributes attributes() override {
        Attributes a;
        a.mode = record_.is_directory() ? kTypeDirectory | 0555 : kTypeRegular | 0555;
        a.links = record_.is_directory() ? 2 : 1;
        a.size = record_.bytes;
        a.blocks512 = (uint64_t{record_.bytes} + 511) / 512;
        a.block_size = kSectorBytes;
        a.device = iso_.device_number();
        a.inode = number();
        return a;
    }
    Result<Ref<File>> open(uint32_t flags) override {
        if (record_.is_directory()) return TRY(make_ref<DirectoryFile>(flags, *this));
        return TRY(make_ref<CachedFile>(flags, *this, cache_));
    }
    Result<Ref<Inode>> lookup_child(std::string_view name) override {
        uint64_t found = 0;
        uint32_t extent = 0;
        TRY(scan(0, [&](const Record& r, uint64_t, uint64_t place) {
            if (r.self_or_parent || r.view() != name) return true;
            found = place;
            extent = r.extent;
            return false;
        }));
        if (!found) return Errno::noent;
        if (extent == record_.extent) return Errno::io;  // a directory in itself
        return iso_.inode_at(found);
    }
    Result<uint64_t> list(DirectorySink& sink, uint64_t offset) override {
        bool parent = false;
        return scan(offset, [&](const Record& r, uint64_t at, uint64_t place) {
            parent = at != 0;
            const std::string_view name = !r.self_or_parent ? r.view() : parent ? ".." : ".";
            const InodeNo inode =
                r.self_or_parent ? number() : InodeNo(static_cast<uint32_t>(place / 2));
            return sink.add(name, inode, (r.is_directory() ? kTypeDirectory : kTypeRegular) >> 12,
                            at + r.length);
        });
    }

  private:
    Result<void> fill_pages(uint32_t first, uint32_t count, void* to) override {
        constexpr uint32_t kPerPage = kPageSize / kSectorSize;
        const uint64_t start = uint64_t{first} * kPerPage;
        const uint64_t all = (uint64_t{record_.bytes} + kSectorSize - 1) / kSectorSize;
        if (start >= all) return {};
        const auto wanted =
            static_cast<uint32_t>(std::min<uint64_t>(all - start, count * kPerPage));
        const uint64_t extent = uint64_t{record_.extent} * (kSectorBytes / kSectorSize);
        return iso_.device.read(Sector(extent + start), wanted, to);
    }
    // visit(record, its offset in the directory, its place on the disk) until it says false; the
    // offset it stopped at.
    template <typename F>
    Result<uint64_t> scan(uint64_t offset, F&& visit) {
        if (!record_.is_directory()) return Errno::notdir;
        const uint64_t base = uint64_t{record_.extent} * kSectorBytes;
        uint64_t at = align_down(offset, uint64_t{kSectorBytes});
        while (at + kMinRecord <= record_.bytes) {
            const HeldPage page = TRY(iso_.page_at(base + at));
            const uint32_t within = static_cast<uint32_t>(base + at) & kPageMask;
            const uint32_t left = kSectorBytes - within % kSectorBytes;
            const std::span<const uint8_t> bytes(page.data() + within, left);
            if (bytes[0] == 0) {  // the rest of the sector is empty
                at += left;
                continue;
            }
            const std::optional<Record> r = decode_record(bytes);
            if (!r) return Errno::io;
            if (at >= offset && !visit(*r, at, base + at)) return at;
            at += r->length;
        }
        return std::max(offset, at);
    }

    Iso& iso_;
    const Record record_;
    PageCache cache_{*this, this, this};
};

Result<Record> Iso::record_at(uint64_t place) {
    if (place >= bytes()) return Errno::io;
    const HeldPage page = TRY(page_at(place));
    const uint32_t within = static_cast<uint32_t>(place) & kPageMask;
    const uint32_t left = kSectorBytes - within % kSectorBytes;
    const std::optional<Record> r = decode_record({page.data() + within, left});
    if (!r || (r->flags & kMoreExtentsFlag)) return Errno::io;
    if (uint64_t{r->extent} * kSectorBytes + r->bytes > bytes()) return Errno::io;
    if (r->is_directory() && r->bytes > kMaxDirectory) return Errno::io;
    return *r;
}

Result<Ref<Inode>> Iso::inode_at(uint64_t place) {
    if (place % 2 || place / 2 > UINT32_MAX) return Errno::io;
    const InodeNo number(static_cast<uint32_t>(place / 2));
    if (Ref<CachedInode> known = find_inode(*this, number)) return known;
    Ref<IsoInode> fresh = TRY(make_ref<IsoInode>(*this, number, TRY(record_at(place))));
    return insert_inode(std::move(fresh));
}

Result<Ref<FileSystem>> Iso::mount(std::string_view source, uint32_t, std::string_view) {
    BlockDevice* disk = find_block_device(source);
    if (!disk) return refuse_mount(Errno::nxio, "iso9660: no disk named {}", source);
    Ref<Iso> iso = TRY(make_ref<Iso>(*disk, *TRY(device_cache(*disk))));
    for (uint32_t sector = kFirstDescriptor; sector < kLastDescriptor; ++sector) {
        const uint64_t place = uint64_t{sector} * kSectorBytes;
        if (place + kSectorBytes > iso->bytes()) break;
        const HeldPage page = TRY(iso->page_at(place));
        const uint8_t* d = page.data() + (place & kPageMask);
        if (__builtin_memcmp(d + 1, "CD001", 5) != 0 || d[0] == 255) break;
        if (d[0] != 1) continue;
        if ((d[128] | d[129] << 8) != kSectorBytes) break;
        iso->root_ = TRY(iso->inode_at(place + kRootRecord));
        if (!iso->root_->attributes().is_directory()) break;
        return Ref<FileSystem>(std::move(iso));
    }
    iso->unmounted();
    return Errno::inval;  // ext2 names what it is, if it is something known
}

constinit FileSystemType type{"iso9660", true, Iso::mount, nullptr, false};

}  // namespace

}  // namespace iso

void iso9660_init() { register_file_system(iso::type); }
