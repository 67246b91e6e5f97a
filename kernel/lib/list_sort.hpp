// Sorts an intrusive list by a key, smallest first; of equals, the one that was first stays first. Merge
// sort, bottom up, without memory of its own: O(n log n).
#pragma once

#include <cstdint>

#include "kernel/lib/list.hpp"

// Into `late`; of equals those of `early` come first.
template <typename Items, typename Key>
void merge_lists(Items& early, Items& late, Key&& key) {
    Items both{};
    while (!early.empty() && !late.empty())
        both.push_back(key(*late.front()) < key(*early.front()) ? *late.pop_front()
                                                                : *early.pop_front());
    both.splice_back(early);
    both.splice_back(late);
    late.splice_back(both);
}

template <typename Items, typename Key>
void sort_list(Items& items, Key&& key) {
    Items runs[32] = {};  // runs[i] is empty or has 2^i elements
    uint32_t used = 0;
    while (auto* item = items.pop_front()) {
        Items run{};
        run.push_back(*item);
        uint32_t i = 0;
        for (; !runs[i].empty(); ++i) merge_lists(runs[i], run, key);
        runs[i].splice_back(run);
        used = i >= used ? i + 1 : used;
    }
    for (uint32_t i = 0; i < used; ++i) merge_lists(runs[i], items, key);
}
