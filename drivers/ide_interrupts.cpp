// The interrupt-driven half of an IDE channel: a thread that sleeps, and the interrupt that wakes it.
#include <algorithm>

#include "drivers/block.hpp"
#include "drivers/ide_channel.hpp"
#include "kernel/arch/interrupts.hpp"
#include "kernel/sched/clock.hpp"

// Spec: 9.7. A read served by interrupts: the drive raises one before each block of block_sectors sectors
// (the last block may be shorter), and the thread sleeps until then, or the drive is polled
// (await_interrupt(); false: it does not answer). False also: no data are wanted (data_wanted()).
// Lab 14.2: stub { (void)r; return false; }
bool IdeChannel::read_by_interrupts(const Request& r) {
    for (uint32_t done = 0; done < r.count;) {
        if (!await_interrupt() || !data_wanted()) return false;
        const uint32_t sectors = std::min(drives_[r.drive].block_sectors, r.count - done);
        move_data(r, done, sectors);
        done += sectors;
    }
    return true;
}

// Sleeps, so that others run, until handle_interrupt() has seen the interrupt, and clears
// interrupt_seen_ for the next one. After kPatience without any the status tells whether only the
// interrupt was lost (true), or the drive is still busy. Takes interrupt_lock_.
// Lab 14.2: stub { for (uint32_t i = 0; i < 1'000'000 && !interrupt_seen_; ++i) poll_until_idle(1); return interrupt_seen_; }
bool IdeChannel::sleep_until_interrupt() {
    LockGuard guard(interrupt_lock_);
    WaitOptions options{.interruptible = false,
                        .deadline = monotonic_now() + kPatience * 1'000'000ull,
                        .reason = "disk"};
    Woken woken = interrupt_queue_.wait(
        interrupt_lock_, [this]() NO_LOCK_ANALYSIS { return interrupt_seen_; }, options);
    interrupt_seen_ = false;
    if (woken == Woken::condition) return true;
    status_ = read_register(ata::kStatus);  // was only the interrupt lost?
    return !(status_ & ata::kBusy);
}

// An interrupt on this channel's line. If the drive is busy, it came from another device. Else the status
// is read, which acknowledges the interrupt: without that there would be no next one; it is kept in
// status_, interrupt_seen_ is set under interrupt_lock_, and who waits in interrupt_queue_ is woken.
// Lab 14.2: stub { read_register(ata::kStatus); interrupt_seen_ = true; }
void IdeChannel::handle_interrupt() {
    if (alternate_status() & ata::kBusy) return;  // another device on this line
    LockGuard guard(interrupt_lock_);
    status_ = read_register(ata::kStatus);
    interrupt_seen_ = true;
    interrupt_queue_.wake_all();
}

Result<void> IdeChannel::enable_interrupts() {
    handler_ = {ports_.first_drive == 'a' ? "ide0" : "ide1",
                [](void* channel) { static_cast<IdeChannel*>(channel)->handle_interrupt(); }, this};
    TRY(attach_interrupt(ports_.irq, handler_));
    write_control(0);
    return {};
}
