// The handlers of the calls for inter-process communication, by file. See handlers.hpp.
// Locks: handlers are called with none, and with interrupts on.
#pragma once

#include "kernel/syscall/handlers.hpp"

// --- sysv_calls.cpp, sysv_messages.cpp
struct SemaphoreOperation;
Result<uint32_t> sys_ipc(uint32_t call, int first, uint32_t second, uint32_t third,
                         uint32_t pointer, uint32_t fifth);
Result<int> sys_semget(int key, int count, uint32_t flags);
template <typename T>
Result<void> sys_semtimedop(int id, UserPtr<const SemaphoreOperation> from, uint32_t count,
                            UserPtr<const T> timeout);
Result<int> sys_semctl(int id, int number, uint32_t command, uint32_t argument);
Result<int> sys_shmget(int key, uint32_t bytes, uint32_t flags);
Result<uint32_t> sys_shmat(int id, uint32_t address, uint32_t flags);
Result<void> sys_shmdt(uint32_t address);
Result<int> sys_shmctl(int id, uint32_t command, uint32_t argument);
Result<int> sys_msgget(int key, uint32_t flags);
Result<void> sys_msgsnd(int id, UserPtr<int32_t> from, uint32_t bytes, uint32_t flags);
Result<uint32_t> sys_msgrcv(int id, UserPtr<int32_t> to, uint32_t bytes, int32_t type,
                            uint32_t flags);
Result<int> sys_msgctl(int id, uint32_t command, uint32_t argument);

// --- futex_call.cpp
template <typename T>
Result<uint32_t> sys_futex(UserPtr<uint32_t> word, uint32_t operation, uint32_t value,
                           UserPtr<const T> time, UserPtr<uint32_t> second, uint32_t value3);
Result<void> sys_set_robust_list(uint32_t head, uint32_t bytes);
Result<void> sys_get_robust_list(int tid, UserPtr<uint32_t> head, UserPtr<uint32_t> bytes);

// --- epoll_calls.cpp
struct EpollEvent;
Result<int> sys_epoll_create(int size);
Result<int> sys_epoll_create1(uint32_t flags);
Result<void> sys_epoll_ctl(int epoll_fd, int operation, int fd, UserPtr<const EpollEvent> from);
Result<uint32_t> sys_epoll_wait(int epoll_fd, UserPtr<EpollEvent> to, int room, int milliseconds);
Result<uint32_t> sys_epoll_pwait(int epoll_fd, UserPtr<EpollEvent> to, int room, int milliseconds,
                                 UserPtr<const SignalSet> mask, uint32_t mask_bytes);
Result<uint32_t> sys_epoll_pwait2(int epoll_fd, UserPtr<EpollEvent> to, int room,
                                  UserPtr<const TimeSpec64> time, UserPtr<const SignalSet> mask,
                                  uint32_t mask_bytes);

// --- mq_calls.cpp
struct QueueAttributes;
struct SignalEvent {  // the beginning of struct sigevent, which has 64 bytes
    uint32_t value;
    int32_t signal, way, thread;
};
Result<int> sys_mq_open(UserString name, uint32_t flags, uint32_t mode,
                        UserPtr<const QueueAttributes> from);
Result<void> sys_mq_unlink(UserString name);
template <typename T>
Result<void> sys_mq_timedsend(int fd, UserPtr<const void> from, uint32_t bytes, uint32_t priority,
                              UserPtr<const T> time);
template <typename T>
Result<uint32_t> sys_mq_timedreceive(int fd, UserPtr<void> to, uint32_t bytes,
                                     UserPtr<uint32_t> priority, UserPtr<const T> time);
Result<void> sys_mq_notify(int fd, UserPtr<const SignalEvent> from);
Result<void> sys_mq_getsetattr(int fd, UserPtr<const QueueAttributes> from,
                               UserPtr<QueueAttributes> to);

// --- event_calls.cpp
template <typename T>
struct TimerTimes {  // struct itimerspec
    T interval, value;
};
Result<int> sys_timerfd_create(int clock, uint32_t flags);
template <typename T>
Result<void> sys_timerfd_settime(int fd, uint32_t flags, UserPtr<const TimerTimes<T>> from,
                                 UserPtr<TimerTimes<T>> to);
template <typename T>
Result<void> sys_timerfd_gettime(int fd, UserPtr<TimerTimes<T>> to);
Result<int> sys_signalfd(int fd, UserPtr<const SignalSet> from, uint32_t bytes);
Result<int> sys_signalfd4(int fd, UserPtr<const SignalSet> from, uint32_t bytes, uint32_t flags);

// --- timers.cpp
Result<void> sys_timer_create(int clock, UserPtr<const SignalEvent> from, UserPtr<int32_t> to);
template <typename T>
Result<void> sys_timer_settime(int id, uint32_t flags, UserPtr<const TimerTimes<T>> from,
                               UserPtr<TimerTimes<T>> to);
template <typename T>
Result<void> sys_timer_gettime(int id, UserPtr<TimerTimes<T>> to);
Result<uint32_t> sys_timer_getoverrun(int id);
Result<void> sys_timer_delete(int id);
