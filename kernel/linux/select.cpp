// select and its variants, which poll() outgrew. Spec: select(2).
#include <bit>

#include "kernel/syscall/wait_for_files.hpp"

struct SelectArguments {  // of call 82
    int32_t count;
    uint32_t sets[3];
    uint32_t time;
};
struct SelectMask {  // pselect6's last argument
    uint32_t mask, bytes;
};

namespace {

// Three sets of descriptors, for reading, writing and exceptions: what is asked, what was found.
class SelectSets {
  public:
    Result<void> load(int count, const UserPtr<uint32_t> (&sets)[3]) {
        if (count < 0) return Errno::inval;
        auto limit = static_cast<int>(current_process().fd_limit());
        count_ = count < limit ? count : limit;
        words_ = (static_cast<uint32_t>(count_) + 31) / 32;
        TRY(bits_.resize(words_ * 6));
        for (uint32_t i = 0; i < 6 * words_; ++i) bits_[i] = 0;
        for (uint32_t set = 0; set < 3; ++set)
            if (sets[set])
                TRY(copy_from_user(&bits_[set * words_], sets[set].address(), words_ * 4));
        return {};
    }

    Result<uint32_t> check(JoinedQueues* table) {
        constexpr uint32_t kMeaning[3] = {kPollIn | kPollHangUp | kPollError, kPollOut | kPollError,
                                          kPollPriority};
        uint32_t found = 0;
        for (uint32_t word = 0; word < words_; ++word) {
            const uint32_t* asked = &bits_[word];
            uint32_t left = asked[0] | asked[words_] | asked[2 * words_];
            if (count_ < static_cast<int>(word + 1) * 32) left &= (1u << count_ % 32) - 1;
            for (; left; left &= left - 1) {
                const int at = std::countr_zero(left);
                const uint32_t state = TRY(ready_on(static_cast<int>(word) * 32 + at, table));
                for (uint32_t set = 0; set < 3; ++set) {
                    if (!(state & kMeaning[set]) || !(asked[set * words_] >> at & 1)) continue;
                    bits_[(set + 3) * words_ + word] |= 1u << at;
                    ++found;
                    table = nullptr;
                }
            }
        }
        return found;
    }

    Result<void> store(const UserPtr<uint32_t> (&sets)[3]) {
        for (uint32_t set = 0; set < 3; ++set)
            if (sets[set])
                TRY(copy_to_user(sets[set].address(), &bits_[(set + 3) * words_], words_ * 4));
        return {};
    }

  private:
    int count_ = 0;
    uint32_t words_ = 0;
    SmallArray<uint32_t, 6 * 8> bits_;
};

Result<uint32_t> select_files(int count, const UserPtr<uint32_t> (&user)[3], Timeout timeout) {
    SelectSets sets;
    TRY(sets.load(count, user));
    uint32_t ready =
        TRY(wait_for_files(timeout, [&](JoinedQueues* table) { return sets.check(table); }));
    TRY(sets.store(user));
    return ready;
}

}  // namespace

Result<uint32_t> sys_select(int count, UserPtr<uint32_t> in, UserPtr<uint32_t> out,
                            UserPtr<uint32_t> except, UserPtr<TimeVal32> time) {
    Timeout timeout = TRY(timeout_from(time));
    return tell_time_left(time, timeout, select_files(count, {in, out, except}, timeout));
}

Result<uint32_t> sys_old_select(UserPtr<const SelectArguments> from) {
    SelectArguments a = TRY(read_user(from));
    return sys_select(a.count, UserPtr<uint32_t>(a.sets[0]), UserPtr<uint32_t>(a.sets[1]),
                      UserPtr<uint32_t>(a.sets[2]), UserPtr<TimeVal32>(a.time));
}

template <typename T>
Result<uint32_t> sys_pselect6(int count, UserPtr<uint32_t> in, UserPtr<uint32_t> out,
                              UserPtr<uint32_t> except, UserPtr<T> time,
                              UserPtr<const SelectMask> mask) {
    Timeout timeout = TRY(timeout_from(time));
    SelectMask wanted{};
    if (mask) wanted = TRY(read_user(mask));
    bool masked = TRY(apply_mask(UserPtr<const SignalSet>(wanted.mask), wanted.bytes));
    return tell_time_left(time, timeout,
                          finish_mask(masked, select_files(count, {in, out, except}, timeout)));
}

constexpr SystemCall kSelectCalls[] = {
    CALL(82, select, sys_old_select),
    CALL(142, _newselect, sys_select),
    CALL(308, pselect6, sys_pselect6<TimeSpec32>),
    CALL(413, pselect6_time64, sys_pselect6<TimeSpec64>),
};
SYSTEM_CALLS(kSelectCalls);
