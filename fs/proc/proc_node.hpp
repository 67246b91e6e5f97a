// ProcNode: an inode of /proc: an entry of the tables with its target. Made anew by each look-up,
// because names of processes aren't cached; its owner is the process' at that moment.
#pragma once

#include "fs/proc/proc_entry.hpp"

// A file system of such nodes, for its type's mount function. `type` lives for ever; `root` is named "/".
Result<Ref<FileSystem>> make_text_file_system(std::string_view type, uint32_t magic,
                                              const ProcEntry& root);

class ProcNode final : public Inode {
  public:
    ProcNode(FileSystem& fs, const ProcEntry& entry, const ProcTarget& target, uint32_t parent,
             uint32_t uid, uint32_t gid);

    const ProcTarget& target() const { return target_; }
    Attributes attributes() override { return attributes_; }
    Result<Ref<File>> open(uint32_t flags) override;
    Result<Ref<Inode>> lookup_child(std::string_view name) override;
    Result<uint64_t> list(DirectorySink& sink, uint64_t offset) override;
    // A process' directories change by themselves, and so does the top with its processes. What lies
    // in the other ones would be found only through a dentry that the top has made anew.
    bool names_cachable() const override { return false; }
    Result<uint32_t> read_link(std::span<char> buffer) override;
    Result<Path> follow_magic_link() override;
    Result<Ref<File>> open_magic_link(uint32_t flags) override;
    Result<void> truncate(uint64_t) override { return {}; }

  private:
    Result<Ref<Inode>> make_child(const ProcEntry& entry, const ProcTarget& target);

    const ProcEntry& entry_;
    const ProcTarget target_;
    const uint32_t parent_;  // inode number
    Attributes attributes_;
};
