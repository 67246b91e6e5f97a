// lab-ipc: the means of communication that the course names, moving the same data from a producer
// to a consumer: memory that both share, with semaphores; a pipe; a mailbox; a socket.
#pragma once

#include <cstdint>
#include <memory>
#include <string>
#include <vector>

extern long calls_made;  // system calls that this process has made for the sake of communication

[[noreturn]] void fail(const char* what);
// Counts a call and ends the program if it failed.
long made(long result, const char* what);

struct Load {
    uint32_t items = 1024, bytes = 1024;
};
// Every means has room for so much on its way, if it can be told.
constexpr uint32_t kRoom = 16384;

// One way from the producer to the consumer, made before they are two processes. A pointer that a
// function returns is good until the next call of the same function.
class Means {
  public:
    Means() = default;
    Means(const Means&) = delete;
    Means& operator=(const Means&) = delete;
    virtual ~Means() = default;

    // Each process says once which one it is.
    virtual void be_producer() {}
    virtual void be_consumer() {}
    virtual uint32_t* place() = 0;          // where the next item is to be made
    virtual void send() = 0;                // what was made there
    virtual const uint32_t* receive() = 0;  // the next item
    virtual void release() {}               // which the consumer is through with
};

// Producer and consumer in one: what making and checking the items costs by themselves.
std::unique_ptr<Means> make_alone(const Load&);
// System V's shared memory and semaphores.
std::unique_ptr<Means> make_shared(const Load&);
// mmap(MAP_SHARED), with semaphores made of futexes: no call is made if nobody has to wait.
std::unique_ptr<Means> make_mapped(const Load&);
std::unique_ptr<Means> make_pipe(const Load&);
std::unique_ptr<Means> make_direct(const Load&);   // sigqueue, sigwaitinfo: the receiver's queue
std::unique_ptr<Means> make_mailbox(const Load&);  // msgsnd, msgrcv
std::unique_ptr<Means> make_socket(const Load&);   // AF_UNIX, SOCK_SEQPACKET
std::unique_ptr<Means> make_stream(const Load&);   // AF_UNIX, SOCK_STREAM

// lab-ipc script MEANS ACT...; `room` is the pipe's, the mailbox's (bytes) or the buffer's (places); 0: as usual.
int run_script(const std::vector<std::string>& words, long room);
