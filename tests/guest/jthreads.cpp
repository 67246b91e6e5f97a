// The rest of what C++20 has for threads: jthread, stop tokens, latches, barriers, semaphores,
// shared mutexes, waiting on atomics.
// Spec: ISO C++20, clauses 31.7 and 32.
#include <atomic>
#include <barrier>
#include <condition_variable>
#include <latch>
#include <mutex>
#include <semaphore>
#include <shared_mutex>
#include <thread>
#include <vector>

#include "tests/guest/check.hpp"

// GCC 12 mistakes the list of a stop_callback for something not set.
#pragma GCC diagnostic ignored "-Wmaybe-uninitialized"

namespace {

using namespace check;
using namespace std::chrono_literals;

void test_stopping() {
    std::atomic<int> rounds = 0, called = 0;
    {
        std::jthread worker([&](std::stop_token token) {
            while (!token.stop_requested()) {
                rounds++;
                std::this_thread::yield();
            }
        });
        std::stop_callback callback(worker.get_stop_token(), [&] { called++; });
        while (rounds < 10) std::this_thread::yield();
    }
    that("a jthread is stopped and joined", rounds >= 10);
    equal("stop_callback", called, 0);  // it went before the thread

    std::mutex mutex;
    std::condition_variable_any condition;
    bool stopped = false, never = false;
    std::jthread waiter([&](std::stop_token token) {
        std::unique_lock lock(mutex);
        stopped = !condition.wait(lock, token, [&] { return never; });
    });
    waiter.request_stop();
    waiter.join();
    that("condition_variable_any ends with its token", stopped);
    std::stop_source source;
    std::stop_callback late(source.get_token(), [&] { called++; });
    source.request_stop();
    that("a stop is requested once", called == 1 && !source.request_stop());
}

void test_any_lock() {
    std::shared_mutex mutex;
    std::condition_variable_any condition;
    int value = 0, seen = 0;
    std::atomic<int> readers = 0;
    {
        std::vector<std::jthread> threads;
        for (int i = 0; i < 5; i++)
            threads.emplace_back([&] {
                std::shared_lock lock(mutex);
                readers++;
                condition.wait(lock, [&] { return value == 1; });
                std::atomic_ref(seen)++;
            });
        while (readers < 5) std::this_thread::yield();
        std::unique_lock lock(mutex);
        value = 1;
        condition.notify_all();
    }
    equal("condition_variable_any with a shared lock", seen, 5);
    std::shared_timed_mutex timed;
    std::shared_lock held(timed);
    bool got = true;
    std::jthread([&] { got = timed.try_lock_for(20ms); }).join();
    that("a shared_timed_mutex gives up", !got);
}

void test_meeting() {
    constexpr int kThreads = 20;
    std::latch ready(kThreads);
    std::atomic<int> count = 0, phases = 0, wrong = 0;
    std::barrier barrier(kThreads, [&]() noexcept { phases++; });
    {
        std::vector<std::jthread> threads;
        for (int i = 0; i < kThreads; i++)
            threads.emplace_back([&] {
                count++;
                ready.arrive_and_wait();
                wrong += count != kThreads;
                for (int round = 1; round <= 10; round++) {
                    barrier.arrive_and_wait();
                    wrong += phases < round;
                }
            });
    }
    that("latch and barrier", wrong == 0 && phases == 10);
    std::counting_semaphore<3> room(3);
    std::atomic<int> inside = 0, most = 0;
    {
        std::vector<std::jthread> threads;
        for (int i = 0; i < 12; i++)
            threads.emplace_back([&] {
                room.acquire();
                int now = ++inside;
                if (now > most) most = now;
                std::this_thread::yield();
                inside--;
                room.release();
            });
    }
    that("a semaphore of three", most <= 3 && most >= 1);
    that("and it gives up", [&] {
        for (int i = 0; i < 3; i++) room.acquire();
        return !room.try_acquire_for(20ms);
    }());
}

void test_atomic_waiting() {
    std::atomic<int> turn = 0;
    int sum = 0;
    std::jthread other([&] {
        for (int i = 0; i < 200; i++) {
            turn.wait(0);
            sum++;
            turn = 0;
            turn.notify_one();
        }
    });
    for (int i = 0; i < 200; i++) {
        turn = 1;
        turn.notify_one();
        turn.wait(1);
    }
    other.join();
    equal("atomic::wait", sum, 200);
}

}  // namespace

int main() {
    test_stopping();
    test_any_lock();
    test_meeting();
    test_atomic_waiting();
    return done();
}
