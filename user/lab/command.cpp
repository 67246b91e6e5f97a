// See command.hpp.
#include "user/lab/command.hpp"

#include <algorithm>
#include <cerrno>
#include <cstdarg>
#include <cstdio>
#include <cstdlib>
#include <cstring>
#include <fstream>

namespace lab {

namespace {

[[noreturn]] void complain(int status, const char* format, va_list arguments) {
    fflush(stdout);
    fprintf(stderr, "%s: ", program_invocation_short_name);
    vfprintf(stderr, format, arguments);
    fputc('\n', stderr);
    exit(status);
}

bool asks_for_help(const std::string& word) { return word == "--help" || word == "-h"; }

[[noreturn]] void give_help(const char* help) {
    fputs(help, stdout);
    exit(0);
}

}  // namespace

void fail(const char* format, ...) {
    va_list arguments;
    va_start(arguments, format);
    complain(1, format, arguments);
}

void refuse(const char* format, ...) {
    va_list arguments;
    va_start(arguments, format);
    complain(2, format, arguments);
}

std::vector<std::string> split(const std::string& text, const char* separators) {
    std::vector<std::string> parts;
    for (size_t at = 0; at <= text.size();) {
        const size_t end = std::min(text.find_first_of(separators, at), text.size());
        parts.push_back(text.substr(at, end - at));
        at = end + 1;
    }
    return parts;
}

std::string join(const std::vector<std::string>& words) {
    std::string text;
    for (const std::string& word : words) text += (text.empty() ? "" : " ") + word;
    return text;
}

long number(const char* what, const std::string& text, long least, long most) {
    char* end;
    errno = 0;
    const long value = strtol(text.c_str(), &end, 10);
    if (text.empty() || *end || errno || value < least || value > most)
        refuse("%s wants a number from %ld to %ld, not '%s'", what, least, most, text.c_str());
    return value;
}

std::vector<long> numbers(const char* what, const std::string& text, long least, long most) {
    std::vector<long> all;
    for (const std::string& part : split(text, ",")) all.push_back(number(what, part, least, most));
    return all;
}

const std::string& one_of(const char* what, const std::string& text,
                          const std::vector<std::string>& names) {
    for (const std::string& name : names)
        if (name == text) return text;
    refuse("%s wants one of: %s; not '%s'", what, join(names).c_str(), text.c_str());
}

std::vector<std::string> lines_of(const std::string& file) {
    std::ifstream stream(file);
    if (!stream) fail("%s: %s", file.c_str(), strerror(errno));
    std::vector<std::string> lines;
    for (std::string line; std::getline(stream, line);) {
        line.resize(std::min(line.find('#'), line.size()));
        if (line.find_first_not_of(" \t\r") != line.npos) lines.push_back(line);
    }
    return lines;
}

Command& Command::act(const char* name, std::function<void(const std::string&)> take) {
    options_.push_back({name, true, std::move(take)});
    return *this;
}
Command& Command::flag(const char* name, bool& to) {
    options_.push_back({name, false, [&to](const std::string&) { to = true; }});
    return *this;
}
Command& Command::number(const char* name, long& to, long least, long most) {
    return act(name,
               [=, &to](const std::string& text) { to = lab::number(name, text, least, most); });
}
Command& Command::numbers(const char* name, std::vector<long>& to, long least, long most) {
    return act(name,
               [=, &to](const std::string& text) { to = lab::numbers(name, text, least, most); });
}
Command& Command::text(const char* name, std::string& to) {
    return act(name, [&to](const std::string& text) { to = text; });
}
Command& Command::choice(const char* name, std::string& to, std::vector<std::string> names) {
    return act(name, [=, &to](const std::string& text) { to = one_of(name, text, names); });
}
Command& Command::random(long& count, long most, long& seed) {
    number("--random", count, 1, most);
    return number("--seed", seed, 0, 2'147'483'647);
}

const Command::Option& Command::find(const std::string& name) const {
    std::vector<std::string> names;
    for (const Option& option : options_) {
        if (option.name == name) return option;
        names.push_back(option.name);
    }
    refuse("no option '%s'; there are: %s --help", name.c_str(), join(names).c_str());
}

std::vector<std::string> Command::parse(int argc, char** argv) const {
    std::vector<std::string> words;
    for (int i = 1; i < argc; ++i) {
        const std::string word = argv[i];
        if (asks_for_help(word)) give_help(help_);
        if (!word.starts_with("--")) {
            words.push_back(word);
            continue;
        }
        const size_t equals = word.find('=');
        const Option& option = find(word.substr(0, equals));
        if (!option.has_value && equals != word.npos)
            refuse("%s takes no value", option.name.c_str());
        if (!option.has_value)
            option.take("");
        else if (equals != word.npos)
            option.take(word.substr(equals + 1));
        else if (i + 1 < argc)
            option.take(argv[++i]);
        else
            refuse("%s wants a value; see --help", option.name.c_str());
    }
    return words;
}

int run_part(const char* help, std::initializer_list<Part> parts, int argc, char** argv) {
    if (argc > 1 && asks_for_help(argv[1])) give_help(help);
    std::string names;
    for (const Part& part : parts) {
        if (argc > 1 && !strcmp(argv[1], part.name)) return part.run(argc - 1, argv + 1);
        names += std::string(" ") + part.name;
    }
    if (argc > 1) refuse("there is no '%s'; one of:%s (--help tells more)", argv[1], names.c_str());
    fputs(help, stderr);
    return 2;
}

}  // namespace lab
