// The body of parse_boot_options; see options.hpp.
#pragma once

#include "boot/options.hpp"
#include "kernel/lib/format.hpp"

template <typename Report>
BootOptions parse_boot_options(std::string_view line, Report&& unknown) {
    BootOptions options;
    while (!line.empty()) {
        size_t blank = line.find(' ');
        std::string_view word = line.substr(0, blank);
        line.remove_prefix(blank == std::string_view::npos ? line.size() : blank + 1);
        if (word.empty()) continue;
        size_t equals = word.find('=');
        std::string_view name = word.substr(0, equals);
        std::string_view value = equals == std::string_view::npos ? "" : word.substr(equals + 1);
        uint64_t number = 0;
        if (name == "root" && !value.empty())
            options.root = value;
        else if (name == "init" && !value.empty())
            options.init = value;
        else if (name == "tty.size" && !value.empty())
            options.tty_size = value;
        else if (name == "trace" && !value.empty())
            options.trace = value;
        else if (word == "idle=spin")
            options.idle_spin = true;
        else if (name == "exec")
            options.exec = true;
        else if (word == "quiet")
            options.quiet = true;
        else if (word == "ro" || word == "rw")
            options.read_only = word == "ro";
        else if (name == "seed" && parse_number(value, number)) {
            options.has_seed = true;
            options.seed = static_cast<unsigned>(number);
        } else if (word == "noapic") {
            options.apic = false;
        } else if (word == "nosmp") {
            options.max_cpus = 1;
        } else if (name == "maxcpus" && parse_number(value, number) && number >= 1) {
            if (number < options.max_cpus) options.max_cpus = static_cast<unsigned>(number);
        } else {
            // The first word may be the kernel's own file name, as QEMU passes it.
            if (word.find('/') == std::string_view::npos || equals != std::string_view::npos)
                unknown(word);
        }
    }
    return options;
}
