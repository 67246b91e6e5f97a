// The parts of lab-process: each takes its words, and prints a line for each thing that it looked at.
#pragma once

#include <sys/types.h>

#include <algorithm>
#include <string>
#include <vector>

using Words = std::vector<std::string>;

// states.cpp
void changes(const Words& words);
void walk(const Words& words);
void suspended(const Words& words);
// family.cpp
void ends(const Words& words);
void zombie(const Words& words);
void orphan(const Words& words);
void waking(const Words& words);
void select_children(const Words& words);
void news(const Words& words);
void times(const Words& words);

// main.cpp
pid_t fork_or_fail();
void say_step(const std::string& text);  // an event of the trace, at which a debugger can stop
