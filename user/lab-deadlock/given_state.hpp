// A state that the banker judges, with the requests that are made in it: the note's, one's own, or one at random.
#pragma once

#include <string>
#include <vector>

#include "user/lab-deadlock/lab.hpp"

struct Asked {
    size_t process;
    Row units;
};
struct Example {
    std::vector<std::string> names;
    Row available;
    std::vector<Row> max, held;
    std::vector<Asked> requests;
    size_t processes() const { return max.size(); }
};

struct Parsed {
    Example example;
    bool json = false;
};
// What the command line asks for: its own state, or `example`. A state that cannot be ends the program.
Parsed parse(Example example, const char* help, int argc, char** argv);
