// What is told of page faults: minor and major ones of the thread and the CPU, events of the trace,
// and for load control the time that programs waited for pages.
#pragma once

#include "kernel/sched/clock.hpp"
#include "kernel/sched/thread.hpp"
#include "kernel/trace/trace.hpp"
#include "mm/fault.hpp"

// Of a fault that the processor raised. One that had to wait for its page is a major one.
class FaultCount {
  public:
    FaultCount(Thread& thread, VirtAddr address, bool write, bool user, bool present)
        : thread_(thread) {
        trace<TraceType::fault_event>(address.raw(), user ? thread.user_frame().eip : 0,
                                      (write ? 1u : 0) | (user ? 2u : 0) | (present ? 4u : 0));
        waits_ = thread.voluntary_switches;
    }
    ~FaultCount() {
        // One instruction each, so that no interrupt comes between.
        asm volatile("incl %%fs:%c0" : : "i"(offsetof(Cpu, page_faults)) : "memory");
        if (thread_.voluntary_switches == waits_) [[likely]] {
            ++thread_.minor_faults;
        } else {
            ++thread_.major_faults;
            asm volatile("incl %%fs:%c0" : : "i"(offsetof(Cpu, major_faults)) : "memory");
        }
    }
    FaultCount(const FaultCount&) = delete;
    FaultCount& operator=(const FaultCount&) = delete;

  private:
    Thread& thread_;
    uint32_t waits_;
};

// Of every fault, also of those by which the kernel brings pages in.
class FaultRecord {
  public:
    FaultRecord(AddressSpace& space, VirtAddr address, const Fault& fault)
        : space_(space), address_(address), fault_(fault) {}
    [[gnu::always_inline]] ~FaultRecord() {
        if (since_) [[unlikely]] {
            const auto spent = static_cast<uint32_t>((monotonic_now().raw() - since_) / 1000);
            space_.paging().service.fetch_add(spent);
            space_.paging().faults.fetch_add(1);
        }
        if (result < FaultResult::bad_address_unmapped)
            space_.paging().by_source[static_cast<uint32_t>(fault_.source)].fetch_add(1);
        trace<TraceType::fault_done_event>(address_.raw(), static_cast<uint32_t>(result),
                                           static_cast<uint32_t>(fault_.source), fault_.got.raw());
    }
    FaultRecord(const FaultRecord&) = delete;
    FaultRecord& operator=(const FaultRecord&) = delete;

    void has_to_wait() {
        if (!since_) since_ = monotonic_now().raw();
    }
    FaultResult result = FaultResult::bad_address_unmapped;

  private:
    AddressSpace& space_;
    const VirtAddr address_;
    const Fault& fault_;
    uint64_t since_ = 0;
};
