// See inode_cache.hpp.
#include "fs/inode_cache.hpp"

#include <algorithm>
#include <bit>

#include "mm/frames.hpp"

struct InodeTable {
    SpinLock lock{LockRank::inode_cache};
    CachedInode** buckets GUARDED_BY(lock) = nullptr;
    uint32_t mask = 0;
    uint32_t count GUARDED_BY(lock) = 0;
    List<CachedInode, &CachedInode::clock_> clock GUARDED_BY(lock);

    CachedInode*& bucket(InodeNo number) REQUIRES(lock) { return buckets[number.raw() & mask]; }
    CachedInode* find(const FileSystem& file_system, InodeNo number) REQUIRES(lock) {
        for (CachedInode* at = bucket(number); at; at = at->hash_next_)
            if (at->number_ == number && at->pin_.get() == &file_system) return at;
        return nullptr;
    }
    void insert(CachedInode& inode) REQUIRES(lock) {
        inode.hash_next_ = bucket(inode.number_);
        bucket(inode.number_) = &inode;
        clock.push_back(inode);
        inode.in_table_ = true;
        ++count;
    }
    void unhash(CachedInode& inode) REQUIRES(lock) {
        CachedInode** link = &bucket(inode.number_);
        while (*link != &inode) link = &(*link)->hash_next_;
        *link = inode.hash_next_;
        inode.hash_next_ = nullptr;
        inode.in_table_ = false;
        --count;
    }
    // Takes unused ones out, at most `wanted` (all of one file system if given), oldest first.
    // Chained by hash_next_; the caller drops them without the lock.
    CachedInode* take_unused(uint32_t wanted, const FileSystem* only) REQUIRES(lock) {
        CachedInode* victims = nullptr;
        for (uint32_t looked = 2 * count; looked && count && wanted; --looked) {
            CachedInode& inode = *clock.front();
            inode.clock_.unlink();
            const bool candidate = !only || inode.pin_.get() == only;
            const bool recent = std::exchange(inode.referenced_, false) && !only;
            if (!candidate || recent || inode.ref_count() > 1 || !inode.evictable()) {
                clock.push_back(inode);
                continue;
            }
            unhash(inode);
            inode.hash_next_ = victims;
            victims = &inode;
            --wanted;
        }
        return victims;
    }
    static uint32_t drop(CachedInode* victims) {
        uint32_t dropped = 0;
        for (; victims; ++dropped) {
            CachedInode* next = victims->hash_next_;
            Ref<CachedInode>::adopt(victims);
            victims = next;
        }
        return dropped;
    }
};

namespace {
constinit InodeTable table;

CachedInode* take_unused(uint32_t wanted, const FileSystem* only) {
    LockGuard guard(table.lock);
    return table.take_unused(wanted, only);
}
}  // namespace

void inode_cache_init() NO_LOCK_ANALYSIS {
    uint32_t buckets = std::bit_floor(std::clamp(memory_totals().total / 4, 128u, 1u << 17));
    table.buckets = new (std::nothrow) CachedInode*[buckets]();
    VERIFY(table.buckets);
    table.mask = buckets - 1;
}

Ref<CachedInode> find_inode(const FileSystem& file_system, InodeNo number) {
    LockGuard guard(table.lock);
    CachedInode* inode = table.find(file_system, number);
    if (inode) inode->referenced_ = true;
    return Ref<CachedInode>(inode);
}

Ref<CachedInode> insert_inode(Ref<CachedInode> fresh) {
    LockGuard guard(table.lock);
    if (CachedInode* other = table.find(fresh->file_system(), fresh->number()))
        return Ref<CachedInode>(other);
    fresh->add_ref();
    table.insert(*fresh);
    return fresh;
}

void remove_inode(CachedInode& inode) {
    {
        LockGuard guard(table.lock);
        if (!inode.in_table_) return;
        inode.clock_.unlink();
        table.unhash(inode);
    }
    Ref<CachedInode>::adopt(&inode);
}

uint32_t shrink_inodes(uint32_t wanted) { return InodeTable::drop(take_unused(wanted, nullptr)); }

void forget_inodes(const FileSystem& file_system) {
    InodeTable::drop(take_unused(UINT32_MAX, &file_system));
}
