// Stride: proportional share. Each entity has a virtual time (`pass`) that advances by its CPU time
// divided by its weight; the one furthest behind is next, for one quantum. Those that stay ready
// get CPU time in proportion to their weights, to within a quantum. Weights fall by a fifth with
// each nice value. An entity that sleeps saves nothing up: it comes back at the queue's own virtual
// time, which is that of the entity picked last. Every operation O(log n).
// Spec: Waldspurger, Weihl, Stride scheduling: deterministic proportional-share resource
// management (1995).
#pragma once

#include <algorithm>
#include <array>

#include "kernel/sched/policies/fair_policy.hpp"

class Stride : public FairPolicy {
  public:
    static constexpr std::string_view kName = "stride";
    static constexpr uint32_t kWeightOfNice0 = 1024;
    static constexpr int kLeastNice = -20;
    static constexpr std::array<uint32_t, 40> kWeights = [] {
        std::array<uint32_t, 40> weights{};
        uint64_t scaled = uint64_t{kWeightOfNice0} << 20;
        for (int i = 0; i < -kLeastNice; ++i) scaled = scaled * 5 / 4;
        for (uint32_t& weight : weights) {
            weight = static_cast<uint32_t>(scaled >> 20);
            scaled = scaled * 4 / 5;
        }
        weights[-kLeastNice] = kWeightOfNice0;
        return weights;
    }();

    struct Tunables {
        Tunable quantum{.name = "stride_quantum_us",
                        .meaning = "length of a turn",
                        .least = 100,
                        .values = {10'000}};
    } tunables;

    Nanoseconds turn_end(const SchedEntity& running) const override {
        return running.end_of(tunables.quantum.ns());
    }

  protected:
    void join(SchedEntity& entity, bool) override {
        entity.slot.emplace<Share>().pass = virtual_time_;
        entity.turn_used = 0;
    }
    void insert(SchedEntity& entity, ReadyReason reason, Nanoseconds) override {
        uint64_t& pass = entity.slot.as<Share>().pass;
        pass += entity.turn_used * kWeightOfNice0 / kWeights[entity.nice - kLeastNice];
        entity.turn_used = 0;
        if (reason == ReadyReason::woken) pass = std::max(pass, virtual_time_);
        entity.key = static_cast<int64_t>(pass);
        queue_.insert(entity);
    }
    void remove(SchedEntity& entity) override { queue_.remove(entity); }
    SchedEntity* take(Nanoseconds) override {
        SchedEntity* next = queue_.first();
        queue_.remove(*next);
        virtual_time_ = std::max(virtual_time_, next->slot.as<Share>().pass);
        return next;
    }

  private:
    struct Share {
        uint64_t pass = 0;
    };

    EntityTree queue_;
    uint64_t virtual_time_ = 0;
};
