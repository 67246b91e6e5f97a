// The bounded buffer in memory that both processes have: items are made and used where they lie, so
// nobody copies them. `empty` counts free places, `full` items; with one producer and one consumer
// each has its own position, and nothing else needs to be exclusive.
#include <linux/futex.h>
#include <sys/ipc.h>
#include <sys/mman.h>
#include <sys/sem.h>
#include <sys/shm.h>
#include <sys/syscall.h>
#include <unistd.h>

#include <algorithm>
#include <atomic>

#include "user/lab-ipc/lab.hpp"

namespace {

uint32_t places_of(const Load& load) { return std::max(1u, kRoom / load.bytes); }

class Ring : public Means {
  public:
    // Where the next item is to be made: a place that nobody uses any more.
    // Lab 6.3: stub { return at(next_); }
    uint32_t* place() override {
        wait_empty();
        return at(next_);
    }
    // It is made: the consumer may have it.
    // Lab 6.3: stub { ++next_; }
    void send() override {
        post_full();
        ++next_;
    }
    // The next item, when it is made.
    // Lab 6.3: stub { return at(next_); }
    const uint32_t* receive() override {
        wait_full();
        return at(next_);
    }
    // The consumer is through with it: the producer may have the place.
    // Lab 6.3: stub { ++next_; }
    void release() override {
        post_empty();
        ++next_;
    }

  protected:
    explicit Ring(const Load& load) : words_(load.bytes / 4), places_(places_of(load)) {}
    virtual void wait_empty() = 0;
    virtual void wait_full() = 0;
    virtual void post_empty() = 0;
    virtual void post_full() = 0;
    uint32_t bytes() const { return words_ * places_ * 4; }
    void lies_at(void* items) { items_ = static_cast<uint32_t*>(items); }

  private:
    uint32_t* at(uint32_t number) const { return items_ + number % places_ * words_; }
    uint32_t* items_ = nullptr;
    uint32_t words_, places_, next_ = 0;
};

class Shared final : public Ring {
  public:
    explicit Shared(const Load& load) : Ring(load) {
        memory_ = static_cast<int>(made(shmget(IPC_PRIVATE, bytes(), 0600), "shmget"));
        void* items = shmat(memory_, nullptr, 0);
        if (items == reinterpret_cast<void*>(-1)) fail("shmat");
        lies_at(items);
        made(shmctl(memory_, IPC_RMID, nullptr), "shmctl");  // when nobody has it attached
        semaphores_ = static_cast<int>(made(semget(IPC_PRIVATE, 2, 0600), "semget"));
        made(semctl(semaphores_, kEmpty, SETVAL, places_of(load)), "semctl");
    }
    ~Shared() override { semctl(semaphores_, 0, IPC_RMID); }

  private:
    enum : unsigned short { kEmpty, kFull };
    void change(unsigned short number, short by) {
        sembuf operation = {number, by, 0};
        made(semop(semaphores_, &operation, 1), "semop");
    }
    void wait_empty() override { change(kEmpty, -1); }
    void wait_full() override { change(kFull, -1); }
    void post_empty() override { change(kEmpty, 1); }
    void post_full() override { change(kFull, 1); }
    int memory_, semaphores_;
};

// A semaphore in shared memory whose value is below zero while a process waits: the record semaphore
// of the textbook, with the kernel's queue for its own.
class FutexSemaphore {
  public:
    void set(int value) { value_ = value; }
    void p() {
        if (value_-- > 0) return;
        while (!take_wakeup())
            if (++calls_made, syscall(SYS_futex, &wakeups_, FUTEX_WAIT, 0, nullptr) < 0) continue;
    }
    void v() {
        if (value_++ >= 0) return;
        ++wakeups_;
        made(syscall(SYS_futex, &wakeups_, FUTEX_WAKE, 1), "futex");
    }

  private:
    bool take_wakeup() {
        int there = wakeups_;
        while (there > 0)
            if (wakeups_.compare_exchange_weak(there, there - 1)) return true;
        return false;
    }
    std::atomic<int> value_, wakeups_;
};

class Mapped final : public Ring {
  public:
    explicit Mapped(const Load& load) : Ring(load), all_(kPage + bytes()) {
        start_ = mmap(nullptr, all_, PROT_READ | PROT_WRITE, MAP_SHARED | MAP_ANONYMOUS, -1, 0);
        if (start_ == MAP_FAILED) fail("mmap");
        semaphores_ = static_cast<FutexSemaphore*>(start_);
        lies_at(static_cast<char*>(start_) + kPage);
        empty().set(static_cast<int>(places_of(load)));
    }
    ~Mapped() override { munmap(start_, all_); }

  private:
    static constexpr uint32_t kPage = 4096;
    FutexSemaphore& empty() { return semaphores_[0]; }
    FutexSemaphore& full() { return semaphores_[1]; }
    void wait_empty() override { empty().p(); }
    void wait_full() override { full().p(); }
    void post_empty() override { empty().v(); }
    void post_full() override { full().v(); }
    void* start_;
    uint32_t all_;
    FutexSemaphore* semaphores_;
};

}  // namespace

std::unique_ptr<Means> make_shared(const Load& load) { return std::make_unique<Shared>(load); }
std::unique_ptr<Means> make_mapped(const Load& load) { return std::make_unique<Mapped>(load); }
