// See signal_file.hpp.
#include "kernel/linux/signal_file.hpp"

#include "kernel/lib/start_up.hpp"
#include "kernel/proc/process.hpp"

bool take_signal(PendingSignals& pending, SignalSet allowed, SignalInfo& info);
void recalculate_pending(UserThread& thread);

namespace {

struct SignalRecord {  // struct signalfd_siginfo
    uint32_t number;
    int32_t error, code;
    uint32_t pid, uid;
    int32_t fd;
    uint32_t tid, band, overrun, trap;
    int32_t status, integer;
    uint64_t pointer, user_time, kernel_time, address;
    uint16_t address_bits, padding1;
    int32_t call;
    uint64_t call_address;
    uint32_t architecture;
    uint8_t padding2[28];
};
static_assert(sizeof(SignalRecord) == 128 && offsetof(SignalRecord, address) == 72);

// Which fields a siginfo has depends on who sent it.
SignalRecord record_of(const SignalInfo& info) {
    constexpr SignalSet kFaults = signal_bit(kSigSegv) | signal_bit(kSigBus) | signal_bit(kSigIll) |
                                  signal_bit(kSigFpe) | signal_bit(kSigTrap);
    const uint32_t* f = info.fields;
    SignalRecord r{};
    r.number = static_cast<uint32_t>(info.number);
    r.error = info.error;
    r.code = info.code;
    const bool by_kernel = info.code > 0 && info.code != kSiKernel;
    if (by_kernel && (signal_bit(info.number) & kFaults)) {
        r.address = f[0];
        return r;
    }
    if (info.code == kSiTimer) {
        r.tid = f[0];
        r.overrun = f[1];
    } else {
        r.pid = f[0];
        r.uid = f[1];
    }
    if (by_kernel && info.number == kSigChld) {
        r.status = static_cast<int32_t>(f[2]);
        r.user_time = f[3];
        r.kernel_time = f[4];
    } else {
        r.integer = static_cast<int32_t>(f[2]);
        r.pointer = f[2];
    }
    return r;
}

// The process' queue, made by the first that needs it. ENOMEM.
Result<Ref<SignalNews>> news_of(Process& process) {
    return TRY(process.attached.get_or_make<SignalNewsOfProcess>(TRY(make_ref<SignalNews>())))
        ->news;
}

bool take(SignalSet set, SignalInfo& info) {
    UserThread& self = current_thread();
    Process& process = current_process();
    LockGuard guard(process.signal_lock);
    const bool found =
        take_signal(self.pending, set, info) || take_signal(process.pending, set, info);
    if (found) recalculate_pending(self);
    return found;
}

bool pending(SignalSet set) {
    Process& process = current_process();
    LockGuard guard(process.signal_lock);
    return (current_thread().pending.set | process.pending.set) & set;
}

}  // namespace

SignalSet SignalFile::signals() {
    LockGuard guard(lock_);
    return set_;
}

void SignalFile::set_signals(SignalSet set) {
    {
        LockGuard guard(lock_);
        set_ = set & ~kUnblockable;
    }
    if (auto* of = current_process().attached.get<SignalNewsOfProcess>())
        of->news->queue.wake_all();
}

// The first may have to be waited for; after it what is there.
Result<uint32_t> SignalFile::read_at(ByteSink& to, uint64_t) {
    uint32_t done = 0;
    if (to.remaining() < sizeof(SignalRecord)) return Errno::inval;
    const Ref<SignalNews> news = TRY(news_of(current_process()));
    while (to.remaining() >= sizeof(SignalRecord)) {
        SignalInfo info;
        if (!take(signals(), info)) {
            if (done) break;
            if (non_blocking()) return Errno::again;
            Waiter waiter;
            news->queue.add(waiter);
            const bool there = pending(signals());
            const Woken woken = there ? Woken::condition : park({.reason = "signalfd_read"});
            news->queue.remove(waiter);
            if (woken == Woken::interrupted) return Errno::restart;
            continue;
        }
        const SignalRecord record = record_of(info);
        if (to.put(&record, sizeof record) != sizeof record)
            return done ? Result(done) : Errno::fault;
        done += static_cast<uint32_t>(sizeof record);
    }
    return done;
}

uint32_t SignalFile::poll(PollTable* table) {
    if (table)
        if (Result<Ref<SignalNews>> news = news_of(current_process()); news.is_ok())
            table->watch(news.value()->queue, kPollIn, news.value().get());
    return pending(signals()) ? kPollIn : 0;
}

namespace {
constinit HookList<Process&>::Hook news_hook{[](Process& process) {
    if (auto* of = process.attached.get<SignalNewsOfProcess>()) of->news->queue.wake_all();
}};
void signal_files_init() { signal_added.add(news_hook); }
AT_START_UP(signal_files_init);
}  // namespace
