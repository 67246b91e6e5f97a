// A file of ext2: attributes, times, opening, symbolic links. See inode.hpp; contents are in contents.cpp.
#include <algorithm>

#include "fs/cached_file.hpp"
#include "fs/ext2/ext2.hpp"
#include "fs/ext2/file_map.hpp"
#include "fs/mount.hpp"
#include "fs/timestamp.hpp"
#include "kernel/lib/log.hpp"

namespace ext2 {

namespace {

constexpr uint32_t kFlagCompressed = 0x200, kFlagExtents = 0x80000, kFlagInlineData = 0x10000000;
constexpr uint32_t kFlagsShown = 0x3dfff, kFlagsChangeable = 0x380ff, kFlagsOfFolders = 0x30000;
constexpr uint64_t kMaxSize = uint64_t{1} << 44;  // what page indices reach

Timestamp at_second(uint32_t seconds) { return {static_cast<int32_t>(seconds), 0}; }
uint32_t seconds_now() { return disk_seconds(timestamp_now().seconds); }

class Ext2File final : public CachedFile {
  public:
    Ext2File(uint32_t flags, Ext2Inode& file)
        : CachedFile(flags, file, file.cache()),
          writes_((flags & kOpenAccessMode) != kOpenReadOnly),
          may_be_direct_(!file.ext2().journals_contents()) {
        if (writes_) file.add_writer();
    }
    ~Ext2File() override {
        if (writes_) file().remove_writer();
    }
    Result<uint32_t> write_at(ByteSource& from, uint64_t offset) override {
        return finish(file().write(from, offset, false, flags() & kOpenDirect));
    }
    Result<uint32_t> append(ByteSource& from, uint64_t& offset) override {
        return finish(file().write(from, offset, true, flags() & kOpenDirect));
    }
    bool may_be_direct() const override { return may_be_direct_; }
    Result<int32_t> ioctl(uint32_t request, uint32_t argument) override {
        return map_ioctl(file(), request, argument);
    }

  private:
    Ext2Inode& file() { return static_cast<Ext2Inode&>(*inode()); }
    Result<uint32_t> finish(Result<uint32_t> done) {
        constexpr uint32_t kDataSync = 010000;
        if (done.is_ok() && (flags() & kDataSync)) TRY(sync((flags() & kOpenSync) == kDataSync));
        return done;
    }
    const bool writes_, may_be_direct_;
};

}  // namespace

Ext2Inode::Ext2Inode(Ext2& file_system, InodeNo number, const InodeRecord& record)
    : CachedInode(file_system, number),
      record_(record),
      cache_(
          *this, this, this,
          (record.mode & kTypeMask) == kTypeRegular ? WriteBack::by_thread : WriteBack::by_owner) {
    cache_.set_size(std::min(size(), kMaxSize));
}

Ext2Inode::~Ext2Inode() {
    VERIFY(!reserve_node.linked());
    LockGuard guard(ext2().records());
    ext2().note_clean(*this);
    if (ordered_node.linked()) ordered_node.unlink();
    if (nameless_node.linked()) nameless_node.unlink();
}

Ext2& Ext2Inode::ext2() const { return static_cast<Ext2&>(file_system()); }

void Ext2Inode::last_reference_dropped() const {
    auto* self = const_cast<Ext2Inode*>(this);
    if (record_.links_count == 0 && !is_released && !ext2().read_only())
        ext2().add_dead_inode(*self);
    else
        delete self;
}

bool Ext2Inode::evictable() const {
    if (cache_.is_dirty() || is_listed) return false;
    LockGuard guard(ext2().records());
    return !dirty_node.linked() && !ordered_node.linked();
}

uint64_t Ext2Inode::size() const {
    return record_.size_low | (type() == kTypeRegular ? uint64_t{record_.size_high} << 32 : 0);
}

void Ext2Inode::set_size(uint64_t size) {
    constexpr uint64_t kSmall = 0x7fffffff;
    if (size > kSmall) ext2().use_large_files();
    LockGuard guard(ext2().records());
    record_.size_low = static_cast<uint32_t>(size);
    if (type() == kTypeRegular) record_.size_high = static_cast<uint32_t>(size >> 32);
}

// The block map's reach. Of 4 TiB that are not mostly holes i_blocks could not count the sectors:
// take_blocks() looks at that.
uint64_t Ext2Inode::max_size() const {
    const uint32_t shift = ext2().geometry().block_shift, bits = ext2().geometry().pointer_bits();
    const uint64_t p = uint64_t{1} << bits;
    return (kDirectBlocks + p + p * p + p * p * p) << shift;
}

Errno Ext2Inode::damaged(std::string_view what) {
    if (!std::exchange(reported_, true))
        log_error("ext2: {}: inode {}: {}", ext2().device_name(), number(), what);
    return Errno::io;
}

Result<void> Ext2Inode::check() const {
    auto& self = const_cast<Ext2Inode&>(*this);
    if (record_.links_count == 0 || record_.mode == 0) return self.damaged("not in use");
    if (record_.flags & (kFlagCompressed | kFlagExtents | kFlagInlineData))
        return self.damaged("unknown kind of block map");
    switch (type()) {
        case kTypeRegular:
            if (size() > kMaxSize) return self.damaged("bad size");
            return {};
        case kTypeDirectory:
            // It has no holes, so not more blocks than there are.
            if (size() & (ext2().geometry().block_size() - 1) ||
                size() >> ext2().geometry().block_shift > ext2().geometry().blocks_count)
                return self.damaged("bad size");
            return {};
        case kTypeSymlink:
            if (size() == 0 || size() >= (is_fast_symlink() ? sizeof record_.block : kPageSize))
                return self.damaged("bad size of a symbolic link");
            return {};
        case kTypeCharacter:
        case kTypeBlock:
        case kTypeFifo:
        case kTypeSocket: return {};
        default: return self.damaged("unknown type");
    }
}

// The target is in the inode when no block is in use but the one for extended attributes.
bool Ext2Inode::is_fast_symlink() const {
    uint32_t attributes = record_.attribute_block ? ext2().geometry().block_size() >> 9 : 0;
    return record_.blocks512 == attributes;
}

Ownership Ext2Inode::ownership() {
    LockGuard guard(ext2().records());
    return {record_.mode, uid(), gid(), (record_.flags & kFlagImmutable) != 0,
            (record_.flags & kFlagAppendOnly) != 0};
}

Result<uint32_t> Ext2Inode::flags() {
    if (type() != kTypeRegular && !is_directory()) return Errno::notty;
    return record_.flags & kFlagsShown;
}

Result<void> Ext2Inode::set_flags(uint32_t flags) {
    if (ext2().read_only()) return Errno::rofs;
    ext2().bound_transaction();
    const uint32_t mask = kFlagsChangeable & ~(is_directory() ? 0 : kFlagsOfFolders);
    {
        LockGuard guard(ext2().records());
        record_.flags = (record_.flags & ~mask) | (flags & mask);
        record_.change_time = seconds_now();
    }
    ext2().note_dirty(*this);
    structure_epoch = ext2().epoch();
    return {};
}

Attributes Ext2Inode::attributes() {
    Attributes a;
    a.block_size = ext2().geometry().block_size();
    a.device = ext2().device_number();
    a.inode = number();
    const uint64_t size_now = cache_.size();
    LockGuard guard(ext2().records());
    a.mode = record_.mode;
    a.uid = uid();
    a.gid = gid();
    a.links = record_.links_count;
    a.size = type() == kTypeRegular ? size_now : size();
    a.blocks512 = record_.blocks512;
    if (type() == kTypeCharacter || type() == kTypeBlock) {
        const uint32_t old = record_.block[0];  // 8 bits each; else the new encoding
        a.special_device = old ? ::device_number(old >> 8 & 0xff, old & 0xff) : record_.block[1];
    }
    a.accessed = at_second(record_.access_time);
    a.modified = at_second(record_.modification_time);
    a.changed = at_second(record_.change_time);
    return a;
}

Result<void> Ext2Inode::set_attributes(const SetAttributes& changes) {
    if (ext2().read_only()) return Errno::rofs;
    ext2().bound_transaction();
    const uint32_t now = seconds_now();
    {
        LockGuard guard(ext2().records());
        InodeRecord& r = record_;
        if (changes.set_mode)
            r.mode = static_cast<uint16_t>((r.mode & kTypeMask) | (changes.mode & 07777));
        if (changes.set_uid) {
            r.uid_low = static_cast<uint16_t>(changes.uid);
            r.uid_high = static_cast<uint16_t>(changes.uid >> 16);
        }
        if (changes.set_gid) {
            r.gid_low = static_cast<uint16_t>(changes.gid);
            r.gid_high = static_cast<uint16_t>(changes.gid >> 16);
        }
        auto seconds = [](const Timestamp& time) { return disk_seconds(time.seconds); };
        if (changes.set_accessed) r.access_time = seconds(changes.accessed);
        if (changes.set_modified) r.modification_time = seconds(changes.modified);
        r.change_time = now;
    }
    ext2().note_dirty(*this);
    structure_epoch = ext2().epoch();
    return {};
}

Result<Ref<File>> Ext2Inode::open(uint32_t flags) {
    if (type() == kTypeRegular) return TRY(make_ref<Ext2File>(flags, *this));
    if (type() == kTypeDirectory) return TRY(make_ref<DirectoryFile>(flags, *this));
    return Errno::inval;
}

Result<uint32_t> Ext2Inode::read_link(std::span<char> buffer) {
    if (type() != kTypeSymlink) return Errno::inval;
    const auto length = static_cast<uint32_t>(std::min<uint64_t>(size(), buffer.size()));
    if (is_fast_symlink()) {
        __builtin_memcpy(buffer.data(), record_.block, length);
        return length;
    }
    KernelSink sink({reinterpret_cast<uint8_t*>(buffer.data()), length});
    return cache_.read_at(sink, 0);
}

// --- times

void Ext2Inode::note_access(bool relative) {
    const InodeRecord& r = record_;
    const uint32_t now = seconds_now();
    if (relative && !access_is_news(r.access_time, r.modification_time, r.change_time, now)) return;
    if (now == r.access_time || ext2().read_only() || r.flags & kFlagNoAtime) return;
    ext2().bound_transaction();
    {
        LockGuard guard(ext2().records());
        record_.access_time = now;
    }
    ext2().note_dirty(*this);
}

void Ext2Inode::note_change(bool contents) {
    const uint32_t now = seconds_now();
    {
        LockGuard guard(ext2().records());
        if (contents) record_.modification_time = now;
        record_.change_time = now;
    }
    ext2().note_dirty(*this);
}

}  // namespace ext2
