// The terminal's ioctl calls. Those about processes are in tty_job_control.cpp.
#include "drivers/tty.hpp"

#include <algorithm>

#include "kernel/arch/user_access.hpp"

namespace {

enum Request : uint32_t {
    kGetSettings = 0x5401,            // TCGETS
    kSetSettings = 0x5402,            // TCSETS
    kSetSettingsWait = 0x5403,        // TCSETSW
    kSetSettingsFlush = 0x5404,       // TCSETSF
    kGetOldSettings = 0x5405,         // TCGETA
    kSetOldSettings = 0x5406,         // TCSETA
    kSetOldSettingsWait = 0x5407,     // TCSETAW
    kSetOldSettingsFlush = 0x5408,    // TCSETAF
    kSendBreak = 0x5409,              // TCSBRK
    kFlowControl = 0x540A,            // TCXONC
    kFlush = 0x540B,                  // TCFLSH
    kSetControlling = 0x540E,         // TIOCSCTTY
    kGetForeground = 0x540F,          // TIOCGPGRP
    kSetForeground = 0x5410,          // TIOCSPGRP
    kOutputQueue = 0x5411,            // TIOCOUTQ
    kGetWindowSize = 0x5413,          // TIOCGWINSZ
    kSetWindowSize = 0x5414,          // TIOCSWINSZ
    kInputQueue = 0x541B,             // FIONREAD
    kGiveUpControlling = 0x5422,      // TIOCNOTTY
    kGetDiscipline = 0x5424,          // TIOCGETD
    kSendBreakPosix = 0x5425,         // TCSBRKP
    kGetSession = 0x5429,             // TIOCGSID
    kGetSettings2 = 0x802C542A,       // TCGETS2: what the C library asks from glibc 2.42 on
    kSetSettings2 = 0x402C542B,       // TCSETS2
    kSetSettings2Wait = 0x402C542C,   // TCSETSW2
    kSetSettings2Flush = 0x402C542D,  // TCSETSF2
};

// System V's: the lower halves of the flags, and the first characters.
struct Termio {
    uint16_t input, output, control, local;
    uint8_t line, characters[8];
};
static_assert(sizeof(Termio) == 18);

Termio old(const Termios2& t) {
    Termio out{};
    out.input = static_cast<uint16_t>(t.base.input);
    out.output = static_cast<uint16_t>(t.base.output);
    out.control = static_cast<uint16_t>(t.base.control);
    out.local = static_cast<uint16_t>(t.base.local);
    out.line = t.base.line;
    std::copy_n(t.base.characters, sizeof out.characters, out.characters);
    return out;
}
Termios2 with_old(Termios2 t, const Termio& wanted) {
    auto lower = [](uint32_t& flags, uint16_t half) { flags = (flags & 0xffff0000) | half; };
    lower(t.base.input, wanted.input);
    lower(t.base.output, wanted.output);
    lower(t.base.control, wanted.control);
    lower(t.base.local, wanted.local);
    t.base.line = wanted.line;
    std::copy_n(wanted.characters, sizeof wanted.characters, t.base.characters);
    return t;
}

// ^S and ^Q do what they usually do.
bool has_usual_flow_control(const Termios& t) {
    return (t.input & termios::kStartStop) && t.characters[termios::kStop] == 'S' - '@' &&
           t.characters[termios::kStart] == 'Q' - '@';
}

Result<int32_t> give(uint32_t to, int32_t value) {
    TRY(write_user(UserPtr<int32_t>(to), value));
    return 0;
}

}  // namespace

Result<int32_t> Tty::ioctl(uint32_t request, uint32_t argument) {
    switch (request) {
        case kGetSettings: TRY(write_user(UserPtr<Termios>(argument), settings().base)); return 0;
        case kGetSettings2: TRY(write_user(UserPtr<Termios2>(argument), settings())); return 0;
        // Output never waits in a queue here, so draining is immediate.
        case kSetSettings:
        case kSetSettingsWait:
        case kSetSettingsFlush: {
            Termios2 wanted = settings();
            wanted.base = TRY(read_user(UserPtr<Termios>(argument)));
            return set_settings(wanted, request == kSetSettingsFlush);
        }
        case kGetOldSettings: TRY(write_user(UserPtr<Termio>(argument), old(settings()))); return 0;
        case kSetOldSettings:
        case kSetOldSettingsWait:
        case kSetOldSettingsFlush:
            return set_settings(with_old(settings(), TRY(read_user(UserPtr<Termio>(argument)))),
                                request == kSetOldSettingsFlush);
        case kSetSettings2:
        case kSetSettings2Wait:
        case kSetSettings2Flush:
            return set_settings(TRY(read_user(UserPtr<Termios2>(argument))),
                                request == kSetSettings2Flush);
        case kGetWindowSize:
            TRY(write_user(UserPtr<WindowSize>(argument), window_size()));
            return 0;
        case kSetWindowSize:
            set_window_size(TRY(read_user(UserPtr<WindowSize>(argument))));
            send_waiting_signals();
            return 0;
        case kInputQueue: return give(argument, waiting_input());
        case kOutputQueue:
        case kGetDiscipline: return give(argument, 0);
        case kSendBreak:
        case kSendBreakPosix: return 0;
        case kFlowControl: return flow_control(argument);
        case kFlush: return flush(argument);
        case kSetControlling: return become_controlling();
        case kGiveUpControlling: return give_up_controlling();
        case kGetForeground: return give(argument, TRY(of_caller(foreground_group())));
        case kGetSession: return give(argument, TRY(of_caller(session())));
        case kSetForeground: return set_foreground(TRY(read_user(UserPtr<int32_t>(argument))));
    }
    return Errno::notty;
}

Termios2 Tty::settings() {
    LockGuard guard(lock_);
    const Termios& base = line_.settings();
    const uint32_t output = termios::speed(base.control, output_speed_);
    const uint32_t input_code = base.control >> termios::kInputSpeedShift;
    const bool same = !(input_code & termios::kSpeedMask);
    return {base, same ? output : termios::speed(input_code, input_speed_), output};
}

Result<int32_t> Tty::set_settings(const Termios2& wanted, bool flush) {
    TRY(check_foreground(kBackgroundChange));
    LockGuard guard(lock_);
    input_speed_ = wanted.input_speed;
    output_speed_ = wanted.output_speed;
    if (flush) line_.flush_input();
    const bool was_on = has_usual_flow_control(line_.settings());
    line_.set_settings(wanted.base);
    const bool is_on = has_usual_flow_control(line_.settings());
    if (is_on != was_on) tell_other_end(is_on ? flow_control_on : flow_control_off);
    read_queue_.wake_all();  // what they wait for may have changed
    write_queue_.wake_all();
    return 0;
}

// Spec: tcflow(3): 0 and 1 stop and start our output; 2 and 3 tell the other end to.
Result<int32_t> Tty::flow_control(uint32_t action) {
    if (action > 3) return Errno::inval;
    TRY(check_foreground(kBackgroundChange));
    LockGuard guard(lock_);
    if (action < 2 && line_.output_stopped() != (action == 0)) {
        line_.stop_output(action == 0);
        tell_other_end(action == 0 ? output_stopped : output_started);
    }
    if (action == 1) write_queue_.wake_all();
    if (action >= 2) {
        auto which = action == 2 ? termios::kStop : termios::kStart;
        output_(unit_, {&line_.settings().characters[which], 1});
    }
    return 0;
}

// Spec: tcflush(3): 0 input, 1 output, 2 both.
Result<int32_t> Tty::flush(uint32_t queue) {
    if (queue > 2) return Errno::inval;
    TRY(check_foreground(kBackgroundChange));
    LockGuard guard(lock_);
    if (queue != 1) {
        line_.flush_input();
        tell_other_end(input_flushed);
    }
    if (queue != 0) tell_other_end(output_flushed);
    return 0;
}

WindowSize Tty::window_size() {
    LockGuard guard(lock_);
    return window_;
}

int32_t Tty::waiting_input() {
    LockGuard guard(lock_);
    return static_cast<int32_t>(line_.available());
}
