// Event counters: sums, one by one, limits, waiting for them with read, write and poll.
// run: --smp 4
// Spec: eventfd(2).
// needs: wing
#include <poll.h>
#include <sys/eventfd.h>

#include <cstdint>

#include "tests/guest/check.hpp"

using namespace check;

namespace {

constexpr uint64_t kMost = UINT64_MAX - 1;

int add(int fd, uint64_t number) { return write(fd, &number, sizeof number); }
uint64_t taken_from(int fd) {
    uint64_t number = 0;
    return read(fd, &number, sizeof number) == sizeof number ? number : UINT64_MAX;
}
int events_of(int fd, int timeout = 0) {
    pollfd one = {fd, POLLIN | POLLOUT, 0};
    return poll(&one, 1, timeout) < 0 ? -1 : one.revents;
}

void test_sum() {
    const int fd = needs("eventfd", eventfd(3, EFD_NONBLOCK | EFD_CLOEXEC));
    equal("EFD_CLOEXEC", fcntl(fd, F_GETFD), FD_CLOEXEC);
    equal("a write is 8 bytes", add(fd, 4), 8);
    equal("poll: in and out", events_of(fd), POLLIN | POLLOUT);
    equal("a read takes the sum", taken_from(fd), 7u);
    uint64_t number = 0;
    fails("a read of nothing", read(fd, &number, 8), EAGAIN);
    equal("poll: out", events_of(fd), POLLOUT);
    equal("the largest", add(fd, kMost), 8);
    equal("poll: in", events_of(fd), POLLIN);
    fails("one more", add(fd, 1), EAGAIN);
    fails("what never fits", add(fd, UINT64_MAX), EINVAL);
    fails("a short read", read(fd, &number, 7), EINVAL);
    fails("a short write", write(fd, &number, 7), EINVAL);
    void* volatile nowhere = reinterpret_cast<void*>(16);  // volatile: the compiler would warn
    fails("a bad pointer to read to", read(fd, nowhere, 8), EFAULT);
    equal("takes nothing", taken_from(fd), kMost);
    fails("a bad pointer to write from", write(fd, nowhere, 8), EFAULT);
    fails("lseek", lseek(fd, 0, SEEK_SET), ESPIPE);
    close(fd);
    fails("unknown flags", eventfd(0, 2), EINVAL);
}

void test_one_by_one() {
    const int fd = needs("eventfd", eventfd(2, EFD_SEMAPHORE | EFD_NONBLOCK));
    equal("one", taken_from(fd), 1u);
    equal("and one", taken_from(fd), 1u);
    uint64_t number = 0;
    fails("and none", read(fd, &number, 8), EAGAIN);
    close(fd);
}

// Each of three processes takes and gives 500 times through two counters that block at their limits.
void test_waiting() {
    const int full = needs("eventfd", eventfd(0, EFD_SEMAPHORE));
    const int done = needs("eventfd", eventfd(0, 0));
    pid_t workers[3];
    for (pid_t& worker : workers)
        worker = start([&] {
            for (int i = 0; i < 500; ++i)
                if (taken_from(full) != 1) return 1;
            return add(done, 500) == 8 ? 0 : 1;
        });
    for (int i = 0; i < 1500; ++i) add(full, 1);
    uint64_t sum = 0;
    while (sum < 1500 && events_of(done) != -1) {
        pollfd one = {done, POLLIN, 0};
        if (poll(&one, 1, 20000) != 1) break;
        sum += taken_from(done);
    }
    equal("every one arrived", sum, 1500u);
    for (pid_t worker : workers) equal("a worker ends well", wait_for(worker), 0);

    add(done, kMost);
    const pid_t writer = start([&] { return add(done, 5) == 8 ? 0 : 1; });
    equal("what made room for the waiting writer", taken_from(done), kMost);
    equal("its number", taken_from(done), 5u);
    equal("the writer ends well", wait_for(writer), 0);
    close(full);
    close(done);
}

}  // namespace

int main() {
    test_sum();
    test_one_by_one();
    test_waiting();
    return done();
}
