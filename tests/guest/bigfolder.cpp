// A folder of many files: what a creation, a look-up (of names that are there and of ones that are not) and
// a removal cost must not grow with their number. Measured in nanoseconds of CPU time, which are instructions
// here.
//   bigfolder [FOLDER COUNT...]     measures with so many files there (/tmp/big 1000 4000)
// run: --icount 0 --mem 256
#include <sys/stat.h>

#include <cstdint>
#include <ctime>
#include <vector>

#include "check.hpp"

namespace {

constexpr const char* kWhat[] = {"create", "look-up", "look-up in vain", "remove"};
std::string folder = "/tmp/big";
struct Costs {
    unsigned each[4];  // as kWhat
};

char name[256];  // the folder's and the file's; digits are written at `digits`
char* digits;

const char* name_of(unsigned i) {
    for (int k = 5; k >= 0; --k, i /= 10) digits[k] = char('0' + i % 10);
    return name;
}

uint64_t cpu_time() {
    timespec now;
    clock_gettime(CLOCK_PROCESS_CPUTIME_ID, &now);
    return uint64_t(now.tv_sec) * 1'000'000'000 + uint64_t(now.tv_nsec);
}

template <typename F>
unsigned cost_of(unsigned count, F&& action) {
    const uint64_t start = cpu_time();
    for (unsigned i = 0; i < count; ++i) action(name_of(i * 7919u % count));
    return unsigned((cpu_time() - start) / count);
}
void drop_names() {
    sync();
    const int fd = open("/proc/sys/vm/drop_caches", O_WRONLY);
    write(fd, "2", 1);
    close(fd);
}

Costs measure(unsigned count) {
    mkdir(folder.c_str(), 0755);
    Costs costs{};
    digits = name + snprintf(name, 200, "%s/a name of some length, number ", folder.c_str());
    memset(digits, 0, 8);
    struct stat s;
    unsigned failed = 0;
    costs.each[0] = cost_of(count, [&](const char* name) {
        const int fd = open(name, O_CREAT | O_EXCL | O_WRONLY, 0644);
        failed += fd < 0;
        close(fd);
    });
    drop_names();
    costs.each[1] = cost_of(count, [&](const char* name) { failed += stat(name, &s) != 0; });
    costs.each[2] = cost_of(count, [&](const char*) {
        digits[6] = 'x';
        failed += stat(name, &s) == 0;
    });
    digits[6] = 0;
    costs.each[3] = cost_of(count, [&](const char* name) { failed += unlink(name) != 0; });
    check::equal(std::to_string(count) + " files", failed, 0);
    check::succeeds("nothing is left", rmdir(folder.c_str()));
    std::string line = std::to_string(count);
    for (int i = 0; i < 4; ++i)
        line += std::string(", ") + kWhat[i] + " " + std::to_string(costs.each[i]);
    check::print(line + "\n");
    return costs;
}

}  // namespace

int main(int count, char** words) {
    std::vector<unsigned> sizes;
    if (count > 1) folder = words[1];
    for (int i = 2; i < count; ++i) sizes.push_back(unsigned(atoi(words[i])));
    if (sizes.empty()) sizes = {1000, 4000};
    const Costs few = measure(sizes[0]);
    for (size_t k = 1; k < sizes.size(); ++k) {
        const Costs many = measure(sizes[k]);
        for (int i = 0; i < 4; ++i) check::that(kWhat[i], many.each[i] < 3 * few.each[i]);
    }
    return check::done();
}
