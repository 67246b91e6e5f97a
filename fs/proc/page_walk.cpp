// /proc/<pid>/page_walk: what the MMU finds for each page of a process (kernel/uapi/page_walk.h).
// The kernel's half of the address space is for the superuser.
// Locks: the address space's, for one entry at a time.
#include "kernel/uapi/page_walk.h"

#include "fs/cached_file.hpp"
#include "fs/proc/proc_node.hpp"
#include "fs/proc/process_source.hpp"

namespace {

constexpr uint32_t kPagesOfAll = 1u << (32 - kPageShift);
constexpr uint32_t kWalkRecord = sizeof(page_walk);

class PageWalkFile final : public InodeFile {
  public:
    PageWalkFile(uint32_t flags, Inode& inode, Ref<AddressSpace> space, bool all)
        : InodeFile(flags, inode),
          space_(std::move(space)),
          pages_(all ? kPagesOfAll : kUserTop.raw() >> kPageShift) {}

    bool seekable() const override { return true; }
    uint64_t end_offset() override { return uint64_t{pages_} * kWalkRecord; }

    Result<uint32_t> read_at(ByteSink& to, uint64_t offset) override {
        if (offset % kWalkRecord || to.remaining() % kWalkRecord) return Errno::inval;
        uint32_t done = 0;
        for (; to.remaining() && offset < end_offset(); offset += kWalkRecord) {
            const auto page = static_cast<uint32_t>(offset / kWalkRecord);
            const PageWalk walk = space_->walk(VirtAddr(page << kPageShift));
            const page_walk record = {space_->page_directory().raw(), walk.upper.raw,
                                      walk.lower.raw, 0};
            if (to.put(&record, kWalkRecord) < kWalkRecord)
                return done ? Result(done) : Errno::fault;
            done += kWalkRecord;
        }
        return done;
    }

  private:
    const Ref<AddressSpace> space_;
    const uint32_t pages_;
};

}  // namespace

Result<Ref<File>> open_page_walk(uint32_t flags, Inode& inode) {
    const ProcTarget& target = static_cast<ProcNode&>(inode).target();
    const ProcessSource& source = process_source();
    if (!source.may_inspect(target.pid)) return Errno::acces;
    Ref<AddressSpace> space = TRY(source.space(target.pid));
    const bool all = source.current_context().credentials.is_superuser();
    return TRY(make_ref<PageWalkFile>(flags, inode, std::move(space), all));
}

constexpr ProcEntry kPageWalk[] = {
    {.name = "page_walk", .mode = kTypeRegular | 0400, .open = open_page_walk},
};
PROC_FILES(proc_process, kPageWalk);
