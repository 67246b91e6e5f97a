// EntryQueue: numbers that wait, first come first, as the kernel's cores of semaphores and monitors want
// their queues (kernel/sync/semaphore_core.hpp, monitor_core.hpp).
#pragma once

#include <deque>
#include <string>

namespace lab {

struct EntryQueue {
    using Entry = int;  // 0: none
    std::deque<int> waiting;
    void push(Entry entry) { waiting.push_back(entry); }
    Entry pop() {
        if (waiting.empty()) return 0;
        const Entry first = waiting.front();
        waiting.pop_front();
        return first;
    }
    unsigned size() const { return static_cast<unsigned>(waiting.size()); }
    std::string text() const {
        std::string names;
        for (int entry : waiting) names += (names.empty() ? "" : ",") + std::to_string(entry);
        return names.empty() ? "-" : names;
    }
};

}  // namespace lab
