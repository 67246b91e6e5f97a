// Runs that are the same each time, act by act: what lab 4 is judged by.
#pragma once

#include <string>
#include <vector>

// order A:yy B:jA ...: threads N:1; y yields, jB joins B. A line for each thing that happens.
int run_order(const std::vector<std::string>& words);
// mutex A.lock B.lock A.unlock ...: kernel threads and a FutexMutex, and who sleeps.
int run_mutex(const std::vector<std::string>& words);
// count ROUNDS: four kernel threads count together under a FutexMutex.
int run_count(const std::vector<std::string>& words);
