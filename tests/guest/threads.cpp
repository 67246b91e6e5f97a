// Threads as a C++ program has them: std::thread, mutexes, condition variables, thread-local and
// atomic variables, exceptions, one process to the outside.
// Spec: clone(2), futex(2), exit_group(2) by way of the C++ standard library.
#include <atomic>
#include <condition_variable>
#include <future>
#include <memory>
#include <mutex>
#include <numeric>
#include <queue>
#include <stdexcept>
#include <thread>
#include <vector>

#include <sys/syscall.h>

#include "tests/guest/check.hpp"

namespace {

using namespace check;

void test_joining() {
    int result = 0;
    std::thread thread([&] { result = 42; });
    thread.join();
    equal("a thread shares memory, and is joined", result, 42);
    pid_t process = 0, number = 0, own = syscall(SYS_gettid);
    std::thread([&] {
        process = getpid();
        number = syscall(SYS_gettid);
    }).join();
    that("one process, another thread", process == getpid() && number != own && own == getpid());
    std::vector<std::thread> many;
    std::atomic<int> sum = 0;
    for (int i = 1; i <= 30; i++) many.emplace_back([&sum, i] { sum += i; });
    for (auto& each : many) each.join();
    equal("thirty threads", sum, 465);
}

void test_mutex() {
    std::mutex mutex;
    long counter = 0;
    std::vector<std::thread> threads;
    for (int i = 0; i < 4; i++)
        threads.emplace_back([&] {
            for (int j = 0; j < 5000; j++) {
                std::lock_guard lock(mutex);
                counter = counter + 1;
            }
        });
    for (auto& thread : threads) thread.join();
    equal("a mutex excludes", counter, 20'000);
}

void test_condition() {
    std::mutex mutex;
    std::condition_variable filled, emptied;
    std::queue<int> queue;
    long sum = 0;
    std::thread consumer([&] {
        for (int i = 0; i < 1000; i++) {
            std::unique_lock lock(mutex);
            filled.wait(lock, [&] { return !queue.empty(); });
            sum += queue.front();
            queue.pop();
            emptied.notify_one();
        }
    });
    for (int i = 1; i <= 1000; i++) {
        std::unique_lock lock(mutex);
        emptied.wait(lock, [&] { return queue.size() < 3; });
        queue.push(i);
        filled.notify_one();
    }
    consumer.join();
    equal("producer and consumer", sum, 500'500);
    std::unique_lock lock(mutex);
    auto status = filled.wait_for(lock, std::chrono::milliseconds(20));
    that("a wait gives up in time", status == std::cv_status::timeout);
}

thread_local int own = 5;
thread_local std::unique_ptr<std::atomic<int>, void (*)(std::atomic<int>*)> at_end(
    nullptr, [](std::atomic<int>* counter) { ++*counter; });

void test_thread_local() {
    own = 1;
    int seen = 0;
    std::thread([&] {
        seen = own;
        own = 2;
    }).join();
    that("thread_local variables", seen == 5 && own == 1);
    std::atomic<int> destroyed = 0;
    std::thread([&] { at_end.reset(&destroyed); }).join();
    equal("are destroyed with their thread", destroyed, 1);
}

void test_futures() {
    auto thrower =
        std::async(std::launch::async, []() -> int { throw std::runtime_error("thrown"); });
    std::string caught;
    try {
        thrower.get();
    } catch (const std::runtime_error& error) {
        caught = error.what();
    }
    same("an exception crosses threads", caught, "thrown");
    std::vector<std::future<long>> parts;
    for (long i = 0; i < 4; i++)
        parts.push_back(std::async(std::launch::async, [=] {
            std::vector<long> numbers(10'000);
            std::iota(numbers.begin(), numbers.end(), i * 10'000);
            return std::accumulate(numbers.begin(), numbers.end(), 0L);
        }));
    long long sum = 0;
    for (auto& part : parts) sum += part.get();
    equal("a sum in four parts", sum, 799'980'000);
    std::once_flag once;
    std::atomic<int> calls = 0;
    std::vector<std::thread> threads;
    for (int i = 0; i < 4; i++)
        threads.emplace_back([&] { std::call_once(once, [&] { calls++; }); });
    for (auto& thread : threads) thread.join();
    equal("call_once", calls, 1);
}

void test_end() {
    exits("exit() ends all threads", 3, [] {
        std::thread([] { pause(); }).detach();
        return 3;
    });
    killed("a fault ends all threads", SIGSEGV, [] {
        std::thread([] { asm volatile("movb $0, 0"); }).detach();
        return pause();
    });
    exits("the first thread may end first", 0, [] {
        static pthread_t first = pthread_self();
        std::thread([] {
            pthread_join(first, nullptr);
            _exit(0);
        }).detach();
        pthread_exit(nullptr);
        return 1;
    });
    exits("a child of fork() has one thread", 0, [] {
        std::mutex mutex;
        std::thread other([&] { std::lock_guard lock(mutex); });
        int status = status_of([] { return 0; });
        other.join();
        return status;
    });
}

}  // namespace

int main() {
    test_joining();
    test_mutex();
    test_condition();
    test_thread_local();
    test_futures();
    test_end();
    return done();
}
