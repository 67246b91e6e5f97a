// Which process waits for which, told by what makes them wait: file locks, semaphores used as mutexes, futexes whose
// word names its owner. kernel/deadlock collects the edges and looks for cycles. The interface lies
// here because the lowest of those that tell is here.
// Locks: none; sources are added at start-up only, each takes its own lock while it tells.
#pragma once

#include "kernel/lib/format.hpp"

class WaitEdges {
  public:
    // The process (or thread) `waiter` cannot go on before `holder` does something. `what` must
    // live forever; `which` says which of its kind.
    virtual void add(int waiter, int holder, const char* what, uint32_t which) = 0;

  protected:
    ~WaitEdges() = default;
};

// For the trace: the running thread begins to wait so. Installed at start-up.
inline void (*wait_begins)(int holder, const char* what, uint32_t which) = nullptr;

struct WaitEdgeSource {
    void (*tell)(WaitEdges& to);
    WaitEdgeSource* next = nullptr;
};
inline constinit WaitEdgeSource* wait_edge_sources = nullptr;
inline void add_wait_edge_source(WaitEdgeSource& source) {
    source.next = wait_edge_sources;
    wait_edge_sources = &source;
}
