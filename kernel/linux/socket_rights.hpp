// SocketRights: open files on their way in a message (SCM_RIGHTS of unix(7)).
// Sockets that only messages refer to, perhaps each other's, can never be received from again, and
// no reference count falls to zero: collect_sockets() finds them, by mark and sweep.
// Locks: each socket counts in how many messages it is, under its own lock. See socket_rights.cpp.
#pragma once

#include "fs/file.hpp"
#include "fs/user_account.hpp"
#include "kernel/lib/vector.hpp"

class SocketRights {
  public:
    static constexpr uint32_t kMost = 253;

    SocketRights() = default;
    SocketRights(const SocketRights&) = delete;
    SocketRights& operator=(const SocketRights&) = delete;
    ~SocketRights();

    // ENOMEM, EINVAL beyond kMost.
    Result<void> add(Ref<File> file);
    Vector<Ref<File>>& files() { return files_; }

    // They count among what that user has in messages. ETOOMANYREFS: that is `most`, or more.
    Result<void> charge(Ref<UserAccount> payer, uint32_t most);
    // From now on they are in some inbox, whose lock is held.
    void sent();
    // Out of an inbox, whose lock is held: `rights` becomes empty, or a copy is left there. Without
    // memory for a copy there is none.
    static void receive(Box<SocketRights>& rights, Box<SocketRights>& to, bool copy);

  private:
    void count(int by);

    Vector<Ref<File>> files_;
    Ref<UserAccount> payer_;
    uint32_t charged_ = 0;
    bool in_flight_ = false;
};

// Finds sockets that nobody can reach any more, and closes them. No lock is held.
void collect_sockets();
void collect_after_close();  // if any sockets are on their way; at a bounded cost for each close
void collect_before_send();  // if so many more are than after the last time
// A socket was accepted; the lock of the backlog's inbox is held.
void note_reception();
