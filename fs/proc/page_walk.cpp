// /proc/<pid>/page_walk: what the MMU finds for each page of a process (kernel/uapi/page_walk.h).
// The kernel's half of the address space is for the superuser, and so are the frames' numbers.
// Locks: the address space's, for one entry at a time.
#include "kernel/uapi/page_walk.h"

#include "fs/cached_file.hpp"
#include "fs/proc/process_source.hpp"

namespace {

constexpr uint32_t kPagesOfAll = 1u << (32 - kPageShift);
constexpr uint32_t kWalkRecord = sizeof(page_walk);

class PageWalkFile final : public InodeFile {
  public:
    PageWalkFile(uint32_t flags, Inode& inode, const ProcTarget& target, bool all)
        : InodeFile(flags, inode), target_(target), all_(all) {}

    bool seekable() const override { return true; }
    uint64_t end_offset() override {
        return uint64_t{all_ ? kPagesOfAll : kUserTop.raw() >> kPageShift} * kWalkRecord;
    }

    Result<uint32_t> read_at(ByteSink& to, uint64_t offset) override {
        if (offset % kWalkRecord || to.remaining() % kWalkRecord) return Errno::inval;
        Ref<AddressSpace> space = TRY(process_source().space(target_));
        uint32_t done = 0;
        for (; to.remaining() && offset < end_offset(); offset += kWalkRecord) {
            const auto page = static_cast<uint32_t>(offset / kWalkRecord);
            const VirtAddr address(page << kPageShift);
            const PageWalk walk = walk_tables(*space, address);
            const PhysAddr physical = physical_address(walk, address).value_or(PhysAddr(0));
            const page_walk record = {shown(space->page_directory().raw()), shown(walk.upper.raw),
                                      shown(walk.lower.raw), shown(physical.raw())};
            if (to.put(&record, kWalkRecord) < kWalkRecord)
                return done ? Result(done) : Errno::fault;
            done += kWalkRecord;
        }
        return done;
    }

  private:
    // Where in memory a page lies is not told to others than the superuser.
    uint32_t shown(uint32_t entry) const { return all_ ? entry : entry & (kPageSize - 1); }

    const ProcTarget target_;
    const bool all_;
};

}  // namespace

Result<Ref<File>> open_page_walk(uint32_t flags, Inode& inode, const ProcTarget& target) {
    const bool all = process_source().current_context().credentials.may(Capability::sys_admin);
    return TRY(make_ref<PageWalkFile>(flags, inode, target, all));
}

constexpr ProcEntry kPageWalk[] = {
    {.name = "page_walk", .mode = kTypeRegular | 0400, .open = open_page_walk, .inspects = true},
};
PROC_FILES(proc_process, kPageWalk);
