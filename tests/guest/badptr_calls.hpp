// The system calls that take pointers, and what each points at: the table behind badptr.cpp.
// Sizes are those of the i386 structures, written out: a header of the host's libc would give the
// library's own, which differ.
// Spec: the Linux i386 call table and structures.
#pragma once
#include <fcntl.h>
#include <sys/stat.h>

namespace badptr {

// Descriptors that every child finds open.
enum Descriptor { kFile = 40, kFolder, kZero, kNull, kRandom, kPipeOut, kPipeIn, kMeminfo };

struct Argument {
    enum Kind { value, in, out, inout } kind = value;
    int number = 0;                // the value itself, or the size of what is pointed at
    const void* data = nullptr;    // what a good pointer points at
    bool null_means_none = false;  // null is legal
    bool partial = false;          // a buffer: less may be transferred
    int padding = 0;               // bytes at the end that need not be transferred
    bool text = false;             // ends at a zero byte
    int step = 1;                  // alignment that the call insists on
};

struct Call {
    int number;
    const char* name;
    Argument arguments[6];
    enum Flag { must_exist = 0, may_lack = 1, bad_only = 2, needs_zombie = 4 };
    int flags = must_exist;
};

constexpr Argument v(int number) { return {.number = number}; }
constexpr Argument in(int size, const void* data) {
    return {.kind = Argument::in, .number = size, .data = data};
}
constexpr Argument out(int size) { return {.kind = Argument::out, .number = size}; }
constexpr Argument inout(int size, const void* data) {
    return {.kind = Argument::inout, .number = size, .data = data};
}
template <int size>
constexpr Argument str(const char (&text)[size]) {
    Argument argument = in(size, text);
    argument.text = true;
    return argument;
}
constexpr Argument or_null(Argument argument) {
    argument.null_means_none = true;
    return argument;
}
constexpr Argument buffer(Argument argument) {
    argument.partial = true;
    return argument;
}
constexpr Argument padded_buffer(Argument argument) {
    argument = buffer(argument);
    argument.padding = 7;
    return argument;
}
constexpr Argument aligned(Argument argument) {
    argument.step = 4;
    return argument;
}

inline constexpr int kNow = AT_FDCWD;
inline constexpr int kNanosecond[2] = {0, 1}, kNanosecond64[4] = {0, 0, 1, 0}, kNothing[32] = {};
inline constexpr int kAllSignals[2] = {-1, -1};
inline constexpr int kThreadArea[4] = {-1, 0, 0xFFFFF, 0x51};
inline constexpr int kReadLock[6] = {};
inline constexpr int kPolled[4] = {kFile, 1, kNull, 1};
inline constexpr char kText[] = "a line of 32 bytes to be written";
inline constexpr int kQueue[8] = {0, 4, 16};
inline char sink[64];
inline const struct {
    const void* base;
    unsigned bytes;
} kVectors[2] = {{sink, 8}, {sink + 8, 8}};
inline constexpr char kWorkFolder[] = "/tmp/badptr.d";

using enum Call::Flag;

inline const Call kCalls[] = {
    {3, "read file", {v(kFile), buffer(out(32)), v(32)}},
    {3, "read zero", {v(kZero), buffer(out(32)), v(32)}},
    {3, "read urandom", {v(kRandom), buffer(out(32)), v(32)}},
    {3, "read pipe", {v(kPipeOut), buffer(out(8)), v(8)}},
    {3, "read proc", {v(kMeminfo), buffer(out(32)), v(32)}},
    {4, "write file", {v(kFile), buffer(in(32, kText)), v(32)}},
    {4, "write pipe", {v(kPipeIn), buffer(in(32, kText)), v(32)}},
    {5, "open", {str("file"), v(O_RDONLY), v(0)}},
    {7, "waitpid", {v(-1), or_null(out(4)), v(0)}, needs_zombie},
    {9, "link", {str("file"), str("linked")}},
    {10, "unlink", {str("none")}},
    {12, "chdir", {str(".")}},
    {13, "time", {or_null(out(4))}},
    {14, "mknod", {str("node"), v(S_IFIFO | 0600), v(0)}},
    {15, "chmod", {str("file"), v(0600)}},
    {33, "access", {str("file"), v(0)}},
    {38, "rename", {str("moved"), str("moved")}},
    {39, "mkdir", {str("made"), v(0700)}},
    {40, "rmdir", {str("none")}},
    {42, "pipe", {out(8)}},
    {43, "times", {or_null(out(16))}},
    {77, "getrusage", {v(0), out(72)}},
    {78, "gettimeofday", {or_null(out(8)), or_null(out(8))}},
    {83, "symlink", {str("target"), str("symlinked")}},
    {85, "readlink", {str("link"), out(8), v(8)}},
    {114, "wait4", {v(-1), or_null(out(4)), v(0), or_null(out(72))}, needs_zombie},
    {116, "sysinfo", {out(64)}},
    {122, "uname", {out(390)}},
    {140, "_llseek", {v(kFile), v(0), v(0), out(8), v(SEEK_SET)}},
    {145, "readv", {v(kFile), in(16, kVectors), v(2)}},
    {146, "writev", {v(kFile), in(16, kVectors), v(2)}},
    {162, "nanosleep", {in(8, kNanosecond), v(0)}},
    {168, "poll", {inout(16, kPolled), v(2), v(0)}},
    {174, "rt_sigaction", {v(12), or_null(in(20, kNothing)), or_null(out(20)), v(8)}},
    {175, "rt_sigprocmask", {v(0), or_null(in(8, kNothing)), or_null(out(8)), v(8)}},
    {179, "rt_sigsuspend", {in(8, kAllSignals), v(8)}, bad_only},
    {183, "getcwd", {out(sizeof kWorkFolder), v(4096)}},
    {191, "ugetrlimit", {v(3), out(8)}},
    {193, "truncate64", {str("file"), v(1000), v(0)}},
    {195, "stat64", {str("file"), out(96)}},
    {196, "lstat64", {str("link"), out(96)}},
    {197, "fstat64", {v(kFile), out(96)}},
    {220, "getdents64", {v(kFolder), padded_buffer(out(256)), v(256)}},
    {221, "fcntl64 F_GETLK64", {v(kFile), v(12), inout(24, kReadLock)}, may_lack},
    {240, "futex", {aligned(in(4, kNothing)), v(0), v(1), or_null(in(8, kNothing)), v(0), v(0)}},
    {243, "set_thread_area", {inout(16, kThreadArea)}},
    {265, "clock_gettime", {v(0), out(8)}},
    {267, "clock_nanosleep", {v(1), v(0), in(8, kNanosecond), v(0)}},
    {268, "statfs64", {str("."), v(84), out(84)}},
    {295, "openat", {v(kNow), str("file"), v(O_RDONLY), v(0)}},
    {296, "mkdirat", {v(kNow), str("made2"), v(0700)}},
    {300, "fstatat64", {v(kNow), str("file"), out(96), v(0)}},
    {301, "unlinkat", {v(kNow), str("none"), v(0)}},
    {302, "renameat", {v(kNow), str("moved"), v(kNow), str("moved")}},
    {303, "linkat", {v(kNow), str("file"), v(kNow), str("linked2"), v(0)}},
    {304, "symlinkat", {str("target"), v(kNow), str("symlinked2")}},
    {305, "readlinkat", {v(kNow), str("link"), out(8), v(8)}},
    {306, "fchmodat", {v(kNow), str("file"), v(0600)}},
    {307, "faccessat", {v(kNow), str("file"), v(0)}},
    {320, "utimensat", {v(kNow), str("file"), or_null(in(16, kNothing)), v(0)}},
    {331, "pipe2", {out(8), v(O_CLOEXEC)}},
    {340, "prlimit64", {v(0), v(3), v(0), or_null(out(16))}},
    {340, "prlimit64 set", {v(0), v(4), or_null(in(16, kNothing)), v(0)}, bad_only},
    {403, "clock_gettime64", {v(0), out(16)}},

    {21,
     "mount",
     {or_null(str("none")), str("dir"), or_null(str("nofs")), v(0), v(0)},
     may_lack | bad_only},
    {30, "utime", {str("file"), or_null(in(8, kNothing))}, may_lack},
    {52, "umount2", {str("file"), v(0)}, may_lack},
    {61, "chroot", {str(".")}, may_lack | bad_only},
    {74, "sethostname", {in(8, kText), v(8)}, may_lack | bad_only},
    {75, "setrlimit", {v(4), in(8, kNothing)}, may_lack | bad_only},
    {104, "setitimer", {v(0), or_null(in(16, kNothing)), or_null(out(16))}, may_lack},
    {105, "getitimer", {v(0), out(16)}, may_lack},
    {142,
     "_newselect",
     {v(4), or_null(inout(4, kNothing)), or_null(inout(4, kNothing)), or_null(inout(4, kNothing)),
      or_null(in(8, kNothing))},
     may_lack},
    {176, "rt_sigpending", {out(8), v(8)}, may_lack},
    {177, "rt_sigtimedwait", {in(8, kNothing), v(0), or_null(in(8, kNothing)), v(8)}, may_lack},
    {180, "pread64", {v(kFile), buffer(out(32)), v(32), v(5), v(0)}, may_lack},
    {181, "pwrite64", {v(kFile), buffer(in(32, kText)), v(32), v(5), v(0)}, may_lack},
    {186, "sigaltstack", {v(0), or_null(out(12))}, may_lack},
    {186, "sigaltstack set", {or_null(in(12, kNothing)), v(0)}, may_lack | bad_only},
    {198, "lchown32", {str("file"), v(-1), v(-1)}, may_lack},
    {209, "getresuid32", {out(4), out(4), out(4)}, may_lack},
    {211, "getresgid32", {out(4), out(4), out(4)}, may_lack},
    {212, "chown32", {str("file"), v(-1), v(-1)}, may_lack},
    {239, "sendfile64", {v(kNull), v(kFile), or_null(inout(8, kNothing)), v(4)}, may_lack},
    {266, "clock_getres", {v(0), or_null(out(8))}, may_lack},
    {269, "fstatfs64", {v(kFolder), v(84), out(84)}, may_lack},
    {271, "utimes", {str("file"), or_null(in(16, kNothing))}, may_lack},
    {284,
     "waitid",
     {v(0), v(0), or_null(out(24)), v(4), or_null(out(72))},
     may_lack | needs_zombie},
    {297, "mknodat", {v(kNow), str("node2"), v(S_IFIFO | 0600), v(0)}, may_lack},
    {298, "fchownat", {v(kNow), str("file"), v(-1), v(-1), v(0)}, may_lack},
    {309,
     "ppoll",
     {inout(16, kPolled), v(2), or_null(in(8, kNothing)), or_null(in(8, kNothing)), v(8)},
     may_lack},
    {333, "preadv", {v(kFile), in(16, kVectors), v(2), v(0), v(0)}, may_lack},
    {334, "pwritev", {v(kFile), in(16, kVectors), v(2), v(0), v(0)}, may_lack},
    {355, "getrandom", {buffer(out(32)), v(32), v(0)}, may_lack},
    {383, "statx", {v(kNow), str("file"), v(0), v(0x7FF), out(256)}, may_lack},
    {406, "clock_getres_time64", {v(0), or_null(out(16))}, may_lack},
    {407, "clock_nanosleep_time64", {v(1), v(0), in(16, kNanosecond64), v(0)}, may_lack},
    {255, "epoll_ctl", {v(-1), v(1), v(kPipeOut), in(12, kNothing)}, bad_only},
    {277, "mq_open", {str("badptr"), v(O_CREAT | O_RDWR), v(0600), or_null(in(32, kQueue))}},
    {278, "mq_unlink", {str("none")}},
    {322, "timerfd_create", {v(1), v(0)}},
    {325, "timerfd_settime", {v(-1), v(0), in(16, kNothing), v(0)}, bad_only},
    {327, "signalfd4", {v(-1), in(8, kNothing), v(8), v(0)}},
    {411, "timerfd_settime64", {v(-1), v(0), in(32, kNothing), v(0)}, bad_only},
};

}  // namespace badptr
