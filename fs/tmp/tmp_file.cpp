// See tmp_inode.hpp: what inodes share, contents of files, links.
#include <algorithm>

#include "fs/tmp/tmp_inode.hpp"

namespace {

class TmpOpenFile final : public CachedFile {
  public:
    TmpOpenFile(uint32_t flags, TmpFile& file) : CachedFile(flags, file, file.cache()) {}
    Result<uint32_t> write_at(ByteSource& from, uint64_t offset) override {
        return file().write(from, offset, false);
    }
    Result<uint32_t> append(ByteSource& from, uint64_t& offset) override {
        return file().write(from, offset, true);
    }

    Result<Ref<Pager>> shared_pager(bool& may_write) override {
        return file().shared_pager(may_write);
    }
    bool allocates() const override { return true; }
    Result<void> allocate(uint64_t offset, uint64_t end, bool punch, bool keep_size) override {
        return file().allocate(offset, end, punch, keep_size);
    }

  private:
    TmpFile& file() { return static_cast<TmpFile&>(*inode()); }
};

}  // namespace

TmpInode::TmpInode(TmpFileSystem& fs, const Ownership& owner, uint32_t special_device)
    : Inode(fs), fs_(fs), number_(fs.new_number()), type_(owner.mode & kTypeMask) {
    common_.mode = owner.mode;
    common_.uid = owner.uid;
    common_.gid = owner.gid;
    common_.device = fs.device_number();
    common_.special_device = special_device;
    common_.inode = InodeNo(number_);
    common_.accessed = common_.modified = common_.changed = timestamp_now();
}

Attributes TmpInode::attributes() {
    Attributes copy;
    {
        LockGuard guard(lock_);
        copy = common_;
    }
    complete(copy);
    return copy;
}

void TmpInode::note_access(bool relative) {
    const Timestamp now = timestamp_now();
    LockGuard guard(lock_);
    Attributes& a = common_;
    if (relative &&
        !access_is_news(a.accessed.seconds, a.modified.seconds, a.changed.seconds, now.seconds))
        return;
    a.accessed = now;
}

Result<void> TmpInode::set_attributes(const SetAttributes& changes) {
    const Timestamp now = timestamp_now();
    LockGuard guard(lock_);
    changes.apply(common_, now);
    return {};
}

void TmpInode::add_links(int32_t change) {
    const Timestamp now = timestamp_now();
    LockGuard guard(lock_);
    common_.links += static_cast<uint32_t>(change);
    common_.changed = now;
}

void TmpInode::set_links(uint32_t links) {
    LockGuard guard(lock_);
    common_.links = links;
}

void TmpInode::note_change(bool contents) {
    const Timestamp now = timestamp_now();
    LockGuard guard(lock_);
    if (contents) common_.modified = now;
    common_.changed = now;
}

// --- files

Result<Ref<File>> TmpFile::open(uint32_t flags) { return TRY(make_ref<TmpOpenFile>(flags, *this)); }

void TmpFile::complete(Attributes& attributes) {
    attributes.size = cache_.size();
    attributes.blocks512 = uint64_t{cache_.pages()} * (kPageSize / 512);
}

// How many of the bytes the file system's limit allows. Pages that the file surely has cost
// nothing; in a file with holes any page may be new.
uint32_t TmpFile::room(uint64_t offset, uint32_t bytes) const {
    const uint32_t free = fs().free_pages();
    if (pages_for(bytes) < free) return bytes;
    const uint64_t end = align_up<uint64_t>(cache_.size(), kPageSize);
    const bool has_holes = uint64_t{cache_.pages()} * kPageSize < end;
    uint64_t allowed = uint64_t{free} * kPageSize;
    if (!has_holes && offset < end)
        allowed += end - offset;
    else
        allowed -= std::min<uint64_t>(allowed, offset & kPageMask);
    return static_cast<uint32_t>(std::min<uint64_t>(bytes, allowed));
}

void TmpFile::settle() {
    const uint32_t now = cache_.pages();
    const uint32_t before = charged_.exchange(now);
    if (now != before) fs().charge(static_cast<int32_t>(now - before));
}

Result<uint32_t> TmpFile::write(ByteSource& from, uint64_t& offset, bool append) {
    const uint32_t wanted = from.remaining();
    const uint32_t allowed = room(append ? cache_.size() : offset, wanted);
    if (wanted && !allowed) return Errno::nospc;
    if (from.unprivileged()) TRY(drop_privileges(*this));
    LimitedSource limited(from, allowed);
    ByteSource& source = allowed < wanted ? limited : from;
    Result<uint32_t> done =
        append ? cache_.append(source, offset) : cache_.write_at(source, offset);
    if (limited.refused()) from.note_refused();
    settle();
    if (done) note_change(true);
    return done;
}

Result<void> TmpFile::truncate(uint64_t size) {
    TRY(cache_.truncate(size));
    settle();
    note_change(true);
    return {};
}

Result<void> TmpFile::allocate(uint64_t offset, uint64_t end, bool punch, bool keep_size) {
    Result<void> done = punch ? cache_.punch(offset, end)
                              : cache_.provide(offset, end, keep_size, fs().free_pages());
    settle();
    if (done.is_ok()) note_change(punch);
    return done;
}

// --- symbolic links

Result<uint32_t> TmpSymlink::read_link(std::span<char> buffer) {
    return static_cast<uint32_t>(target_.view().copy(buffer.data(), buffer.size()));
}
