// What the tests of POSIX message queues share: queues of four messages of 16 bytes, messages as text.
#pragma once

#include <mqueue.h>

#include <ctime>

#include "tests/guest/check.hpp"

inline mqd_t open_queue(const char* name, int flags, long messages = 4, long bytes = 16,
                        int mode = 0600) {
    mq_attr attributes = {};
    attributes.mq_maxmsg = messages;
    attributes.mq_msgsize = bytes;
    return mq_open(name, flags, mode, &attributes);
}
inline mqd_t fresh(const char* name, int flags = O_RDWR, long messages = 4) {
    mq_unlink(name);
    return check::needs("mq_open", open_queue(name, flags | O_CREAT | O_EXCL, messages));
}
inline int put(mqd_t queue, const std::string& text, unsigned priority = 0) {
    return mq_send(queue, text.data(), text.size(), priority);
}
// The next message with its priority: "hello/3".
inline std::string next(mqd_t queue) {
    char text[16];
    unsigned priority = 99;
    const ssize_t n = mq_receive(queue, text, sizeof text, &priority);
    return n < 0 ? strerrorname_np(errno) : std::string(text, n) + "/" + std::to_string(priority);
}
inline mq_attr attributes_of(mqd_t queue) {
    mq_attr attributes = {};
    check::needs("mq_getattr", mq_getattr(queue, &attributes));
    return attributes;
}
inline timespec from_now(long nanoseconds) {
    timespec time;
    clock_gettime(CLOCK_REALTIME, &time);
    time.tv_nsec += nanoseconds;
    if (time.tv_nsec >= 1000000000) time.tv_nsec -= 1000000000, ++time.tv_sec;
    return time;
}
