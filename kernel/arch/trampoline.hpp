// Where other processors begin to run. Also included by assembly. The page lies below 1 MiB, as the
// start-up IPI wants it, and mm never hands out anything there.
#pragma once

#define TRAMPOLINE 0x8000
