// The PS/2 keyboard behind its 8042 controller. What is typed goes to the console's terminal.
// Locks: none; the decoder is the interrupt handler's own.
// Spec: IBM PS/2 Technical Reference, keyboard and auxiliary device controller.
#pragma once

void keyboard_init();  // after tty_init. No controller: a message.
