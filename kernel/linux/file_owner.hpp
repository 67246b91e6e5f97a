// Who gets a signal when there is news of an open file: a thread, a process or a group, and which signal. The
// owner is remembered as the object that it was, so a number that is used again means nobody else.
// Locks: `async_lock` (rank async_files: a wake-up in an interrupt takes it) for the settings.
// Spec: fcntl(2), "Managing signals".
#pragma once

#include "kernel/proc/process.hpp"

// si_code of SIGIO and its kin.
constexpr int kPollNewsIn = 1, kPollNewsOut = 2, kPollNewsMessage = 3, kPollNewsError = 4,
              kPollNewsPriority = 5, kPollNewsHangUp = 6;

extern IrqSpinLock async_lock;

class FileOwner {
  public:
    enum class Kind : uint8_t { none, thread, process, group };
    struct Setting {
        Kind kind = Kind::none;
        Ref<Process> process{};
        Ref<UserThread> thread{};
        int group = 0;
        uint32_t uid = 0, euid = 0;  // of who set it: it must be allowed to send signals there
        int signal = 0;              // 0: SIGIO, that tells nothing of the file
    };
    Setting setting() const;
    void set(Setting owner);  // keeps the signal
    void set_signal(int number);
    bool owned() const { return setting().kind != Kind::none; }
    // There is news: `code` is one of the above. No spin lock is held.
    void send(int code, int fd) const;

  private:
    Setting setting_;
};

// Of an open file, made by the first that needs it. ENOMEM.
Result<FileOwner*> owner_of(File& file);
// The calling process, unless it has one.
void own_by_caller(FileOwner& owner);
