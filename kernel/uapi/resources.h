/* /dev/resources: units of explicit resources, governed by the deadlock strategy that is chosen in
   /proc/sys/kernel/deadlock/strategy. Each open file is one party: closing it (or the death of the
   last process that has it) gives back all that it holds. Types live until the last file of all is
   closed. See docs/deadlock.md. */
#pragma once

#include <stdint.h>

struct res_type {
    char name[16];
    uint32_t units;
    uint32_t preemptible; /* may be taken away from its holder */
    uint32_t weight;      /* of a unit, in the cost of recovery; 0 counts as 1 */
    uint32_t consumable;  /* who gets a unit uses it up; RES_PRODUCE makes more. Units may be 0 */
};

struct res_amount {
    uint32_t type, units;
};

struct res_list {
    uint32_t count;
    struct res_amount* amounts;
};

#define RES_ADD_TYPE 0x5200 /* struct res_type *: the number of the new type */
#define RES_NAME 0x5201     /* char[16]: how the party is shown */
#define RES_CLAIM \
    0x5202 /* struct res_list *: the most it will hold. EINVAL: more than exist, less than held */
/* Blocks until all of it is granted at once. EINVAL: beyond the claim or what exists, or consumable
   types together with others. EPERM: against
   the strategy's rules. EDEADLK: chosen as a victim; it holds nothing any more. With O_NONBLOCK
   instead of waiting, EAGAIN: more than is available, EBUSY: the state would be unsafe. */
#define RES_REQUEST 0x5203 /* struct res_list * */
#define RES_RELEASE 0x5204 /* struct res_list *, count 0: everything. EINVAL: more than it holds */
#define RES_HELD 0x5205    /* struct res_list *: fills in the units that it holds now */
/* struct res_list *: units of consumable types come into being. From then on the party counts as one
   that may make more of them, for detection (units 0: no more than that). */
#define RES_PRODUCE 0x5207
#define RES_PARTY 0x5206 /* the party's number, as /proc/deadlock shows it */
