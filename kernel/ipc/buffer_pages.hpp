// Pages for what lies in pipes and sockets, paid for by the user who made them: a user has at most a
// quarter of the memory there, so that what no process holds any more cannot fill it.
// Locks: none of its own; a maker of pages is its pipe's or socket's.
#pragma once

#include "fs/user_account.hpp"
#include "kernel/arch/memory_layout.hpp"
#include "mm/frames.hpp"

class BufferPages {
  public:
    void* allocate() {
        const uint32_t most = payer_ && payer_->uid ? memory_totals().total / 4 : UINT32_MAX;
        if (payer_ && !UserAccount::charge(payer_->buffer_pages, 1, most)) return nullptr;
        Result<Frame> frame = allocate_frame(Zone::low);
        if (frame.is_ok()) return to_virtual(frame.value());
        if (payer_) UserAccount::uncharge(payer_->buffer_pages, 1);
        return nullptr;
    }
    void release(void* page) {
        put_frame(frame_of(to_physical(page)));
        if (payer_) UserAccount::uncharge(payer_->buffer_pages, 1);
    }

  private:
    Ref<UserAccount> payer_ = current_account();
};
