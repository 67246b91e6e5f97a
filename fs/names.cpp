// Texts of places: walking up from a dentry, across mounts.
// Locks: dentry_lock for the whole walk, so that the text is one that was true at one moment.
#include "fs/mount.hpp"

namespace {

// Grows towards the front of a buffer.
class FrontWriter {
  public:
    explicit FrontWriter(std::span<char> buffer)
        : buffer_(buffer), start_(static_cast<uint32_t>(buffer.size())) {}
    bool put(std::string_view text) {
        if (text.size() > start_) return false;
        start_ -= static_cast<uint32_t>(text.size());
        __builtin_memcpy(buffer_.data() + start_, text.data(), text.size());
        return true;
    }
    std::string_view view() const { return {buffer_.data() + start_, buffer_.size() - start_}; }

  private:
    std::span<char> buffer_;
    uint32_t start_;
};

Result<void> write_upwards(FrontWriter& text, const Mount* mount, const Dentry* at,
                           const Path* stop, bool& reached) REQUIRES(dentry_lock) {
    for (;;) {
        reached = stop && mount == &stop->mount() && at == &stop->dentry();
        if (reached) return {};
        if (at == mount->root.get()) {
            const Path& place = mount->place_locked();
            if (!place) return {};
            at = &place.dentry();
            mount = &place.mount();
        } else if (const Dentry* parent = at->parent_locked()) {
            if (!text.put(at->name_locked()) || !text.put("/")) return Errno::nametoolong;
            at = parent;
        } else {
            return {};
        }
    }
}

}  // namespace

Result<std::string_view> place_name(const Path& place, const Path* stop, std::span<char> buffer,
                                    bool& reached) {
    FrontWriter text(buffer);
    {
        LockGuard guard(dentry_lock);
        TRY(write_upwards(text, &place.mount(), &place.dentry(), stop, reached));
    }
    if (!stop) reached = true;
    if (text.view().empty() && !text.put("/")) return Errno::nametoolong;
    return text.view();
}

std::string_view name_in_file_system(const Dentry& dentry, std::span<char> buffer) {
    FrontWriter text(buffer);
    LockGuard guard(dentry_lock);
    for (const Dentry* at = &dentry; at->parent_locked(); at = at->parent_locked())
        if (!text.put(at->name_locked()) || !text.put("/")) break;
    if (text.view().empty()) text.put("/");
    return text.view();
}

Result<std::string_view> path_name(const FsContext& who, const Path& path, std::span<char> buffer) {
    constexpr std::string_view kDeleted = " (deleted)", kUnreachable = "(unreachable)";
    bool deleted = path.dentry().removed();
    if (buffer.size() < (deleted ? kDeleted.size() : 0)) return Errno::nametoolong;
    std::span<char> front = buffer.first(buffer.size() - (deleted ? kDeleted.size() : 0));
    bool reached;
    std::string_view name = TRY(place_name(path, &who.root, front, reached));
    if (deleted) {
        kDeleted.copy(front.data() + front.size(), kDeleted.size());
        name = {name.data(), name.size() + kDeleted.size()};
    }
    if (!reached && path.mount().id) {  // what was never mounted has no other name
        auto before = static_cast<size_t>(name.data() - buffer.data());
        if (before < kUnreachable.size()) return Errno::nametoolong;
        name = {name.data() - kUnreachable.size(), name.size() + kUnreachable.size()};
        kUnreachable.copy(const_cast<char*>(name.data()), kUnreachable.size());
    }
    return name;
}

std::string_view inode_name(const Inode& inode, std::span<char> buffer) {
    FrontWriter text(buffer);
    bool reached;
    LockGuard guard(dentry_lock);
    const Dentry* dentry = Dentry::alias_locked(inode);
    const Dentry* top = dentry;
    while (top && top->parent_locked()) top = top->parent_locked();
    const Mount* mount = top ? mount_with_root_locked(*top) : nullptr;
    if (dentry && dentry->removed()) text.put(" (deleted)");
    if (!mount || write_upwards(text, mount, dentry, nullptr, reached).is_error()) return {};
    return text.view();
}

bool path_removed(const Path& path) { return path.dentry().removed(); }
Inode& inode_of(const Path& path) { return *path.dentry().inode(); }
