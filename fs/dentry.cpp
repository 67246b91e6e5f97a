// See dentry.hpp. Lists of victims are chained through hash_next_, which is free once a dentry has
// left the table, and dropped after the lock is released: dropping may end an inode.
#include "fs/dentry.hpp"

#include <algorithm>
#include <bit>

#include "fs/file_events.hpp"
#include "kernel/lib/log.hpp"
#include "mm/frames.hpp"

constinit SpinLock dentry_lock{LockRank::dentry_cache};

struct DentryCache {
    Dentry** buckets GUARDED_BY(dentry_lock) = nullptr;
    uint32_t mask = 0;
    uint32_t count GUARDED_BY(dentry_lock) = 0;
    List<Dentry, &Dentry::clock_> clock GUARDED_BY(dentry_lock);

    static uint32_t hash(const Dentry& parent, std::string_view name) {
        uint32_t h = static_cast<uint32_t>(reinterpret_cast<uintptr_t>(&parent)) >> 4;
        for (char c : name) h = (h ^ static_cast<uint8_t>(c)) * 0x01000193;
        return h ^ h >> 15;
    }
    Dentry* find(const Dentry& parent, std::string_view name, uint32_t hash) const
        REQUIRES(dentry_lock) {
        for (Dentry* at = buckets[hash & mask]; at; at = at->hash_next_)
            if (at->hash_ == hash && at->parent_.get() == &parent && at->name_ == name) return at;
        return nullptr;
    }
    void insert(Dentry& dentry) REQUIRES(dentry_lock) {
        dentry.hash_ = hash(*dentry.parent_, dentry.name_.view());
        Dentry*& bucket = buckets[dentry.hash_ & mask];
        dentry.hash_next_ = bucket;
        bucket = &dentry;
        dentry.cached_ = true;
        clock.push_back(dentry);
        ++count;
    }
    // Out of the table; its reference becomes the caller's.
    void remove(Dentry& dentry) REQUIRES(dentry_lock) {
        Dentry** link = &buckets[dentry.hash_ & mask];
        while (*link != &dentry) link = &(*link)->hash_next_;
        *link = dentry.hash_next_;
        dentry.hash_next_ = nullptr;
        dentry.cached_ = false;
        dentry.clock_.unlink();
        --count;
    }
    // Those that nobody uses and that are wanted, chained.
    template <typename F>
    Dentry* take_unused(F&& is_wanted) REQUIRES(dentry_lock) {
        Dentry* victims = nullptr;
        for (Dentry& dentry : clock) {
            if (dentry.ref_count() > 1 || !is_wanted(dentry)) continue;
            remove(dentry);
            dentry.hash_next_ = victims;
            victims = &dentry;
        }
        return victims;
    }
    static void drop(Dentry* victims) NO_LOCK_ANALYSIS {
        while (victims) {
            Dentry* next = std::exchange(victims->hash_next_, nullptr);
            Ref<Dentry>::adopt(victims);
            victims = next;
        }
    }
    static bool has_other_name(const Inode& inode);
    static Result<Ref<Dentry>> make(Dentry& directory, std::string_view name, Ref<Inode> inode);
};

namespace {
constinit DentryCache cache;
}

void dentry_cache_init() NO_LOCK_ANALYSIS {
    // Two names a bucket at most; with their inodes they take about an eighth of memory then.
    uint32_t buckets = std::bit_floor(std::clamp(memory_totals().total / 2, 256u, 1u << 18));
    cache.buckets = new (std::nothrow) Dentry*[buckets]();
    VERIFY(cache.buckets);
    cache.mask = buckets - 1;
}

Result<Ref<Dentry>> Dentry::create_root(Ref<Inode> inode) {
    Ref<Dentry> root = TRY(make_ref<Dentry>(inode->file_system(), nullptr, String()));
    root->attach(std::move(inode));
    return root;
}

Result<Ref<Dentry>> Dentry::create_nameless(Dentry& directory, Ref<Inode> inode,
                                            std::string_view shown) {
    char buffer[16];
    String name = TRY(
        String::from(shown.empty() ? format_in(buffer, "#{}", inode->attributes().inode) : shown));
    Ref<Dentry> made = TRY(make_ref<Dentry>(directory.file_system_, &directory, std::move(name)));
    made->removed_ = true;
    made->attach(std::move(inode));
    return made;
}

Dentry::~Dentry() {
    Inode* const inode = inode_;
    if (!inode) return;
    if (removed_ && (is_directory() || (file_watches.relaxed() && !inode->attributes().links)))
        happened_to(*this, kFileDeleted);
    {
        LockGuard guard(dentry_lock);
        if (inode->alias_ == this) inode->alias_ = nullptr;
    }
    Ref<Inode>::adopt(inode);
}

void Dentry::attach(Ref<Inode> inode) {
    VERIFY(!inode_);
    uint32_t type = inode->ownership().mode & kTypeMask;
    LockGuard guard(dentry_lock);
    type_ = type;
    inode->alias_ = this;
    inode_.store(inode.leak());
}

Result<Ref<Dentry>> DentryCache::make(Dentry& directory, std::string_view name, Ref<Inode> inode) {
    String text = TRY(String::from(name));
    Ref<Dentry> fresh = TRY(make_ref<Dentry>(directory.file_system_, &directory, std::move(text)));
    if (inode) fresh->attach(std::move(inode));
    if (!directory.inode()->names_cachable()) return fresh;
    bool full;
    {
        LockGuard guard(dentry_lock);
        fresh->add_ref();
        cache.insert(*fresh);
        full = cache.count > 2 * cache.mask;
    }
    if (full) shrink_dentries(16);
    return fresh;
}

// A directory has one name. One that is found under a second would be its own descendant: only a
// damaged file system says so, and walking it would never end.
bool DentryCache::has_other_name(const Inode& inode) {
    LockGuard guard(dentry_lock);
    const Dentry* alias = Dentry::alias_locked(inode);
    return alias && alias->is_directory() && !alias->removed() && alias->ref_count() != 0;
}

Result<Ref<Dentry>> dentry_lookup_locked(Dentry& directory, std::string_view name) {
    {
        LockGuard guard(dentry_lock);
        if (Dentry* found = cache.find(directory, name, DentryCache::hash(directory, name)))
            return Ref<Dentry>(found);
    }
    if (directory.removed()) return Errno::noent;
    Result<Ref<Inode>> inode = directory.inode()->lookup_child(name);
    if (inode.is_ok()) {
        if (directory.inode()->names_cachable() && DentryCache::has_other_name(*inode.value())) {
            log_error("{}: directory {} has a second name: {}", directory.file_system().type_name(),
                      inode.value()->attributes().inode, name);
            return Errno::io;
        }
        return DentryCache::make(directory, name, inode.release_value());
    }
    if (inode.error() != Errno::noent) return inode.error();
    return DentryCache::make(directory, name, nullptr);
}

Result<Ref<Dentry>> dentry_lookup(Dentry& directory, std::string_view name) {
    uint32_t hash = DentryCache::hash(directory, name);
    {
        LockGuard guard(dentry_lock);
        if (Dentry* found = cache.find(directory, name, hash)) [[likely]] {
            found->referenced_ = true;
            return Ref<Dentry>(found);
        }
    }
    LockGuard guard(directory.inode()->names);
    return dentry_lookup_locked(directory, name);
}

Ref<Dentry> dentry_parent(const Dentry& dentry) {
    LockGuard guard(dentry_lock);
    return Ref<Dentry>(dentry.parent_locked());
}

void dentry_set_inode(Dentry& negative, Ref<Inode> inode) { negative.attach(std::move(inode)); }

void dentry_remove(Dentry& dentry) {
    Dentry* children = nullptr;  // and itself
    {
        LockGuard guard(dentry_lock);
        dentry.removed_ = true;
        // Names that were looked for in a directory and not found: they would keep it, and with it
        // its space on the disk. Nobody adds more once it is removed.
        if (dentry.is_directory() && dentry.ref_count() > 2)
            children = cache.take_unused(
                [&](Dentry& at) REQUIRES(dentry_lock) { return at.parent_.get() == &dentry; });
        if (dentry.cached_) {
            cache.remove(dentry);
            dentry.hash_next_ = children;
            children = &dentry;
        }
    }
    DentryCache::drop(children);
}

void dentry_move(Dentry& dentry, Dentry& new_parent, String new_name) {
    Ref<Dentry> parent(new_parent);
    Dentry* negative;
    {
        LockGuard guard(dentry_lock);
        negative =
            cache.find(new_parent, new_name.view(), DentryCache::hash(new_parent, new_name.view()));
        if (negative) cache.remove(*negative);
        bool was_cached = dentry.cached_;
        if (was_cached) cache.remove(dentry);
        std::swap(dentry.parent_, parent);
        std::swap(dentry.name_, new_name);
        if (was_cached) cache.insert(dentry);
    }
    DentryCache::drop(negative);
}

void dentry_exchange(Dentry& a, Dentry& b) {
    LockGuard guard(dentry_lock);
    const bool cached[] = {a.cached_, b.cached_};
    for (Dentry* dentry : {&a, &b})
        if (dentry->cached_) cache.remove(*dentry);
    std::swap(a.parent_, b.parent_);
    std::swap(a.name_, b.name_);
    if (cached[0]) cache.insert(a);
    if (cached[1]) cache.insert(b);
}

uint32_t count_holders(const Dentry& name) {
    LockGuard guard(dentry_lock);
    uint32_t holders = name.removed() ? name.ref_count() : 0;
    for (const Dentry& at : cache.clock)
        if (at.inode() == name.inode()) holders += at.ref_count() - 1;  // the other is the table's
    return holders;
}

uint32_t shrink_dentries(uint32_t wanted) {
    uint32_t freed = 0;
    Dentry* victims = nullptr;
    {
        LockGuard guard(dentry_lock);
        for (uint32_t looked = 2 * cache.count; looked && cache.count && freed < wanted; --looked) {
            Dentry& dentry = *cache.clock.front();
            if (dentry.ref_count() > 1 || std::exchange(dentry.referenced_, false)) {
                dentry.clock_.unlink();
                cache.clock.push_back(dentry);
                continue;
            }
            cache.remove(dentry);
            dentry.hash_next_ = victims;
            victims = &dentry;
            ++freed;
        }
    }
    DentryCache::drop(victims);
    return freed;
}

void forget_dentries(const FileSystem& file_system) {
    Dentry* victims;
    do {  // dropping leaves makes their parents unused
        {
            LockGuard guard(dentry_lock);
            victims = cache.take_unused(
                [&](Dentry& dentry) { return &dentry.file_system() == &file_system; });
        }
        DentryCache::drop(victims);
    } while (victims);
}
