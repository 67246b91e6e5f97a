// See program_places.hpp.
#include "kernel/proc/program_places.hpp"

#include "fs/proc/proc_entry.hpp"
#include "kernel/lib/random.hpp"
#include "mm/locked_space.hpp"

constinit Atomic<uint32_t> random_places = 2;

namespace {

constexpr VirtAddr kHighestStack{0xbffff000};
constexpr uint32_t kLowestProgram = 0x56555000;
constexpr uint32_t kStackPages = 8u << (20 - kPageShift), kProgramPages = 256u << (20 - kPageShift);
constexpr uint32_t kHeapPages = 32u << (20 - kPageShift), kMapPages = 64u << (20 - kPageShift);

constexpr ProcEntry kFiles[] = {
    {.name = "randomize_va_space", .number = &random_places, .most = 2},
};
PROC_FILES(proc_sys_kernel, kFiles);

}  // namespace

ProgramPlaces program_places(uint32_t personality, const Credentials& before,
                             const Credentials& after) {
    const bool gains = after.euid != before.euid || after.egid != before.egid;
    const uint32_t how = (personality & kFixedPlaces) && !gains ? 0 : uint32_t(random_places);
    struct {
        uint32_t stack, skip, program, heap, map;
    } random = {};
    if (how) random_bytes(&random, sizeof random);
    if (how < 2) random.heap = 0;
    return {.stack_top = kHighestStack - (random.stack % kStackPages << kPageShift),
            .stack_skip = random.skip % kPageSize & ~15u,
            .program = kLowestProgram + (random.program % kProgramPages << kPageShift),
            .before_heap = random.heap % kHeapPages << kPageShift,
            .below_stack = random.map % kMapPages << kPageShift};
}

Result<void> lay_out(AddressSpace& space, const ProgramPlaces& at, VirtAddr end) {
    space.set_break_start(end + at.before_heap);
    TRY(space.map_stack(at.stack_top, space.limits.stack));
    LockedSpace locked(space);
    locked->map_top = locked->map_top - at.below_stack;
    return {};
}
