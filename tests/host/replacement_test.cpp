// sources:
// The replacement policies: the runs of the course note, victim by victim, and random strings
// against references that keep plain arrays and share no code with the policies.
#include "mm/replacers.hpp"

#include <gtest/gtest.h>

#include <algorithm>
#include <array>
#include <cstdint>
#include <optional>
#include <random>
#include <string>
#include <vector>

namespace {

constexpr int kNone = -1;
struct Load {
    int page, evicted;
    bool operator==(const Load&) const = default;
};
std::ostream& operator<<(std::ostream& to, const Load& load) {
    return to << load.page << " for " << load.evicted;
}
struct Access {
    uint32_t page;
    bool write = false;
};

// Drives a policy as the laboratory does: the frame of the victim takes the new page.
std::vector<Load> simulate(ReplacementPolicy& policy, const std::vector<Access>& accesses,
                           uint32_t frames) {
    std::vector<uint32_t> string;
    for (const Access& access : accesses) string.push_back(access.page);
    policy.set_future(string);
    std::vector<ResidentPage> table(frames);
    std::vector<Load> loads;
    for (uint32_t now = 0; now < accesses.size(); ++now) {
        const auto [page, write] = accesses[now];
        auto there = std::ranges::find_if(table, [&](const ResidentPage& resident) {
            return resident.node.linked() && resident.page == page;
        });
        if (there != table.end()) {
            policy.access(*there, write, now);
        } else {
            int evicted = kNone;
            auto room = std::ranges::find_if(
                table, [](const ResidentPage& resident) { return !resident.node.linked(); });
            ResidentPage* frame = room != table.end() ? &*room : policy.victim(now);
            if (room == table.end()) {
                evicted = static_cast<int>(frame->page);
                policy.remove(*frame);
            }
            frame->page = page;
            policy.load(*frame, write, now);
            loads.push_back({static_cast<int>(page), evicted});
        }
        while (ResidentPage* old = policy.expired(now)) policy.remove(*old);
    }
    while (policy.first()) policy.remove(*policy.first());
    return loads;
}

std::vector<Load> simulate(const char* name, const std::vector<Access>& accesses, uint32_t frames) {
    LabReplacers set;
    ReplacementPolicy* policy = set.find(name);
    EXPECT_TRUE(policy) << name;
    return simulate(*policy, accesses, frames);
}

// --- the course note

struct Example {
    std::vector<Access> string;
    uint32_t frames;
    const char* policy;
    std::vector<Load> loads;
};
const std::vector<Access> kNote = {{7}, {0}, {1}, {2}, {0}, {3}, {0}, {4}, {2}, {3},
                                   {0}, {3}, {2}, {1}, {2}, {0}, {1}, {7}, {0}, {1}};
const std::vector<Access> kBelady = {{1}, {2}, {3}, {4}, {1}, {2}, {5}, {1}, {2}, {3}, {4}, {5}};
const Example kExamples[] = {
    {kNote,
     3,
     "fifo",
     {{7, -1},
      {0, -1},
      {1, -1},
      {2, 7},
      {3, 0},
      {0, 1},
      {4, 2},
      {2, 3},
      {3, 0},
      {0, 4},
      {1, 2},
      {2, 3},
      {7, 0},
      {0, 1},
      {1, 2}}},
    {kNote,
     3,
     "lru",
     {{7, -1},
      {0, -1},
      {1, -1},
      {2, 7},
      {3, 1},
      {4, 2},
      {2, 3},
      {3, 0},
      {0, 4},
      {1, 0},
      {0, 3},
      {7, 2}}},
    {kNote, 3, "opt", {{7, -1}, {0, -1}, {1, -1}, {2, 7}, {3, 1}, {4, 0}, {0, 4}, {1, 3}, {7, 2}}},
    {kNote,
     3,
     "clock",
     {{7, -1},
      {0, -1},
      {1, -1},
      {2, 7},
      {3, 1},
      {4, 2},
      {2, 0},
      {0, 3},
      {3, 4},
      {1, 2},
      {2, 0},
      {0, 3},
      {7, 1},
      {1, 2}}},
    {kBelady,
     3,
     "fifo",
     {{1, -1}, {2, -1}, {3, -1}, {4, 1}, {1, 2}, {2, 3}, {5, 4}, {3, 1}, {4, 2}}},
    {kBelady,
     3,
     "lru",
     {{1, -1}, {2, -1}, {3, -1}, {4, 1}, {1, 2}, {2, 3}, {5, 4}, {3, 5}, {4, 1}, {5, 2}}},
    {kBelady, 3, "opt", {{1, -1}, {2, -1}, {3, -1}, {4, 3}, {5, 4}, {3, 1}, {4, 2}}},
    {kBelady,
     3,
     "clock",
     {{1, -1}, {2, -1}, {3, -1}, {4, 1}, {1, 2}, {2, 3}, {5, 4}, {3, 1}, {4, 2}}},
    {kBelady,
     4,
     "fifo",
     {{1, -1}, {2, -1}, {3, -1}, {4, -1}, {5, 1}, {1, 2}, {2, 3}, {3, 4}, {4, 5}, {5, 1}}},
    {kBelady, 4, "lru", {{1, -1}, {2, -1}, {3, -1}, {4, -1}, {5, 3}, {3, 4}, {4, 5}, {5, 1}}},
    {kBelady, 4, "opt", {{1, -1}, {2, -1}, {3, -1}, {4, -1}, {5, 4}, {4, 1}}},
    {kBelady,
     4,
     "clock",
     {{1, -1}, {2, -1}, {3, -1}, {4, -1}, {5, 1}, {1, 2}, {2, 3}, {3, 4}, {4, 5}, {5, 1}}},
};

class ReplacementExample : public testing::TestWithParam<Example> {};
TEST_P(ReplacementExample, IsReproduced) {
    const Example& example = GetParam();
    EXPECT_EQ(simulate(example.policy, example.string, example.frames), example.loads);
}
INSTANTIATE_TEST_SUITE_P(CourseNote, ReplacementExample, testing::ValuesIn(kExamples),
                         [](const testing::TestParamInfo<Example>& info) {
                             return std::string(info.param.policy) + "_" +
                                    std::to_string(info.param.string.size()) + "_" +
                                    std::to_string(info.param.frames);
                         });

TEST(Replacement, BeladyAnomaly) {
    EXPECT_EQ(simulate("fifo", kBelady, 3).size(), 9u);
    EXPECT_EQ(simulate("fifo", kBelady, 4).size(), 10u);
}

// The four classes in their order: with all used, the unmodified page first, then in circle order.
TEST(Replacement, ImprovedClockTakesClassesInOrder) {
    const std::vector<Access> string = {{1, true}, {2}, {3, true}, {4}, {5, true}, {6}};
    EXPECT_EQ(simulate("improved-clock", string, 3),
              (std::vector<Load>{{1, -1}, {2, -1}, {3, -1}, {4, 2}, {5, 3}, {6, 1}}));
}

// Many victims at once: the same ones in the same order, whether the pages were put in order first.
TEST(Replacement, PreparingChangesNoVictim) {
    std::mt19937 random(7);
    Replacers plain, prepared;
    for (uint32_t i = 0; i < Replacers::kCount; ++i) {
        ReplacementPolicy* policies[] = {&plain.at(i), &prepared.at(i)};
        constexpr uint32_t kPages = 300;
        std::array<std::array<ResidentPage, kPages>, 2> pages;
        for (uint32_t now = 0; now < 2000; ++now) {
            const uint32_t which = now < kPages ? now : random() % kPages;
            const bool tick = random() % 50 == 0, write = random() % 4 == 0;
            for (int side = 0; side < 2; ++side) {
                ResidentPage& page = pages[side][which];
                page.page = which;
                if (now < kPages)
                    policies[side]->load(page, write, now);
                else
                    policies[side]->access(page, write, now);
                if (tick) policies[side]->tick(now, nullptr);
            }
        }
        policies[1]->prepare();
        for (uint32_t left = kPages; left > 0; --left) {
            ResidentPage *first = policies[0]->victim(2000), *second = policies[1]->victim(2000);
            ASSERT_TRUE(first && second);
            ASSERT_EQ(first->page, second->page) << policies[0]->name() << ", " << left << " left";
            policies[0]->remove(*first);
            policies[1]->remove(*second);
        }
    }
}

TEST(Replacement, WorkingSetShrinks) {
    Replacers set;
    set.set_tunable("working_set_window", std::array{2u});
    const std::vector<Access> string = {{1}, {2}, {2}, {2}, {1}, {3}};
    EXPECT_EQ(simulate(set.get<WorkingSetReplacement>(), string, 3),
              (std::vector<Load>{{1, -1}, {2, -1}, {1, -1}, {3, -1}}));
}

// --- references: frames are places in an array; a table of what each policy compares

struct Frame {
    int page = kNone;
    uint32_t loaded = 0, used = 0, count = 0, history = 0;
    bool r = false, m = false;
};

class Reference {
  public:
    Reference(std::string policy, const std::vector<Access>& string, uint32_t frames)
        : policy_(std::move(policy)), string_(string), frames_(frames) {}

    std::vector<Load> run() {
        std::vector<Load> loads;
        for (now_ = 0; now_ < string_.size(); ++now_) {
            if (now_ && now_ % 4 == 0)
                for (Frame& f : frames_) f.history = f.history / 2 + (f.r ? 128 : 0), aged(f);
            const auto [page, write] = string_[now_];
            Frame* at = find(static_cast<int>(page));
            if (!at) {
                at = find(kNone);
                if (!at) at = &frames_[choose()];
                loads.push_back({static_cast<int>(page), at->page});
                *at = {static_cast<int>(page), now_, 0, 0, 0, false, false};
            }
            at->used = now_;
            ++at->count;
            at->r = true;
            at->m |= write;
            if (policy_ == "working-set")
                for (Frame& f : frames_)
                    if (f.page != kNone && now_ - f.used >= 8) f.page = kNone;
        }
        return loads;
    }

  private:
    void aged(Frame& f) const {
        if (policy_ == "ageing") f.r = false;
    }
    Frame* find(int page) {
        for (Frame& f : frames_)
            if (f.page == page) return &f;
        return nullptr;
    }
    uint64_t key(const Frame& f) const {  // the smallest goes
        if (policy_ == "fifo") return 0;
        if (policy_ == "lru" || policy_ == "working-set") return f.used;
        if (policy_ == "lfu") return f.count;
        if (policy_ == "ageing") return f.history + (f.r ? 256 : 0);
        for (size_t i = now_; i < string_.size(); ++i)  // opt
            if (static_cast<int>(string_[i].page) == f.page) return string_.size() - i;
        return 0;
    }
    size_t choose() {
        const size_t n = frames_.size();
        if (policy_ == "clock") {
            while (frames_[hand_].r) frames_[hand_].r = false, hand_ = (hand_ + 1) % n;
            return std::exchange(hand_, (hand_ + 1) % n);
        }
        if (policy_ == "improved-clock") {
            for (bool wanted = false;; wanted = !wanted)
                for (size_t i = 0; i < n; ++i) {
                    Frame& f = frames_[hand_];
                    const size_t at = std::exchange(hand_, (hand_ + 1) % n);
                    if (!f.r && f.m == wanted) return at;
                    if (wanted) f.r = false;
                }
        }
        size_t best = 0;
        for (size_t i = 1; i < n; ++i)
            if (std::pair(key(frames_[i]), frames_[i].loaded) <
                std::pair(key(frames_[best]), frames_[best].loaded))
                best = i;
        return best;
    }

    std::string policy_;
    const std::vector<Access>& string_;
    std::vector<Frame> frames_;
    size_t hand_ = 0;
    uint32_t now_ = 0;
};

class ReplacementRandom : public testing::TestWithParam<const char*> {};
TEST_P(ReplacementRandom, AgreesWithTheReference) {
    std::mt19937 random(4);
    for (int round = 0; round < 200; ++round) {
        std::vector<Access> string;
        const uint32_t pages = 2 + random() % 10, frames = 1 + random() % 6;
        for (uint32_t i = 10 + random() % 90; i > 0; --i)
            string.push_back({static_cast<uint32_t>(random()) % pages, random() % 3 == 0});
        ASSERT_EQ(simulate(GetParam(), string, frames), Reference(GetParam(), string, frames).run())
            << "round " << round;
    }
}
INSTANTIATE_TEST_SUITE_P(Policies, ReplacementRandom,
                         testing::Values("fifo", "lru", "ageing", "lfu", "clock", "improved-clock",
                                         "opt", "working-set"),
                         [](const testing::TestParamInfo<const char*>& info) {
                             std::string name = info.param;
                             std::ranges::replace(name, '-', '_');
                             return name;
                         });

}  // namespace
