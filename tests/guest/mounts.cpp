// mount(2) and umount2(2): binds, alone and with what lies on them, moves, read-only ones, what is busy,
// lazy and expiring removal, limits of tmpfs, and what /proc says of it.
#include <dirent.h>
#include <fcntl.h>
#include <sys/mount.h>
#include <sys/stat.h>
#include <sys/statfs.h>
#include <sys/sysmacros.h>
#include <unistd.h>

#include <fstream>
#include <sstream>
#include <string>
#include <vector>

#include "tests/guest/check.hpp"

namespace {

using namespace check;
using Words = std::vector<std::string>;

const std::string kTop = "/tmp/mounts.test";
std::string at(const std::string& name) { return kTop + "/" + name; }
std::string put(const std::string& name, const char* text = "") {
    std::ofstream(at(name)) << text;
    return at(name);
}
bool there(const std::string& name) { return access(at(name).c_str(), F_OK) == 0; }
int bind(const std::string& from, const std::string& to, unsigned long more = 0) {
    return mount(at(from).c_str(), at(to).c_str(), nullptr, MS_BIND | more, nullptr);
}
int tmpfs(const std::string& to, unsigned long flags = 0, const char* options = nullptr) {
    return mount("a b", at(to).c_str(), "tmpfs", flags, options);
}
int unmount(const std::string& name, int flags = 0) { return umount2(at(name).c_str(), flags); }

// The line of a place in the file, as words; the place is word number `word`.
Words line_of(const char* file, const std::string& place, unsigned word) {
    std::ifstream lines(file);
    Words last;
    for (std::string line; std::getline(lines, line);) {
        std::istringstream text(line);
        Words words;
        for (std::string w; text >> w;) words.push_back(w);
        if (words.size() > word && words[word] == place) last = words;
    }
    return last;
}
Words entry(const std::string& name) { return line_of("/proc/mounts", at(name), 1); }
Words details(const std::string& name) { return line_of("/proc/self/mountinfo", at(name), 4); }

void test_only_one() {
    succeeds("devfs once more", mount("dev", at("c").c_str(), "devfs", 0, nullptr));
    that("its directories are the same", access(at("c/shm").c_str(), X_OK) == 0);
    fails("on itself", mount("dev", at("c").c_str(), "devfs", 0, nullptr), EBUSY);
    succeeds("and away", unmount("c"));
    that("what there was stays", access("/dev/shm", X_OK) == 0);
}

void test_bind() {
    put("a/file", "x");
    mkdir(at("a/inner").c_str(), 0755);
    succeeds("tmpfs inside", tmpfs("a/inner"));
    put("a/inner/deep");
    succeeds("bind", bind("a", "b"));
    that("the same files", there("b/file"));
    that("without what lies on them", !there("b/inner/deep"));
    fails("a busy name: it is a mount point", rmdir(at("b").c_str()), EBUSY);
    succeeds("bind once more, on top", bind("a", "b", MS_REC));
    that("with what lies on them", there("b/inner/deep"));
    fails("not while something lies on it", unmount("b"), EBUSY);
    succeeds("the inner one", unmount("b/inner"));
    succeeds("the second", unmount("b"));
    that("the first is there again", there("b/file") && !there("b/inner/deep"));
    succeeds("a file on a file", bind("a/file", "f"));
    struct stat one, other;
    stat(at("a/file").c_str(), &one);
    stat(at("f").c_str(), &other);
    equal("is that file", other.st_ino, one.st_ino);
    succeeds("and goes", unmount("f"));
    fails("a file on a directory", bind("a/file", "c"), ENOTDIR);
    fails("a directory on a file", bind("a", "f"), ENOTDIR);
    fails("bind without a source", mount("", at("c").c_str(), nullptr, MS_BIND, nullptr), EINVAL);
    fails("of what isn't there", bind("none", "c"), ENOENT);
    fails("not a mount's top", unmount("a"), EINVAL);
    fails("a name over the edge of a mount", link(at("a/file").c_str(), at("b/x").c_str()), EXDEV);
}

void test_read_only() {
    succeeds("a bind becomes read-only",
             mount("", at("b").c_str(), "", MS_REMOUNT | MS_BIND | MS_RDONLY, nullptr));
    fails("so nothing is written through it", open(at("b/new").c_str(), O_CREAT | O_WRONLY, 0600),
          EROFS);
    const int fd = open(put("a/new").c_str(), O_WRONLY);
    that("but through the other", fd >= 0);
    that("/proc/mounts tells", entry("b").size() == 6 && entry("b")[3].starts_with("ro"));
    succeeds("writing again", mount("", at("b").c_str(), "", MS_REMOUNT | MS_BIND, nullptr));
    close(fd);
    succeeds("it goes", unmount("b"));

    succeeds("a file system", tmpfs("c", MS_NOSUID | MS_NODEV | MS_NOEXEC | MS_NOATIME));
    const int writer = open(put("c/open").c_str(), O_WRONLY);
    fails("read-only, while a file is written",
          mount("", at("c").c_str(), "", MS_REMOUNT | MS_BIND | MS_RDONLY, nullptr), EBUSY);
    fails("a busy one", unmount("c"), EBUSY);
    close(writer);
    succeeds("and then", mount("", at("c").c_str(), "", MS_REMOUNT | MS_BIND | MS_RDONLY, nullptr));
    succeeds("not busy", unmount("c"));
    fails("remount of what isn't a mount", mount("", at("a").c_str(), "", MS_REMOUNT, nullptr),
          EINVAL);
}

void test_move() {
    succeeds("a mount", tmpfs("b"));
    put("b/here");
    mkdir(at("b/below").c_str(), 0755);
    succeeds("one on it", tmpfs("b/below"));
    put("b/below/too");
    fails("not into itself",
          mount(at("b").c_str(), at("b/below").c_str(), nullptr, MS_MOVE, nullptr), ELOOP);
    fails("only mounts", mount(at("a/file").c_str(), at("c").c_str(), nullptr, MS_MOVE, nullptr),
          EINVAL);
    succeeds("move", mount(at("b").c_str(), at("c").c_str(), nullptr, MS_MOVE, nullptr));
    that("all is there now", there("c/here") && there("c/below/too"));
    that("and nothing here", !there("b/here"));
    succeeds("the old place is free", rmdir(at("b").c_str()));
    mkdir(at("b").c_str(), 0755);
    chdir(at("c/below").c_str());
    char buffer[256];
    same("names follow", getcwd(buffer, sizeof buffer), at("c/below"));
    chdir("..");
    same("upwards too", getcwd(buffer, sizeof buffer), at("c"));
    chdir("/");
}

void test_removal() {  // of what test_move left
    const int fd = open(at("c/here").c_str(), O_RDWR);
    const int inside = open(at("c/below").c_str(), O_RDONLY | O_DIRECTORY);
    fails("busy", unmount("c"), EBUSY);
    fails("an unknown flag", unmount("c", 16), EINVAL);
    fails("expiry and force", unmount("c", MNT_EXPIRE | MNT_FORCE), EINVAL);
    succeeds("lazily", unmount("c", MNT_DETACH));
    that("its names are gone, and of those on it",
         !there("c/here") && entry("c").empty() && entry("c/below").empty());
    equal("who has it open goes on", write(fd, "still", 5), 5);
    succeeds("inside too", faccessat(inside, "too", F_OK, 0));
    close(fd);
    close(inside);
    succeeds("one to expire", tmpfs("c"));
    fails("marked", unmount("c", MNT_EXPIRE), EAGAIN);
    put("c/used");
    fails("used since", unmount("c", MNT_EXPIRE), EAGAIN);
    succeeds("unused since", unmount("c", MNT_EXPIRE));
    symlink(at("c").c_str(), at("link").c_str());
    succeeds("again", tmpfs("c"));
    fails("no links", unmount("link", UMOUNT_NOFOLLOW), EINVAL);
    succeeds("a link", unmount("link"));
    fails("nothing there", unmount("c"), EINVAL);
    fails("no such name", unmount("none"), ENOENT);
}

timespec accessed(const std::string& name) {
    struct stat s = {};
    lstat(at(name).c_str(), &s);
    return s.st_atim;
}
void age(const std::string& name, long access, long change) {  // a time in the past
    const timespec times[] = {{access, 0}, {change, 0}};
    utimensat(AT_FDCWD, at(name).c_str(), times, AT_SYMLINK_NOFOLLOW);
}
void touch_all() {
    char byte;
    const int fd = open(at("c/file").c_str(), O_RDONLY);
    equal("read", read(fd, &byte, 1), 1);
    close(fd);
    DIR* directory = opendir(at("c/dir").c_str());
    while (readdir(directory)) {
    }
    closedir(directory);
    readlink(at("c/link").c_str(), &byte, 1);
}
// The time of access of a file, a directory and a link that were last read in 1970.
void test_access_times() {
    struct Kind {
        const char* name;
        unsigned long flags;
        bool file, directory;  // whether reading shows
    };
    for (const Kind& kind :
         {Kind{"relatime", 0, true, true}, Kind{"noatime", MS_NOATIME, false, false},
          Kind{"nodiratime", MS_NODIRATIME, true, false},
          Kind{"strictatime", MS_STRICTATIME, true, true}}) {
        succeeds(kind.name, tmpfs("c", kind.flags));
        put("c/file", "text");
        mkdir(at("c/dir").c_str(), 0755);
        symlink("x", at("c/link").c_str());
        for (const char* name : {"c/file", "c/dir", "c/link"}) age(name, 1, 1);
        touch_all();
        equal("of the file", accessed("c/file").tv_sec > 1, kind.file);
        equal("of the directory", accessed("c/dir").tv_sec > 1, kind.directory);
        equal("of the link", accessed("c/link").tv_sec > 1, kind.file);
        const int fd = open(at("c/file").c_str(), O_RDONLY | O_NOATIME);
        char byte;
        age("c/file", 1, 1);
        read(fd, &byte, 1);
        equal("O_NOATIME", accessed("c/file").tv_sec, 1);
        close(fd);
        succeeds("gone", unmount("c"));
    }
}

// What a remount leaves and takes.
void test_remounted_times() {
    struct Step {
        unsigned long flags;
        const char* options;
    };
    succeeds("mounted", tmpfs("c", MS_NOATIME | MS_RELATIME));
    same("noatime is stronger", entry("c")[3], "rw,noatime");
    for (const Step& step : {Step{MS_NOSUID, "rw,nosuid,noatime"}, Step{MS_RELATIME, "rw,relatime"},
                             Step{MS_NODIRATIME, "rw,nodiratime,relatime"},
                             Step{MS_STRICTATIME | MS_NOATIME, "rw"}, Step{0, "rw"}}) {
        succeeds("mounted anew", mount("", at("c").c_str(), "", MS_REMOUNT | step.flags, nullptr));
        same("options", entry("c")[3], step.options);
    }
    succeeds("gone", unmount("c"));
}

void test_told() {
    succeeds("with a blank in its source", tmpfs("c", MS_NODEV | MS_NOATIME, "size=64k,mode=700"));
    const Words line = entry("c"), more = details("c");
    needs("a line in /proc/mounts", line.size() == 6 ? 0 : -1);
    needs("and in mountinfo", more.size() == 10 ? 0 : -1);
    same("source", line[0], "a\\040b");
    same("options", line[3], "rw,nodev,noatime");
    same("top", more[3], "/");
    same("options there", more[5], "rw,nodev,noatime");
    same("separator", more[6], "-");
    same("type", more[7], "tmpfs");
    struct stat s;
    stat(at("c").c_str(), &s);
    equal("mode of the top", s.st_mode & 07777, 0700);
    same("device", more[2],
         std::to_string(major(s.st_dev)) + ":" + std::to_string(minor(s.st_dev)));
    succeeds("a part of it", (mkdir(at("c/part").c_str(), 0755), bind("c/part", "b")));
    same("its top", details("b")[3], "/part");
    succeeds("gone", unmount("b"));
    struct statfs sizes;
    succeeds("statfs", statfs(at("c").c_str(), &sizes));
    equal("blocks of 64 KiB", sizes.f_blocks * sizes.f_bsize, 65536);
    const int fd = open(put("c/full").c_str(), O_WRONLY);
    char kilobytes[8192] = {};
    ssize_t written = 0, n;
    while ((n = write(fd, kilobytes, sizeof kilobytes)) > 0) written += n;
    fails("full", write(fd, kilobytes, sizeof kilobytes), ENOSPC);
    that("at its limit", written > 65536 - 16384 && written <= 65536);
    close(fd);
    succeeds("gone too", unmount("c"));
    fails("a bad option", tmpfs("c", 0, "size=x"), EINVAL);
    fails("an unknown type", mount("x", at("c").c_str(), "nonefs", 0, nullptr), ENODEV);
    fails("on a file", mount("x", at("f").c_str(), "tmpfs", 0, nullptr), ENOTDIR);
    fails("no disk", mount(at("f").c_str(), at("c").c_str(), "ext2", 0, nullptr), ENOTBLK);
    succeeds("private they are", mount("", "/", nullptr, MS_PRIVATE | MS_REC, nullptr));
    fails("none is shared", mount("", "/", nullptr, MS_SHARED, nullptr), EINVAL);
    exits("nobody else may", 0, [] {
        setuid(1000);
        const bool refused = tmpfs("c") != 0 && errno == EPERM;
        return refused && unmount("a/inner") != 0 && errno == EPERM ? 0 : 1;
    });
}

}  // namespace

int main() {
    mkdir(kTop.c_str(), 0755);
    succeeds("a place of its own", mount("x", kTop.c_str(), "tmpfs", 0, nullptr));
    for (const char* name : {"a", "b", "c"}) mkdir(at(name).c_str(), 0755);
    put("f");
    test_only_one();
    test_bind();
    test_read_only();
    test_move();
    test_removal();
    test_access_times();
    test_remounted_times();
    test_told();
    succeeds("what is left", unmount("a/inner"));
    succeeds("and the place", umount(kTop.c_str()));
    rmdir(kTop.c_str());
    return done();
}
