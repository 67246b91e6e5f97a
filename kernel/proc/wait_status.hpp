// The status of a child in one word, as wait4 reports it. Spec: wait(2); Linux's bits.
//
//     ended by exit(code)      code & 255 in bits 8 to 15     0 in the lowest seven
//     killed by a signal       0                              its number, and 128 if there is a core
//     stopped by a signal      its number in bits 8 to 15     127
//     goes on                  0xffff
#pragma once

// Of a process that ends by exit(code).
// Lab 3.2: stub { return (code & 0xff) ? 1 << 8 : 0; }
constexpr int status_of_exit(int code) { return (code & 0xff) << 8; }
