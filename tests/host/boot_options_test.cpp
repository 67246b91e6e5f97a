// The kernel's command line.
// sources: kernel/lib/format.cpp
#include "boot/options.hpp"

#include <gtest/gtest.h>

#include <string>
#include <vector>

namespace {

TEST(BootOptions, DefaultsAndValues) {
    std::vector<std::string> unknown;
    auto report = [&](std::string_view word) { unknown.emplace_back(word); };
    BootOptions none = parse_boot_options("", report);
    EXPECT_EQ(none.root, "/dev/hda");
    EXPECT_EQ(none.init, "/sbin/init");
    EXPECT_FALSE(none.exec);
    BootOptions some = parse_boot_options(
        "/boot/kernel.elf root=/dev/ram0  init=/bin/sh idle=spin exec=ls%20-l rw seed=7 "
        "tty.size=80x24",
        report);
    EXPECT_EQ(some.root, "/dev/ram0");
    EXPECT_EQ(some.init, "/bin/sh");
    EXPECT_TRUE(some.idle_spin && some.exec && some.has_seed && !some.read_only);
    EXPECT_EQ(some.seed, 7u);
    EXPECT_EQ(some.tty_size, "80x24");
    EXPECT_TRUE(unknown.empty());
}

TEST(BootOptions, UnknownWordsAndValuesAreReported) {
    std::vector<std::string> unknown;
    BootOptions options =
        parse_boot_options("colour=blue root= seed=x nonsense idle=nap",
                           [&](std::string_view word) { unknown.emplace_back(word); });
    EXPECT_EQ(unknown,
              (std::vector<std::string>{"colour=blue", "root=", "seed=x", "nonsense", "idle=nap"}));
    EXPECT_EQ(options.root, "/dev/hda");
}

TEST(BootOptions, Processors) {
    auto report = [](std::string_view word) { ADD_FAILURE() << word; };
    EXPECT_TRUE(parse_boot_options("", report).apic);
    EXPECT_EQ(parse_boot_options("", report).max_cpus, 32u);
    EXPECT_FALSE(parse_boot_options("noapic", report).apic);
    EXPECT_EQ(parse_boot_options("maxcpus=3", report).max_cpus, 3u);
    EXPECT_EQ(parse_boot_options("maxcpus=3 nosmp", report).max_cpus, 1u);
    uint32_t unknown = 0;
    parse_boot_options("maxcpus=0 maxcpus=many", [&](std::string_view) { ++unknown; });
    EXPECT_EQ(unknown, 2u);
}

}  // namespace
