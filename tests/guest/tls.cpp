// Thread-local storage as the C library sets it up: segment slots in the GDT that a process asks
// for and that go with it through every switch and fork().
// Spec: set_thread_area(2); struct user_desc; Intel SDM vol. 3, 3.4.5 (segment descriptors).
#include <asm/ldt.h>
#include <sys/mman.h>
#include <sys/syscall.h>

#include "tests/guest/check.hpp"

namespace {

using namespace check;

user_desc descriptor(int slot, const void* base, unsigned limit = 0xFFFFF, bool in_pages = true) {
    user_desc result = {};
    result.entry_number = slot;
    result.base_addr = unsigned(base);
    result.limit = limit;
    result.seg_32bit = 1;
    result.limit_in_pages = in_pages;
    result.useable = 1;
    return result;
}

int set_area(user_desc& area) { return syscall(SYS_set_thread_area, &area); }

unsigned selector(const user_desc& area) { return area.entry_number * 8 + 3; }

unsigned read_fs(unsigned offset) {
    unsigned value;
    asm volatile("movl %%fs:(%1), %0" : "=r"(value) : "r"(offset));
    return value;
}

void load_fs(unsigned value) { asm volatile("movl %0, %%fs" ::"r"(value)); }

unsigned stored_fs() {
    unsigned value;
    asm volatile("movl %%fs, %0" : "=r"(value));
    return value & 0xFFFF;
}

thread_local int of_thread = 17;

// Returns a slot that is taken.
int test_slots() {
    static unsigned words[4] = {11, 22, 33, 44};
    user_desc area = descriptor(-1, words);
    succeeds("set_thread_area finds a slot", set_area(area));
    that("and tells which", int(area.entry_number) > 0 && area.entry_number < 32);
    load_fs(selector(area));
    equal("through %fs", read_fs(0), 11);
    equal("at an offset", read_fs(8), 33);
    equal("at a negative one", read_fs(unsigned(-4) + 4), 11);
    equal("%gs is still the library's", of_thread, 17);

    getpid();
    sched_yield();
    equal("after calls", read_fs(4), 22);
    equal("the selector stays loaded", stored_fs(), selector(area));
    user_desc again = descriptor(area.entry_number, words + 1);
    succeeds("the slot may be set again", set_area(again));
    load_fs(selector(again));
    equal("with another base", read_fs(0), 22);

    user_desc limited = descriptor(area.entry_number, words, 7, false);
    set_area(limited);
    load_fs(selector(limited));
    equal("within the limit", read_fs(4), 22);
    // QEMU's translator doesn't check limits: it reads what lies there.
    bool limits_hold = wait_for(start([] { return int(read_fs(8)); })) != W_EXITCODE(33, 0);
    if (limits_hold) killed("beyond the limit", SIGSEGV, [] { return int(read_fs(8)); });

    user_desc more = descriptor(-1, words);
    succeeds("a third slot", set_area(more));
    user_desc too_many = descriptor(-1, words);
    fails("a fourth", set_area(too_many), ESRCH);
    user_desc empty = {};
    empty.entry_number = more.entry_number;
    empty.read_exec_only = empty.seg_not_present = 1;
    succeeds("an empty descriptor frees one", set_area(empty));
    user_desc after = descriptor(-1, words);
    succeeds("for another", set_area(after));
    equal("the same", after.entry_number, more.entry_number);
    for (int bad : {0, 1, 100, -2}) {
        user_desc wrong = descriptor(bad, words);
        fails("not slot " + std::to_string(bad), set_area(wrong), EINVAL);
    }
    load_fs(0);
    return area.entry_number;
}

// Parent and child use the same SLOT, with bases of their own, and run by turns.
void test_switching(int slot) {
    static unsigned parents = 100, childs = 200;
    user_desc area = descriptor(slot, &parents);
    succeeds("a slot with a new base", set_area(area));
    load_fs(selector(area));
    Gate there, back;
    pid_t child = start([&] {
        if (read_fs(0) != 100) return 1;
        user_desc mine = descriptor(area.entry_number, &childs);
        if (set_area(mine) < 0) return 2;
        load_fs(selector(mine));
        for (int i = 0; i < 100; i++) {
            there.pass();
            back.wait();
            if (read_fs(0) != 200) return 3;
        }
        return of_thread == 17 ? 0 : 4;
    });
    bool right = true;
    for (int i = 0; i < 100; i++) {
        there.wait();
        right &= read_fs(0) == 100;
        back.pass();
    }
    that("parent keeps its base", right);
    equal("child keeps its own", wait_for(child), 0);
    load_fs(0);
}

}  // namespace

int main() {
    test_switching(test_slots());
    return done();
}
