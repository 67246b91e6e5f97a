// /proc/<pid>/pagemap: 8 bytes for each page of the user half.
//   63 present, 62 in swap, 61 of a file or shared, 56 mapped by nobody else
//   54..0  for the superuser, else 0: the frame; in swap: 4..0 the area, 54..5 the slot
// Locks: the address space's, for one entry at a time.
// Spec: Linux's documentation of pagemap.
#include "fs/cached_file.hpp"
#include "fs/proc/process_source.hpp"
#include "mm/frames.hpp"
#include "mm/swap.hpp"

namespace {

constexpr uint32_t kRecord = 8;

class PageMapFile final : public InodeFile {
  public:
    PageMapFile(uint32_t flags, Inode& inode, const ProcTarget& target, bool frames)
        : InodeFile(flags, inode), target_(target), frames_(frames) {}

    bool seekable() const override { return true; }
    uint64_t end_offset() override { return uint64_t{kUserTop.raw() >> kPageShift} * kRecord; }

    Result<uint32_t> read_at(ByteSink& to, uint64_t offset) override {
        if (offset % kRecord || to.remaining() % kRecord) return Errno::inval;
        Ref<AddressSpace> space = TRY(process_source().space(target_));
        uint32_t done = 0;
        for (; to.remaining() && offset < end_offset(); offset += kRecord) {
            const auto page = static_cast<uint32_t>(offset / kRecord);
            const uint64_t record =
                describe(walk_tables(*space, VirtAddr(page << kPageShift)).lower);
            if (to.put(&record, kRecord) < kRecord) return done ? Result(done) : Errno::fault;
            done += kRecord;
        }
        return done;
    }

  private:
    uint64_t describe(PageEntry entry) const {
        if (entry.swapped()) {
            const SwapEntry slot{entry.raw};
            return 1ull << 62 | (frames_ ? uint64_t{slot.slot()} << 5 | slot.area() : 0);
        }
        if (!entry.holds_frame()) return 0;
        const Frame frame = entry.frame();
        const bool file = entry.has(kEntryFile);
        const bool alone = frame_references(frame) <= (file ? 2u : 1u);
        return 1ull << 63 | uint64_t{file} << 61 | uint64_t{alone} << 56 |
               (frames_ ? frame.raw() : 0);
    }

    const ProcTarget target_;
    const bool frames_;
};

}  // namespace

Result<Ref<File>> open_page_map(uint32_t flags, Inode& inode, const ProcTarget& target) {
    const bool frames = process_source().current_context().credentials.may(Capability::sys_admin);
    return TRY(make_ref<PageMapFile>(flags, inode, target, frames));
}

constexpr ProcEntry kPageMap[] = {
    {.name = "pagemap", .mode = kTypeRegular | 0400, .open = open_page_map, .inspects = true},
};
PROC_FILES(proc_process, kPageMap);
