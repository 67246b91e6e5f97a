// POSIX message queues: order, limits, names, permissions, waiting and its time-outs, what a killed
// process leaves; and what all calls say to bad arguments. Notices: mqnotices.cpp.
// run: --smp 4
// Spec: mq_overview(7) and the pages it names.
// needs: wing
#include <dirent.h>
#include <poll.h>
#include <sys/epoll.h>
#include <sys/mount.h>
#include <sys/resource.h>
#include <sys/stat.h>
#include <sys/syscall.h>

#include "tests/guest/mqueue.hpp"

using namespace check;

namespace {

void set_limit(const char* name, const char* value) {
    const std::string path = std::string("/proc/sys/fs/mqueue/") + name;
    const int fd = needs(path, open(path.c_str(), O_WRONLY));
    needs(path, write(fd, value, strlen(value)));
    close(fd);
}

void test_order() {
    const mqd_t queue = fresh("/order", O_RDWR | O_NONBLOCK, 6);
    equal("O_CLOEXEC always", fcntl(queue, F_GETFD), FD_CLOEXEC);
    same("empty", next(queue), "EAGAIN");
    needs("send", put(queue, "a", 1));
    needs("send", put(queue, "b", 7));
    needs("send", put(queue, "c", 1));
    needs("send", put(queue, "", 7));
    needs("send", put(queue, "e", 32767));
    needs("send", put(queue, "f", 0));
    fails("full", put(queue, "g"), EAGAIN);
    mq_attr attributes = attributes_of(queue);
    equal("mq_curmsgs", attributes.mq_curmsgs, 6);
    equal("mq_maxmsg", attributes.mq_maxmsg, 6);
    equal("mq_msgsize", attributes.mq_msgsize, 16);
    equal("mq_flags", attributes.mq_flags, O_NONBLOCK);
    for (const char* wanted : {"e/32767", "b/7", "/7", "a/1", "c/1", "f/0", "EAGAIN"})
        same("the highest priority first, then the oldest", next(queue), wanted);
    attributes.mq_flags = 0;
    succeeds("mq_setattr", mq_setattr(queue, &attributes, nullptr));
    equal("not O_NONBLOCK any more", fcntl(queue, F_GETFL) & O_NONBLOCK, 0);
    attributes.mq_flags = 1;
    fails("another flag", mq_setattr(queue, &attributes, nullptr), EINVAL);
    mq_close(queue);
    needs("mq_unlink", mq_unlink("/order"));
}

void test_bad_calls() {
    const mqd_t queue = fresh("/bad", O_RDWR | O_NONBLOCK);
    const mqd_t reader = needs("mq_open", mq_open("/bad", O_RDONLY));
    const mqd_t writer = needs("mq_open", mq_open("/bad", O_WRONLY));
    char text[32] = {};
    fails("a large message", mq_send(queue, text, 17, 0), EMSGSIZE);
    fails("a high priority", mq_send(queue, text, 1, 32768), EINVAL);
    fails("to a reader", mq_send(reader, text, 1, 0), EBADF);
    fails("from a writer", mq_receive(writer, text, 32, nullptr), EBADF);
    fails("little room", mq_receive(queue, text, 15, nullptr), EMSGSIZE);
    fails("to a pipe", mq_send(1, text, 1, 0), EBADF);
    fails("to nothing", mq_send(99, text, 1, 0), EBADF);
    fails("a bad pointer", mq_send(queue, reinterpret_cast<char*>(16), 8, 0), EFAULT);
    const timespec bad = {0, 1000000000};
    fails("a bad time", mq_timedsend(queue, text, 1, 0, &bad), EINVAL);
    fails("a bad time to receive", mq_timedreceive(queue, text, 16, nullptr, &bad), EINVAL);
    needs("send", put(queue, "abc", 3));
    fails("a bad place", mq_receive(queue, reinterpret_cast<char*>(16), 16, nullptr), EFAULT);
    fails("no such queue", mq_open("/none", O_RDWR), ENOENT);
    fails("nor to remove", mq_unlink("/none"), ENOENT);
    fails("there already", open_queue("/bad", O_RDWR | O_CREAT | O_EXCL), EEXIST);
    fails("no slash in front", mq_open("bad", O_RDWR), EINVAL);
    fails("a slash within", open_queue("/bad/name", O_RDWR | O_CREAT), EACCES);
    fails("nothing but a slash", open_queue("/", O_RDWR | O_CREAT), ENOENT);
    fails("a directory's name", open_queue("/..", O_RDWR | O_CREAT), EACCES);
    fails("a long name", open_queue(("/" + std::string(256, 'n')).c_str(), O_RDWR | O_CREAT),
          ENAMETOOLONG);
    const std::string longest = "/" + std::string(255, 'n');
    mq_close(needs("the longest name", open_queue(longest.c_str(), O_RDWR | O_CREAT)));
    succeeds("removed", mq_unlink(longest.c_str()));
    fails("no messages", open_queue("/none", O_RDWR | O_CREAT, 0), EINVAL);
    fails("no bytes", open_queue("/none", O_RDWR | O_CREAT, 1, 0), EINVAL);
    fails("negative", open_queue("/none", O_RDWR | O_CREAT, -1, -1), EINVAL);
    fails("too many for anybody", open_queue("/none", O_RDWR | O_CREAT, 65537), EINVAL);
    fails("too large for anybody", open_queue("/none", O_RDWR | O_CREAT, 1, 16777217), EINVAL);
    fails("both ways of nothing", open_queue("/none", O_CREAT | O_ACCMODE), EINVAL);
    fails("bad attributes",
          mq_open("/none", O_RDWR | O_CREAT, 0600, reinterpret_cast<mq_attr*>(16)), EFAULT);
    struct stat status;
    needs("fstat", fstat(queue, &status));
    that("a regular file of mode 0600", status.st_mode == (S_IFREG | 0600));
    fails("write", write(queue, text, 1), EINVAL);
    char link[32] = {};
    readlink(("/proc/self/fd/" + std::to_string(queue)).c_str(), link, sizeof link - 1);
    same("its link", link, "/bad");
    for (mqd_t each : {queue, reader, writer}) mq_close(each);
    needs("mq_unlink", mq_unlink("/bad"));
}

void test_text() {
    const mqd_t queue = fresh("/text");
    needs("send", put(queue, "12345"));
    char text[100] = {};
    needs("read", read(queue, text, sizeof text));
    same("what a read tells", text,
         "QSIZE:5          NOTIFY:0     SIGNO:0     NOTIFY_PID:0     \n");
    mq_close(queue);
    mq_unlink("/text");
}

// A queue without a name lives on for those who have it open.
void test_removal() {
    const mqd_t queue = fresh("/gone");
    needs("mq_unlink", mq_unlink("/gone"));
    fails("its name is gone", mq_open("/gone", O_RDWR), ENOENT);
    needs("send", put(queue, "still"));
    const mqd_t other = fresh("/gone", O_RDWR | O_NONBLOCK);
    same("the next of that name is another", next(other), "EAGAIN");
    exits("a child has it too", 0, [&] { return next(queue) == "still/0" ? 0 : 1; });
    mq_close(queue);
    mq_close(other);
    mq_unlink("/gone");
}

void test_permissions() {
    const mode_t mask = umask(022);
    const mqd_t mine = needs("mq_open", open_queue("/mine", O_RDWR | O_CREAT, 4, 16, 0666));
    umask(mask);
    exits("others", 0, [] {
        needs("setuid", setgid(100) | setuid(100));
        fails("may not write", mq_open("/mine", O_WRONLY), EACCES);
        fails("nor both", mq_open("/mine", O_RDWR), EACCES);
        succeeds("may read", mq_open("/mine", O_RDONLY));
        fails("not even make it", open_queue("/mine", O_RDWR | O_CREAT), EACCES);
        fails("may not remove", mq_unlink("/mine"), EACCES);
        succeeds("but make their own", open_queue("/theirs", O_RDWR | O_CREAT));
        fails("of this many at most", open_queue("/larger", O_RDWR | O_CREAT, 11), EINVAL);
        fails("and of this size", open_queue("/larger", O_RDWR | O_CREAT, 1, 8193), EINVAL);
        succeeds("and remove that", mq_unlink("/theirs"));
        return done();
    });
    mq_close(mine);
    needs("mq_unlink", mq_unlink("/mine"));
}

void test_limits() {
    exits("RLIMIT_MSGQUEUE", 0, [] {
        const rlimit limit = {2 * (4 * (24 + 16) + 4 * 24), 100000};
        needs("setrlimit", setrlimit(RLIMIT_MSGQUEUE, &limit));
        needs("setuid", setuid(101));
        const mqd_t first = open_queue("/first", O_RDWR | O_CREAT);
        succeeds("one", first);
        succeeds("two", open_queue("/second", O_RDWR | O_CREAT));
        fails("three", open_queue("/third", O_RDWR | O_CREAT), EMFILE);
        mq_unlink("/first");
        fails("three, while the first is open", open_queue("/third", O_RDWR | O_CREAT), EMFILE);
        mq_close(first);
        succeeds("three", open_queue("/third", O_RDWR | O_CREAT));
        mq_unlink("/second");
        mq_unlink("/third");
        return done();
    });
    set_limit("queues_max", "1");
    const mqd_t queue = fresh("/one");
    exits("queues_max", 0, [] {
        needs("setuid", setuid(101));
        fails("of others", open_queue("/two", O_RDWR | O_CREAT), ENOSPC);
        return done();
    });
    set_limit("queues_max", "256");
    const int fd = open("/proc/sys/fs/mqueue/msg_max", O_WRONLY);
    fails("a limit of 0", write(fd, "0", 1), EINVAL);
    fails("a limit above all", write(fd, "65537", 5), EINVAL);
    close(fd);
    mq_close(queue);
    mq_unlink("/one");
    set_limit("msg_default", "7");
    const mqd_t common = needs("mq_open", mq_open("/common", O_RDWR | O_CREAT, 0600, nullptr));
    equal("msg_default", attributes_of(common).mq_maxmsg, 7);
    equal("msgsize_default", attributes_of(common).mq_msgsize, 8192);
    set_limit("msg_default", "10");
    mq_close(common);
    mq_unlink("/common");
}

void nothing(int) {}

void test_waiting() {
    const mqd_t queue = fresh("/wait", O_RDWR, 2);
    char text[16];
    timespec soon = from_now(20'000'000);
    fails("nothing came", mq_timedreceive(queue, text, 16, nullptr, &soon), ETIMEDOUT);
    timespec past = {1, 0};
    fails("nor before", mq_timedreceive(queue, text, 16, nullptr, &past), ETIMEDOUT);
    pid_t child = start([&] { return next(queue) == "late/5" ? 0 : 1; });
    wait_until(child);
    needs("send", put(queue, "late", 5));
    equal("a waiting receiver gets it", wait_for(child), 0);
    needs("send", put(queue, "1"));
    needs("send", put(queue, "2"));
    soon = from_now(20'000'000);
    fails("no room came", mq_timedsend(queue, "3", 1, 0, &soon), ETIMEDOUT);
    child = start([&] { return put(queue, "3"); });
    wait_until(child);
    same("one goes", next(queue), "1/0");
    equal("and a waiting sender has its place", wait_for(child), 0);
    same("the second", next(queue), "2/0");
    same("the third", next(queue), "3/0");

    struct sigaction action = {};
    action.sa_handler = nothing;
    sigaction(SIGUSR1, &action, nullptr);
    child = start([&] {
        fails("a handler ends it", mq_receive(queue, text, 16, nullptr), EINTR);
        return done();
    });
    wait_until(child);
    kill(child, SIGUSR1);
    equal("EINTR", wait_for(child), 0);

    // Killed where they sleep, they take nothing with them.
    for (int i = 0; i < 3; ++i) {
        child = start([&] { return next(queue).empty(); });
        wait_until(child);
        kill(child, SIGKILL);
        wait_for(child);
    }
    needs("send", put(queue, "kept"));
    same("nobody dead took it", next(queue), "kept/0");
    mq_close(queue);
    mq_unlink("/wait");
}

void test_polling() {
    const mqd_t queue = fresh("/poll", O_RDWR, 1);
    pollfd one = {queue, POLLIN | POLLOUT, 0};
    poll(&one, 1, 0);
    equal("empty: room", one.revents, POLLOUT);
    const int set = epoll_create1(0);
    epoll_event event = {};
    event.events = EPOLLIN | EPOLLET;
    needs("epoll_ctl", epoll_ctl(set, EPOLL_CTL_ADD, queue, &event));
    equal("nothing for epoll", epoll_wait(set, &event, 1, 0), 0);
    const pid_t child = start([&] {
        pollfd mine = {queue, POLLIN, 0};
        return poll(&mine, 1, -1) == 1 ? 0 : 1;
    });
    wait_until(child);
    needs("send", put(queue, "x"));
    equal("a poller is woken", wait_for(child), 0);
    poll(&one, 1, 0);
    equal("full: a message", one.revents, POLLIN);
    equal("for epoll too", epoll_wait(set, &event, 1, 0), 1);
    close(set);
    mq_close(queue);
    mq_unlink("/poll");
}

void test_file_system() {
    const char* folder = "/tmp/mqueue";
    needs("mkdir", mkdir(folder, 0755));
    needs("mount", mount("none", folder, "mqueue", 0, nullptr));
    const mqd_t queue = fresh("/listed");
    needs("send", put(queue, "1234567"));
    std::string names;
    DIR* listing = opendir(folder);
    while (dirent* entry = readdir(listing))
        if (entry->d_name[0] != '.') names += entry->d_name;
    closedir(listing);
    same("it is listed", names, "listed");
    const std::string path = std::string(folder) + "/listed";
    struct stat status;
    succeeds("where init mounted one too", stat("/dev/mqueue/listed", &status));
    needs("stat", stat(path.c_str(), &status));
    that("as a file of mode 0600", status.st_mode == (S_IFREG | 0600));
    char text[8] = {};
    const int fd = needs("open", open(path.c_str(), O_RDONLY));
    needs("read", read(fd, text, 7));
    same("that tells its bytes", text, "QSIZE:7");
    mq_attr attributes;
    succeeds("and is a queue", mq_getattr(fd, &attributes));
    close(fd);
    needs("chmod", chmod(path.c_str(), 0444));
    exits("others", 0, [&] {
        needs("setuid", setgid(100) | setuid(100));
        succeeds("may open it now", mq_open("/listed", O_RDONLY));
        fails("not remove it", unlink(path.c_str()), EPERM);
        return done();
    });
    const std::string other = std::string(folder) + "/touched";
    close(needs("creat", creat(other.c_str(), 0600)));
    mq_close(needs("mq_open", mq_open("/touched", O_RDWR)));
    succeeds("rm", unlink(other.c_str()));
    fails("removes it", mq_open("/touched", O_RDWR), ENOENT);
    fails("no directories", mkdir(other.c_str(), 0700), EPERM);
    succeeds("its name goes", unlink(path.c_str()));
    same("the queue stays", next(queue), "1234567/0");
    mq_close(queue);
    needs("umount", umount(folder));
    rmdir(folder);
}

// Two senders and two receivers; each message arrives once, even if a process is killed on the way.
void test_storm() {
    const mqd_t queue = fresh("/storm", O_RDWR, 3);
    const mqd_t sums = fresh("/sums", O_RDWR, 4);
    pid_t receivers[2], senders[2];
    for (pid_t& pid : receivers)
        pid = start([&] {
            long sum = 0;
            for (;;) {
                char text[16];
                if (mq_receive(queue, text, 16, nullptr) != 4) return 1;
                int value;
                memcpy(&value, text, 4);
                if (value < 0) break;
                sum += value;
            }
            return mq_send(sums, reinterpret_cast<char*>(&sum), sizeof sum, 0);
        });
    const pid_t victim = start([&] {
        sigset_t none;
        sigemptyset(&none);
        for (;;) {
            pollfd one = {queue, POLLPRI, 0};
            poll(&one, 1, -1);
        }
        return 0;
    });
    for (pid_t& pid : senders)
        pid = start([&] {
            for (int i = 1; i <= 500; ++i)
                if (mq_send(queue, reinterpret_cast<char*>(&i), 4, i % 3) < 0) return 1;
            return 0;
        });
    for (pid_t pid : senders) equal("a sender ends well", wait_for(pid), 0);
    kill(victim, SIGKILL);
    wait_for(victim);
    const int end = -1;
    for (int i = 0; i < 2; ++i) mq_send(queue, reinterpret_cast<const char*>(&end), 4, 0);
    for (pid_t pid : receivers) equal("a receiver ends well", wait_for(pid), 0);
    long total = 0;
    for (int i = 0; i < 2; ++i) {
        char text[16];
        mq_receive(sums, text, 16, nullptr);
        long sum;
        memcpy(&sum, text, sizeof sum);
        total += sum;
    }
    equal("every message once", total, 2 * 500 * 501 / 2);
    for (mqd_t each : {queue, sums}) mq_close(each);
    mq_unlink("/storm");
    mq_unlink("/sums");
}

}  // namespace

int main() {
    test_order();
    test_bad_calls();
    test_text();
    test_removal();
    test_permissions();
    test_limits();
    test_waiting();
    test_polling();
    test_file_system();
    test_storm();
    return done();
}
