// Files of /proc/sys that hold several numbers in one line, with tabs between them. Spec: proc(5).
#pragma once

#include <algorithm>
#include <span>

#include "fs/proc/proc_entry.hpp"

// The numbers that blanks part in `text`, and how many; fewer than there is room for are allowed.
// EINVAL: too many, not a number, or above INT32_MAX.
inline Result<uint32_t> numbers_in(std::string_view text, std::span<uint32_t> to) {
    uint32_t count = 0;
    while (!text.empty()) {
        const size_t length = std::min(text.find_first_of(" \t"), text.size());
        if (length) {
            if (count == to.size()) return Errno::inval;
            to[count++] = TRY(number_in(text.substr(0, length), 0, INT32_MAX));
        }
        text.remove_prefix(std::min(length + 1, text.size()));
    }
    return count;
}
