// How many threads of programs there may be: of all users what memory allows (max_threads()), of
// one user, whose account each counts in, RLIMIT_NPROC; a share is kept for the superuser.
#pragma once

#include "kernel/proc/process_table.hpp"

uint32_t max_threads();

// There is one name space of each kind, so whatever of clone's flags asks for another (CLONE_NEW...) is EINVAL;
// but EPERM comes first, except for those of users, which anybody may make.
inline Errno refuse_name_spaces(uint32_t flags) {
    constexpr uint32_t kOfUsers = 0x10000000, kOthers = 0x6e020080;
    const bool may_not = (flags & kOthers) && !(flags & kOfUsers) &&
                         !current_process().fs.credentials.may(Capability::sys_admin);
    return may_not ? Errno::perm : Errno::inval;
}

// One thread's place in the counts. Its destructor gives it back, unless it is kept: then
// thread_left() does.
class ThreadSlot {
  public:
    ThreadSlot();
    ThreadSlot(const ThreadSlot&) = delete;
    ThreadSlot& operator=(const ThreadSlot&) = delete;
    ~ThreadSlot();
    Result<void> take(const Process& parent, bool new_process);  // EAGAIN: a limit is reached
    void take_first(Ref<UserAccount> payer);                     // init's: no limit
    void keep(UserThread& thread);

  private:
    const uint32_t total_;
    Ref<UserAccount> payer_;
    bool kept_ = false;
};
