// Files that signals are read from: those of a set that are pending for the reader, so the same
// file tells each process of its own.
// Locks: those of signals (signal.hpp). Spec: signalfd(2).
#pragma once

#include "kernel/linux/anonymous_file.hpp"
#include "kernel/proc/signal.hpp"

// The queue of those who wait for a process' signals without taking them by a handler. Beside the
// process, because who polls such a file may outlive it.
struct SignalNews final : RefCounted {
    WaitQueue queue;
};
struct SignalNewsOfProcess final : Attachment {
    static constexpr char kKind = 0;
    explicit SignalNewsOfProcess(Ref<SignalNews> n) : news(std::move(n)) {}
    const Ref<SignalNews> news;
};

class SignalFile final : public AnonymousFile {
  public:
    static constexpr char kKind = 0;
    SignalFile(SignalSet set, uint32_t flags)
        : AnonymousFile(flags, "anon_inode:[signalfd]"), set_(set & ~kUnblockable) {}
    const void* kind() const override { return &kKind; }
    void set_signals(SignalSet set);
    Result<uint32_t> read_at(ByteSink& to, uint64_t) override;
    uint32_t poll(PollTable* table) override;

  private:
    SignalSet signals();

    SpinLock lock_{LockRank::pipe};
    SignalSet set_ GUARDED_BY(lock_);
};
