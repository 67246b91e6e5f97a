// Where a long call lets others run: once in each round of a loop whose length a program chooses. The
// kernel is not preempted anywhere else, so what is between two such points is never seen half done by
// another thread of this CPU. Copies from and to programs are such points too (user_access.hpp).
// Locks: none may be held but sleeping ones.
#pragma once

void preemption_point();  // in kernel/sched
