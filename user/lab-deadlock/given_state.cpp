// See given_state.hpp.
#include "user/lab-deadlock/given_state.hpp"

#include <algorithm>
#include <sstream>

#include "user/lab/random.hpp"

namespace {

constexpr long kMostUnits = 1'000'000;

Row row_of(const char* what, const std::string& text, const char* separators) {
    Row row;
    for (const std::string& word : lab::split(text, separators))
        if (!word.empty())
            row.push_back(static_cast<uint32_t>(lab::number(what, word, 0, kMostUnits)));
    return row;
}

std::vector<Row> matrix_of(const char* what, const std::string& text) {
    std::vector<Row> rows;
    for (const std::string& row : lab::split(text, "/;")) rows.push_back(row_of(what, row, ", "));
    return rows;
}

size_t process_named(const Example& of, const std::string& name) {
    lab::one_of("a request's process", name, of.names);
    return static_cast<size_t>(std::ranges::find(of.names, name) - of.names.begin());
}

void read_file(Example& of, const std::string& file) {
    std::vector<std::pair<std::string, std::string>> requests;
    for (const std::string& line : lab::lines_of(file)) {
        std::istringstream words(line);
        std::string first;
        words >> first;
        std::string rest;
        std::getline(words, rest);
        const size_t max = rest.find("max"), allocation = rest.find("allocation");
        if (first == "available") {
            of.available = row_of("available", rest, " \t,");
        } else if (first == "request") {
            std::istringstream asked(rest);
            std::string name, units;
            asked >> name;
            std::getline(asked, units);
            requests.emplace_back(name, units);
        } else if (max != rest.npos && allocation != rest.npos && max < allocation) {
            of.names.push_back(first);
            of.max.push_back(row_of("max", rest.substr(max + 3, allocation - max - 3), " \t,"));
            of.held.push_back(row_of("allocation", rest.substr(allocation + 10), " \t,"));
        } else {
            lab::refuse(
                "%s: a line is `available ...`, `NAME max ... allocation ...` or "
                "`request NAME ...`; not '%s'",
                file.c_str(), line.c_str());
        }
    }
    for (const auto& [name, units] : requests)
        of.requests.push_back({process_named(of, name), row_of("request", units, " \t,")});
}

void check(const Example& of) {
    const size_t types = of.available.size();
    if (!types || of.max.empty() || of.max.size() != of.held.size())
        lab::refuse("wanted: --available, --max and --allocation, the latter with as many rows");
    auto wrong = [&](const Row& row) { return row.size() != types; };
    if (std::ranges::any_of(of.max, wrong) || std::ranges::any_of(of.held, wrong) ||
        std::ranges::any_of(of.requests, [&](const Asked& a) { return wrong(a.units); }))
        lab::refuse("each row has %zu number%s, as many as there are available", types,
                    types == 1 ? "" : "s");
    for (size_t t = 0; t < types; ++t) {
        uint32_t total = of.available[t];
        for (const Row& held : of.held) total += held[t];
        if (!total) lab::refuse("there is no unit of type %zu at all", t);
        for (size_t p = 0; p < of.processes(); ++p) {
            if (of.held[p][t] > of.max[p][t])
                lab::refuse("%s holds more than its maximum", of.names[p].c_str());
            if (of.max[p][t] > total)
                lab::refuse("%s may want %u of a type of which there are %u", of.names[p].c_str(),
                            of.max[p][t], total);
        }
    }
}

Example random_example(long count, long seed) {
    lab::Random random(seed);
    const long types = random.between(1, 4);
    Example of;
    Row total;
    for (long t = 0; t < types; ++t) {
        total.push_back(static_cast<uint32_t>(random.between(3, 12)));
        of.available.push_back(total.back());
    }
    for (long p = 0; p < count; ++p) {
        Row max, held;
        for (size_t t = 0; t < total.size(); ++t) {
            max.push_back(static_cast<uint32_t>(random.between(0, total[t])));
            const long most = std::min(max[t], (of.available[t] + 1) / 2);
            held.push_back(static_cast<uint32_t>(random.between(0, most)));
            of.available[t] -= held[t];
        }
        of.names.push_back("P" + std::to_string(p));
        of.max.push_back(max);
        of.held.push_back(held);
    }
    for (long i = 0; i < 4; ++i) {
        const size_t p = static_cast<size_t>(random.between(0, count - 1));
        Row units;
        for (size_t t = 0; t < total.size(); ++t)
            units.push_back(static_cast<uint32_t>(random.between(0, of.max[p][t] - of.held[p][t])));
        of.requests.push_back({p, units});
    }
    return of;
}

}  // namespace

Parsed parse(Example example, const char* help, int argc, char** argv) {
    Parsed parsed;
    Example own;
    std::vector<std::string> requests;
    long random = 0, seed = 1;
    const auto words =
        lab::Command(help)
            .act("--available",
                 [&](const std::string& text) { own.available = row_of("--available", text, ","); })
            .act("--max", [&](const std::string& text) { own.max = matrix_of("--max", text); })
            .act("--allocation",
                 [&](const std::string& text) { own.held = matrix_of("--allocation", text); })
            .act("--request", [&](const std::string& text) { requests.push_back(text); })
            .act("--file", [&](const std::string& name) { read_file(own, name); })
            .random(random, 50, seed)
            .flag("--json", parsed.json)
            .parse(argc, argv);
    if (!words.empty()) lab::refuse("no arguments but options; not '%s'", words[0].c_str());
    if (random) own = random_example(random, seed);
    const bool mine = !own.available.empty() || !own.max.empty() || !own.held.empty();
    for (size_t p = 0; mine && own.names.size() < own.max.size(); ++p)
        own.names.push_back("P" + std::to_string(p));
    Example& of = parsed.example = mine ? own : std::move(example);
    if (!requests.empty()) of.requests.clear();
    for (const std::string& text : requests) {
        const auto parts = lab::split(text, ":");
        if (parts.size() != 2) lab::refuse("a request is like P1:1,0,2; not '%s'", text.c_str());
        of.requests.push_back({process_named(of, parts[0]), row_of("--request", parts[1], ",")});
    }
    check(of);
    return parsed;
}
