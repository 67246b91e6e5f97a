// See compaction.hpp. A block's free frames are taken out of the allocator first, so that nothing
// new comes to lie there; then its pages move; then all of it is given back, as one run.
#include "mm/compaction.hpp"

#include "mm/all_spaces.hpp"
#include "mm/compaction_plan.hpp"
#include "mm/frames.hpp"
#include "mm/migration.hpp"
#include "mm/virtual_area.hpp"

constinit CompactionCounts compaction_counts{};

namespace {

constexpr uint32_t kTries = 3;

constinit Mutex compaction_lock{LockRank::compaction};

// What each frame is used for, at the moment it was looked at.
class Survey {
  public:
    ~Survey() {
        if (memory_) free_wide(memory_, frame_table_size);
    }
    Result<void> make() {
        memory_ = TRY(allocate_wide(frame_table_size));
        uses_ = {static_cast<FrameUse*>(memory_), frame_table_size};
        return {};
    }
    std::span<FrameUse> take() {
        for (FrameUse& use : uses_) use = FrameUse::fixed;
        for_each_free_frame(
            [](void* self, uint32_t index) {
                static_cast<Survey*>(self)->uses_[index] = FrameUse::free;
            },
            this);
        for (Ref<AddressSpace> space = AllSpaces::next(nullptr); space;
             space = AllSpaces::next(space.get()))
            note_movable(*space, uses_);
        return uses_;
    }

  private:
    void* memory_ = nullptr;
    std::span<FrameUse> uses_;
};

// Whether the block is all free now.
bool empty_block(const CompactionBlock& block, uint32_t order) {
    Migration migration(block.first, order);
    for (Ref<AddressSpace> space = AllSpaces::next(nullptr); space && migration.goes_on();
         space = AllSpaces::next(space.get()))
        migrate(*space, migration);
    compaction_counts.moved += migration.moved();
    compaction_counts.move_failures += block.movable - std::min(block.movable, migration.moved());
    return migration.moved() == block.movable;
}

bool make_run(Survey& survey, uint32_t order) {
    const std::optional<CompactionBlock> block = choose_block(survey.take(), order);
    return block && empty_block(*block, order);
}

uint32_t free_blocks(uint32_t order) {
    uint32_t blocks = 0;
    for (uint32_t run = order; run <= kMaxOrder; ++run)
        blocks += (free_run_count(Zone::low, run) + free_run_count(Zone::any, run))
                  << (run - order);
    return blocks;
}

}  // namespace

uint32_t compact_memory() {
    LockGuard guard(compaction_lock);
    Survey survey;
    if (survey.make().is_error()) return 0;
    const uint32_t before = compaction_counts.moved;
    for (uint32_t order = kMaxOrder; order > 0; --order)
        for (uint32_t runs = free_blocks(order), more = 0;; runs = more) {
            if (!make_run(survey, order) || (more = free_blocks(order)) <= runs) break;
        }
    return compaction_counts.moved - before;
}

bool compact_for(uint32_t order) {
    LockGuard guard(compaction_lock);
    Survey survey;
    ++compaction_counts.stalls;
    bool done = false;
    if (order <= kMaxOrder && survey.make().is_ok())
        for (uint32_t i = 0; i < kTries && !done; ++i) done = make_run(survey, order);
    ++(done ? compaction_counts.successes : compaction_counts.failures);
    return done;
}

void compact_if_wanted() {
    const uint32_t order = take_wanted_run();
    if (order > 0) compact_for(order);
}
