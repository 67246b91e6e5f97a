// What a process sets about itself: names, the signal at its parent's death, orphans, privileges.
// Spec: prctl(2).
#include <sys/prctl.h>
#include <sys/stat.h>

#include "tests/guest/check.hpp"

using namespace check;

namespace {

void test_names() {
    succeeds("PR_SET_NAME", prctl(PR_SET_NAME, "a name that is too long"));
    char name[16];
    succeeds("PR_GET_NAME", prctl(PR_GET_NAME, name));
    same("cut", name, "a name that is ");
    fails("a bad pointer", prctl(PR_SET_NAME, 16), EFAULT);
    fails("nothing known", prctl(9999, 0), EINVAL);
}

void test_values() {
    equal("dumpable", prctl(PR_GET_DUMPABLE), 1);
    fails("by halves", prctl(PR_SET_DUMPABLE, 2), EINVAL);
    succeeds("not", prctl(PR_SET_DUMPABLE, 0));
    exits("a child inherits it", 0, [] { return prctl(PR_GET_DUMPABLE); });
    prctl(PR_SET_DUMPABLE, 1);
    equal("slack", prctl(PR_GET_TIMERSLACK), 50000);
    prctl(PR_SET_TIMERSLACK, 7);
    equal("set", prctl(PR_GET_TIMERSLACK), 7);
    prctl(PR_SET_TIMERSLACK, 0);
    equal("the default", prctl(PR_GET_TIMERSLACK), 50000);
    prctl(PR_SET_TIMERSLACK, 7);
    exits("a child's default is its parent's slack", 7, [] {
        prctl(PR_SET_TIMERSLACK, 9);
        prctl(PR_SET_TIMERSLACK, 0);
        return prctl(PR_GET_TIMERSLACK);
    });
    prctl(PR_SET_TIMERSLACK, 0);
    equal("a capability", prctl(PR_CAPBSET_READ, 0), 1);
    fails("none", prctl(PR_CAPBSET_READ, 99), EINVAL);
}

// The grandchild's parent ends while it sleeps.
void test_death_signal() {
    fails("no such signal", prctl(PR_SET_PDEATHSIG, 65), EINVAL);
    Gate ready;
    const pid_t parent = start([&] {
        start([&] {
            int set = 0;
            prctl(PR_SET_PDEATHSIG, SIGTERM);
            prctl(PR_GET_PDEATHSIG, &set);
            ready.pass(static_cast<char>(set));
            for (;;) pause();
            return 0;
        });
        for (;;) pause();
        return 0;
    });
    succeeds("PR_SET_CHILD_SUBREAPER", prctl(PR_SET_CHILD_SUBREAPER, 1));
    int is = 0;
    prctl(PR_GET_CHILD_SUBREAPER, &is);
    equal("it is", is, 1);
    equal("as told", ready.wait(), SIGTERM);
    kill(parent, SIGKILL);
    wait_for(parent);
    int status = 0;
    const pid_t orphan = wait(&status);
    that("the orphan came to us", orphan > 0 && orphan != parent);
    that("and had got its signal", WIFSIGNALED(status) && WTERMSIG(status) == SIGTERM);
    prctl(PR_SET_CHILD_SUBREAPER, 0);
    exits("a child doesn't inherit either", 0, [] {
        int signal = 1, reaper = 1;
        prctl(PR_GET_PDEATHSIG, &signal);
        prctl(PR_GET_CHILD_SUBREAPER, &reaper);
        return signal || reaper;
    });
}

// A program of the superuser's with the set-user-id bit: its status is its effective user.
void test_privileges(const char* self) {
    const std::string copy = "/tmp/prctl-setuid";
    needs("cp", system(("cp " + std::string(self) + " " + copy).c_str()));
    needs("chmod", chmod(copy.c_str(), 04755));
    auto run = [&] {
        execl(copy.c_str(), copy.c_str(), "euid", nullptr);
        return 125;
    };
    exits("set-user-id", 0, [&] {
        needs("setuid", setuid(100));
        return run();
    });
    fails("another value", prctl(PR_SET_NO_NEW_PRIVS, 2, 0, 0, 0), EINVAL);
    fails("other arguments", prctl(PR_SET_NO_NEW_PRIVS, 1, 1, 0, 0), EINVAL);
    exits("without new privileges", 100, [&] {
        needs("PR_SET_NO_NEW_PRIVS", prctl(PR_SET_NO_NEW_PRIVS, 1, 0, 0, 0));
        equal("they are off", prctl(PR_GET_NO_NEW_PRIVS, 0, 0, 0, 0), 1);
        needs("setuid", setuid(100));
        return status_of(run) >> 8;
    });
    unlink(copy.c_str());
}

}  // namespace

int main(int argc, char** argv) {
    if (argc > 1) return static_cast<int>(geteuid());
    test_names();
    test_values();
    test_death_signal();
    test_privileges(argv[0]);
    return done();
}
