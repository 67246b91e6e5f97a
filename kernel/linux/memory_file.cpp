// See memory_file.hpp.
#include "kernel/linux/memory_file.hpp"

#include "mm/renamed_pager.hpp"

// The pager of shared mappings that may write: the file's own under another name.
class WritableMemory final : public RenamedPager {
  public:
    WritableMemory(Ref<Pager> memory, MemoryFile& file)
        : RenamedPager(std::move(memory)), file_(file) {}
    ~WritableMemory() override {
        LockGuard guard(file_->seals_lock_);
        if (file_->writable_ == this) file_->writable_ = nullptr;
    }

  private:
    const Ref<MemoryFile> file_;
};

namespace {

// All such files are in one file system, which is mounted nowhere; made by the first.
constinit Mutex place_lock{LockRank::mount_table};
constinit Path* place GUARDED_BY(place_lock) = nullptr;

Result<Path> memory_place() {
    LockGuard guard(place_lock);
    if (place) return *place;
    Ref<FileSystem> fs = TRY(find_file_system_type("tmpfs")->mount({}, 0, {}));
    Ref<Dentry> top = TRY(Dentry::create_root(fs->root()));
    Ref<Mount> mount = TRY(make_ref<Mount>(std::move(fs), top, Path(), 0u, String()));
    auto* made = new (std::nothrow) Path(std::move(mount), std::move(top));
    if (!made) return Errno::nomem;
    place = made;
    return *place;
}

}  // namespace

MemoryFile* memory_file_of(File& file) {
    const Path& path = file.path();
    if (!path || path.mount().id || (file.flags() & kOpenPath)) return nullptr;
    LockGuard guard(place_lock);
    const bool ours = place && &path.mount() == &place->mount();
    return ours && file.inode() ? static_cast<MemoryFile*>(file.inode()) : nullptr;
}

Result<Ref<File>> make_memory_file(std::string_view name, uint32_t seals, const FsContext& who) {
    const Path top = TRY(memory_place());
    auto& fs = static_cast<TmpFileSystem&>(*top.mount().file_system);
    TRY(fs.add_file());
    const Ownership owner{kTypeRegular | 0777, who.credentials.fsuid, who.credentials.fsgid};
    auto* raw = new (std::nothrow) MemoryFile(fs, owner, seals);
    if (!raw) {
        fs.remove_file();
        return Errno::nomem;
    }
    const Ref<Inode> inode = Ref<MemoryFile>::adopt(raw);
    raw->set_links(0);
    const Path path(Ref<Mount>(top.mount()),
                    TRY(Dentry::create_nameless(top.dentry(), inode, name)));
    return open_path(who, path, kOpenReadWrite | kOpenLargeFile);
}

// --- seals

Result<void> MemoryFile::add_seals(const File& file, uint32_t more) {
    if (more & ~kAllSeals) return Errno::inval;
    LockGuard guard(seals_lock_);
    if (!file.writable() || is_sealed(kSealSeals)) return Errno::perm;
    if ((more & ~seals() & kSealWrite) && writable_ && writable_->ref_count()) return Errno::busy;
    seals_.set_bits(more);
    return {};
}

Result<Ref<Pager>> MemoryFile::shared_pager(bool& may_write) {
    Ref<WritableMemory> fresh = TRY(make_ref<WritableMemory>(cache().hold(), *this));
    LockGuard guard(seals_lock_);
    if (is_sealed(kSealWrite | kSealNewWrites)) {
        may_write = false;
        return cache().hold();
    }
    if (writable_ && writable_->try_add_ref())
        return Ref<Pager>(Ref<WritableMemory>::adopt(writable_));
    writable_ = fresh.get();
    return Ref<Pager>(fresh);
}

// --- what seals refuse. A seal holds for who comes after it: as on Linux, who is writing finishes.

Result<void> MemoryFile::truncate(uint64_t size) {
    const uint64_t now = cache().size();
    if ((size < now && is_sealed(kSealShrink)) || (size > now && is_sealed(kSealGrow)))
        return Errno::perm;
    return TmpFile::truncate(size);
}

Result<uint32_t> MemoryFile::write(ByteSource& from, uint64_t& offset, bool append) {
    if (is_sealed(kSealWrite | kSealNewWrites)) return Errno::perm;
    const uint64_t size = cache().size(), start = append ? size : offset;
    if (!is_sealed(kSealGrow) || start + from.remaining() <= size)
        return TmpFile::write(from, offset, append);
    if (start >= size) return from.remaining() ? Result<uint32_t>(Errno::perm) : 0u;
    LimitedSource inside(from, static_cast<uint32_t>(size - start));
    return TmpFile::write(inside, offset, append);
}

Result<void> MemoryFile::allocate(uint64_t offset, uint64_t end, bool punch, bool keep_size) {
    if (punch ? is_sealed(kSealWrite | kSealNewWrites)
              : end > cache().size() && is_sealed(kSealGrow))
        return Errno::perm;
    return TmpFile::allocate(offset, end, punch, keep_size);
}
