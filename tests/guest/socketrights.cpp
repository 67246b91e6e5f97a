// What goes beside the bytes of a message: open files (SCM_RIGHTS), who sent it (SCM_CREDENTIALS),
// several messages at once. Files that are on their way when nobody is left: socketcircles.cpp.
// Spec: unix(7), cmsg(3), sendmsg(2), recvmsg(2), sendmmsg(2), recvmmsg(2).
// needs: wing
#include "tests/guest/socketrights.hpp"

#include <sys/syscall.h>

using namespace rights;

namespace {

void test_files(int type) {
    Pair pair(type);
    Pipe pipe;
    equal("send a descriptor", send_files(pair.a, {pipe.in, pipe.out}, "two"), 3);
    Message got;
    equal("receive it", recvmsg(pair.b, &got.header, MSG_CMSG_CLOEXEC), 3);
    auto files = got.files();
    equal("two of them", files.size(), 2);
    equal("the room that took", got.header.msg_controllen, CMSG_SPACE(8));
    equal("flags", got.header.msg_flags, MSG_CMSG_CLOEXEC);
    equal("close-on-exec", fcntl(files[0], F_GETFD), FD_CLOEXEC);
    that("new numbers", files[0] != pipe.in && files[1] != pipe.out);
    equal("for the same file", write(files[0], "through", 7), 7);
    char text[16];
    equal("read there", read(pipe.out, text, sizeof text), 7);
    close(files[0]);
    close(files[1]);
    send_files(pair.a, {pipe.in});
    Message plain;
    equal("again", recvmsg(pair.b, &plain.header, 0), 1);
    equal("not close-on-exec", fcntl(plain.files()[0], F_GETFD), 0);
    close(plain.files()[0]);
}

void test_stream_stops() {
    Pair pair;
    Pipe pipe;
    write(pair.a, "before", 6);
    send_files(pair.a, {pipe.in}, "with");
    write(pair.a, "after", 5);
    Message got;
    long n = recvmsg(pair.b, &got.header, 0);
    equal("up to and with the descriptor's bytes", n, 10);
    equal("comes one", got.files().size(), 1);
    close(got.files()[0]);
    Message rest;
    equal("then the rest", recvmsg(pair.b, &rest.header, 0), 5);
    equal("comes none", rest.files().size(), 0);
    equal("and no room is taken", rest.header.msg_controllen, 0);
}

void test_truncation() {
    Pair pair;
    {
        Pipe pipe;
        pipe.give_to(pair.a);
        char byte;
        equal("read() takes the bytes", read(pair.b, &byte, 1), 1);
        that("and closes the descriptor", pipe.ended());
    }
    {
        Pipe pipe;
        pipe.give_to(pair.a);
        Message got({}, 0);
        equal("no room", recvmsg(pair.b, &got.header, 0), 1);
        equal("MSG_CTRUNC", got.header.msg_flags, MSG_CTRUNC);
        that("closed", pipe.ended());
    }
    Pipe one, two;
    send_files(pair.a, {one.in, two.in});
    Message got({}, CMSG_LEN(sizeof(int)));
    equal("room for one", recvmsg(pair.b, &got.header, 0), 1);
    equal("MSG_CTRUNC", got.header.msg_flags, MSG_CTRUNC);
    equal("one", got.files().size(), 1);
    close(got.files()[0]);
    Pipe peeked;
    peeked.give_to(pair.a);
    Message look;
    equal("peek", recvmsg(pair.b, &look.header, MSG_PEEK), 1);
    equal("gives one", look.files().size(), 1);
    Message again;
    equal("take", recvmsg(pair.b, &again.header, 0), 1);
    equal("gives another", again.files().size(), 1);
    close(look.files()[0]);
    that("of the same", !peeked.ended());
    close(again.files()[0]);
    that("and that was all", peeked.ended());
}

void test_bad_messages() {
    Pair pair(SOCK_DGRAM);
    fails("no such descriptor", send_files(pair.a, {99}), EBADF);
    std::vector<int> many(254, pair.a);
    fails("too many", send_files(pair.a, many), EINVAL);
    many.pop_back();
    equal("as many as may be", send_files(pair.a, many), 1);
    Message got;
    recvmsg(pair.b, &got.header, 0);
    equal("arrive", got.files().size(), 253);
    for (int fd : got.files()) close(fd);
    int value = 0;
    Message odd("x");
    odd.add(77, &value, sizeof value);
    fails("no such kind", sendmsg(pair.a, &odd.header, 0), EINVAL);
    Message short_header("x");
    short_header.add(SCM_RIGHTS, &value, sizeof value);
    ((cmsghdr*)short_header.control)->cmsg_len = 3;
    fails("a length that can't be", sendmsg(pair.a, &short_header.header, 0), EINVAL);
    ((cmsghdr*)short_header.control)->cmsg_len = 3000;
    fails("nor can this", sendmsg(pair.a, &short_header.header, 0), EINVAL);
    msghdr bad = {};
    bad.msg_iov = (iovec*)16;
    bad.msg_iovlen = 1;
    fails("bad ranges", sendmsg(pair.a, &bad, 0), EFAULT);
    bad.msg_iovlen = 2000;
    fails("too many ranges", sendmsg(pair.a, &bad, 0), EMSGSIZE);
    fails("a bad header", syscall(SYS_sendmsg, pair.a, 16, 0), EFAULT);
    fails("nothing there", recv(pair.b, &value, 1, MSG_DONTWAIT), EAGAIN);
}

// --- who sent it

void test_credentials(int type) {
    Pair pair(type);
    int on = 1;
    needs("SO_PASSCRED", setsockopt(pair.b, SOL_SOCKET, SO_PASSCRED, &on, sizeof on));
    pid_t child = start([&] { return write(pair.a, "x", 1) == 1 ? 0 : 1; });
    equal("child", wait_for(child), 0);
    Message got;
    equal("a message", recvmsg(pair.b, &got.header, 0), 1);
    auto who = got.all<ucred>(SCM_CREDENTIALS);
    equal("and who sent it", who.size(), 1);
    that("the child", who.size() == 1 && who[0].pid == child && who[0].uid == getuid());
    Message claim("x");
    ucred mine = {getpid(), getuid(), getgid()};
    claim.add(SCM_CREDENTIALS, &mine, sizeof mine);
    equal("saying who one is", sendmsg(pair.a, &claim.header, 0), 1);
    Message second;
    recvmsg(pair.b, &second.header, 0);
    that("is believed", second.all<ucred>(SCM_CREDENTIALS).at(0).pid == getpid());
    exits("others are not", 0, [&] {
        needs("setgid", setgid(1000));
        needs("setuid", setuid(1000));
        Message lie("x");
        ucred other = {getpid(), 0, 1000};
        lie.add(SCM_CREDENTIALS, &other, sizeof other);
        fails("claiming to be root", sendmsg(pair.a, &lie.header, 0), EPERM);
        return done();
    });
    Message odd("x");
    odd.add(SCM_CREDENTIALS, &mine, 4);
    fails("half of one", sendmsg(pair.a, &odd.header, 0), EINVAL);
    if (type != SOCK_STREAM) return;
    pid_t one = start([&] { return write(pair.a, "abc", 3) == 3 ? 0 : 1; });
    wait_for(one);
    write(pair.a, "de", 2);
    Message first;
    equal("bytes of different senders are not mixed", recvmsg(pair.b, &first.header, 0), 3);
    that("the first", first.all<ucred>(SCM_CREDENTIALS).at(0).pid == one);
}

void test_many() {
    Pair pair(SOCK_DGRAM);
    char texts[3][8] = {"one", "two2", "three"};
    iovec ranges[3];
    mmsghdr messages[3] = {};
    for (int i = 0; i < 3; ++i) {
        ranges[i] = {texts[i], strlen(texts[i])};
        messages[i].msg_hdr.msg_iov = &ranges[i];
        messages[i].msg_hdr.msg_iovlen = 1;
    }
    equal("sendmmsg", sendmmsg(pair.a, messages, 3, 0), 3);
    equal("how much of each", messages[1].msg_len, 4);
    char in[4][8] = {};
    iovec places[4];
    mmsghdr got[4] = {};
    for (int i = 0; i < 4; ++i) {
        places[i] = {in[i], sizeof in[i]};
        got[i].msg_hdr.msg_iov = &places[i];
        got[i].msg_hdr.msg_iovlen = 1;
    }
    equal("recvmmsg", recvmmsg(pair.b, got, 4, MSG_WAITFORONE, nullptr), 3);
    same("one of them", in[2], "three");
    equal("how long", got[2].msg_len, 5);
    fails("none", recvmmsg(pair.b, got, 4, MSG_DONTWAIT, nullptr), EAGAIN);
    sendmmsg(pair.a, messages, 3, 0);
    timespec soon = {0, 0};
    equal("the time is up after one", recvmmsg(pair.b, got, 3, 0, &soon), 1);
    timespec odd = {0, -1};
    fails("no such time", recvmmsg(pair.b, got, 3, 0, &odd), EINVAL);
    close(pair.b);
    fails("no socket", sendmmsg(pair.b, messages, 3, 0), EBADF);
    fails("nobody there", sendmmsg(pair.a, messages, 3, 0), ECONNREFUSED);
}

}  // namespace

int main() {
    for (int type : {SOCK_STREAM, SOCK_DGRAM, SOCK_SEQPACKET}) {
        test_files(type);
        test_credentials(type);
    }
    test_stream_stops();
    test_truncation();
    test_bad_messages();
    test_many();
    return done();
}
