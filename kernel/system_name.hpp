// What the system calls itself: uname(2), /proc/version, /proc/sys/kernel. The release starts with
// the number of the Linux whose interface this is, because C libraries refuse to run on old ones.
#pragma once

#include <string_view>

constexpr std::string_view kSystemName = "Linux", kSystemRelease = "6.1.0-orrery",
                           kSystemVersion = "#1 Orrery", kMachineName = "i686";
constexpr unsigned kMaxHostName = 64;

// NUL-terminated; written by sethostname(2) and setdomainname(2) whole, by one thread at a time,
// since the kernel is not preempted.
inline constinit char host_name[kMaxHostName + 1] = "orrery";
inline constinit char domain_name[kMaxHostName + 1] = "(none)";
