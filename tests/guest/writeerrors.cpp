// Who is told of a write that failed, and how often: each opener once, by whatever call asks first.
//   writeerrors FILE    of a file whose fourth block can't be written (system/fs_faults_test.py)
// Alone: nobody is told of what didn't happen.
// Spec: fsync(2), msync(2), syncfs(2), sync_file_range(2); Linux, errseq.rst.
// needs: wing
#include <sys/mman.h>

#include "check.hpp"

namespace {

using namespace check;

constexpr off_t kBad = 3 * 4096;
std::string file_name;
bool bad;
char stamp = 'A';

int opened(int flags = O_RDWR) { return needs("open", open(file_name.c_str(), flags)); }
void write_bad(int fd) {
    const std::string text(4096, ++stamp);
    equal("write", pwrite(fd, text.data(), text.size(), kBad), 4096);
}
void told(const char* what, int result) {
    if (bad)
        fails(what, result, EIO);
    else
        succeeds(what, result);
}

void test_openers() {
    const int a = opened(), b = opened(O_RDONLY), copy = dup(a);
    write_bad(a);
    sync();
    told("fsync", fsync(copy));
    succeeds("once for all copies", fsync(a));
    told("another opener", fdatasync(b));
    succeeds("once", fsync(b));
    const int late = opened();
    succeeds("who comes when all is told", fsync(late));
    write_bad(b < 0 ? a : copy);
    sync();
    const int first = opened();
    told("who comes before anybody was", fsync(first));
    const int second = opened();
    succeeds("but not after that one", fsync(second));
    for (const int fd : {a, b, late}) told("all the others", fsync(fd));
    succeeds("and no more", fsync(copy));
    char byte = 0;
    equal("what is in memory", pread(a, &byte, 1, kBad), 1);
    equal("is the newest", byte, stamp);
    posix_fadvise(a, 0, 0, POSIX_FADV_DONTNEED);
    pread(a, &byte, 1, kBad);
    that("until it is forgotten", (byte != stamp) == bad);
    write_bad(a);
    sync();
    succeeds("close doesn't tell", close(copy));
    told("fsync does", fsync(a));
    for (const int fd : {a, b, late, first, second}) close(fd);
}

void test_mapping() {
    const int a = opened(), b = opened();
    auto* map =
        static_cast<char*>(mmap(nullptr, 8192, PROT_READ | PROT_WRITE, MAP_SHARED, a, kBad));
    map[1] = ++stamp;
    told("msync", msync(map, 8192, MS_SYNC));
    succeeds("once", msync(map, 8192, MS_SYNC));
    succeeds("for its descriptor too", fsync(a));
    told("another opener", fsync(b));
    map[2] = ++stamp;
    sync();
    told("what was written before", msync(map, 8192, MS_SYNC));
    told("another opener", fsync(b));
    succeeds("close", close(a));
    map[3] = ++stamp;
    told("msync without a descriptor", msync(map, 8192, MS_SYNC));
    munmap(map, 8192);
    told("another opener", fsync(b));
    close(b);
}

void test_other_calls() {
    const int a = opened(), b = opened();
    const int folder =
        needs("folder", open(file_name.substr(0, file_name.rfind('/')).c_str(), O_RDONLY));
    write_bad(a);
    told("syncfs", syncfs(a));
    succeeds("once", syncfs(a));
    told("another opener", syncfs(folder));
    told("fsync is asked for itself", fsync(a));
    told("and by each", fsync(b));
    write_bad(a);
    succeeds("the start of it", sync_file_range(a, kBad, 4096, SYNC_FILE_RANGE_WRITE));
    told("the end", sync_file_range(a, kBad, 4096, SYNC_FILE_RANGE_WAIT_AFTER));
    succeeds("once", sync_file_range(a, 0, 0, SYNC_FILE_RANGE_WAIT_BEFORE));
    told("another opener", fsync(b));
    told("syncfs too", syncfs(b));
    for (const int flag : {O_SYNC, O_DSYNC}) {
        const int synchronous = opened(O_RDWR | flag);
        const std::string text(100, ++stamp);
        told("a write that waits", int(pwrite(synchronous, text.data(), text.size(), kBad)));
        succeeds("was told", fsync(synchronous));
        if (bad) equal("elsewhere", pwrite(synchronous, text.data(), text.size(), 0), 100);
        close(synchronous);
    }
    told("another opener", fsync(b));
    for (const int fd : {a, b, folder}) close(fd);
}

}  // namespace

int main(int count, char** words) {
    bad = count == 2;
    file_name = bad ? words[1] : "/var/writeerrors";
    if (!bad) close(needs("file", open(file_name.c_str(), O_CREAT | O_WRONLY, 0600)));
    test_openers();
    test_mapping();
    test_other_calls();
    if (!bad) unlink(file_name.c_str());
    return done();
}
