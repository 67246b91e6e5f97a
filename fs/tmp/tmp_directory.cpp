// See tmp_inode.hpp: names, in a hash table and in order of their making.
#include "fs/tmp/tmp_inode.hpp"

namespace {

uint32_t hash_of(std::string_view name) {
    uint32_t hash = 0x811c9dc5;
    for (char c : name) hash = (hash ^ static_cast<uint8_t>(c)) * 0x01000193;
    return hash ^ hash >> 15;
}

constexpr uint32_t kSymlinkMode = kTypeSymlink | 0777;

template <typename T, typename... Args>
Result<Ref<TmpInode>> make(TmpFileSystem& fs, const Ownership& owner, Args&&... args) {
    TRY(fs.add_file());
    if (auto* made = new (std::nothrow) T(fs, owner, std::forward<Args>(args)...))
        return Ref<TmpInode>::adopt(made);
    fs.remove_file();
    return Errno::nomem;
}

}  // namespace

Result<Ref<File>> TmpDirectory::open(uint32_t flags) {
    return TRY(make_ref<DirectoryFile>(flags, *this));
}

TmpDirectory::Entry* TmpDirectory::find(std::string_view name) const {
    if (buckets_.empty()) return nullptr;
    const uint32_t hash = hash_of(name);
    Entry* entry = buckets_[hash & (buckets_.size() - 1)];
    while (entry && !(entry->hash == hash && entry->name == name)) entry = entry->hash_next;
    return entry;
}

// Without memory for more buckets the chains get longer; only the first ones are needed.
void TmpDirectory::grow() {
    Vector<Entry*> fresh;
    if (fresh.resize(buckets_.empty() ? 8 : 4 * buckets_.size()).is_error()) return;
    for (Entry& entry : entries_) {
        Entry*& bucket = fresh[entry.hash & (fresh.size() - 1)];
        entry.hash_next = bucket;
        bucket = &entry;
    }
    buckets_ = std::move(fresh);
}

Result<void> TmpDirectory::add(std::string_view name, Ref<TmpInode> inode) {
    if (count_ >= 2 * buckets_.size()) grow();
    if (buckets_.empty()) return Errno::nomem;
    Box<Entry> entry = TRY(make_box<Entry>());
    entry->name = TRY(String::from(name));
    entry->hash = hash_of(name);
    entry->position = next_position_++;
    entry->inode = std::move(inode);
    Entry*& bucket = buckets_[entry->hash & (buckets_.size() - 1)];
    entry->hash_next = bucket;
    bucket = entry.get();
    entries_.push_back(*entry.leak());
    ++count_;
    note_change(true);
    return {};
}

void TmpDirectory::remove(Entry& entry) {
    Entry** link = &buckets_[entry.hash & (buckets_.size() - 1)];
    while (*link != &entry) link = &(*link)->hash_next;
    *link = entry.hash_next;
    entries_.remove(entry);
    --count_;
    note_change(true);
    delete &entry;
}

Result<Ref<Inode>> TmpDirectory::lookup_child(std::string_view name) {
    Entry* entry = find(name);
    if (!entry) return Errno::noent;
    return Ref<Inode>(entry->inode);
}

Result<Ref<Inode>> TmpDirectory::create_child(std::string_view name, uint32_t mode,
                                              const Credentials& owner, uint32_t special_device) {
    const Ownership who{mode, owner.fsuid, owner.fsgid};
    Ref<TmpInode> inode;
    switch (mode & kTypeMask) {
        case kTypeDirectory: inode = TRY(make<TmpDirectory>(fs(), who, number())); break;
        case kTypeRegular: inode = TRY(make<TmpFile>(fs(), who)); break;
        default: inode = TRY(make<TmpInode>(fs(), who, special_device)); break;
    }
    TRY(add(name, inode));
    if (inode->is_directory()) add_links(1);
    return Ref<Inode>(inode);
}

Result<Ref<Inode>> TmpDirectory::create_symlink(std::string_view name, std::string_view target,
                                                const Credentials& owner) {
    const Ownership who{kSymlinkMode, owner.fsuid, owner.fsgid};
    String text = TRY(String::from(target));
    Ref<TmpInode> inode = TRY(make<TmpSymlink>(fs(), who, std::move(text)));
    TRY(add(name, inode));
    return Ref<Inode>(inode);
}

Result<Ref<Inode>> TmpDirectory::create_nameless(uint32_t mode, const Credentials& owner) {
    Ref<TmpInode> made = TRY(make<TmpFile>(fs(), {mode, owner.fsuid, owner.fsgid}));
    made->set_links(0);
    return Ref<Inode>(made);
}

Result<void> TmpDirectory::link_child(std::string_view name, Inode& inode) {
    auto& target = static_cast<TmpInode&>(inode);
    TRY(add(name, target));
    target.add_links(1);
    return {};
}

Result<void> TmpDirectory::remove_child(std::string_view name, Inode& inode, bool directory) {
    Entry* entry = find(name);
    if (!entry || entry->inode.get() != &inode) return Errno::noent;
    if (directory) {
        auto& child = static_cast<TmpDirectory&>(inode);
        if (child.count_) return Errno::notempty;
        child.set_links(0);
        add_links(-1);
    } else {
        entry->inode->add_links(-1);
    }
    remove(*entry);
    return {};
}

Result<void> TmpDirectory::rename_child(std::string_view name, Inode& inode, Inode& new_parent,
                                        std::string_view new_name, Inode* replaced) {
    auto& parent = static_cast<TmpDirectory&>(new_parent);
    auto& child = static_cast<TmpInode&>(inode);
    Entry* source = find(name);
    if (!source) return Errno::noent;
    if (replaced) {
        auto& victim = static_cast<TmpInode&>(*replaced);
        if (victim.is_directory() && static_cast<TmpDirectory&>(victim).count_)
            return Errno::notempty;
        Entry* target = parent.find(new_name);
        if (!target) return Errno::noent;
        if (victim.is_directory()) {
            victim.set_links(0);
            parent.add_links(-1);
        } else {
            victim.add_links(-1);
        }
        target->inode = Ref<TmpInode>(child);
        parent.note_change(true);
    } else {
        TRY(parent.add(new_name, child));
    }
    remove(*source);
    parent.adopt(child, *this);
    return {};
}

// It is here from now on, and was there.
void TmpDirectory::adopt(TmpInode& child, TmpDirectory& former) {
    if (child.is_directory()) {
        static_cast<TmpDirectory&>(child).parent_ = number();
        former.add_links(-1);
        add_links(1);
    }
    child.note_change(false);
}

Result<void> TmpDirectory::exchange_children(std::string_view name, Inode& inode,
                                             Inode& other_parent, std::string_view other_name,
                                             Inode& other) {
    auto& parent = static_cast<TmpDirectory&>(other_parent);
    Entry* const mine = find(name);
    Entry* const theirs = parent.find(other_name);
    if (!mine || !theirs) return Errno::noent;
    std::swap(mine->inode, theirs->inode);
    parent.adopt(static_cast<TmpInode&>(inode), *this);
    adopt(static_cast<TmpInode&>(other), parent);
    note_change(true);
    parent.note_change(true);
    return {};
}

Result<uint64_t> TmpDirectory::list(DirectorySink& sink, uint64_t offset) {
    constexpr uint32_t kDirectory = kTypeDirectory >> 12;
    LockGuard guard(names);
    if (offset == 0) {
        if (!sink.add(".", InodeNo(number()), kDirectory, 1)) return offset;
        offset = 1;
    }
    if (offset == 1) {
        if (!sink.add("..", InodeNo(parent_), kDirectory, 2)) return offset;
        offset = 2;
    }
    for (Entry& entry : entries_) {
        if (entry.position < offset) continue;
        const TmpInode& inode = *entry.inode;
        const uint64_t next = entry.position + 1;
        if (!sink.add(entry.name.view(), InodeNo(inode.number()), inode.type() >> 12, next)) break;
        offset = next;
    }
    return offset;
}

void TmpDirectory::take_apart() {
    while (Entry* entry = entries_.pop_front()) {
        if (entry->inode->is_directory()) {
            auto& child = static_cast<TmpDirectory&>(*entry->inode);
            entries_.splice_back(child.entries_);
            child.buckets_.clear();
            child.count_ = 0;
        }
        delete entry;
    }
    buckets_.clear();
    count_ = 0;
}
