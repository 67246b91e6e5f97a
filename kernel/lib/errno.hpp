// Error numbers of the Linux i386 ABI, in lower case because the upper-case names are macros on
// the host, where this file is compiled into unit tests too.
// Spec: Linux asm-generic/errno-base.h and errno.h, numbers only.
#pragma once

#include <cstdint>

enum class Errno : int32_t {
    perm = 1,
    noent = 2,
    srch = 3,
    intr = 4,
    io = 5,
    nxio = 6,
    toobig = 7,
    noexec = 8,
    badf = 9,
    child = 10,
    again = 11,
    nomem = 12,
    acces = 13,
    fault = 14,
    notblk = 15,
    busy = 16,
    exist = 17,
    xdev = 18,
    nodev = 19,
    notdir = 20,
    isdir = 21,
    inval = 22,
    nfile = 23,
    mfile = 24,
    notty = 25,
    txtbsy = 26,
    fbig = 27,
    nospc = 28,
    spipe = 29,
    rofs = 30,
    mlink = 31,
    pipe = 32,
    dom = 33,
    range = 34,
    deadlk = 35,
    nametoolong = 36,
    nolck = 37,
    nosys = 38,
    notempty = 39,
    loop = 40,
    nodata = 61,
    overflow = 75,
    notsock = 88,
    opnotsupp = 95,
    timedout = 110,
    // Kernel-internal: the system-call exit path turns it into a restart of the call or EINTR,
    // as the interrupting signal's SA_RESTART says. Never seen by a program.
    restart = 512,
    restart_no_handler = 514,  // likewise, but any handler makes it EINTR
};
