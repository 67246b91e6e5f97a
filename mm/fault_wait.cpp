// See fault.hpp: what a fault waits for.
#include <utility>

#include "mm/fault.hpp"
#include "mm/frames.hpp"
#include "mm/reclaim.hpp"
#include "mm/swap.hpp"

Fault::~Fault() {
    if (frame_.raw()) put_frame(frame_);
}

FaultResult Fault::must_read_slot(PageEntry slot) {
    swap_add_name({slot.raw});
    swapped_ = slot.raw;
    return FaultResult::must_read;
}

FaultResult Fault::must_read_page(const Region& region) {
    pager_ = region.attributes.pager;
    index_ = region.pager_index(page);
    pattern_ = region.attributes.pattern;
    return FaultResult::must_read;
}

FaultResult Fault::read() {
    Errno error{};
    if (swapped_) {
        const SwapEntry entry{std::exchange(swapped_, 0)};
        const Result<void> done = swap_read(entry);
        swap_drop_name(entry);
        if (done.is_error()) error = done.error();
    } else {
        if (frame_.raw()) put_frame(std::exchange(frame_, Frame(0)));
        const Result<Frame> found = pager_->frame_for(index_, pattern_);
        if (found.is_ok()) frame_ = found.value();
        if (found.is_error()) error = found.error();
    }
    if (error == Errno{}) return FaultResult::must_read;  // and now it can be
    return error == Errno::nomem ? FaultResult::out_of_memory : FaultResult::bus_error;
}

bool Fault::wait(FaultResult& result) {
    if (result == FaultResult::must_read) result = read();
    if (result == FaultResult::out_of_memory) return wait_for_memory();
    return result == FaultResult::must_read;
}
