// The inodes of tmpfs. A directory's entries hold its files; an inode whose last name is gone lives
// as long as it is open or mapped. Each inode holds the file system; unmounting takes the tree
// apart, which ends that circle.
// Locks: a directory's entries: its `names` mutex, taken by vfs around everything but list();
// attributes: `lock_` (rank inode_cache).
#pragma once

#include "fs/cached_file.hpp"
#include "fs/page_swap.hpp"
#include "fs/timestamp.hpp"
#include "kernel/lib/vector.hpp"

class TmpDirectory;

struct TmpLimits {
    uint32_t pages, files;
};

class TmpFileSystem final : public FileSystem {
  public:
    TmpFileSystem(uint32_t device, TmpLimits limits) : device_(device), limits_(limits) {}
    static Result<Ref<FileSystem>> create(TmpLimits limits, const Ownership& root);

    std::string_view type_name() const override { return "tmpfs"; }
    Ref<Inode> root() override;
    FileSystemStatistics statistics() override;
    uint32_t device_number() const override { return device_; }
    void unmounted() override;

    Result<void> add_file();  // ENOSPC
    void remove_file() { files_.subtract(1); }
    uint32_t new_number() { return last_number_.add(1); }
    void charge(int32_t pages) { pages_.fetch_add(pages); }
    uint32_t free_pages() const;

  private:
    const uint32_t device_;
    const TmpLimits limits_;
    Ref<TmpDirectory> root_;
    // Atomic:
    Atomic<int32_t> pages_ = 0;
    Atomic<uint32_t> files_ = 0;
    Atomic<uint32_t> last_number_ = 0;
};

// Also, as it is, a device node, FIFO or socket.
class TmpInode : public Inode {
  public:
    // The file was counted by add_file(); from here on the inode sees to it.
    TmpInode(TmpFileSystem& fs, const Ownership& owner, uint32_t special_device);
    ~TmpInode() override { fs_->remove_file(); }

    Attributes attributes() final;
    Ownership ownership() final {
        LockGuard guard(lock_);
        return {common_.mode, common_.uid, common_.gid};
    }
    Result<Ref<File>> open(uint32_t) override { return Errno::nxio; }
    void note_access(bool relative) final;
    Result<void> set_attributes(const SetAttributes& changes) final;

    uint32_t number() const { return number_; }
    uint32_t type() const { return type_; }  // kTypeMask bits
    bool is_directory() const { return type_ == kTypeDirectory; }
    void add_links(int32_t change);  // also notes the time
    void set_links(uint32_t links);
    void note_change(bool contents);
    TmpFileSystem& fs() const { return *fs_; }

  protected:
    // What the kind of file knows itself: size and blocks.
    virtual void complete(Attributes&) {}

  private:
    const Ref<TmpFileSystem> fs_;
    const uint32_t number_, type_;
    SpinLock lock_{LockRank::inode_records};
    Attributes common_ GUARDED_BY(lock_);
};

class TmpFile : public TmpInode {
  public:
    TmpFile(TmpFileSystem& fs, const Ownership& owner)
        : TmpInode(fs, owner, 0), cache_(*this, nullptr, this) {}
    ~TmpFile() override { fs().charge(-static_cast<int32_t>(charged_)); }

    Result<Ref<File>> open(uint32_t flags) override;
    Result<void> truncate(uint64_t size) override;
    // append: `offset` is set to where the bytes went.
    virtual Result<uint32_t> write(ByteSource& from, uint64_t& offset, bool append);
    virtual Result<void> allocate(uint64_t offset, uint64_t end, bool punch, bool keep_size);
    // See File::shared_pager.
    virtual Result<Ref<Pager>> shared_pager(bool& /*may_write*/) { return cache_.hold(); }
    PageCache& cache() { return cache_; }

  private:
    void complete(Attributes& attributes) override;
    uint32_t room(uint64_t offset, uint32_t bytes) const;
    void settle();

    Atomic<uint32_t> charged_ = 0;  // pages that the file system has been told of
    PageCache cache_;
    SwappedCache swapped_{cache_};
};

class TmpSymlink final : public TmpInode {
  public:
    TmpSymlink(TmpFileSystem& fs, const Ownership& owner, String target)
        : TmpInode(fs, owner, 0), target_(std::move(target)) {}
    Result<uint32_t> read_link(std::span<char> buffer) override;

  private:
    void complete(Attributes& attributes) override { attributes.size = target_.view().size(); }
    const String target_;
};

class TmpDirectory final : public TmpInode {
  public:
    TmpDirectory(TmpFileSystem& fs, const Ownership& owner, uint32_t parent)
        : TmpInode(fs, owner, 0), parent_(parent ? parent : number()) {
        set_links(2);
    }
    ~TmpDirectory() override { take_apart(); }

    Result<Ref<File>> open(uint32_t flags) override;
    Result<Ref<Inode>> lookup_child(std::string_view name) override;
    Result<Ref<Inode>> create_child(std::string_view name, uint32_t mode, const Credentials& owner,
                                    uint32_t special_device) override;
    Result<Ref<Inode>> create_symlink(std::string_view name, std::string_view target,
                                      const Credentials& owner) override;
    Result<Ref<Inode>> create_nameless(uint32_t mode, const Credentials& owner) override;
    Result<void> link_child(std::string_view name, Inode& inode) override;
    Result<void> remove_child(std::string_view name, Inode& inode, bool directory) override;
    Result<void> rename_child(std::string_view name, Inode& inode, Inode& new_parent,
                              std::string_view new_name, Inode* replaced) override;
    Result<void> exchange_children(std::string_view name, Inode& inode, Inode& other_parent,
                                   std::string_view other_name, Inode& other) override;
    Result<uint64_t> list(DirectorySink& sink, uint64_t offset) override;

    // Lets go of everything below, without a stack as deep as the tree.
    void take_apart();

  private:
    struct Entry {
        ListNode node;
        Entry* hash_next = nullptr;
        uint32_t hash;
        uint32_t position;  // of listing; grows, so that deleting while listing skips nothing
        String name;
        Ref<TmpInode> inode;
    };
    void complete(Attributes& attributes) override { attributes.size = 20 * (count_ + 2); }
    Entry* find(std::string_view name) const;
    Result<void> add(std::string_view name, Ref<TmpInode> inode);
    void adopt(TmpInode& child, TmpDirectory& former);
    void remove(Entry& entry);
    void grow();

    List<Entry, &Entry::node> entries_;  // by position
    Vector<Entry*> buckets_;             // a power of two
    uint32_t count_ = 0;
    uint32_t next_position_ = 2;  // after "." and ".."
    uint32_t parent_;             // inode number
};
