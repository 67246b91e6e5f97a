// The superuser's rights, given up one by one. Spec: capabilities(7), capset(2), prctl(2).
// needs: wing
#include <linux/capability.h>
#include <sys/fsuid.h>
#include <sys/prctl.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <time.h>

#include <cstdint>

#include "tests/guest/check.hpp"

namespace {

using namespace check;

struct Held {
    uint32_t effective[2], permitted[2], inheritable[2];
    bool has(int capability) const { return effective[capability / 32] >> (capability % 32) & 1; }
};

Held held() {
    __user_cap_header_struct header = {_LINUX_CAPABILITY_VERSION_3, 0};
    __user_cap_data_struct data[2];
    needs("capget", syscall(SYS_capget, &header, data));
    Held h;
    for (int i = 0; i < 2; ++i) {
        h.effective[i] = data[i].effective;
        h.permitted[i] = data[i].permitted;
        h.inheritable[i] = data[i].inheritable;
    }
    return h;
}
int set(const Held& h, int pid = 0) {
    __user_cap_header_struct header = {_LINUX_CAPABILITY_VERSION_3, pid};
    __user_cap_data_struct data[2];
    for (int i = 0; i < 2; ++i) data[i] = {h.effective[i], h.permitted[i], h.inheritable[i]};
    return int(syscall(SYS_capset, &header, data));
}
// Without `capability`, effective or at all.
int drop(int capability, bool for_ever = false) {
    Held h = held();
    const uint32_t bit = 1u << (capability % 32);
    h.effective[capability / 32] &= ~bit;
    if (for_ever) h.permitted[capability / 32] &= ~bit;
    return set(h);
}

void test_each() {
    exits("no CAP_CHOWN: a file keeps its owner", 0, []() -> int {
        close(open("/tmp/caps", O_RDWR | O_CREAT, 0600));
        if (drop(CAP_CHOWN)) return 1;
        if (chown("/tmp/caps", 5, 5) != -1 || errno != EPERM) return 2;
        Held h = held();
        h.effective[0] |= 1u << CAP_CHOWN;
        return set(h) || chown("/tmp/caps", 5, 5) ? 3 : 0;
    });
    exits("no CAP_DAC_OVERRIDE: another's file is closed", 0, []() -> int {
        chmod("/tmp/caps", 0400);
        if (open("/tmp/caps", O_RDWR) < 0) return 1;
        if (drop(CAP_DAC_OVERRIDE) || open("/tmp/caps", O_RDWR) != -1 || errno != EACCES) return 2;
        if (open("/tmp/caps", O_RDONLY) < 0) return 3;  // CAP_DAC_READ_SEARCH is left
        return drop(CAP_DAC_READ_SEARCH) || open("/tmp/caps", O_RDONLY) != -1 ? 4 : 0;
    });
    exits("no CAP_SETUID: the user stays", 0,
          []() -> int { return drop(CAP_SETUID) || setuid(7) != -1 || errno != EPERM; });
    exits("no CAP_KILL: others' processes are safe", 0, []() -> int {
        Gate changed;
        const pid_t other = start([&] {
            if (setuid(3)) return 1;
            changed.pass();
            pause();
            return 0;
        });
        changed.wait();
        if (drop(CAP_KILL)) return 1;
        const bool refused = kill(other, SIGTERM) == -1 && errno == EPERM;
        Held h = held();
        h.effective[0] |= 1u << CAP_KILL;
        set(h);
        kill(other, SIGKILL);
        wait_for(other);
        return !refused;
    });
    exits("no CAP_SYS_TIME, no CAP_SYS_CHROOT, no CAP_MKNOD", 0, []() -> int {
        if (drop(CAP_SYS_TIME) || drop(CAP_SYS_CHROOT) || drop(CAP_MKNOD)) return 1;
        timespec now;
        clock_gettime(CLOCK_REALTIME, &now);
        if (clock_settime(CLOCK_REALTIME, &now) != -1 || errno != EPERM) return 2;
        if (chroot("/") != -1 || errno != EPERM) return 3;
        return mknod("/tmp/caps-device", S_IFCHR | 0600, 0x103) != -1 || errno != EPERM ? 4 : 0;
    });
    unlink("/tmp/caps");
}

void test_set() {
    exits("for ever", 0, []() -> int {
        if (drop(CAP_KILL, true)) return 1;
        Held h = held();
        h.permitted[0] |= 1u << CAP_KILL;
        return set(h) != -1 || errno != EPERM;
    });
    exits("only the caller's own", 0,
          []() -> int { return set(held(), getppid()) != -1 || errno != EPERM; });
    exits("a user's process has none; of seteuid they come back", 0, []() -> int {
        if (seteuid(5) || held().has(CAP_KILL) || !held().permitted[0]) return 1;
        if (seteuid(0) || !held().has(CAP_KILL)) return 2;
        if (setuid(5)) return 3;
        return held().permitted[0] ? 4 : 0;
    });
    exits("setfsuid takes those for files", 0, []() -> int {
        setfsuid(5);
        if (held().has(CAP_CHOWN) || !held().has(CAP_KILL)) return 1;
        setfsuid(0);
        return !held().has(CAP_CHOWN);
    });
}

// The same user, but with less: what the other may, it could be made to do.
void test_inspection() {
    exits("who has more is not looked into by the same user", 0, []() -> int {
        Gate ready;
        const pid_t other = start([&] {
            prctl(PR_SET_KEEPCAPS, 1);
            if (setuid(5) || prctl(PR_SET_DUMPABLE, 1)) return 1;
            ready.pass();
            pause();
            return 0;
        });
        ready.wait();
        const std::string environment = "/proc/" + std::to_string(other) + "/environ";
        const int result = status_of([&] {
            if (setuid(5) || prctl(PR_SET_DUMPABLE, 1)) return 1;
            return open(environment.c_str(), O_RDONLY) == -1 && errno == EACCES ? 0 : 2;
        });
        kill(other, SIGKILL);
        wait_for(other);
        return result;
    });
}

void test_prctl() {
    exits("PR_SET_KEEPCAPS", 0, []() -> int {
        if (prctl(PR_SET_KEEPCAPS, 2) != -1 || errno != EINVAL) return 1;
        if (prctl(PR_SET_KEEPCAPS, 1) || prctl(PR_GET_KEEPCAPS) != 1) return 2;
        if (setuid(5) || held().has(CAP_CHOWN)) return 3;
        Held h = held();
        h.effective[0] = h.permitted[0] & 1u << CAP_CHOWN;
        if (set(h)) return 4;
        return held().has(CAP_CHOWN) ? 0 : 5;
    });
    exits("the bounding set", 0, []() -> int {
        if (prctl(PR_CAPBSET_READ, CAP_SYS_TIME) != 1) return 1;
        if (prctl(PR_CAPBSET_DROP, CAP_SYS_TIME) || prctl(PR_CAPBSET_READ, CAP_SYS_TIME)) return 2;
        if (prctl(PR_CAPBSET_READ, 99) != -1 || errno != EINVAL) return 3;
        return drop(CAP_SETPCAP) || prctl(PR_CAPBSET_DROP, CAP_KILL) != -1 || errno != EPERM;
    });
    exits("ambient ones", 0, []() -> int {
        if (prctl(PR_CAP_AMBIENT, PR_CAP_AMBIENT_RAISE, CAP_KILL, 0, 0) != -1 || errno != EPERM)
            return 1;
        Held h = held();
        h.inheritable[0] |= 1u << CAP_KILL;
        if (set(h) || prctl(PR_CAP_AMBIENT, PR_CAP_AMBIENT_RAISE, CAP_KILL, 0, 0)) return 2;
        if (prctl(PR_CAP_AMBIENT, PR_CAP_AMBIENT_IS_SET, CAP_KILL, 0, 0) != 1) return 3;
        if (prctl(PR_CAP_AMBIENT, PR_CAP_AMBIENT_CLEAR_ALL, 0, 0, 0)) return 4;
        return prctl(PR_CAP_AMBIENT, PR_CAP_AMBIENT_IS_SET, CAP_KILL, 0, 0);
    });
}

}  // namespace

int main() {
    test_each();
    test_set();
    test_inspection();
    test_prctl();
    return done();
}
