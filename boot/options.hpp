// The kernel's command line: words of the form name or name=value. Pure.
// Unknown words are reported by the caller and otherwise ignored.
#pragma once

#include <string_view>

struct BootOptions {
    std::string_view root = "/dev/hda";    // root=: the disk with the root file system
    std::string_view init = "/sbin/init";  // init=
    std::string_view tty_size;             // tty.size=COLSxROWS of the serial terminal
    std::string_view trace;                // trace=CATEGORIES, for the host to get at the end
    bool idle_spin = false;                // idle=spin: the idle loop doesn't halt
    bool exec = false;                     // exec=...: one command (read by init), no screen
    bool quiet = false;                    // only warnings on the console
    bool read_only = false;                // ro, rw (default)
    bool has_seed = false;                 // seed=: random numbers repeat
    unsigned seed = 0;
    bool apic = true;        // noapic: only the 8259, hence only one CPU
    unsigned max_cpus = 32;  // maxcpus=N; nosmp: one
};

// `unknown` is called for each word that nobody knows, or whose value makes no sense.
template <typename Report>
BootOptions parse_boot_options(std::string_view line, Report&& unknown);

#include "boot/options_parse.hpp"
