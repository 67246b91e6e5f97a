// inotify: an event costs the same beside 10,000 watches as beside one, adding and removing a watch too; and
// nothing is left after 10,000 instances and after all those watches.
// run: --icount 0 --mem 256
// timeout: 300
// needs: wing
#include <sys/inotify.h>
#include <sys/stat.h>

#include "tests/guest/check.hpp"
#include "tests/guest/cost.hpp"
#include "tests/guest/no_leak.hpp"

using namespace check;

namespace {

constexpr int kMany = 10'000;

std::string name_of_file(int number) { return "/tmp/many/" + std::to_string(number); }

void flat(const std::string& name, unsigned long long few, unsigned long long many) {
    report(many <= few + few / 4 + 600, name,
           std::to_string(few) + " instructions, with many " + std::to_string(many),
           Where::current());
    print("# " + name + ": " + std::to_string(few) + ", " + std::to_string(many) + "\n");
}

struct Costs {
    unsigned long long event, other, add;
};

Costs measure(int fd, int file) {
    char byte, buffer[512];
    const auto event = [&] {
        pwrite(file, "x", 1, 0);
        if (read(fd, buffer, sizeof buffer) < 16) _exit(2);
    };
    const auto other = [&] { pread(file, &byte, 1, 0); };
    const auto add = [&] { inotify_rm_watch(fd, inotify_add_watch(fd, "/tmp", IN_DELETE)); };
    const Costs costs = {cost_of(event), cost_of(other), cost_of(add)};
    while (read(fd, buffer, sizeof buffer) > 0) {
    }
    return costs;
}

void test_costs() {
    const int fd = needs("inotify_init1", inotify_init1(IN_NONBLOCK));
    const int file = needs("open", open("/tmp/file", O_CREAT | O_RDWR, 0600));
    needs("write", write(file, "x", 1));
    needs("watch", inotify_add_watch(fd, "/tmp/file", IN_MODIFY));
    const Costs few = measure(fd, file);
    int watches = 0;
    for (int i = 0; i < kMany; ++i)
        watches += inotify_add_watch(fd, name_of_file(i).c_str(), IN_MODIFY | IN_OPEN) > 0;
    equal("10,000 watches", watches, kMany);
    const Costs many = measure(fd, file);
    flat("a write and its event", few.event, many.event);
    flat("a read without one", few.other, many.other);
    flat("a watch added and removed", few.add, many.add);
    close(fd);
    close(file);
}

void test_no_leak() {
    auto round = [] {
        const int fd = inotify_init1(IN_NONBLOCK);
        const bool bad = inotify_add_watch(fd, "/tmp", IN_ALL_EVENTS) != 1;
        close(open("/tmp/file", O_RDONLY));
        return bad || close(fd);
    };
    no_leak(round, 256);
}

}  // namespace

int main() {
    needs("mkdir", mkdir("/tmp/many", 0755));
    for (int i = 0; i < kMany; ++i)
        close(needs("file", open(name_of_file(i).c_str(), O_CREAT | O_WRONLY, 0600)));
    test_costs();
    test_no_leak();
    const long before = free_memory();
    test_costs();
    that("watches leave nothing", free_memory() > before - 512);
    return done();
}
