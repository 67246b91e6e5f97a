// The means by which the kernel carries the data: it copies each item in and out again.
#include <fcntl.h>
#include <signal.h>
#include <sys/ipc.h>
#include <sys/msg.h>
#include <sys/socket.h>
#include <unistd.h>

#include "user/lab-ipc/lab.hpp"

namespace {

// Items are made in, and received into, memory of the process's own.
class Copied : public Means {
  public:
    uint32_t* place() override { return item_.data() + 1; }

  protected:
    explicit Copied(const Load& load) : item_(load.bytes / 4 + 1) {}
    uint32_t bytes() const { return static_cast<uint32_t>(item_.size() - 1) * 4; }
    std::vector<uint32_t> item_;  // after a word for a message's type
};

class Alone final : public Copied {
  public:
    explicit Alone(const Load& load) : Copied(load) {}
    void send() override {}
    const uint32_t* receive() override { return place(); }
};

// Descriptors: [0] is read, [1] written. Bytes come in pieces of any size.
class Stream : public Copied {
  public:
    ~Stream() override {
        for (int end : ends_)
            if (end >= 0) close(end);
    }
    void be_producer() override { leave(0); }
    void be_consumer() override { leave(1); }
    void send() override {
        const char* from = reinterpret_cast<char*>(place());
        for (uint32_t done = 0; done < bytes();)
            done +=
                static_cast<uint32_t>(made(write(ends_[1], from + done, bytes() - done), "write"));
    }
    const uint32_t* receive() override {
        char* to = reinterpret_cast<char*>(place());
        for (uint32_t done = 0; done < bytes();) {
            const long more = made(read(ends_[0], to + done, bytes() - done), "read");
            if (more == 0) fail("end of the data");
            done += static_cast<uint32_t>(more);
        }
        return place();
    }

  protected:
    explicit Stream(const Load& load) : Copied(load) {}
    int ends_[2] = {-1, -1};

  private:
    void leave(int end) {
        close(ends_[end]);
        ends_[end] = -1;
    }
};

class Pipe final : public Stream {
  public:
    explicit Pipe(const Load& load) : Stream(load) {
        made(pipe(ends_), "pipe");
        made(fcntl(ends_[1], F_SETPIPE_SZ, kRoom), "F_SETPIPE_SZ");
    }
};

class Socket final : public Stream {
  public:
    Socket(const Load& load, int type) : Stream(load) {
        made(socketpair(AF_UNIX, type, 0, ends_), "socketpair");
        const int room = kRoom;
        made(setsockopt(ends_[1], SOL_SOCKET, SO_SNDBUF, &room, sizeof room), "SO_SNDBUF");
    }
};

class Mailbox final : public Copied {
  public:
    explicit Mailbox(const Load& load) : Copied(load) {
        id_ = static_cast<int>(made(msgget(IPC_PRIVATE, 0600), "msgget"));
        msqid_ds state;
        made(msgctl(id_, IPC_STAT, &state), "msgctl");
        state.msg_qbytes = kRoom;
        made(msgctl(id_, IPC_SET, &state), "msgctl");
    }
    ~Mailbox() override { msgctl(id_, IPC_RMID, nullptr); }
    void send() override {
        item_[0] = 1;
        made(msgsnd(id_, item_.data(), bytes(), 0), "msgsnd");
    }
    const uint32_t* receive() override {
        made(msgrcv(id_, item_.data(), bytes(), 0, 0), "msgrcv");
        return place();
    }

  private:
    int id_;
};

// Messages of one word each that name the receiver (sigqueue) and lie in a queue of that process itself,
// in the kernel, until it takes them (sigwaitinfo), which tells who sent them. The receiver grants the
// sender credit by messages of its own, as the queue is bounded.
class Direct final : public Copied {
  public:
    explicit Direct(const Load& load) : Copied(load) {
        sigemptyset(&data_);
        sigaddset(&data_, kData);
        sigemptyset(&credit_);
        sigaddset(&credit_, kCredit);
        sigset_t both = data_;
        sigaddset(&both, kCredit);
        sigprocmask(SIG_BLOCK, &both, nullptr);
    }
    void be_producer() override { peer_ = getppid(); }
    void send() override {
        for (uint32_t i = 0; i < bytes() / 4; ++i) {
            if (!granted_) granted_ = take(credit_);
            --granted_;
            put(kData, place()[i]);
        }
    }
    const uint32_t* receive() override {
        for (uint32_t i = 0; i < bytes() / 4; ++i) {
            place()[i] = take(data_);
            if (++taken_ % kGrant == 0) put(kCredit, kGrant);
        }
        return place();
    }

  private:
    static constexpr uint32_t kGrant = 32;
    static constexpr int kData = 40, kCredit = 41;  // real-time signals: they queue up
    void put(int number, uint32_t word) {
        sigval value;
        value.sival_int = static_cast<int>(word);
        made(sigqueue(peer_, number, value), "sigqueue");
    }
    uint32_t take(const sigset_t& of) {
        siginfo_t message;
        made(sigwaitinfo(&of, &message), "sigwaitinfo");
        peer_ = message.si_pid;
        return static_cast<uint32_t>(message.si_value.sival_int);
    }
    sigset_t data_, credit_;
    pid_t peer_ = 0;
    uint32_t granted_ = 2 * kGrant, taken_ = 0;
};

}  // namespace

std::unique_ptr<Means> make_direct(const Load& load) { return std::make_unique<Direct>(load); }
std::unique_ptr<Means> make_alone(const Load& load) { return std::make_unique<Alone>(load); }
std::unique_ptr<Means> make_pipe(const Load& load) { return std::make_unique<Pipe>(load); }
std::unique_ptr<Means> make_mailbox(const Load& load) { return std::make_unique<Mailbox>(load); }
std::unique_ptr<Means> make_socket(const Load& load) {
    return std::make_unique<Socket>(load, SOCK_SEQPACKET);
}
std::unique_ptr<Means> make_stream(const Load& load) {
    return std::make_unique<Socket>(load, SOCK_STREAM);
}
