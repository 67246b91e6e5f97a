// Names of ext2: creating, linking, removing, moving. Each is one operation under the file system's
// lock but, without a journal, for moves between blocks of directories, which take a checkpoint in
// between: see checkpoint.cpp for why. vfs holds the directories' `names` and has checked the rules.
#include "fs/ext2/ext2.hpp"

namespace ext2 {

namespace {
constexpr uint32_t kMaxLinks = 32000;
Ext2Inode& ours(Inode& inode) { return static_cast<Ext2Inode&>(inode); }
}  // namespace

Result<void> Ext2Inode::check_link_room() const {
    return record_.links_count < kMaxLinks ? Result<void>() : Errno::mlink;
}

// One that has lost its last name is on its way out, even if a damaged disk has another name for it.
void Ext2Inode::add_links(int32_t change) {
    if (record_.links_count == 0) return ext2().note_error();
    {
        LockGuard guard(ext2().records());
        record_.links_count = static_cast<uint16_t>(record_.links_count + change);
    }
    structure_epoch = ext2().epoch();
    note_change(false);
}

Result<void> Ext2Inode::fill_child(Ext2Inode& child, std::string_view target,
                                   uint32_t special_device) {
    const uint32_t type = child.type();
    if (type == kTypeDirectory) return child.start_directory(*this);
    if (type == kTypeSymlink && target.size() < sizeof child.record_.block) {
        target.copy(reinterpret_cast<char*>(child.record_.block), target.size());
        child.set_size(target.size());
    } else if (type == kTypeSymlink) {
        if (target.size() >= ext2().geometry().block_size()) return Errno::nametoolong;
        TRY(child.allocate(0, 1));
        KernelSource source({reinterpret_cast<const uint8_t*>(target.data()), target.size()});
        TRY(child.cache_.write_at(source, 0));
        child.cache_.clear_dirty(0, kWholePage);
        child.cache_.set_dirty(
            0, static_cast<uint8_t>((1u << (ext2().geometry().block_size() >> 9)) - 1));
        ext2().touch_directory(child, 0, true);  // it goes with them: an inode shows no other text
        child.set_size(target.size());
    } else if (type == kTypeCharacter || type == kTypeBlock) {
        const uint32_t major = device_major(special_device), minor = device_minor(special_device);
        const bool small = major < 256 && minor < 256;
        child.record_.block[0] = small ? major << 8 | minor : 0;
        child.record_.block[1] = small ? 0 : special_device;
    }
    return {};
}

Result<Ref<Inode>> Ext2Inode::add_child(std::string_view name, uint32_t mode,
                                        const Credentials& owner, std::string_view target,
                                        uint32_t special_device) {
    const bool directory = (mode & kTypeMask) == kTypeDirectory;
    if (directory) TRY(check_link_room());
    if (directory && !owner.may(Capability::sys_resource) && !ext2().blocks_for_all())
        return Errno::nospc;
    const uint32_t block = TRY(make_room(name));
    Ref<Ext2Inode> child = TRY(ext2().create(*this, mode, owner.fsuid, owner.fsgid));
    child->structure_epoch = ext2().epoch();
    Result<void> filled = fill_child(*child, target, special_device);
    if (filled.is_ok() && !put_in_block(block, name, child->number(), mode & kTypeMask))
        filled = Errno::io;
    if (filled.is_error()) {
        ext2().discard(*child);
        return filled.error();
    }
    insert_inode(child);
    if (directory) add_links(1);
    return Ref<Inode>(child);
}

Result<Ref<Inode>> Ext2Inode::create_child(std::string_view name, uint32_t mode,
                                           const Credentials& owner, uint32_t special_device) {
    return ext2().change([&] { return add_child(name, mode, owner, {}, special_device); });
}

Result<Ref<Inode>> Ext2Inode::create_symlink(std::string_view name, std::string_view target,
                                             const Credentials& owner) {
    return ext2().change([&] { return add_child(name, kTypeSymlink | 0777, owner, target, 0); });
}

Result<Ref<Inode>> Ext2Inode::create_nameless(uint32_t mode, const Credentials& owner) {
    return ext2().change([&]() -> Result<Ref<Inode>> {
        Ref<Ext2Inode> child = TRY(ext2().create(*this, mode, owner.fsuid, owner.fsgid));
        child->structure_epoch = ext2().epoch();
        {
            LockGuard guard(ext2().records());
            child->record_.links_count = 0;
        }
        ext2().note_nameless(*child);
        return Ref<Inode>(child);
    });
}

Result<void> Ext2Inode::link_child(std::string_view name, Inode& inode) {
    Ext2Inode& child = ours(inode);
    return ext2().change([&]() -> Result<void> {
        TRY(child.record_.links_count ? add_name(name, child) : name_nameless(name, child));
        child.links_epoch_ = ext2().epoch();
        return {};
    });
}

// The first name, in this directory, of a file that was made without one (O_TMPFILE).
Result<void> Ext2Inode::name_nameless(std::string_view name, Ext2Inode& file) {
    if (!file.may_be_named.relaxed()) return Errno::noent;
    TRY(ext2().expect_name(file));
    TRY(add_entry(name, file.number(), file.type()));
    ext2().note_named(file);
    file.add_links(0);
    return {};
}

// Another name, in this directory, for a file that has one, if it may have more (check_link_room): an
// entry, and one link more.
// Lab 13.4: stub { return name.empty() ? child.check_link_room() : Result<void>(Errno::perm); }
Result<void> Ext2Inode::add_name(std::string_view name, Ext2Inode& child) {
    TRY(child.check_link_room());
    TRY(add_entry(name, child.number(), child.type()));
    child.add_links(1);
    return {};
}

// A name of the file is gone: one link less. With the last one the inode goes, as soon as nobody uses it:
// note_nameless() remembers that for the disk, remove_inode() tells the cache of inodes.
// Lab 13.4: stub { if (record_.links_count) add_links(-1); }
void Ext2Inode::lose_name() {
    if (record_.links_count) add_links(-1);
    if (record_.links_count) return;
    ext2().disown(*this);
    ext2().note_nameless(*this);
    remove_inode(*this);
}

Result<void> Ext2Inode::drop_link(Ext2Inode& victim, bool directory) {
    if (victim.record_.links_count == 0) {  // it has more names than it counts
        ext2().note_error();
        return {};
    }
    if (directory) {
        ext2().directory_removed(victim);
        {
            LockGuard guard(ext2().records());
            victim.record_.links_count = 1;
        }
        add_links(-1);
    }
    victim.lose_name();
    return {};
}

Result<void> Ext2Inode::remove_child(std::string_view name, Inode& inode, bool directory) {
    Ext2Inode& victim = ours(inode);
    if (victim.cache_.frozen()) return Errno::perm;
    return ext2().change([&]() -> Result<void> {
        if (directory && !TRY(victim.is_empty())) return Errno::notempty;
        // Its other name must be on the disk before this one goes.
        if (victim.record_.links_count > 1 && !ext2().journaled() &&
            victim.links_epoch_ == ext2().epoch())
            TRY(ext2().checkpoint());
        TRY(remove_entry(name, victim.number().raw()));
        return drop_link(victim, directory);
    });
}

// The name is in one block with the other that it replaces. On the disk the replaced one takes the old
// name for a while: before it goes its former name means the new one, in one write.
Result<void> Ext2Inode::exchange_in_place(std::string_view name, Ext2Inode& inode,
                                          std::string_view new_name, Ext2Inode& replaced) {
    if (inode.structure_epoch == ext2().epoch()) TRY(ext2().checkpoint());
    TRY(set_entry(new_name, inode.number(), inode.type()));
    TRY(set_entry(name, replaced.number(), replaced.type()));
    ext2().checkpoint_within();
    TRY(remove_entry(name, replaced.number().raw()));
    return drop_link(replaced, replaced.is_directory());
}

// Both names in one block: one write changes both.
Result<void> Ext2Inode::move_in_place(std::string_view name, Ext2Inode& inode,
                                      std::string_view new_name, Ext2Inode* replaced, bool& done) {
    const uint32_t shift = ext2().geometry().block_shift, bytes = 1u << shift;
    const Found from = TRY(find_entry(name));
    const uint32_t block = from.position >> shift;
    if (replaced) {
        if (TRY(find_entry(new_name)).position >> shift != block) return {};
        done = true;
        if (ext2().is_on_disk(*replaced))
            return exchange_in_place(name, inode, new_name, *replaced);
        TRY(set_entry(new_name, inode.number(), inode.type()));
        TRY(remove_entry(name, inode.number().raw()));
        return drop_link(*replaced, replaced->is_directory());
    }
    Vector<uint8_t> copy;
    TRY(copy.resize(bytes));
    MetadataBlock held = TRY(directory_block(uint64_t{block} << shift));
    __builtin_memcpy(copy.data(), held.bytes(), bytes);
    TRY(remove_entry(name, inode.number().raw()));
    done = put_in_block(block, new_name, inode.number(), inode.type());
    if (!done) {
        __builtin_memcpy(held.bytes(), copy.data(), bytes);
        note_entry(name, from.position, block, 0);  // less room than there is does no harm
    }
    return {};
}

Result<void> Ext2Inode::rename_child(std::string_view name, Inode& moved, Inode& new_parent,
                                     std::string_view new_name, Inode* replaced_inode) {
    Ext2Inode &inode = ours(moved), &target = ours(new_parent);
    Ext2Inode* replaced = replaced_inode ? &ours(*replaced_inode) : nullptr;
    if (inode.cache_.frozen() || (replaced && replaced->cache_.frozen())) return Errno::perm;
    const bool directory = inode.is_directory();
    // A file that takes another's name shall have its contents when it has the name.
    if (replaced && inode.type() == kTypeRegular) TRY(inode.cache_.write_back());
    if (ext2().journaled()) return move_at_once(name, inode, target, new_name, replaced);
    bool done = false;
    if (&target == this)
        TRY(ext2().change([&]() -> Result<void> {
            if (replaced && replaced->is_directory() && !TRY(replaced->is_empty()))
                return Errno::notempty;
            TRY(move_in_place(name, inode, new_name, replaced, done));
            if (done) inode.note_change(false);
            return {};
        }));
    if (done) return {};
    return directory ? move_directory(name, inode, target, new_name, replaced)
                     : move_file(name, inode, target, new_name, replaced);
}

// With a journal: one transaction has the new name, the old one, a directory's ".." and the counts.
Result<void> Ext2Inode::move_at_once(std::string_view name, Ext2Inode& inode, Ext2Inode& target,
                                     std::string_view new_name, Ext2Inode* replaced) {
    const bool directory = inode.is_directory(), moves = &target != this;
    return ext2().change([&]() -> Result<void> {
        if (replaced && replaced->is_directory() && !TRY(replaced->is_empty()))
            return Errno::notempty;
        if (directory && moves && !replaced) TRY(target.check_link_room());
        if (replaced)
            TRY(target.set_entry(new_name, inode.number(), inode.type()));
        else
            TRY(target.add_entry(new_name, inode.number(), inode.type()));
        if (directory && moves) TRY(inode.set_parent(target));
        TRY(remove_entry(name, inode.number().raw()));
        if (replaced) TRY(target.drop_link(*replaced, directory));
        if (directory && moves) {
            add_links(-1);
            target.add_links(1);
        }
        inode.note_change(false);
        return {};
    });
}

// Without a journal no order of the writes keeps both names at every moment.
Result<void> Ext2Inode::exchange_children(std::string_view name, Inode& inode, Inode& other_parent,
                                          std::string_view other_name, Inode& other) {
    Ext2Inode &mine = ours(inode), &theirs = ours(other), &parent = ours(other_parent);
    if (!ext2().journaled()) return Errno::inval;
    if (mine.cache_.frozen() || theirs.cache_.frozen()) return Errno::perm;
    return ext2().change([&]() -> Result<void> {
        const Found here = TRY(find_entry(name)), there = TRY(parent.find_entry(other_name));
        const bool moves = &parent != this;
        const int32_t links = moves ? theirs.is_directory() - mine.is_directory() : 0;
        if (links) TRY((links > 0 ? *this : parent).check_link_room());
        TRY(set_entry_at(here.position, theirs.number(), theirs.type()));
        TRY(parent.set_entry_at(there.position, mine.number(), mine.type()));
        if (moves && mine.is_directory()) TRY(mine.set_parent(parent));
        if (moves && theirs.is_directory()) TRY(theirs.set_parent(*this));
        if (links) add_links(links);
        if (links) parent.add_links(-links);
        mine.note_change(false);
        theirs.note_change(false);
        return {};
    });
}

// As a link and an unlink, with a checkpoint between.
Result<void> Ext2Inode::move_file(std::string_view name, Ext2Inode& inode, Ext2Inode& target,
                                  std::string_view new_name, Ext2Inode* replaced) {
    if (replaced) return move_over(name, inode, target, new_name, *replaced);
    TRY(ext2().change([&]() -> Result<void> {
        TRY(target.add_entry(new_name, inode.number(), inode.type()));
        inode.add_links(1);
        return ext2().checkpoint();
    }));
    return ext2().change([&]() -> Result<void> {
        TRY(remove_entry(name, inode.number().raw()));
        inode.add_links(-1);
        return {};
    });
}

// Another name for a file that is to lose the one that it has; empty if there can be none.
std::string_view Ext2Inode::add_spare_name(Ext2Inode& child, std::span<char> buffer) {
    if (child.check_link_room().is_error()) return {};
    for (uint32_t i = 0; i < 8; ++i) {
        const std::string_view name =
            format_in(buffer, ".replaced-{}{}", child.number(), std::string_view("~~~~~~~~", i));
        Result<Found> taken = find_entry(name);
        if (taken.is_ok()) continue;  // a cut of power left it
        if (taken.error() != Errno::noent ||
            add_entry(name, child.number(), child.type()).is_error())
            return {};
        child.add_links(1);
        return name;
    }
    return {};
}

// At every moment the name is on the disk, and the file that it means in use: so the one that is
// replaced gets a spare name before it loses its own. On a full disk it does without.
Result<void> Ext2Inode::move_over(std::string_view name, Ext2Inode& inode, Ext2Inode& target,
                                  std::string_view new_name, Ext2Inode& replaced) {
    return ext2().change([&]() -> Result<void> {
        char buffer[40];
        std::string_view spare;
        if (ext2().is_on_disk(replaced)) spare = target.add_spare_name(replaced, buffer);
        if (!spare.empty() || inode.structure_epoch == ext2().epoch()) ext2().checkpoint_within();
        TRY(target.set_entry(new_name, inode.number(), inode.type()));
        inode.add_links(1);
        ext2().checkpoint_within();
        TRY(remove_entry(name, inode.number().raw()));
        inode.add_links(-1);
        if (!spare.empty()) {
            TRY(target.remove_entry(spare, replaced.number().raw()));
            replaced.add_links(-1);
        }
        return target.drop_link(replaced, false);
    });
}

// Three blocks change: both directories' and the moved one's; they are written right after each
// other. Room for the name is made before, so that nothing else has to be.
Result<void> Ext2Inode::move_directory(std::string_view name, Ext2Inode& inode, Ext2Inode& target,
                                       std::string_view new_name, Ext2Inode* replaced) {
    const bool moves = &target != this;
    return ext2().change([&]() -> Result<void> {
        if (replaced && !TRY(replaced->is_empty())) return Errno::notempty;
        if (moves && !replaced) TRY(target.check_link_room());
        if (!replaced) TRY(target.make_room(new_name));
        TRY(ext2().checkpoint());
        if (replaced)
            TRY(target.set_entry(new_name, inode.number(), kTypeDirectory));
        else
            TRY(target.add_entry(new_name, inode.number(), kTypeDirectory));
        if (moves) TRY(inode.set_parent(target));
        TRY(remove_entry(name, inode.number().raw()));
        if (replaced) TRY(target.drop_link(*replaced, true));
        if (moves) {
            add_links(-1);
            target.add_links(1);
        }
        inode.note_change(false);
        return ext2().checkpoint();
    });
}

}  // namespace ext2
