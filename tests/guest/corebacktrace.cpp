// A program with two threads, one of which dies in a function called by another: what a debugger shows of its
// core file is known.
// driven by: core_files_test.sh
#include <pthread.h>
#include <unistd.h>

volatile int ready = 0;

extern "C" [[gnu::noinline]] void waits_in_vain() {
    ready = 1;
    for (;;) pause();
}
extern "C" [[gnu::noinline]] int reads_nothing(const int* from, int secret) {
    return *from + secret;
}
extern "C" [[gnu::noinline]] int calls_it(int secret) { return reads_nothing(nullptr, secret) + 1; }

int main() {
    pthread_t other;
    pthread_create(
        &other, nullptr,
        [](void*) -> void* {
            waits_in_vain();
            return nullptr;
        },
        nullptr);
    while (!ready) usleep(1000);
    usleep(20'000);
    return calls_it(4242);
}
