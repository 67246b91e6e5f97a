// UserAccount: what all processes of one user hold of the kernel together, for the limits that are a
// user's and not a process'. An object that is charged to an account keeps a reference to it,
// so it is given back to the same account even if the process has another user by then.
// Locks: the counts are atomic; the table of accounts has a spin lock (rank user_accounts).
// Spec: getrlimit(2), RLIMIT_NPROC and RLIMIT_SIGPENDING; unix(7), ETOOMANYREFS.
#pragma once

#include "kernel/lib/list.hpp"
#include "kernel/lib/ref.hpp"

class UserAccount final : public RefCounted {
  public:
    static Result<Ref<UserAccount>> of(uint32_t uid);
    explicit UserAccount(uint32_t uid) : uid(uid) {}

    const uint32_t uid;
    Atomic<uint32_t> threads = 0, signals = 0, files_in_messages = 0, buffer_pages = 0,
                     inotify_files = 0, inotify_watches = 0;

    // False: there would be more than `most`.
    static bool charge(Atomic<uint32_t>& count, uint32_t by, uint32_t most) {
        if (count.add(by) <= most) return true;
        uncharge(count, by);
        return false;
    }
    static void uncharge(Atomic<uint32_t>& count, uint32_t by) { count.subtract(by); }

    ListNode table_node;

  private:
    void last_reference_dropped() const override;
};

// The running process' account; null for the kernel's own threads. Set at start-up by kernel/proc.
extern Ref<UserAccount> (*current_account)();
