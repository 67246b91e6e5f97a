// Which edges of a wait-for graph lie on a cycle: those within a strongly connected component. O(E log E)
// time, and no recursion, as users decide how long chains get.
// Pure; an Edge has `waiter`, `holder` (any numbers) and `in_cycle`, which is set. Spec: Tarjan,
// "Depth-first search and linear graph algorithms" (SIAM J. Comput. 1, 1972).
#pragma once

#include <algorithm>
#include <span>

#include "kernel/lib/vector.hpp"

template <typename Edge>
class CycleFinder {
  public:
    // Sorts the edges by their waiters, too. ENOMEM.
    static Result<void> mark(std::span<Edge> edges) {
        CycleFinder finder(edges);
        TRY(finder.number_nodes());
        for (uint32_t root = 0; root < finder.nodes_.size(); ++root)
            if (!finder.nodes_[root].order) finder.search(root);
        for (Edge& edge : edges)
            edge.in_cycle =
                finder.node(edge.waiter).component == finder.node(edge.holder).component;
        return {};
    }

  private:
    struct Node {
        int id = 0;
        uint32_t edge = 0;                  // the next one to follow
        uint32_t order = 0, low = 0;        // 0: not met yet
        uint32_t component = 0;             // 0: still open
        uint32_t parent = 0, below = kEnd;  // in the search; on the stack of open ones
    };
    static constexpr uint32_t kEnd = UINT32_MAX;

    explicit CycleFinder(std::span<Edge> edges) : edges_(edges) {
        std::sort(edges.begin(), edges.end(),
                  [](const Edge& a, const Edge& b) { return a.waiter < b.waiter; });
    }
    Result<void> number_nodes() {
        Vector<int> ids;
        for (const Edge& edge : edges_) {
            TRY(ids.push_back(edge.waiter));
            TRY(ids.push_back(edge.holder));
        }
        std::span<int> all = ids.span();
        std::sort(all.begin(), all.end());
        const auto count = std::unique(all.begin(), all.end()) - all.begin();
        TRY(nodes_.resize(static_cast<uint32_t>(count)));
        for (uint32_t i = 0, edge = 0; i < nodes_.size(); ++i) {
            while (edge < edges_.size() && edges_[edge].waiter < all[i]) ++edge;
            nodes_[i].id = all[i];
            nodes_[i].edge = edge;
        }
        return {};
    }
    uint32_t index_of(int id) {
        std::span<Node> all = nodes_.span();
        auto at = std::lower_bound(all.begin(), all.end(), id,
                                   [](const Node& n, int wanted) { return n.id < wanted; });
        return static_cast<uint32_t>(at - all.begin());
    }
    Node& node(int id) { return nodes_[index_of(id)]; }

    void open(uint32_t at, uint32_t parent) {
        Node& n = nodes_[at];
        n.order = n.low = ++met_;
        n.parent = parent;
        n.below = top_;
        top_ = at;
    }
    // All that are above it on the stack reach it, and it reaches them.
    void close(uint32_t at) {
        for (uint32_t last = kEnd; last != at;) {
            last = top_;
            top_ = nodes_[last].below;
            nodes_[last].component = nodes_[at].order;
        }
    }
    void search(uint32_t root) {
        open(root, root);
        for (uint32_t at = root;;) {
            Node& n = nodes_[at];
            if (n.edge < edges_.size() && edges_[n.edge].waiter == n.id) {
                const uint32_t next = index_of(edges_[n.edge++].holder);
                if (!nodes_[next].order) {
                    open(next, at);
                    at = next;
                } else if (!nodes_[next].component) {
                    n.low = std::min(n.low, nodes_[next].order);
                }
                continue;
            }
            if (n.low == n.order) close(at);
            if (at == root) return;
            nodes_[n.parent].low = std::min(nodes_[n.parent].low, n.low);
            at = n.parent;
        }
    }

    std::span<Edge> edges_;
    Vector<Node> nodes_;  // by id
    uint32_t met_ = 0, top_ = kEnd;
};
