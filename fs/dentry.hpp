// Dentry: one name in one directory, kept so that walking a path again needs no file system. A
// name that does not exist is kept too (no inode: negative). Files of one mounted file system form
// one tree of dentries; mounts connect trees.
// Invariants: a dentry refers to its parent, so a cached name's whole path is in memory; the inode,
// once there, never changes; the cache's table holds one reference, so a count of 1 means unused.
// Locks: `dentry_lock` guards the table, names, parents, and the list of mounts; additions and
// removals in one directory are serialised by its inode's `names` mutex.
#pragma once

#include "fs/inode.hpp"

class Dentry final : public RefCounted {
  public:
    // The top of a file system's tree.
    static Result<Ref<Dentry>> create_root(Ref<Inode> inode);
    // For a file without a name: in no table, and as if it had been removed. /proc shows `shown`.
    static Result<Ref<Dentry>> create_nameless(Dentry& directory, Ref<Inode> inode,
                                               std::string_view shown = {});
    ~Dentry() override;

    Inode* inode() const { return inode_.load(); }
    bool is_negative() const { return !inode(); }
    uint32_t type() const { return type_; }  // kTypeMask bits
    bool is_directory() const { return type_ == kTypeDirectory; }
    bool is_symlink() const { return type_ == kTypeSymlink; }
    bool removed() const { return removed_; }
    FileSystem& file_system() const { return file_system_; }

    Atomic<uint32_t> covered = 0;  // how many mounts cover it; changed under dentry_lock

    Dentry* parent_locked() const REQUIRES(dentry_lock) { return parent_.get(); }  // null: the top
    std::string_view name_locked() const REQUIRES(dentry_lock) { return name_.view(); }
    static const Dentry* alias_locked(const Inode& inode) REQUIRES(dentry_lock) {
        return inode.alias_;
    }

  private:
    friend struct DentryCache;
    friend uint32_t shrink_dentries(uint32_t);
    friend void forget_dentries(const FileSystem&);
    friend Result<Ref<Dentry>> dentry_lookup(Dentry&, std::string_view);
    template <typename T, typename... Args>
    friend Result<Ref<T>> make_ref(Args&&... args);
    Dentry(FileSystem& file_system, Dentry* parent, String name)
        : file_system_(file_system), parent_(parent), name_(std::move(name)) {}
    void attach(Ref<Inode> inode);
    friend void dentry_set_inode(Dentry&, Ref<Inode>);
    friend void dentry_remove(Dentry&);
    friend void dentry_move(Dentry&, Dentry&, String);
    friend void dentry_exchange(Dentry&, Dentry&);

    FileSystem& file_system_;
    Ref<Dentry> parent_ GUARDED_BY(dentry_lock);
    String name_ GUARDED_BY(dentry_lock);
    Atomic<Inode*> inode_ = nullptr;  // counted
    uint32_t type_ = 0;
    uint32_t hash_ GUARDED_BY(dentry_lock) = 0;
    Dentry* hash_next_ GUARDED_BY(dentry_lock) = nullptr;
    ListNode clock_;
    bool cached_ GUARDED_BY(dentry_lock) = false;      // in the table
    bool referenced_ GUARDED_BY(dentry_lock) = false;  // since the clock's hand came by
    bool removed_ = false;  // the name is gone; who has it open still has the file
};

void dentry_cache_init();

// The name in the directory, from the cache or the file system; negative if it does not exist.
// `_locked`: the directory's `names` is held. ENOENT: the directory itself was removed; EIO.
Result<Ref<Dentry>> dentry_lookup(Dentry& directory, std::string_view name);
Result<Ref<Dentry>> dentry_lookup_locked(Dentry& directory, std::string_view name);
Ref<Dentry> dentry_parent(const Dentry& dentry);  // null: the top

// With the directories' `names` held:
void dentry_set_inode(Dentry& negative, Ref<Inode> inode);
void dentry_remove(Dentry& dentry);
void dentry_move(Dentry& dentry, Dentry& new_parent, String new_name);
void dentry_exchange(Dentry& a, Dentry& b);  // neither is above the other

uint32_t shrink_dentries(uint32_t wanted);            // drops unused ones; how many
void forget_dentries(const FileSystem& file_system);  // all unused ones of it
