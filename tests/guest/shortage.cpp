// ENOMEM means that there is no memory: while other processes fill the page cache with what they write,
// calls on names wait for reclaim and succeed.
// driven by: system.fs_shortage (it needs a disk with room, its argument)
#include <sys/stat.h>

#include <vector>

#include "tests/guest/check.hpp"

namespace {

using namespace check;

constexpr int kWriters = 3, kFolders = 150, kFiles = 5;
constexpr size_t kPieces = 300;  // of 64 KiB: three times that is the memory

void fill_cache(int writer) {
    static char bytes[65536];
    const std::string name = "big" + std::to_string(writer);
    const int fd = needs("big file", open(name.c_str(), O_CREAT | O_WRONLY, 0600));
    for (;;) {
        needs("start", lseek(fd, 0, SEEK_SET));
        for (size_t i = 0; i < kPieces; ++i) needs("write", write(fd, bytes, sizeof bytes));
    }
}

struct Count {
    const char* name;
    int calls = 0, failed = 0, error = 0;
    void add(long result) {
        ++calls;
        if (result < 0 && !failed++) error = errno;
    }
};

}  // namespace

int main(int argc, char* argv[]) {
    needs("work folder", argc > 1 ? chdir(argv[1]) : -1);
    std::vector<pid_t> writers;
    for (int i = 0; i < kWriters; ++i)
        writers.push_back(start([i] {
            fill_cache(i);
            return 0;
        }));
    Count mkdirs{"mkdir"}, creates{"open"}, renames{"rename"}, stats{"stat"}, links{"link"},
        unlinks{"unlink"}, rmdirs{"rmdir"}, forks{"fork"};
    for (int i = 0; i < kFolders; ++i) {
        const std::string folder = "d" + std::to_string(i);
        mkdirs.add(mkdir(folder.c_str(), 0700));
        for (int k = 0; k < kFiles; ++k) {
            const std::string file = folder + "/f" + std::to_string(k), moved = file + "-moved";
            struct stat found;
            const int fd = open(file.c_str(), O_CREAT | O_WRONLY, 0600);
            creates.add(fd);
            close(fd);
            renames.add(rename(file.c_str(), moved.c_str()));
            stats.add(stat(moved.c_str(), &found));
            links.add(link(moved.c_str(), file.c_str()));
            unlinks.add(unlink(moved.c_str()));
            unlinks.add(unlink(file.c_str()));
        }
        rmdirs.add(rmdir(folder.c_str()));
        if (i % 10) continue;
        const pid_t child = fork();
        if (child == 0) _exit(0);
        forks.add(child);
        if (child > 0) wait_for(child);
    }
    for (pid_t writer : writers) {
        that("the writer goes on", kill(writer, SIGKILL) == 0 && wait_for(writer) == SIGKILL);
    }
    for (const Count& c : {mkdirs, creates, renames, stats, links, unlinks, rmdirs, forks})
        report(c.failed == 0, c.name,
               std::to_string(c.failed) + " of " + std::to_string(c.calls) +
                   " failed, the first with " + (c.error ? strerrorname_np(c.error) : "0"),
               Where::current());
    for (int i = 0; i < kWriters; ++i) unlink(("big" + std::to_string(i)).c_str());
    return done();
}
