// rename(2): see vfs.hpp. One rename at a time (the `rename` lock), so that the tree above both
// names stands still while loops are looked for.
// Locks: rename, then the parents' `names` (an ancestor first), then the replaced directory's.
#include <optional>

#include "fs/file_events.hpp"
#include "fs/new_name.hpp"

namespace {

constinit Mutex rename_lock{LockRank::rename};

bool is_same_or_above(const Dentry& above, const Dentry& dentry) {
    LockGuard guard(dentry_lock);
    for (const Dentry* at = &dentry; at; at = at->parent_locked())
        if (at == &above) return true;
    return false;
}

// Both directories' `names`, once if they are the same.
class TwoDirectories {
  public:
    TwoDirectories(Dentry& a, Dentry& b) NO_LOCK_ANALYSIS {
        bool b_first = is_same_or_above(b, a) || (!is_same_or_above(a, b) && &b < &a);
        first_ = b_first ? &b : &a;
        second_ = b_first ? &a : &b;
        first_->inode()->names.lock();
        if (second_ != first_) second_->inode()->names.lock();
    }
    ~TwoDirectories() NO_LOCK_ANALYSIS {
        if (second_ != first_) second_->inode()->names.unlock();
        first_->inode()->names.unlock();
    }
    TwoDirectories(const TwoDirectories&) = delete;

  private:
    Dentry* first_;
    Dentry* second_;
};

// With the parents locked. `target` may be negative.
Result<void> check_rename(const FsContext& who, Walk& from, Walk& to, Dentry& source,
                          Dentry& target) {
    if (source.is_negative()) return Errno::noent;
    if (!source.is_directory() && (from.trailing_slash() || to.trailing_slash()))
        return Errno::notdir;
    if (is_same_or_above(source, to.directory())) return Errno::inval;
    if (!target.is_negative() && is_same_or_above(target, from.directory())) return Errno::notempty;
    TRY(may_remove(who, from.mount(), from.directory(), source, source.is_directory()));
    if (target.is_negative())
        TRY(may_create(who, to.mount(), to.directory()));
    else
        TRY(may_remove(who, to.mount(), to.directory(), target, source.is_directory()));
    // A directory that moves gets another "..".
    if (source.is_directory() && &from.directory() != &to.directory())
        TRY(check_permission(source.inode()->ownership(), who.credentials, kMayWrite));
    return {};
}

Result<void> perform(Walk& from, Walk& to, Dentry& source, Dentry& target) {
    String name = TRY(String::from(to.last()));
    Inode* replaced = target.inode();
    std::optional<LockGuard<Mutex>> nothing_new;  // in a directory that is about to go
    if (replaced && target.is_directory()) nothing_new.emplace(replaced->names);
    TRY(from.directory().inode()->rename_child(from.last(), *source.inode(),
                                               *to.directory().inode(), to.last(), replaced));
    dentry_remove(target);
    dentry_move(source, to.directory(), std::move(name));
    tell_move(from.directory(), from.last(), to.directory(), to.last(), source);
    if (replaced && !target.is_directory()) happened_to(target, kFileChanged);
    return {};
}

// With the parents locked, of two names that mean something.
Result<void> exchange(const FsContext& who, Walk& from, Walk& to, Dentry& source, Dentry& target) {
    if (source.is_negative() || target.is_negative()) return Errno::noent;
    if ((from.trailing_slash() && !source.is_directory()) ||
        (to.trailing_slash() && !target.is_directory()))
        return Errno::notdir;
    if (is_same_or_above(source, to.directory()) || is_same_or_above(target, from.directory()))
        return Errno::inval;
    TRY(may_remove(who, from.mount(), from.directory(), source, source.is_directory()));
    TRY(may_remove(who, to.mount(), to.directory(), target, target.is_directory()));
    for (Dentry* dentry : {&source, &target})
        if (dentry->is_directory() && &from.directory() != &to.directory())
            TRY(check_permission(dentry->inode()->ownership(), who.credentials, kMayWrite));
    if (source.inode() == target.inode()) return {};
    TRY(from.directory().inode()->exchange_children(
        from.last(), *source.inode(), *to.directory().inode(), to.last(), *target.inode()));
    dentry_exchange(source, target);
    tell_move(from.directory(), from.last(), to.directory(), to.last(), source);
    tell_move(to.directory(), to.last(), from.directory(), from.last(), target);
    return {};
}

}  // namespace

Result<void> vfs_rename(const FsContext& who, const Path& old_base, std::string_view old_name,
                        const Path& new_base, std::string_view new_name, Rename how) {
    Walk from(who), to(who);
    TRY(from.to_last(old_base, old_name));
    TRY(to.to_last(new_base, new_name));
    if (&from.mount() != &to.mount()) return Errno::xdev;
    if (from.last_kind() != Walk::Last::name) return Errno::busy;
    if (to.last_kind() != Walk::Last::name) return how == Rename::keep ? Errno::exist : Errno::busy;
    if (from.mount().read_only()) return Errno::rofs;
    if (!from.directory().is_directory() || !to.directory().is_directory()) return Errno::notdir;
    if (to.last().size() > kMaxName || from.last().size() > kMaxName) return Errno::nametoolong;
    for (Walk* walk : {&from, &to})
        TRY(check_permission(walk->directory().inode()->ownership(), who.credentials, kMayExecute));
    LockGuard guard(rename_lock);
    TwoDirectories both(from.directory(), to.directory());
    Ref<Dentry> source = TRY(dentry_lookup_locked(from.directory(), from.last()));
    Ref<Dentry> target = TRY(dentry_lookup_locked(to.directory(), to.last()));
    if (how == Rename::exchange) return exchange(who, from, to, *source, *target);
    if (!source->is_negative() && !target->is_negative() && how == Rename::keep)
        return Errno::exist;
    TRY(check_rename(who, from, to, *source, *target));
    if (target->inode() == source->inode()) return {};
    return perform(from, to, *source, *target);
}
