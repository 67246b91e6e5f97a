// The rules of link(2), rename(2) and of names: limits (EMLINK, ENAMETOOLONG, ELOOP), what may replace
// what, counts of links and ".." after moves, files larger than 2 GiB and the format's largest. On tmpfs
// and on ext2.
#include <sys/stat.h>
#include <sys/syscall.h>
#include <sys/vfs.h>

#include "check.hpp"

namespace {

using namespace check;

bool on_ext2;

void make(const std::string& name) {
    close(needs(name, open(name.c_str(), O_CREAT | O_WRONLY, 0600)));
}
struct stat of(const std::string& name) {
    struct stat s = {};
    needs(name, lstat(name.c_str(), &s));
    return s;
}
bool there(const char* name) {
    struct stat s;
    return lstat(name, &s) == 0;
}
int moved(const char* from, const char* to) { return rename(from, to); }

void test_names() {
    std::string longest;
    for (int i = 0; i < 85; ++i) longest += "\u20ac";  // three bytes each
    succeeds("255 bytes", mkdir(longest.c_str(), 0700));
    fails("256 bytes", mkdir((longest + "x").c_str(), 0700), ENAMETOOLONG);
    fails("256 bytes, looked up", access((longest + "x").c_str(), F_OK), ENAMETOOLONG);
    fails("moved to it", moved(longest.c_str(), (longest + "x").c_str()), ENAMETOOLONG);
    std::string path(4095, '/');
    path.replace(0, longest.size() + 2, "./" + longest);
    succeeds("a path of 4095 bytes", access(path.c_str(), F_OK));
    fails("of 4096", access((path + "/").c_str(), F_OK), ENAMETOOLONG);
    fails("an empty one", access("", F_OK), ENOENT);
    rmdir(longest.c_str());
}

void test_loops() {
    symlink("loop2", "loop1");
    symlink("loop1", "loop2");
    fails("links in a circle", access("loop1", F_OK), ELOOP);
    fails("opened", open("loop1", O_CREAT | O_WRONLY, 0600), ELOOP);
    fails("on the way", access("loop1/x", F_OK), ELOOP);
    make("end");
    std::string target = "end";
    for (int i = 1; i <= 41; ++i) {
        const std::string name = "link" + std::to_string(i);
        needs("link", symlink(target.c_str(), name.c_str()));
        target = name;
    }
    succeeds("40 links", access("link40", F_OK));
    fails("41 links", access("link41", F_OK), ELOOP);
    fails("none wanted", open("link1", O_RDONLY | O_NOFOLLOW), ELOOP);
    fails("a link to nothing, exclusively",
          (symlink("none", "dangling"), open("dangling", O_CREAT | O_EXCL, 0600)), EEXIST);
    succeeds("but otherwise it is made", close(open("dangling", O_CREAT | O_WRONLY, 0600)));
    that("there", there("none"));
}

void test_replacing() {
    make("file");
    make("other");
    mkdir("folder", 0700);
    mkdir("empty", 0700);
    mkdir("full", 0700);
    make("full/x");
    fails("a file over a folder", moved("file", "empty"), EISDIR);
    fails("a folder over a file", moved("folder", "file"), ENOTDIR);
    fails("a folder over a full one", moved("folder", "full"), ENOTEMPTY);
    succeeds("over an empty one", moved("folder", "empty"));
    that("is gone", !there("folder"));
    succeeds("a file over a file", moved("file", "other"));
    fails("what isn't there", moved("file", "other"), ENOENT);
    fails("below nothing", moved("other", "none2/x"), ENOENT);
    fails("below a file", moved("full", "other/x"), ENOTDIR);
    fails("a file with a slash", moved("other/", "x"), ENOTDIR);
    fails("to a name with a slash", moved("other", "x/"), ENOTDIR);
    succeeds("a folder to one", moved("empty", "folder/"));
    fails("into itself", moved("full", "full/inner"), EINVAL);
    mkdir("full/inner", 0700);
    fails("further down", moved("full", "full/inner/x"), EINVAL);
    fails("over its parent", moved("full/inner", "full"), ENOTEMPTY);
    fails("a dot", moved("full/.", "x"), EBUSY);
    fails("two dots", moved("full/..", "x"), EBUSY);
    fails("the root", moved("/", "x"), on_ext2 ? EBUSY : EXDEV);
    fails("to another file system", moved("other", "/proc/x"), EXDEV);
    link("other", "twin");
    succeeds("two names of one file", moved("other", "twin"));
    that("both stay", there("other") && there("twin"));
    fails("not over anything", syscall(SYS_renameat2, AT_FDCWD, "other", AT_FDCWD, "full", 1),
          EEXIST);
    succeeds("but to a free name", syscall(SYS_renameat2, AT_FDCWD, "other", AT_FDCWD, "free", 1));
    fails("an unknown flag", syscall(SYS_renameat2, AT_FDCWD, "free", AT_FDCWD, "x", 64), EINVAL);
    fails("a link to a folder", link("full", "x"), EPERM);
    fails("over what is there", link("free", "twin"), EEXIST);
    fails("of nothing", link("none2", "x"), ENOENT);
    fails("to another file system", link("free", "/proc/x"), EXDEV);
    symlink("free", "pointer");
    succeeds("of a link", link("pointer", "pointer2"));
    that("is one itself", S_ISLNK(of("pointer2").st_mode));
    succeeds("of what it points to",
             linkat(AT_FDCWD, "pointer", AT_FDCWD, "third", AT_SYMLINK_FOLLOW));
    equal("counted", of("free").st_nlink, 3);
}

void test_counts() {
    mkdir("a", 0700);
    mkdir("b", 0700);
    mkdir("a/x", 0700);
    mkdir("a/x/y", 0700);
    equal("links of a folder", of("a").st_nlink, 3);
    equal("number of ..", of("a/x/..").st_ino, of("a").st_ino);
    const int inside = open("a/x", O_RDONLY | O_DIRECTORY);
    succeeds("it moves", moved("a/x", "b/z"));
    equal("one less there", of("a").st_nlink, 2);
    equal("one more here", of("b").st_nlink, 3);
    equal(".. follows", of("b/z/..").st_ino, of("b").st_ino);
    struct stat s;
    succeeds(".. of an open one", fstatat(inside, "..", &s, 0));
    equal("too", s.st_ino, of("b").st_ino);
    mkdir("a/over", 0700);
    succeeds("over an empty one", moved("b/z", "a/over"));
    equal("none there", of("b").st_nlink, 2);
    equal("as many here", of("a").st_nlink, 3);
    succeeds("the other way", moved("a/over/y", "b/y"));
    equal("its own", of("a/over").st_nlink, 2);
    close(inside);
    const time_t before = of("a").st_ctime;
    chmod("a", 0711);
    that("ctime", of("a").st_ctime >= before);
}

// Linux's ext2 stops at 32,000 names of a file.
void test_link_limit() {
    make("many");
    mkdir("names", 0700);
    int count = 1;
    while (count < 33000 && link("many", ("names/" + std::to_string(count)).c_str()) == 0) ++count;
    equal("EMLINK", errno, EMLINK);
    equal("so many names", count, 32000);
    equal("counted", of("many").st_nlink, count);
    for (int i = 1; i < count; ++i) unlink(("names/" + std::to_string(i)).c_str());
    equal("all gone", of("many").st_nlink, 1);
    succeeds("the folder too", rmdir("names"));
}

void test_large_files() {
    const int fd = needs("open", open("large", O_CREAT | O_RDWR | O_LARGEFILE, 0600));
    equal("beyond 4 GiB", pwrite64(fd, "x", 1, 5'000'000'000), 1);
    struct stat64 s;
    fstat64(fd, &s);
    equal("its size", s.st_size, 5'000'000'001);
    that("mostly a hole", s.st_blocks < 100);
    char byte = 'y';
    equal("reads zeros", pread64(fd, &byte, 1, 4'000'000'000), 1);
    equal("zero", byte, 0);
    fails("not for small programs", open("large", O_RDONLY), EOVERFLOW);
    struct statfs fs;
    fstatfs(fd, &fs);
    const off64_t block = fs.f_bsize, p = block / 4;
    const off64_t most = (12 + p + p * p + p * p * p) * block;
    fails("beyond what the index reaches", pwrite64(fd, "x", 1, most), EFBIG);
    fails("truncated to it", ftruncate64(fd, most + 1), EFBIG);
    equal("the last byte there may be", pwrite64(fd, "x", 1, most - 1), 1);
    equal("only so much of two", (ftruncate64(fd, 0), pwrite64(fd, "xx", 2, most - 1)), 1);
    succeeds("all gone", ftruncate64(fd, 0));
    fstat64(fd, &s);
    equal("no blocks", s.st_blocks, 0);
    close(fd);
}

void in(const char* place) {
    print(std::string("-- ") + place + "\n");
    needs("place", chdir(place));
    needs("folder", mkdir("linksmoves", 0777));
    needs("there", chdir("linksmoves"));
    test_names();
    test_loops();
    test_replacing();
    test_counts();
    if (!on_ext2) return;
    test_link_limit();
    test_large_files();
}

}  // namespace

int main() {
    umask(022);
    in("/tmp");
    on_ext2 = true;
    in("/var");
    return done();
}
