// See robust_list.hpp.
#include "kernel/ipc/robust_list.hpp"

#include "kernel/ipc/futex.hpp"

namespace {

constexpr uint32_t kInheritsPriority = 1;  // in a link: who waits there is not on our queues

struct Head {
    uint32_t first;
    int32_t offset;    // from a link to its futex word
    uint32_t pending;  // being taken or released: maybe not on the list
};
static_assert(sizeof(Head) == kRobustHeadBytes);

uint32_t address_of(uint32_t link) { return link & ~kInheritsPriority; }

// Stops the walk at memory that can't be read or written.
Result<void> release(uint32_t link, int32_t offset, int tid, bool pending) {
    const UserPtr<uint32_t> word(address_of(link) + static_cast<uint32_t>(offset));
    const FutexKey key = TRY(futex_key(word.address(), false));
    const bool wakes = !(link & kInheritsPriority);
    uint32_t seen = TRY(read_user(word));
    while ((seen & kFutexOwner) == static_cast<uint32_t>(tid)) {
        const uint32_t now =
            TRY(exchange_user_if(word, seen, (seen & kFutexWaiters) | kFutexOwnerDied));
        if (now == seen) {
            if (wakes && (seen & kFutexWaiters)) futex_wake(key, 1);
            return {};
        }
        seen = now;
    }
    // It was released, but its owner died before it could wake anybody.
    if (pending && wakes && !seen) futex_wake(key, 1);
    return {};
}

Result<void> walk(const Head& head, uint32_t end, int tid) {
    uint32_t link = head.first;
    for (uint32_t i = 0; i < kMostRobustEntries && address_of(link) != end; ++i) {
        // The next one first: who gets this one may take it off the list.
        Result<uint32_t> next = read_user(UserPtr<uint32_t>(address_of(link)));
        if (address_of(link) != address_of(head.pending))
            TRY(release(link, head.offset, tid, false));
        link = TRY(std::move(next));
    }
    return {};
}

}  // namespace

void release_robust_list(uint32_t at, int tid) {
    const Result<Head> head = read_user(UserPtr<Head>(at));
    if (head.is_error()) return;
    static_cast<void>(walk(head.value(), at, tid));
    const Head& list = head.value();
    if (list.pending) static_cast<void>(release(list.pending, list.offset, tid, true));
}
