// The command line of the lab programs: options, numbers with their range, choices with their names.
// --help prints the help on standard output and ends with status 0. A wrong word ends with status 2
// and one line that says what was wrong and what would be right.
#pragma once

#include <functional>
#include <initializer_list>
#include <string>
#include <vector>

namespace lab {

// "PROGRAM: ..." on standard error. Status 1: the machine did not do it; 2: the arguments.
[[noreturn]] void fail(const char* format, ...) __attribute__((format(printf, 1, 2)));
[[noreturn]] void refuse(const char* format, ...) __attribute__((format(printf, 1, 2)));

std::vector<std::string> split(const std::string& text, const char* separators);
std::string join(const std::vector<std::string>& words);  // with blanks
long number(const char* what, const std::string& text, long least, long most);
std::vector<long> numbers(const char* what, const std::string& text, long least, long most);
// `text` if it is one of `names`.
const std::string& one_of(const char* what, const std::string& text,
                          const std::vector<std::string>& names);
// The lines of a file, without comments (#) and empty ones.
std::vector<std::string> lines_of(const std::string& file);

class Command {
  public:
    explicit Command(const char* help) : help_(help) {}
    Command& flag(const char* name, bool& to);
    Command& number(const char* name, long& to, long least, long most);
    Command& numbers(const char* name, std::vector<long>& to, long least, long most);
    Command& text(const char* name, std::string& to);
    Command& choice(const char* name, std::string& to, std::vector<std::string> names);
    Command& act(const char* name, std::function<void(const std::string&)> take);
    // --random N and --seed S: an input of N things, the same one for the same seed.
    Command& random(long& count, long most, long& seed);
    // The words that are no options.
    std::vector<std::string> parse(int argc, char** argv) const;

  private:
    struct Option {
        std::string name;
        bool has_value;
        std::function<void(const std::string&)> take;
    };
    const Option& find(const std::string& name) const;

    const char* help_;
    std::vector<Option> options_;
};

// A program of several parts: the first word names the part that gets the rest.
struct Part {
    const char* name;
    int (*run)(int argc, char** argv);
};
int run_part(const char* help, std::initializer_list<Part> parts, int argc, char** argv);

}  // namespace lab
