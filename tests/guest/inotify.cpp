// inotify: each event and its order, names and their padding, moves, masks, watches that end, queues that are
// full, limits, what is refused; waiting by read, poll and epoll. Costs: inotifycosts.cpp.
// run: --smp 4
// Spec: inotify(7), inotify_add_watch(2).
// needs: wing
#include <poll.h>
#include <sys/epoll.h>
#include <sys/inotify.h>
#include <sys/ioctl.h>
#include <sys/mount.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <utime.h>

#include <cstdint>
#include <map>
#include <utility>
#include <vector>

#include "tests/guest/check.hpp"

using namespace check;

namespace {

constexpr const char* kTop = "/tmp/inotify";

int instance(int flags = IN_NONBLOCK) {
    return needs("inotify_init1", inotify_init1(flags | IN_CLOEXEC));
}

const std::pair<uint32_t, const char*> kNames[] = {
    {IN_ACCESS, "access"},       {IN_MODIFY, "modify"},
    {IN_ATTRIB, "attrib"},       {IN_CLOSE_WRITE, "close_write"},
    {IN_CLOSE_NOWRITE, "close"}, {IN_OPEN, "open"},
    {IN_MOVED_FROM, "from"},     {IN_MOVED_TO, "to"},
    {IN_CREATE, "create"},       {IN_DELETE, "delete"},
    {IN_DELETE_SELF, "gone"},    {IN_MOVE_SELF, "moved"},
    {IN_UNMOUNT, "unmount"},     {IN_Q_OVERFLOW, "overflow"},
    {IN_IGNORED, "ignored"},     {IN_ISDIR, "/"},
};

// All that can be read, as "watch:events[ name]; ...". Halves of a move have =1, =2 ... by their cookie.
std::string events(int fd) {
    std::string text;
    std::map<uint32_t, int> cookies;
    alignas(inotify_event) char buffer[8192];
    for (ssize_t bytes; (bytes = read(fd, buffer, sizeof buffer)) > 0;)
        for (char* at = buffer; at < buffer + bytes;) {
            const auto& event = *reinterpret_cast<inotify_event*>(at);
            at += sizeof event + event.len;
            text += (text.empty() ? "" : "; ") + std::to_string(event.wd) + ":";
            for (auto [bit, name] : kNames)
                if (event.mask & bit) text += name;
            if (event.cookie) {
                const int number = int(cookies.size()) + 1;
                text += "=" + std::to_string(cookies.emplace(event.cookie, number).first->second);
            }
            if (event.len) text += std::string(" ") + event.name;
            if (event.len % 16 || (event.len && event.name[event.len - 1])) text += " (padding)";
        }
    return text;
}

void touch(const char* name) { close(needs(name, open(name, O_CREAT | O_WRONLY, 0644))); }

void test_contents() {
    const int fd = instance();
    touch("file");
    equal("the first watch", inotify_add_watch(fd, ".", IN_ALL_EVENTS), 1);
    equal("the second", inotify_add_watch(fd, "file", IN_ALL_EVENTS), 2);
    const int file = needs("open", open("file", O_RDWR));
    same("open", events(fd), "1:open file; 2:open");
    needs("write", write(file, "text", 4));
    same("write", events(fd), "1:modify file; 2:modify");
    char byte;
    needs("read", pread(file, &byte, 1, 0));
    same("read", events(fd), "1:access file; 2:access");
    equal("reading nothing", pread(file, &byte, 1, 100), 0);
    same("is no access", events(fd), "");
    needs("ftruncate", ftruncate(file, 1));
    same("ftruncate", events(fd), "1:modify file; 2:modify");
    needs("fchmod", fchmod(file, 0600));
    same("fchmod", events(fd), "1:attrib file; 2:attrib");
    close(dup(file));
    same("one of two descriptors", events(fd), "");
    close(file);
    same("close", events(fd), "1:close_write file; 2:close_write");
    needs("truncate", truncate("file", 0));
    same("truncate", events(fd), "1:modify file; 2:modify");
    needs("utime", utime("file", nullptr));
    same("utime", events(fd), "1:attrib file; 2:attrib");
    close(needs("open", open("file", O_WRONLY | O_TRUNC)));
    same("O_TRUNC", events(fd),
         "1:modify file; 2:modify; 1:open file; 2:open; 1:close_write file; 2:close_write");
    close(needs("open", open("file", O_PATH)));
    same("a place is not opened", events(fd), "");
    close(needs("open", open(".", O_RDONLY | O_DIRECTORY)));
    same("the directory itself", events(fd), "1:open/; 1:close/");
    succeeds("rm_watch", inotify_rm_watch(fd, 2));
    same("says so", events(fd), "2:ignored");
    fails("once", inotify_rm_watch(fd, 2), EINVAL);
    equal("numbers are not used again", inotify_add_watch(fd, "file", IN_OPEN), 3);
    close(fd);
    unlink("file");
}

void test_programs() {
    const int fd = instance();
    auto make = [](const char* name, const char* text) {
        const int file = needs(name, open(name, O_CREAT | O_WRONLY | O_CLOEXEC, 0755));
        needs("write", write(file, text, strlen(text)));
        close(file);
    };
    needs("cp", system("cp /bin/true true") ? -1 : 0);
    make("script", "#!./true\n");
    make("nothing", "");
    inotify_add_watch(fd, ".", IN_ALL_EVENTS & ~IN_CLOSE_WRITE);
    auto run = [](const char* name) {
        const pid_t child = start([=] { return execl(name, name, nullptr), errno; });
        return WEXITSTATUS(wait_for(child));
    };
    equal("a program", run("./true"), 0);
    same("is opened, read and closed", events(fd), "1:open true; 1:access true; 1:close true");
    equal("a script", run("./script"), 0);
    const std::string both = events(fd);
    that("is too", both.starts_with("1:open script; 1:access script; "));
    that("and its interpreter", both.find("1:open true; 1:access true") != both.npos);
    equal("an empty one", run("./nothing"), ENOEXEC);
    same("is opened and closed", events(fd), "1:open nothing; 1:close nothing");
    for (const char* name : {"true", "script", "nothing"}) unlink(name);
    close(fd);
}

void test_names() {
    const int fd = instance();
    inotify_add_watch(fd, ".", IN_ALL_EVENTS & ~(IN_OPEN | IN_CLOSE));
    touch("a");
    same("a file", events(fd), "1:create a");
    needs("mkdir", mkdir("b", 0755));
    same("a directory", events(fd), "1:create/ b");
    needs("symlink", symlink("a", "c"));
    needs("mkfifo", mkfifo("d", 0600));
    needs("link", link("a", "sixteen_letters_"));
    same("others", events(fd), "1:create c; 1:create d; 1:create sixteen_letters_");
    fails("a failure", mkdir("b", 0755), EEXIST);
    same("tells nothing", events(fd), "");
    inotify_add_watch(fd, "a", IN_ATTRIB | IN_DELETE_SELF);
    needs("link", link("a", "e"));
    same("one link more", events(fd), "2:attrib; 1:create e");
    unlink("e");
    same("and less", events(fd), "2:attrib; 1:delete e");
    unlink("sixteen_letters_");
    const int open_file = needs("open", open("a", O_RDONLY));
    unlink("a");
    same("the last", events(fd), "2:attrib; 1:delete sixteen_letters_; 2:attrib; 1:delete a");
    close(open_file);
    same("but it is gone when nobody has it open", events(fd), "2:gone; 2:ignored");
    inotify_add_watch(fd, "b", IN_ALL_EVENTS);
    rmdir("b");
    same("a directory goes", events(fd), "1:delete/ b; 3:gone; 3:ignored");
    for (const char* name : {"c", "d"}) unlink(name);
    close(fd);
}

void test_moves() {
    const int fd = instance();
    for (const char* name : {"from", "to"}) needs("mkdir", mkdir(name, 0755));
    touch("from/x");
    touch("to/old");
    inotify_add_watch(fd, "from", IN_MOVE | IN_DELETE | IN_CREATE);
    inotify_add_watch(fd, "to", IN_MOVE | IN_DELETE | IN_CREATE);
    inotify_add_watch(fd, "from/x", IN_MOVE_SELF);
    inotify_add_watch(fd, "to/old", IN_ATTRIB | IN_DELETE_SELF);
    needs("rename", rename("from/x", "to/y"));
    same("a move", events(fd), "1:from=1 x; 2:to=1 y; 3:moved");
    needs("rename", rename("to/y", "to/old"));
    same("onto another", events(fd),
         "2:from=1 y; 2:to=1 old; 3:moved; 4:attrib; 4:gone; 4:ignored");
    touch("from/z");
    events(fd);
    needs("renameat2", int(syscall(SYS_renameat2, AT_FDCWD, "from/z", AT_FDCWD, "to/old", 2)));
    same("an exchange", events(fd), "1:from=1 z; 2:to=1 old; 2:from=2 old; 1:to=2 z; 3:moved");
    needs("mkdir", mkdir("from/d", 0755));
    needs("rename", rename("from/d", "to/d"));
    same("a directory", events(fd), "1:create/ d; 1:from/=1 d; 2:to/=1 d");
    close(fd);
    for (const char* name : {"from/z", "to/old"}) unlink(name);
    for (const char* name : {"to/d", "to", "from"}) rmdir(name);
}

// The lines of its descriptor in /proc.
std::string details(int fd) {
    char path[32], text[512] = {};
    snprintf(path, sizeof path, "/proc/self/fdinfo/%d", fd);
    const int file = needs("open", open(path, O_RDONLY | O_CLOEXEC));
    needs("read", read(file, text, sizeof text - 1));
    close(file);
    return text;
}

void test_masks() {
    const int fd = instance();
    touch("file");
    const int watch = inotify_add_watch(fd, "file", IN_OPEN);
    equal("the same watch", inotify_add_watch(fd, "./file", IN_CLOSE), watch);
    struct stat now = {};
    needs("stat", stat("file", &now));
    char line[80];
    snprintf(line, sizeof line, "inotify wd:1 ino:%llx sdev:%llx mask:18 ",
             static_cast<unsigned long long>(now.st_ino),
             static_cast<unsigned long long>(now.st_dev));
    that("it is in /proc", details(fd).find(line) != std::string::npos);
    touch("file");
    same("has its new mask", events(fd), "1:close_write");
    equal("IN_MASK_ADD", inotify_add_watch(fd, "file", IN_OPEN | IN_MASK_ADD), watch);
    touch("file");
    same("has both", events(fd), "1:open; 1:close_write");
    fails("IN_MASK_CREATE", inotify_add_watch(fd, "file", IN_OPEN | IN_MASK_CREATE), EEXIST);
    fails("both", inotify_add_watch(fd, "file", IN_OPEN | IN_MASK_CREATE | IN_MASK_ADD), EINVAL);
    fails("nothing", inotify_add_watch(fd, "file", 0), EINVAL);
    fails("IN_ONLYDIR", inotify_add_watch(fd, "file", IN_OPEN | IN_ONLYDIR), ENOTDIR);
    equal("IN_ONESHOT", inotify_add_watch(fd, "file", IN_OPEN | IN_ONESHOT), watch);
    touch("file");
    touch("file");
    same("is told once", events(fd), "1:open; 1:ignored");
    needs("symlink", symlink("file", "link"));
    const int link_watch = inotify_add_watch(fd, "link", IN_ATTRIB | IN_DONT_FOLLOW);
    touch("link");
    needs("chmod", chmod("file", 0600));
    same("IN_DONT_FOLLOW is not the file", events(fd), "");
    needs("lchown", lchown("link", 0, 0));
    same("but the link", events(fd), std::to_string(link_watch) + ":attrib");
    for (bool excluded : {false, true}) {
        const int each = instance();
        inotify_add_watch(each, ".", IN_MODIFY | (excluded ? IN_EXCL_UNLINK : 0));
        const int open_file = needs("open", open("file", O_CREAT | O_WRONLY, 0644));
        unlink("file");
        needs("write", write(open_file, "x", 1));
        same(excluded ? "IN_EXCL_UNLINK" : "an unlinked file", events(each),
             excluded ? "" : "1:modify file");
        close(open_file);
        close(each);
    }
    unlink("link");
    close(fd);
}

void test_reading() {
    const int fd = instance(0);
    touch("file");
    inotify_add_watch(fd, ".", IN_CREATE | IN_OPEN | IN_CLOSE);
    const pid_t child = start([] {
        touch("file");
        return 0;
    });
    char small[16];
    pollfd one = {fd, POLLIN, 0};
    equal("poll waits", poll(&one, 1, -1), 1);
    wait_for(child);
    fails("no room for a name", read(fd, small, sizeof small), EINVAL);
    int bytes = 0;
    succeeds("FIONREAD", ioctl(fd, FIONREAD, &bytes));
    equal("all of them", bytes, 2 * (16 + 16));
    char large[48];
    equal("whole events only", read(fd, large, sizeof large), 32);
    equal("then the other", read(fd, large, sizeof large), 32);
    const pid_t second = start([] {
        touch("new");
        return 0;
    });
    equal("read waits", read(fd, large, 32), 32);
    wait_for(second);
    fcntl(fd, F_SETFL, O_NONBLOCK);
    events(fd);
    fails("nothing there", read(fd, large, sizeof large), EAGAIN);
    const int set = needs("epoll_create1", epoll_create1(0));
    epoll_event event = {EPOLLIN, {}};
    succeeds("epoll", epoll_ctl(set, EPOLL_CTL_ADD, fd, &event));
    equal("no news", epoll_wait(set, &event, 1, 0), 0);
    for (int i = 0; i < 3; ++i) close(needs("open", open("file", O_WRONLY | O_APPEND)));
    equal("news", epoll_wait(set, &event, 1, 0), 1);
    fails("bad memory", syscall(SYS_read, fd, 4, 64), EFAULT);
    fails("no writing", write(fd, "x", 1), EBADF);
    events(fd);
    const int file = needs("open", open("file", O_WRONLY));
    inotify_add_watch(fd, "file", IN_MODIFY);
    for (int i = 0; i < 5; ++i) needs("write", write(file, "x", 1));
    same("equal ones are one", events(fd), "1:open file; 2:modify");
    for (int each : {file, set, fd}) close(each);
    for (const char* name : {"file", "new"}) unlink(name);
}

void write_limit(const char* name, const char* value) {
    const std::string path = std::string("/proc/sys/fs/inotify/") + name;
    const int fd = needs(name, open(path.c_str(), O_WRONLY));
    needs(name, write(fd, value, strlen(value)));
    close(fd);
}

void test_limits() {
    write_limit("max_queued_events", "4");
    const int fd = instance();
    inotify_add_watch(fd, ".", IN_CREATE | IN_DELETE);
    for (int i = 0; i < 3; ++i) touch("file"), unlink("file");
    same("the queue is full", events(fd),
         "1:create file; 1:delete file; 1:create file; 1:delete file; -1:overflow");
    touch("file"), unlink("file");
    same("and is used again", events(fd), "1:create file; 1:delete file");
    write_limit("max_queued_events", "16384");
    close(fd);
    exits("a user's limits", 0, [] {
        write_limit("max_user_instances", "3");
        write_limit("max_user_watches", "2");
        needs("setuid", setuid(123));
        const int first = instance();
        succeeds("one", inotify_add_watch(first, "/", IN_OPEN));
        const int second = instance();
        succeeds("of another instance", inotify_add_watch(second, "/", IN_OPEN));
        fails("a third watch", inotify_add_watch(second, "/tmp", IN_OPEN), ENOSPC);
        inotify_rm_watch(first, 1);
        succeeds("one went", inotify_add_watch(second, "/tmp", IN_OPEN));
        instance();
        fails("a fourth instance", inotify_init1(0), EMFILE);
        close(second);
        succeeds("one was closed", inotify_init());
        fails("not readable", inotify_add_watch(first, "/tmp/inotify/secret", IN_OPEN), EACCES);
        return done();
    });
    write_limit("max_user_instances", "128");
    write_limit("max_user_watches", "20000");
    fails("no such flag", inotify_init1(1), EINVAL);
    fails("not of inotify", inotify_add_watch(0, ".", IN_OPEN), EINVAL);
    fails("nor this", inotify_rm_watch(0, 1), EINVAL);
    fails("no descriptor", inotify_add_watch(99, ".", IN_OPEN), EBADF);
    const int last = instance();
    fails("no name", inotify_add_watch(last, "nothing", IN_OPEN), ENOENT);
    fails("bad memory", inotify_add_watch(last, reinterpret_cast<char*>(4), IN_OPEN), EFAULT);
    close(last);
}

void test_unmount() {
    needs("mkdir", mkdir("mount", 0755));
    needs("mount", mount("none", "mount", "tmpfs", 0, nullptr));
    touch("mount/file");
    const int fd = instance();
    inotify_add_watch(fd, "mount", IN_OPEN);
    inotify_add_watch(fd, "mount/file", IN_OPEN);
    succeeds("watches do not hold a mount", umount("mount"));
    same("they end", events(fd), "1:unmount; 1:ignored; 2:unmount; 2:ignored");
    close(fd);
    rmdir("mount");
}

}  // namespace

int main() {
    needs("mkdir", mkdir(kTop, 0755));
    needs("chdir", chdir(kTop));
    close(needs("open", open("secret", O_CREAT | O_WRONLY, 0600)));
    test_contents();
    test_programs();
    test_names();
    test_moves();
    test_masks();
    test_reading();
    test_limits();
    test_unmount();
    return done();
}
