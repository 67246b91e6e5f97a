// See futex.hpp.
#include "kernel/ipc/futex.hpp"

#include "fs/wait_edges.hpp"
#include "kernel/lib/vector.hpp"
#include "kernel/trace/trace.hpp"
#include "mm/address_space.hpp"
#include "mm/locked_space.hpp"

namespace {

struct FutexSleeper {
    ListNode node;
    Thread* thread = nullptr;
    FutexKey key;
    uint32_t bits = 0;
    VirtAddr address{0};  // of the word, in its space; 0: not known any more
    Atomic<bool> woken = false;
};

constexpr uint32_t kBuckets = 64;
using Bucket = List<FutexSleeper, &FutexSleeper::node>;
constinit IrqSpinLock lock{LockRank::futex};
constinit Bucket buckets[kBuckets] GUARDED_BY(lock) = {};  // without the braces GCC 12 leaves zeros

Bucket& bucket_of(const FutexKey& key) {
    auto object = reinterpret_cast<uintptr_t>(key.object);
    return buckets[(object >> 4 ^ key.page ^ key.offset >> 2) % kBuckets];
}

// Who waits is woken in the order of real-time priorities; of equals, and of all others, the first to
// come. Spec: futex(2), FUTEX_WAKE; Linux orders its sleepers the same way.
uint32_t rank_of(const FutexSleeper& sleeper) {
    const SchedEntity& e = sleeper.thread->sched;
    if (e.sched_class == SchedClass::deadline) return UINT32_MAX;
    return e.sched_class == SchedClass::fair ? 0 : e.rt_priority;
}

void enter(Bucket& bucket, FutexSleeper& fresh) {
    FutexSleeper* before = nullptr;  // the last that goes first
    if (const uint32_t rank = rank_of(fresh)) {
        for (FutexSleeper& other : bucket) {
            if (rank_of(other) < rank) break;
            before = &other;
        }
        if (before) return Bucket::insert_after(*before, fresh);
        return bucket.push_front(fresh);
    }
    bucket.push_back(fresh);
}

// Where all who share a word's page find it; nothing for private memory. EFAULT: there is no memory.
struct SharedPage {
    const Pager* pager = nullptr;
    uint32_t page = 0;
};
Result<SharedPage> shared_page(AddressSpace& of, VirtAddr address) {
    LockedSpace space(of);
    const Region* region = space->regions.find(address);
    if (!region) return Errno::fault;
    if (!region->attributes.shared) return SharedPage{};
    return SharedPage{region->attributes.pager.get(),
                      region->page_offset + (page_of(address) - page_of(region->start))};
}

// Locks: held. The lock is kept until the thread is on its way, which keeps it alive.
void wake(FutexSleeper& sleeper) {
    sleeper.node.unlink();
    sleeper.woken.store(true);
    unpark(*sleeper.thread);
}

// On its bucket's list while it lives, unless it was woken.
class Joined {
  public:
    Joined(const FutexKey& key, VirtAddr address, uint32_t bits) {
        sleeper_.thread = &Thread::current();
        sleeper_.key = key;
        sleeper_.bits = bits;
        sleeper_.address = address;
        LockGuard guard(lock);
        enter(bucket_of(key), sleeper_);
    }
    ~Joined() {
        LockGuard guard(lock);
        if (sleeper_.node.linked()) sleeper_.node.unlink();
    }
    bool woken() const { return sleeper_.woken.load(); }

  private:
    FutexSleeper sleeper_;
};

bool names_owner(uint32_t word) { return (word & kFutexWaiters) && (word & kFutexOwner); }

// A word's owner is read from it now: it may have changed hands since the sleeper looked.
void tell_owners(WaitEdges& to) {
    struct Asleep {
        int tid;
        Ref<AddressSpace> space;
        VirtAddr address;
    };
    Vector<Asleep> asleep;  // made beforehand; who comes meanwhile is seen the next time
    uint32_t count = 0;
    {
        LockGuard guard(lock);
        for (Bucket& bucket : buckets)
            for ([[maybe_unused]] FutexSleeper& s : bucket) ++count;
    }
    if (asleep.resize(count).is_error()) return;
    count = 0;
    {
        LockGuard guard(lock);
        for (Bucket& bucket : buckets)
            for (FutexSleeper& s : bucket)
                if (s.address.raw() && count < asleep.size())
                    asleep[count++] = {s.thread->tid, Ref<AddressSpace>(*s.thread->space),
                                       s.address};
    }
    for (uint32_t i = 0; i < count; ++i) {
        uint32_t word = 0;
        const Asleep& a = asleep[i];
        if (a.space->read(&word, a.address, sizeof word).is_ok() && names_owner(word))
            to.add(a.tid, static_cast<int>(word & kFutexOwner), "futex", a.address.raw());
    }
}
constinit WaitEdgeSource futex_edges{tell_owners};

}  // namespace

void futex_init() { add_wait_edge_source(futex_edges); }

Result<FutexKey> futex_key(VirtAddr address, bool process_private) {
    if (address.raw() % sizeof(uint32_t)) return Errno::inval;
    if (address >= kUserTop) return Errno::fault;
    AddressSpace* space = Thread::current().space;
    uint32_t offset = address.raw() & kPageMask;
    if (!process_private) {
        TRY(read_user(UserPtr<uint32_t>(address.raw())));  // there is such a page, for this program
        const SharedPage shared = TRY(shared_page(*space, address));
        if (shared.pager) return FutexKey{shared.pager, shared.page, offset};
    }
    return FutexKey{space, page_of(address).raw(), offset};
}

Result<void> futex_wait(const FutexKey& key, VirtAddr address, uint32_t expected, uint32_t bits,
                        Nanoseconds deadline) {
    Joined joined(key, address, bits);
    Result<uint32_t> word = read_user(UserPtr<uint32_t>(address.raw()));
    // Woken before it slept: the wake-up counts, whatever the word was.
    if (joined.woken()) return {};
    if (word.is_error()) return word.error();
    if (word.value() != expected) return Errno::again;
    trace<TraceType::futex_wait_event>(address.raw(), expected);
    if (names_owner(expected))
        wait_begins(static_cast<int>(expected & kFutexOwner), "futex", address.raw());
    while (!joined.woken()) {
        switch (park({.deadline = deadline, .reason = "futex"})) {
            case Woken::condition: break;
            case Woken::timed_out: return joined.woken() ? Result<void>() : Errno::timedout;
            case Woken::interrupted:
                if (joined.woken()) return {};
                return deadline.raw() ? Errno::restart_no_handler : Errno::restart;
        }
    }
    return {};
}

// As futex_wait, with a place in each word's queue.
Result<uint32_t> futex_wait_any(std::span<const FutexWord> words, Nanoseconds deadline) {
    Vector<Box<Joined>> joined;
    auto woken = [&]() -> int {
        for (uint32_t i = 0; i < joined.size(); ++i)
            if (joined[i]->woken()) return static_cast<int>(i);
        return -1;
    };
    for (const FutexWord& word : words)
        TRY(joined.push_back(TRY(make_box<Joined>(word.key, word.address, kAnyBit))));
    for (const FutexWord& word : words) {
        const Result<uint32_t> seen = read_user(UserPtr<uint32_t>(word.address.raw()));
        if (woken() >= 0) break;
        if (seen.is_error()) return seen.error();
        if (seen.value() != word.expected) return Errno::again;
    }
    for (;;) {
        if (const int which = woken(); which >= 0) return static_cast<uint32_t>(which);
        const Woken how = park({.deadline = deadline, .reason = "futex"});
        if (how == Woken::condition || woken() >= 0) continue;
        return how == Woken::timed_out ? Errno::timedout : Errno::restart;
    }
}

uint32_t futex_wake(const FutexKey& key, uint32_t count, uint32_t bits) {
    uint32_t woken = 0;
    LockGuard guard(lock);
    for (FutexSleeper& sleeper : bucket_of(key)) {
        if (woken == count) break;
        if (sleeper.key != key || !(sleeper.bits & bits)) continue;
        wake(sleeper);
        ++woken;
    }
    trace<TraceType::futex_wake_event>(key.page << kPageShift | key.offset, woken);
    return woken;
}

Requeued futex_requeue(const FutexKey& from, const FutexKey& to, uint32_t wake_count,
                       uint32_t move) {
    Requeued done{0, 0};
    Bucket moved;
    LockGuard guard(lock);
    for (FutexSleeper& sleeper : bucket_of(from)) {
        if (sleeper.key != from) continue;
        if (done.woken < wake_count) {
            wake(sleeper);
            ++done.woken;
        } else if (done.moved < move) {
            Bucket::remove(sleeper);
            sleeper.key = to;
            const bool is_private = to.object == sleeper.thread->space;
            sleeper.address = VirtAddr(is_private ? to.page << kPageShift | to.offset : 0);
            moved.push_back(sleeper);
            ++done.moved;
        } else {
            break;
        }
    }
    for (FutexSleeper& sleeper : moved) {
        Bucket::remove(sleeper);
        enter(bucket_of(to), sleeper);
    }
    return done;
}

void futex_wake(VirtAddr address, uint32_t count) {
    Result<FutexKey> key = futex_key(address, false);
    if (key.is_ok()) futex_wake(key.value(), count);
}
