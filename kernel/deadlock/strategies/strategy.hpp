// A strategy against deadlock: what becomes of a request. It is asked once when a party makes a request,
// and again for those that wait whenever something was given back. Chosen by name (docs/deadlock.md).
// Pure. The request is in the table, as the party's `wanted`.
#pragma once

#include "kernel/deadlock/resource_table.hpp"
#include "kernel/lib/policy_list.hpp"

enum class Answer : uint8_t {
    granted,
    unavailable,  // waits: more than is free
    unsafe,       // waits: no safe sequence would be left
    refused,      // against the rules of the strategy: the request fails
    gives_back,   // waits, and what it holds is taken from it and added to what it waits for
};

class Strategy {
  public:
    virtual std::string_view name() const = 0;
    // For the banker the table is changed while it tries, and as before when it returns.
    virtual Answer decide(ResourceTable& table, uint32_t party) const = 0;
    virtual bool detects() const { return false; }

  protected:
    ~Strategy() = default;

    static Answer if_free(const ResourceTable& table, uint32_t p) {
        return table.wanted_available(p) ? Answer::granted : Answer::unavailable;
    }
};
