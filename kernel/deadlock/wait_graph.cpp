// See wait_graph.hpp.
#include "kernel/deadlock/wait_graph.hpp"

#include "fs/wait_edges.hpp"
#include "kernel/deadlock/cycles.hpp"
#include "kernel/deadlock/manager.hpp"
#include "kernel/lib/log.hpp"
#include "kernel/lib/vector.hpp"
#include "kernel/trace/trace.hpp"

namespace {

struct Edge {
    int waiter, holder;
    const char* what;
    uint32_t which;
    bool in_cycle = false;
};

class Collected final : public WaitEdges {
  public:
    Collected() {
        for (WaitEdgeSource* s = wait_edge_sources; s; s = s->next) s->tell(*this);
        // Without the memory for it nothing is called a cycle.
        static_cast<void>(CycleFinder<Edge>::mark(edges.span()));
    }
    void add(int waiter, int holder, const char* what, uint32_t which) override {
        static_cast<void>(edges.push_back({waiter, holder, what, which}));
    }
    Vector<Edge> edges;

    uint32_t in_cycles() const {
        uint32_t count = 0;
        for (const Edge& edge : edges) count += edge.in_cycle;
        return count;
    }
    // How many wait for it.
    uint32_t cost(int node) const {
        uint32_t count = 0;
        for (const Edge& edge : edges) count += edge.holder == node;
        return count;
    }
};

}  // namespace

void show_wait_graph(TextSink& to) {
    Collected graph;
    bool any = false;
    for (const Edge& e : graph.edges) {
        format_to(to, "waits {} for {}: {} {}{}\n", e.waiter, e.holder, e.what, e.which,
                  e.in_cycle ? " (in a cycle)" : "");
        any |= e.in_cycle;
    }
    if (any) to.put("deadlock among processes\n");
}

void draw_wait_graph(TextSink& to) {
    Collected graph;
    for (const Edge& e : graph.edges)
        format_to(to, "  t{} -> t{} [label=\"{} {}\"{}];\n", e.waiter, e.holder, e.what, e.which,
                  e.in_cycle ? " color=red" : "");
}

bool break_wait_cycle() {
    Collected graph;
    int victim = 0;
    uint32_t least = UINT32_MAX;
    for (const Edge& edge : graph.edges) {
        if (!edge.in_cycle) continue;
        const uint32_t cost = graph.cost(edge.waiter);
        if (cost > least || (cost == least && edge.waiter < victim)) continue;
        victim = edge.waiter;
        least = cost;
    }
    if (!victim) return false;
    trace<TraceType::victim_event>(static_cast<uint32_t>(victim), least, graph.in_cycles(),
                                   trace_text("fewest wait for it"));
    log_info("deadlock: {} is ended, for which {} wait, the fewest of {} in a cycle", victim, least,
             graph.in_cycles());
    if (kill_deadlock_victim) kill_deadlock_victim(victim);
    return true;
}
