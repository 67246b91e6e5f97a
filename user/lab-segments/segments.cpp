// See segments.hpp.
#include "user/lab-segments/segments.hpp"

#include <asm/ldt.h>
#include <setjmp.h>
#include <signal.h>
#include <sys/syscall.h>
#include <sys/ucontext.h>
#include <unistd.h>

#include <cstdio>
#include <cstdlib>

namespace {

sigjmp_buf back;
Fault caught;
bool (*deal_with)(const Fault&) = nullptr;

void handle(int signal, siginfo_t*, void* context) {
    auto& registers = static_cast<ucontext_t*>(context)->uc_mcontext.gregs;
    caught = {signal, registers[REG_TRAPNO], static_cast<unsigned>(registers[REG_ERR])};
    if (deal_with && deal_with(caught)) return;
    siglongjmp(back, 1);
}

}  // namespace

void install(const Segment& s) {
    user_desc d = {};
    d.entry_number = s.entry;
    d.base_addr = s.base;
    d.limit = s.limit;
    d.seg_32bit = 1;
    d.contents = s.code ? MODIFY_LDT_CONTENTS_CODE : MODIFY_LDT_CONTENTS_DATA;
    d.read_exec_only = !s.writable;
    d.seg_not_present = !s.present;
    if (syscall(SYS_modify_ldt, 0x11, &d, sizeof d) < 0) {
        std::perror("lab-segments: modify_ldt");
        std::exit(1);
    }
}

bool is_present(unsigned entry) {
    static unsigned table[64][2];
    syscall(SYS_modify_ldt, 0, table, sizeof table);
    return table[entry][1] >> 15 & 1;
}

std::string text(const Fault& fault) {
    const char* name = fault.vector == kNotPresentVector ? "#NP"
                       : fault.vector == 12              ? "#SS"
                       : fault.vector == 13              ? "#GP"
                                                         : "exception";
    char text[64];
    std::snprintf(text, sizeof text, "%s, error %02x: %s", name, fault.error,
                  fault.signal == SIGBUS ? "SIGBUS" : "SIGSEGV");
    return text;
}

void catch_faults() {
    struct sigaction action = {};
    action.sa_sigaction = handle;
    action.sa_flags = SA_SIGINFO | SA_NODEFER;
    sigaction(SIGSEGV, &action, nullptr);
    sigaction(SIGBUS, &action, nullptr);
}

void on_fault(bool (*handler)(const Fault&)) { deal_with = handler; }

Fault run_guarded(void (*run)(void*), void* argument) {
    caught = {};
    if (!sigsetjmp(back, 1)) run(argument);
    return caught;
}

unsigned far_call(unsigned segment, unsigned offset) {
    const struct {
        unsigned offset;
        unsigned short selector;
    } pointer = {offset, static_cast<unsigned short>(segment)};
    unsigned value;
    asm volatile("lcall *%1" : "=a"(value) : "m"(pointer) : "memory");
    return value;
}
