// The calls that are known by name only: they fail with ENOSYS, and the log tells so once each.
#include "kernel/syscall/system_call.hpp"

// clang-format off
#define NAMED(number, name) {number, #name, nullptr}
constexpr SystemCall kNotImplemented[] = {
    NAMED(0, restart_syscall), NAMED(17, break), NAMED(18, oldstat), 
    NAMED(28, oldfstat), NAMED(31, stty), NAMED(32, gtty), NAMED(35, ftime), NAMED(44, prof),
    NAMED(51, acct), NAMED(53, lock), NAMED(56, mpx), NAMED(58, ulimit),
    NAMED(62, ustat), NAMED(84, oldlstat),
    NAMED(86, uselib), NAMED(89, readdir), NAMED(98, profil), NAMED(101, ioperm),
    NAMED(109, olduname), NAMED(112, idle), NAMED(113, vm86old),
    NAMED(127, create_module), NAMED(128, init_module),
    NAMED(129, delete_module), NAMED(130, get_kernel_syms), NAMED(131, quotactl),
    NAMED(134, bdflush), NAMED(137, afs_syscall), NAMED(149, _sysctl),
    NAMED(166, vm86), NAMED(167, query_module), NAMED(169, nfsservctl), NAMED(188, getpmsg),
    NAMED(189, putpmsg), NAMED(217, pivot_root), NAMED(245, io_setup), NAMED(246, io_destroy),
    NAMED(247, io_getevents), NAMED(248, io_submit), NAMED(249, io_cancel),
    NAMED(253, lookup_dcookie), NAMED(273, vserver),
    NAMED(274, mbind), NAMED(275, get_mempolicy), NAMED(276, set_mempolicy),
    NAMED(283, kexec_load), NAMED(286, add_key), NAMED(287, request_key), NAMED(288, keyctl),
    NAMED(294, migrate_pages),
    NAMED(317, move_pages), NAMED(336, perf_event_open),
    NAMED(338, fanotify_init), NAMED(339, fanotify_mark), NAMED(341, name_to_handle_at),
    NAMED(342, open_by_handle_at),
    NAMED(350, finit_module), NAMED(354, seccomp), NAMED(357, bpf),
    NAMED(374, userfaultfd),
    NAMED(380, pkey_mprotect), NAMED(381, pkey_alloc), NAMED(382, pkey_free),
    NAMED(385, io_pgetevents), NAMED(386, rseq),
    NAMED(416, io_pgetevents_time64),
    NAMED(425, io_uring_setup), NAMED(426, io_uring_enter), NAMED(427, io_uring_register),
    NAMED(440, process_madvise),
    NAMED(443, quotactl_fd), NAMED(444, landlock_create_ruleset),
    NAMED(445, landlock_add_rule), NAMED(446, landlock_restrict_self), NAMED(447, memfd_secret),
    NAMED(448, process_mrelease), NAMED(450, set_mempolicy_home_node)};
// clang-format on
SYSTEM_CALLS(kNotImplemented);
