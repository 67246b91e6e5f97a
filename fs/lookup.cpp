// See lookup.hpp.
#include "fs/lookup.hpp"
#include "kernel/lib/preemption.hpp"

namespace {

void skip_slashes(std::string_view& text) {
    while (!text.empty() && text.front() == '/') text.remove_prefix(1);
}

std::string_view take_component(std::string_view& text) {
    size_t length = 0;
    while (length < text.size() && text[length] != '/') ++length;
    std::string_view component = text.substr(0, length);
    text.remove_prefix(length);
    return component;
}

// From a place to what is visible there: the top of the newest mount on it.
void cross_mounts(Ref<Mount>& mount, Ref<Dentry>& dentry) {
    while (dentry->covered) {
        Ref<Mount> covering = mount_covering(*mount, *dentry);
        if (!covering) return;
        covering->note_crossing();
        dentry = covering->root;
        mount = std::move(covering);
    }
}

}  // namespace

Result<void> Walk::start(const Path& base, std::string_view name) {
    rest_ = name;
    const bool absolute = !name.empty() && name.front() == '/';
    if (absolute && (who_.way & kWayBelowRoot)) return Errno::xdev;
    const Path& from = absolute ? who_.root : base;
    if (!from) return Errno::noent;
    mount_ = Ref<Mount>(from.mount());
    at_ = Ref<Dentry>(from.dentry());
    return {};
}

Result<void> Walk::to_last(const Path& base, std::string_view name) {
    if (name.empty()) return Errno::noent;
    if (name.size() >= kMaxPath) return Errno::nametoolong;
    TRY(start(base, name));
    return run();
}

// Goes through all components but the last.
Result<void> Walk::run() {
    skip_slashes(rest_);
    if (rest_.empty()) {
        last_kind_ = Last::root;
        last_ = {};
        return {};
    }
    for (;;) {
        preemption_point();  // links make the way as long as a program likes
        skip_slashes(rest_);
        std::string_view name = take_component(rest_);
        trailing_slash_ = !rest_.empty();
        if (rest_.find_first_not_of('/') == std::string_view::npos) {
            if (!at_->is_directory()) return Errno::notdir;
            last_ = name;
            last_kind_ = name == "." ? Last::dot : name == ".." ? Last::dot_dot : Last::name;
            return {};
        }
        TRY(enter(name));
    }
}

Result<void> Walk::enter(std::string_view name) {
    TRY(look_up(name));
    if (!found_) return Errno::noent;
    if (found_->is_symlink()) {
        Ref<Dentry> link = std::move(found_);
        return follow_link(*link, false);
    }
    at_ = std::move(found_);
    mount_ = std::move(found_mount_);
    return {};
}

// Looks `name` up in at_: found_ is null if it does not exist.
Result<void> Walk::look_up(std::string_view name) {
    if (!at_->is_directory()) return Errno::notdir;
    if (!who_.credentials.may(Capability::dac_read_search))
        TRY(check_permission(at_->inode()->ownership(), who_.credentials, kMayExecute));
    if (name == "." || name == "..") {
        if (name.size() == 2) TRY(step_up());
        found_mount_ = mount_;
        found_ = at_;
        return {};
    }
    if (name.size() > kMaxName) return Errno::nametoolong;
    found_ = TRY(dentry_lookup(*at_, name));
    if (found_->is_negative()) {
        found_ = nullptr;
        return {};
    }
    found_mount_ = mount_;
    cross_mounts(found_mount_, found_);
    return may_leave(mount_.get(), *found_mount_);
}

Result<void> Walk::step_up() {
    const Ref<Mount> from = mount_;
    for (;;) {
        if (at_.get() == &who_.root.dentry() && mount_.get() == &who_.root.mount())
            return who_.way & kWayBelowRoot ? Errno::xdev : Result<void>();
        if (at_.get() != mount_->root.get()) break;
        const Path place = mount_->place();
        if (!place) return {};
        at_ = Ref<Dentry>(place.dentry());
        mount_ = Ref<Mount>(place.mount());
    }
    if (Ref<Dentry> parent = dentry_parent(*at_)) at_ = std::move(parent);
    cross_mounts(mount_, at_);
    return may_leave(from.get(), *mount_);
}

// Continues the walk at what the link says; what was left of the text comes after it.
Result<void> Walk::follow_link(Dentry& link, bool last) {
    if (++links_ > kMaxSymlinks || (who_.way & kWayNoLinks) || (mount_->flags & kMountNoLinks))
        return Errno::loop;
    Inode& inode = *link.inode();
    Result<Path> place = inode.follow_magic_link();
    if (place.is_ok()) {
        if (who_.way & kWayNoMagicLinks) return Errno::loop;
        if (who_.way & (kWayBelowRoot | kWayInRoot)) return Errno::xdev;
        TRY(may_leave(mount_.get(), place.value().mount()));
        mount_ = Ref<Mount>(place.value().mount());
        at_ = Ref<Dentry>(place.value().dentry());
        if (last) {
            found_ = at_;
            found_mount_ = mount_;
        }
        return {};
    }
    if (place.error() != Errno::inval) return place.error();
    if (last && may_open_) {
        Result<Ref<File>> file = inode.open_magic_link(open_flags_);
        if (file.is_ok()) {
            if (who_.way) return who_.way & kWayNoMagicLinks ? Errno::loop : Errno::xdev;
            magic_file_ = file.release_value();
            return {};
        }
        if (file.error() != Errno::inval) return file.error();
    }
    TRY(splice(inode));
    return last ? run() : Result<void>();
}

// The text to walk becomes the link's target with what is left of the text behind it.
Result<void> Walk::splice(Inode& link) {
    uint32_t room = 256;
    char* text;
    uint32_t length;
    for (;; room = kMaxPath) {
        text = new (std::nothrow) char[room + 1 + rest_.size()];
        if (!text) return Errno::nomem;
        Result<uint32_t> read = link.read_link({text, room});
        length = read.value_or(0);
        if (length != 0 && (length < room || room == kMaxPath)) break;
        delete[] text;
        if (read.is_error()) return read.error();
        if (length == 0) return Errno::noent;
    }
    if (!rest_.empty() || trailing_slash_) text[length++] = '/';
    rest_.copy(text + length, rest_.size());
    std::swap(text, text_);
    rest_ = {text_, length + rest_.size()};
    delete[] text;
    if (text_[0] == '/') {
        if (who_.way & kWayBelowRoot) return Errno::xdev;
        TRY(may_leave(mount_.get(), who_.root.mount()));
        mount_ = Ref<Mount>(who_.root.mount());
        at_ = Ref<Dentry>(who_.root.dentry());
    }
    return {};
}

Result<bool> Walk::find_last(Follow follow) {
    for (;;) {
        if (last_kind_ == Last::root) {
            found_ = at_;
            found_mount_ = mount_;
            return true;
        }
        TRY(look_up(last_));
        if (!found_) return false;
        if (!found_->is_symlink()) break;
        if (follow == Follow::no && !trailing_slash_) return true;
        Ref<Dentry> link = std::move(found_);
        rest_ = {};
        TRY(follow_link(*link, true));
        if (magic_file_) return true;
        if (found_) break;
    }
    if (trailing_slash_ && !found_->is_directory()) return Errno::notdir;
    return true;
}

Result<Path> resolve(const FsContext& who, const Path& base, std::string_view name, Follow follow) {
    Walk walk(who);
    TRY(walk.to_last(base, name));
    if (!TRY(walk.find_last(follow))) return Errno::noent;
    return walk.found_path();
}
