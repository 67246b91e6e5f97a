// What mount(8)'s options say about a journal. Pure: words in, values out.
// Spec: ext4(5), "Mount options for ext3".
#pragma once

#include <cstdint>
#include <string_view>

#include "kernel/lib/format.hpp"

namespace journal {

enum class DataMode : uint8_t {
    ordered,  // contents in new blocks go to their place before the transaction that has the blocks
    writeback,  // whenever: after a cut of power a file may show what was on the disk there before
    journal     // contents go through the log, too
};
constexpr std::string_view kDataModes[] = {"ordered", "writeback", "journal"};

struct Options {
    DataMode data = DataMode::ordered;
    uint32_t commit_seconds = 5;
    bool barriers = true;
    bool given = false;  // any of these
};

// Others' words are left to them. False: a value that makes no sense.
inline bool apply(std::string_view word, Options& options) {
    const size_t equals = word.find('=');
    const std::string_view name = word.substr(0, equals);
    const std::string_view value = equals == word.npos ? "" : word.substr(equals + 1);
    uint64_t number = 1;
    if (name == "barrier" || name == "nobarrier") {
        if (equals != word.npos && (!parse_number(value, number) || number > 1)) return false;
        options.barriers = (name == "barrier") == (number != 0);
    } else if (name == "commit") {
        if (!parse_number(value, number) || number > 3600) return false;
        options.commit_seconds = number ? static_cast<uint32_t>(number) : Options().commit_seconds;
    } else if (name == "data") {
        uint8_t mode = 0;
        while (mode < 3 && kDataModes[mode] != value) ++mode;
        if (mode == 3) return false;
        options.data = static_cast<DataMode>(mode);
    } else {
        return true;
    }
    return options.given = true;
}

}  // namespace journal
