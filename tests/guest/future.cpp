// Times after 2038: the calls with 64 bits take and tell them; ext2, whose inodes have 32, stops at the
// last second that it can tell, and does not begin in 1901 again. Works on the root's file system, ext2.
// Spec: utimensat(2), statx(2).
#include <sys/stat.h>
#include <sys/syscall.h>

#include "check.hpp"

namespace {

using namespace check;

struct LongTime {
    long long seconds, nanoseconds;
};
constexpr long long kLast = 0x7fffffff, kLater = 2'500'000'000;  // in 2038, and in 2049
constexpr int kSetTimes = 412;                                   // utimensat_time64

long long modified(const std::string& name) {
    struct statx found;
    needs("statx", statx(AT_FDCWD, name.c_str(), 0, STATX_MTIME, &found));
    return found.stx_mtime.tv_sec;
}

long long after_setting(const std::string& name, long long seconds) {
    close(int(needs(name, open(name.c_str(), O_CREAT | O_WRONLY, 0600))));
    const LongTime times[] = {{seconds, 0}, {seconds, 0}};
    succeeds("utimensat", syscall(kSetTimes, AT_FDCWD, name.c_str(), times, 0));
    const long long told = modified(name);
    unlink(name.c_str());
    return told;
}

}  // namespace

int main() {
    equal("tmpfs: 2049", after_setting("/tmp/future", kLater), kLater);
    equal("ext2: the last second", after_setting("/var/future", kLater), kLast);
    equal("ext2: that second itself", after_setting("/var/future", kLast), kLast);
    equal("ext2: before 1970", after_setting("/var/future", -1), -1);
    return done();
}
