// Walk: from a name to a place, component by component: permissions, symbolic links, mounts, "..",
// the root that the process sees.
// Spec: path_resolution(7).
#pragma once

#include "fs/mount.hpp"

class Walk {
  public:
    explicit Walk(const FsContext& who) : who_(who) {}
    Walk(const Walk&) = delete;
    ~Walk() { delete[] text_; }

    // Up to the directory that holds (or would hold) the last component.
    Result<void> to_last(const Path& base, std::string_view name);
    // Looks the last component up; false if it does not exist. Links are followed if asked, or if
    // a slash comes after: then directory() and last() are the link's.
    Result<bool> find_last(Follow follow);

    enum class Last : uint8_t { name, dot, dot_dot, root };
    Last last_kind() const { return last_kind_; }
    std::string_view last() const { return last_; }
    bool trailing_slash() const { return trailing_slash_; }
    Dentry& directory() const { return *at_; }
    Mount& mount() const { return *mount_; }
    Dentry& found() const { return *found_; }  // after find_last was true
    Path found_path() { return Path(std::move(found_mount_), std::move(found_)); }
    Mount& found_mount() const { return *found_mount_; }

    // Set before find_last: a link in the last place that stands for a file without a name
    // (/proc/self/fd/0 when that is a pipe) may be opened on the spot; then magic_file() is it.
    void may_open(uint32_t flags) {
        may_open_ = true;
        open_flags_ = flags;
    }
    Ref<File>& magic_file() { return magic_file_; }

  private:
    Result<void> start(const Path& base, std::string_view name);
    Result<void> run();
    Result<void> enter(std::string_view name);
    Result<void> look_up(std::string_view name);
    Result<void> follow_link(Dentry& link, bool last);
    Result<void> splice(Inode& link);
    Result<void> step_up();
    // After a step from `from`. EXDEV: the way may not leave that mount.
    Result<void> may_leave(const Mount* from, const Mount& to) const {
        return (who_.way & kWayOneMount) && from != &to ? Errno::xdev : Result<void>();
    }

    const FsContext& who_;
    Ref<Mount> mount_;
    Ref<Dentry> at_;
    Ref<Mount> found_mount_;
    Ref<Dentry> found_;
    std::string_view rest_;  // what is left of the text
    std::string_view last_;
    char* text_ = nullptr;  // of the link followed last; rest_ and last_ may point into it
    Ref<File> magic_file_;
    uint32_t open_flags_ = 0;
    uint8_t links_ = 0;
    Last last_kind_ = Last::root;
    bool trailing_slash_ = false;
    bool may_open_ = false;
};
// Permission was asked for; a program that is written to loses its set-id bits. ETXTBSY.
Result<void> truncate_for(const FsContext& who, Inode& inode, uint64_t size);
