// A file of ext2: attributes, contents, size, symbolic links. See inode.hpp.
#include <algorithm>

#include "fs/cached_file.hpp"
#include "fs/ext2/block_map.hpp"
#include "fs/ext2/block_writer.hpp"
#include "fs/ext2/ext2.hpp"
#include "fs/ext2/file_map.hpp"
#include "fs/ext2/swap_file.hpp"
#include "fs/mount.hpp"
#include "fs/timestamp.hpp"
#include "fs/write_back.hpp"
#include "kernel/lib/log.hpp"

namespace ext2 {

namespace {

constexpr uint32_t kFlagCompressed = 0x200, kFlagExtents = 0x80000, kFlagInlineData = 0x10000000;
constexpr uint32_t kFlagsShown = 0x3dfff, kFlagsChangeable = 0x380ff, kFlagsOfFolders = 0x30000;
constexpr uint64_t kMaxSize = uint64_t{1} << 44;  // what page indices reach

Timestamp at_second(uint32_t seconds) { return {static_cast<int32_t>(seconds), 0}; }
uint32_t seconds_now() { return static_cast<uint32_t>(timestamp_now().seconds); }

class Ext2File final : public CachedFile {
  public:
    Ext2File(uint32_t flags, Ext2Inode& file)
        : CachedFile(flags, file, file.cache()),
          writes_((flags & kOpenAccessMode) != kOpenReadOnly) {
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
    const bool writes_;
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
    if (dirty_node.linked()) dirty_node.unlink();
    if (nameless_node.linked()) nameless_node.unlink();
}

Ext2& Ext2Inode::ext2() const { return static_cast<Ext2&>(file_system()); }

void Ext2Inode::last_reference_dropped() const {
    auto* self = const_cast<Ext2Inode*>(this);
    if (record_.links_count == 0 && !is_released && !ext2().read_only())
        ext2().bury(*self);
    else
        delete self;
}

bool Ext2Inode::evictable() const {
    if (cache_.is_dirty() || is_listed) return false;
    LockGuard guard(ext2().records());
    return !dirty_node.linked();
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

// The block map's reach, and what i_blocks can count (also index blocks: a little is left for them).
uint64_t Ext2Inode::max_size() const {
    const uint32_t shift = ext2().geometry().block_shift, bits = ext2().geometry().pointer_bits();
    const uint64_t p = uint64_t{1} << bits;
    const uint64_t reach = (kDirectBlocks + p + p * p + p * p * p) << shift;
    return std::min<uint64_t>(reach, (uint64_t{1} << 41) - (uint64_t{1} << 32));
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
            if (size() & (ext2().geometry().block_size() - 1)) return self.damaged("bad size");
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
        auto seconds = [](const Timestamp& time) { return static_cast<uint32_t>(time.seconds); };
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

// --- contents

// Blocks that lie side by side on the disk are read with one request.
Result<void> Ext2Inode::fill_pages(uint32_t first, uint32_t count, void* to) {
    const uint32_t shift = ext2().geometry().block_shift;
    const uint64_t start = uint64_t{first} << kPageShift;
    const uint64_t end = std::min(start + (uint64_t{count} << kPageShift), cache_.size());
    auto block = static_cast<uint32_t>(start >> shift);
    auto left = static_cast<uint32_t>((end + (1u << shift) - 1) >> shift) - block;
    auto* at = static_cast<uint8_t*>(to);
    while (left) {
        const Run run = TRY(map(block, left));
        if (run.first)
            TRY(ext2().read_blocks(run.first, run.count, at));
        else
            __builtin_memset(at, 0, run.count << shift);
        block += run.count;
        left -= run.count;
        at += run.count << shift;
    }
    return {};
}

// Blocks [block, block + count) of the pages, which start at block 0 of `pages`' first one: one
// request for each piece that lies together on the disk. Holes that were not written stay holes.
Result<void> Ext2Inode::write_page_blocks(uint32_t block, uint32_t count, uint8_t* const* pages) {
    const uint32_t shift = ext2().geometry().block_shift, size = 1u << shift;
    const uint32_t per_page = kPageSize >> shift;
    auto memory = [&](uint32_t i) { return pages[i / per_page] + (i % per_page) * size; };
    BlockWriter writer(ext2());
    for (uint32_t done = 0; done < count;) {
        Run run = TRY(map(block + done, count - done));
        if (!run.first) {
            run.count = 1;
            if (is_all_zero({memory(done), size})) {
                ++done;
                continue;
            }
            run = TRY(ext2().change([&] { return allocate(block + done, 1); }));
        }
        for (uint32_t i = 0; i < run.count; ++i) TRY(writer.add(run.first + i, memory(done + i)));
        done += run.count;
    }
    return writer.finish();
}

Result<void> Ext2Inode::write_pages(uint32_t first, std::span<uint8_t* const> pages) {
    const uint32_t shift = ext2().geometry().block_shift;
    const uint64_t start = uint64_t{first} << kPageShift;
    const uint64_t end = std::min(start + (uint64_t{pages.size()} << kPageShift), cache_.size());
    // A frozen file's blocks are another's; only who still has it mapped can have changed its pages.
    if (end <= start || cache_.frozen()) return {};
    const auto blocks = static_cast<uint32_t>((end - start + (1u << shift) - 1) >> shift);
    return write_page_blocks(static_cast<uint32_t>(start >> shift), blocks, pages.data());
}

// The first block of a hole there, or `end`.
Result<uint32_t> Ext2Inode::find_hole(uint32_t block, uint32_t end) {
    while (block < end) {
        const Run run = TRY(map(block, end - block));
        if (!run.first) break;
        block += run.count;
    }
    return std::min(block, end);
}

bool Ext2Inode::has_room(uint64_t offset, uint32_t bytes) {
    const uint32_t shift = ext2().geometry().block_shift;
    const auto end = static_cast<uint32_t>((offset + bytes) >> shift);
    return find_hole(static_cast<uint32_t>(offset >> shift), end).value_or(0) == end;
}

Result<uint32_t> Ext2Inode::prepare_write(uint64_t offset, uint32_t bytes) {
    if (type() != kTypeRegular) return bytes;
    const uint64_t most = max_size();
    if (offset >= most) return Errno::fbig;
    bytes = static_cast<uint32_t>(std::min<uint64_t>(bytes, most - offset));
    const uint32_t shift = ext2().geometry().block_shift;
    const auto end = static_cast<uint32_t>((offset + bytes + (1u << shift) - 1) >> shift);
    uint32_t block = TRY(find_hole(static_cast<uint32_t>(offset >> shift), end));
    if (block == end) return bytes;
    Errno failure{};
    while (block < end && failure == Errno{}) {
        Result<Run> run = ext2().change([&] { return allocate(block, end - block, true); });
        if (run.is_error())
            failure = run.error();
        else
            block += run.value().count;
    }
    const uint64_t room = uint64_t{block} << shift;
    if (room <= offset) return failure;
    return static_cast<uint32_t>(std::min<uint64_t>(bytes, room - offset));
}

void Ext2Inode::remove_writer() {
    if (__atomic_sub_fetch(&writers_, 1, __ATOMIC_ACQ_REL) ||
        !__atomic_load_n(&reserved.count, __ATOMIC_RELAXED))
        return;
    ext2().end_reservation(*this);
}

Result<void> Ext2Inode::resize(uint64_t bytes) {
    const uint32_t shift = ext2().geometry().block_shift;
    if (bytes > max_size()) return Errno::fbig;
    return ext2().change([&]() -> Result<void> {
        if (bytes <= size() || bytes <= cache_.size())
            cut_off(static_cast<uint32_t>((bytes + (1u << shift) - 1) >> shift));
        set_size(bytes);
        structure_epoch = ext2().epoch();
        ext2().note_dirty(*this);
        return {};
    });
}

Result<uint32_t> Ext2Inode::write(ByteSource& from, uint64_t& offset, bool append, bool direct) {
    if (ext2().read_only()) return Errno::rofs;
    if (from.unprivileged()) TRY(drop_privileges(*this));
    write_back_balance();
    Result<uint32_t> done = direct   ? cache_.write_direct(from, offset, append)
                            : append ? cache_.append(from, offset)
                                     : cache_.write_at(from, offset);
    const uint64_t end = cache_.size();
    if (end != size()) {
        set_size(end);
        structure_epoch = ext2().epoch();
    }
    if (done.is_ok() && done.value()) note_change(true);
    return done;
}

Result<void> Ext2Inode::truncate(uint64_t size) {
    if (type() != kTypeRegular) return Errno::inval;
    if (ext2().read_only()) return Errno::rofs;
    TRY(cache_.truncate(size));
    note_change(true);
    return {};
}

Result<Box<BlockDevice>> Ext2Inode::as_device() {
    if (type() != kTypeRegular) return Errno::inval;
    if (ext2().read_only()) return Errno::rofs;
    return SwapFile::create(*this);
}

Result<void> Ext2Inode::sync(bool contents) {
    if (ext2().read_only()) return {};
    Result<void> written = cache_.write_back();
    if (!contents || structure_epoch == ext2().epoch()) TRY(ext2().write_all_metadata());
    TRY(ext2().flush());
    return written;
}

}  // namespace ext2
