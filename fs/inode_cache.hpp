// Inodes of file systems on disks, by number: one object for each while it is referred to, and
// for a while after, because names and pages come back.
// Invariant: the table holds one reference, so a count of 1 means unused; a new reference to an
// unused inode is only made with the lock held.
// Locks: one spin lock (rank inode_cache) for the table.
#pragma once

#include "fs/inode.hpp"

class CachedInode : public Inode {
  public:
    CachedInode(FileSystem& file_system, InodeNo number)
        : Inode(file_system), pin_(file_system), number_(number) {}
    InodeNo number() const { return number_; }
    // Nothing would be lost with the object. Called with the table's lock held.
    virtual bool evictable() const { return true; }

  private:
    friend struct InodeTable;
    friend void remove_inode(CachedInode&);
    friend Ref<CachedInode> find_inode(const FileSystem&, InodeNo);
    Ref<FileSystem> pin_;  // it may be mapped when its file system is unmounted
    InodeNo number_;
    CachedInode* hash_next_ = nullptr;
    ListNode clock_;
    bool referenced_ = false;
    bool in_table_ = false;
};

void inode_cache_init();
Ref<CachedInode> find_inode(const FileSystem& file_system, InodeNo number);  // null: not there
// Adds a fresh one, unless another thread was faster: then that one is returned.
Ref<CachedInode> insert_inode(Ref<CachedInode> fresh);
// No name leads to it any more, nor shall its number: the object goes with its last reference.
void remove_inode(CachedInode& inode);
uint32_t shrink_inodes(uint32_t wanted);            // drops unused ones; how many
void forget_inodes(const FileSystem& file_system);  // all unused ones of it
