// Terminal attributes as the Linux i386 ABI lays them out (TCGETS), values in octal as there.
// Spec: POSIX.1-2017 chapter 11 (General Terminal Interface); termios(3).
#pragma once

#include <cstdint>

struct Termios {
    uint32_t input, output, control, local;  // c_iflag, c_oflag, c_cflag, c_lflag
    uint8_t line;
    uint8_t characters[19];  // c_cc
};
static_assert(sizeof(Termios) == 36);

struct Termios2 {
    Termios base;
    uint32_t input_speed, output_speed;  // c_ispeed, c_ospeed: bits a second
};
static_assert(sizeof(Termios2) == 44);

struct WindowSize {
    uint16_t rows, columns, width, height;  // the last two in pixels, unused
};

namespace termios {

enum Character : uint8_t {
    kIntr,
    kQuit,
    kErase,
    kKill,
    kEof,
    kTime,
    kMin,
    kSwtc,
    kStart,
    kStop,
    kSusp,
    kEol,
    kReprint,
    kDiscard,
    kWordErase,
    kLiteralNext,
    kEol2,
};
constexpr uint8_t kDisabled = 0;  // a special character that is switched off

// c_iflag
constexpr uint32_t kIgnoreBreak = 01, kStrip = 040, kNlToCr = 0100, kIgnoreCr = 0200,
                   kCrToNl = 0400, kStartStop = 02000, kStartByAny = 04000, kBellIfFull = 020000,
                   kUtf8 = 040000;
// c_oflag
constexpr uint32_t kProcessOutput = 01, kOutNlToCrNl = 04, kOutCrToNl = 010, kNoCrAtStart = 020,
                   kNlReturns = 040, kTabMask = 014000, kExpandTabs = 014000;
// c_cflag
// The speed in c_cflag is a code, for input with a shift; kOtherSpeed: the number beside it counts.
constexpr uint32_t kSpeedMask = 010017, kOtherSpeed = 010000, kInputSpeedShift = 16;
constexpr uint32_t kSpeeds[] = {
    0,      50,     75,      110,     134,     150,     200,     300,     600,     1200,   1800,
    2400,   4800,   9600,    19200,   38400,   0,       57600,   115200,  230400,  460800, 500000,
    576000, 921600, 1000000, 1152000, 1500000, 2000000, 2500000, 3000000, 3500000, 4000000};
constexpr uint32_t speed(uint32_t code, uint32_t other) {
    code &= kSpeedMask;
    return code == kOtherSpeed ? other : kSpeeds[(code & 017) | (code & kOtherSpeed ? 020 : 0)];
}
constexpr uint32_t kBaud38400 = 017, kEightBits = 060, kReceive = 0200, kHangUpOnClose = 02000;
// c_lflag
constexpr uint32_t kSignals = 01, kCanonical = 02, kEcho = 010, kEchoErase = 020, kEchoKill = 040,
                   kEchoNl = 0100, kNoFlush = 0200, kStopBackground = 0400, kEchoControl = 01000,
                   kEchoKillErase = 04000, kExtended = 0100000;

// What a fresh terminal has, as on Linux.
constexpr Termios kDefault = {
    kCrToNl | kStartStop | kUtf8,
    kProcessOutput | kOutNlToCrNl,
    kBaud38400 | kEightBits | kReceive | kHangUpOnClose,
    kSignals | kCanonical | kEcho | kEchoErase | kEchoKill | kEchoControl | kEchoKillErase |
        kExtended,
    0,
    {003, 034, 0177, 025, 004, 0, 1, 0, 021, 023, 032, 0, 022, 017, 027, 026, 0, 0, 0},
};

}  // namespace termios
