// What to do about deadlock, as classes chosen by name (docs/deadlock.md). A strategy is asked once
// when a party makes a request, and again for those that wait whenever something was given back.
//   none           grants what is free
//   all-at-once    prevention, no hold and wait: a request must be the whole claim, made with empty
//                  hands
//   release-first  prevention, no hold and wait: whoever holds something must release it before it
//                  asks for more
//   preempt        prevention, no "no preemption": whoever would have to wait gives back what it
//                  holds, and waits for all of it together
//   ordered        prevention, no circular wait: only types with numbers above all that are held
//   banker         avoidance: grants only what leaves the state safe
//   detect         like none; deadlocks are looked for, and recovered from (recovery.hpp)
// Pure. `table` has the request as the party's `wanted`.
#pragma once

#include "kernel/deadlock/resource_table.hpp"

enum class Answer : uint8_t {
    granted,
    unavailable,  // waits: more than is free
    unsafe,       // waits: no safe sequence would be left
    refused,      // against the rules of the strategy: the request fails
    gives_back,   // waits, and what it holds is taken from it and added to what it waits for
};
std::string_view answer_text(Answer answer);

class Strategy {
  public:
    virtual std::string_view name() const = 0;
    // For the banker the table is changed while it tries, and as before when it returns.
    virtual Answer decide(ResourceTable& table, uint32_t party) const = 0;
    virtual bool detects() const { return false; }

  protected:
    ~Strategy() = default;
};

constexpr uint32_t kStrategies = 7;
const Strategy& strategy(uint32_t index);
const Strategy* find_strategy(std::string_view name);  // null: no such name
