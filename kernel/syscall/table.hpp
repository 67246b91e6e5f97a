// The system calls: number, name, handler, in one list; everything else about them is made from it
// (the dispatch table, names for logs and traces, the check of docs/syscalls.md).
// NAMED ones are known by name only: they fail with ENOSYS, and the log tells so once.
// Long because there are many. Spec: Linux i386 asm/unistd_32.h.
#pragma once

#include <cstdint>

// clang-format off
#define FOR_EACH_SYSTEM_CALL(CALL, NAMED) \
    NAMED(0, restart_syscall)                                                                      \
    CALL(1, exit, sys_exit)                                                                        \
    CALL(2, fork, sys_fork)                                                                        \
    CALL(3, read, sys_read)                                                                        \
    CALL(4, write, sys_write)                                                                      \
    CALL(5, open, sys_open)                                                                        \
    CALL(6, close, sys_close)                                                                      \
    CALL(7, waitpid, sys_waitpid)                                                                  \
    CALL(8, creat, sys_creat)                                                                      \
    CALL(9, link, sys_link)                                                                        \
    CALL(10, unlink, sys_unlink)                                                                   \
    CALL(11, execve, sys_execve)                                                                   \
    CALL(12, chdir, sys_chdir)                                                                     \
    CALL(13, time, sys_time)                                                                       \
    CALL(14, mknod, sys_mknod)                                                                     \
    CALL(15, chmod, sys_chmod)                                                                     \
    CALL(16, lchown, sys_lchown16)                                                                 \
    NAMED(17, break) NAMED(18, oldstat)                                                            \
    CALL(19, lseek, sys_lseek)                                                                     \
    CALL(20, getpid, sys_getpid)                                                                   \
    CALL(21, mount, sys_mount)                                                                     \
    CALL(22, umount, sys_umount)                                                                   \
    CALL(23, setuid, sys_setuid16)                                                                 \
    CALL(24, getuid, sys_getuid16)                                                                 \
    CALL(25, stime, sys_stime)                                                                     \
    NAMED(26, ptrace)                                                                              \
    CALL(27, alarm, sys_alarm)                                                                     \
    NAMED(28, oldfstat)                                                                            \
    CALL(29, pause, sys_pause)                                                                     \
    CALL(30, utime, sys_utime)                                                                     \
    NAMED(31, stty) NAMED(32, gtty)                                                                \
    CALL(33, access, sys_access)                                                                   \
    CALL(34, nice, sys_nice)                                                                       \
    NAMED(35, ftime)                                                                               \
    CALL(36, sync, sys_sync)                                                                       \
    CALL(37, kill, sys_kill)                                                                       \
    CALL(38, rename, sys_rename)                                                                   \
    CALL(39, mkdir, sys_mkdir)                                                                     \
    CALL(40, rmdir, sys_rmdir)                                                                     \
    CALL(41, dup, sys_dup)                                                                         \
    CALL(42, pipe, sys_pipe)                                                                       \
    CALL(43, times, sys_times)                                                                     \
    NAMED(44, prof)                                                                                \
    CALL(45, brk, sys_brk)                                                                         \
    CALL(46, setgid, sys_setgid16)                                                                 \
    CALL(47, getgid, sys_getgid16)                                                                 \
    CALL(48, signal, sys_signal)                                                                   \
    CALL(49, geteuid, sys_geteuid16)                                                               \
    CALL(50, getegid, sys_getegid16)                                                               \
    NAMED(51, acct)                                                                                \
    CALL(52, umount2, sys_umount2)                                                                 \
    NAMED(53, lock)                                                                                \
    CALL(54, ioctl, sys_ioctl)                                                                     \
    CALL(55, fcntl, sys_fcntl64)                                                                   \
    NAMED(56, mpx)                                                                                 \
    CALL(57, setpgid, sys_setpgid)                                                                 \
    NAMED(58, ulimit) NAMED(59, oldolduname)                                                       \
    CALL(60, umask, sys_umask)                                                                     \
    CALL(61, chroot, sys_chroot)                                                                   \
    NAMED(62, ustat)                                                                               \
    CALL(63, dup2, sys_dup2)                                                                       \
    CALL(64, getppid, sys_getppid)                                                                 \
    CALL(65, getpgrp, sys_getpgrp)                                                                 \
    CALL(66, setsid, sys_setsid)                                                                   \
    CALL(67, sigaction, sys_sigaction)                                                             \
    NAMED(68, sgetmask) NAMED(69, ssetmask)                                                        \
    CALL(70, setreuid, sys_setreuid16)                                                             \
    CALL(71, setregid, sys_setregid16)                                                             \
    CALL(72, sigsuspend, sys_sigsuspend)                                                           \
    CALL(73, sigpending, sys_sigpending)                                                           \
    CALL(74, sethostname, sys_sethostname)                                                         \
    CALL(75, setrlimit, sys_setrlimit)                                                             \
    CALL(76, getrlimit, sys_getrlimit)                                                             \
    CALL(77, getrusage, sys_getrusage)                                                             \
    CALL(78, gettimeofday, sys_gettimeofday)                                                       \
    CALL(79, settimeofday, sys_settimeofday)                                                       \
    CALL(80, getgroups, sys_getgroups16)                                                           \
    CALL(81, setgroups, sys_setgroups16)                                                           \
    CALL(82, select, sys_old_select)                                                               \
    CALL(83, symlink, sys_symlink)                                                                 \
    NAMED(84, oldlstat)                                                                            \
    CALL(85, readlink, sys_readlink)                                                               \
    NAMED(86, uselib)                                                                              \
    CALL(87, swapon, sys_swapon)                                                                   \
    CALL(88, reboot, sys_reboot)                                                                   \
    NAMED(89, readdir)                                                                             \
    CALL(90, mmap, sys_old_mmap)                                                                   \
    CALL(91, munmap, sys_munmap)                                                                   \
    CALL(92, truncate, sys_truncate)                                                               \
    CALL(93, ftruncate, sys_ftruncate)                                                             \
    CALL(94, fchmod, sys_fchmod)                                                                   \
    CALL(95, fchown, sys_fchown16)                                                                 \
    CALL(96, getpriority, sys_getpriority)                                                         \
    CALL(97, setpriority, sys_setpriority)                                                         \
    NAMED(98, profil)                                                                              \
    CALL(99, statfs, sys_statfs)                                                                   \
    CALL(100, fstatfs, sys_fstatfs)                                                                \
    NAMED(101, ioperm)                                                                             \
    CALL(102, socketcall, sys_socketcall)                                                          \
    CALL(103, syslog, sys_syslog)                                                                  \
    CALL(104, setitimer, sys_setitimer)                                                            \
    CALL(105, getitimer, sys_getitimer)                                                            \
    CALL(106, stat, sys_stat)                                                                      \
    CALL(107, lstat, sys_lstat)                                                                    \
    CALL(108, fstat, sys_fstat)                                                                    \
    NAMED(109, olduname)                                                                           \
    CALL(110, iopl, sys_iopl)                                                                      \
    NAMED(111, vhangup) NAMED(112, idle)                                                           \
    NAMED(113, vm86old)                                                                            \
    CALL(114, wait4, sys_wait4)                                                                    \
    CALL(115, swapoff, sys_swapoff)                                                                \
    CALL(116, sysinfo, sys_sysinfo)                                                                \
    CALL(117, ipc, sys_ipc)                                                                        \
    CALL(118, fsync, sys_fsync)                                                                    \
    CALL(119, sigreturn, sys_sigreturn)                                                            \
    CALL(120, clone, sys_clone)                                                                    \
    CALL(121, setdomainname, sys_setdomainname)                                                    \
    CALL(122, uname, sys_uname)                                                                    \
    CALL(123, modify_ldt, sys_modify_ldt)                                                          \
    NAMED(124, adjtimex)                                                                           \
    CALL(125, mprotect, sys_mprotect)                                                              \
    CALL(126, sigprocmask, sys_sigprocmask)                                                        \
    NAMED(127, create_module) NAMED(128, init_module) NAMED(129, delete_module)                    \
    NAMED(130, get_kernel_syms) NAMED(131, quotactl)                                               \
    CALL(132, getpgid, sys_getpgid)                                                                \
    CALL(133, fchdir, sys_fchdir)                                                                  \
    NAMED(134, bdflush) NAMED(135, sysfs)                                                          \
    CALL(136, personality, sys_personality)                                                        \
    NAMED(137, afs_syscall)                                                                        \
    CALL(138, setfsuid, sys_setfsuid16)                                                            \
    CALL(139, setfsgid, sys_setfsgid16)                                                            \
    CALL(140, _llseek, sys_llseek)                                                                 \
    CALL(141, getdents, sys_getdents)                                                              \
    CALL(142, _newselect, sys_select)                                                              \
    CALL(143, flock, sys_flock)                                                                    \
    CALL(144, msync, sys_msync)                                                                    \
    CALL(145, readv, sys_readv)                                                                    \
    CALL(146, writev, sys_writev)                                                                  \
    CALL(147, getsid, sys_getsid)                                                                  \
    CALL(148, fdatasync, sys_fdatasync)                                                            \
    NAMED(149, _sysctl)                                                                            \
    CALL(150, mlock, sys_mlock)                                                                    \
    CALL(151, munlock, sys_munlock)                                                                \
    CALL(152, mlockall, sys_mlockall)                                                              \
    CALL(153, munlockall, sys_munlockall)                                                          \
    CALL(154, sched_setparam, sys_sched_setparam)                                                  \
    CALL(155, sched_getparam, sys_sched_getparam)                                                  \
    CALL(156, sched_setscheduler, sys_sched_setscheduler)                                          \
    CALL(157, sched_getscheduler, sys_sched_getscheduler)                                          \
    CALL(158, sched_yield, sys_sched_yield)                                                        \
    CALL(159, sched_get_priority_max, sys_sched_get_priority_max)                                  \
    CALL(160, sched_get_priority_min, sys_sched_get_priority_min)                                  \
    CALL(161, sched_rr_get_interval, sys_sched_rr_get_interval<TimeSpec32>)                        \
    CALL(162, nanosleep, sys_nanosleep)                                                            \
    CALL(163, mremap, sys_mremap)                                                                  \
    CALL(164, setresuid, sys_setresuid16)                                                          \
    CALL(165, getresuid, sys_getresuid16)                                                          \
    NAMED(166, vm86) NAMED(167, query_module)                                                      \
    CALL(168, poll, sys_poll)                                                                      \
    NAMED(169, nfsservctl)                                                                         \
    CALL(170, setresgid, sys_setresgid16)                                                          \
    CALL(171, getresgid, sys_getresgid16)                                                          \
    CALL(172, prctl, sys_prctl)                                                                    \
    CALL(173, rt_sigreturn, sys_rt_sigreturn)                                                      \
    CALL(174, rt_sigaction, sys_rt_sigaction)                                                      \
    CALL(175, rt_sigprocmask, sys_rt_sigprocmask)                                                  \
    CALL(176, rt_sigpending, sys_rt_sigpending)                                                    \
    CALL(177, rt_sigtimedwait, sys_rt_sigtimedwait<TimeSpec32>)                                    \
    CALL(178, rt_sigqueueinfo, sys_rt_sigqueueinfo)                                                \
    CALL(179, rt_sigsuspend, sys_rt_sigsuspend)                                                    \
    CALL(180, pread64, sys_pread64)                                                                \
    CALL(181, pwrite64, sys_pwrite64)                                                              \
    CALL(182, chown, sys_chown16)                                                                  \
    CALL(183, getcwd, sys_getcwd)                                                                  \
    CALL(184, capget, sys_capget)                                                                  \
    CALL(185, capset, sys_capset)                                                                  \
    CALL(186, sigaltstack, sys_sigaltstack)                                                        \
    CALL(187, sendfile, sys_sendfile)                                                              \
    NAMED(188, getpmsg) NAMED(189, putpmsg)                                                        \
    CALL(190, vfork, sys_vfork)                                                                    \
    CALL(191, ugetrlimit, sys_ugetrlimit)                                                          \
    CALL(192, mmap2, sys_mmap2)                                                                    \
    CALL(193, truncate64, sys_truncate64)                                                          \
    CALL(194, ftruncate64, sys_ftruncate64)                                                        \
    CALL(195, stat64, sys_stat64)                                                                  \
    CALL(196, lstat64, sys_lstat64)                                                                \
    CALL(197, fstat64, sys_fstat64)                                                                \
    CALL(198, lchown32, sys_lchown)                                                                \
    CALL(199, getuid32, sys_getuid)                                                                \
    CALL(200, getgid32, sys_getgid)                                                                \
    CALL(201, geteuid32, sys_geteuid)                                                              \
    CALL(202, getegid32, sys_getegid)                                                              \
    CALL(203, setreuid32, sys_setreuid)                                                            \
    CALL(204, setregid32, sys_setregid)                                                            \
    CALL(205, getgroups32, sys_getgroups)                                                          \
    CALL(206, setgroups32, sys_setgroups)                                                          \
    CALL(207, fchown32, sys_fchown)                                                                \
    CALL(208, setresuid32, sys_setresuid)                                                          \
    CALL(209, getresuid32, sys_getresuid)                                                          \
    CALL(210, setresgid32, sys_setresgid)                                                          \
    CALL(211, getresgid32, sys_getresgid)                                                          \
    CALL(212, chown32, sys_chown)                                                                  \
    CALL(213, setuid32, sys_setuid)                                                                \
    CALL(214, setgid32, sys_setgid)                                                                \
    CALL(215, setfsuid32, sys_setfsuid)                                                            \
    CALL(216, setfsgid32, sys_setfsgid)                                                            \
    NAMED(217, pivot_root)                                                                         \
    CALL(218, mincore, sys_mincore)                                                                \
    CALL(219, madvise, sys_madvise)                                                                \
    CALL(220, getdents64, sys_getdents64)                                                          \
    CALL(221, fcntl64, sys_fcntl64)                                                                \
    CALL(224, gettid, sys_gettid)                                                                  \
    CALL(225, readahead, sys_readahead)                                                            \
    CALL(226, setxattr, sys_no_xattr)                                                              \
    CALL(227, lsetxattr, sys_no_lxattr)                                                            \
    CALL(228, fsetxattr, sys_no_fxattr)                                                            \
    CALL(229, getxattr, sys_no_xattr)                                                              \
    CALL(230, lgetxattr, sys_no_lxattr)                                                            \
    CALL(231, fgetxattr, sys_no_fxattr)                                                            \
    CALL(232, listxattr, sys_no_xattr)                                                             \
    CALL(233, llistxattr, sys_no_lxattr)                                                           \
    CALL(234, flistxattr, sys_no_fxattr)                                                           \
    CALL(235, removexattr, sys_no_xattr)                                                           \
    CALL(236, lremovexattr, sys_no_lxattr)                                                         \
    CALL(237, fremovexattr, sys_no_fxattr)                                                         \
    CALL(238, tkill, sys_tkill)                                                                    \
    CALL(239, sendfile64, sys_sendfile64)                                                          \
    CALL(240, futex, sys_futex<TimeSpec32>)                                                        \
    CALL(241, sched_setaffinity, sys_sched_setaffinity)                                            \
    CALL(242, sched_getaffinity, sys_sched_getaffinity)                                            \
    CALL(243, set_thread_area, sys_set_thread_area)                                                \
    CALL(244, get_thread_area, sys_get_thread_area)                                                \
    NAMED(245, io_setup) NAMED(246, io_destroy) NAMED(247, io_getevents) NAMED(248, io_submit)     \
    NAMED(249, io_cancel)                                                                          \
    CALL(250, fadvise64, sys_fadvise64)                                                            \
    CALL(252, exit_group, sys_exit_group)                                                          \
    NAMED(253, lookup_dcookie)                                                                     \
    CALL(254, epoll_create, sys_epoll_create)                                                      \
    CALL(255, epoll_ctl, sys_epoll_ctl)                                                            \
    CALL(256, epoll_wait, sys_epoll_wait)                                                          \
    NAMED(257, remap_file_pages)                                                                   \
    CALL(258, set_tid_address, sys_set_tid_address)                                                \
    CALL(259, timer_create, sys_timer_create)                                                      \
    CALL(260, timer_settime, sys_timer_settime<TimeSpec32>)                                        \
    CALL(261, timer_gettime, sys_timer_gettime<TimeSpec32>)                                        \
    CALL(262, timer_getoverrun, sys_timer_getoverrun)                                              \
    CALL(263, timer_delete, sys_timer_delete)                                                      \
    CALL(264, clock_settime, sys_clock_settime<TimeSpec32>)                                        \
    CALL(265, clock_gettime, sys_clock_gettime<TimeSpec32>)                                        \
    CALL(266, clock_getres, sys_clock_getres<TimeSpec32>)                                          \
    CALL(267, clock_nanosleep, sys_clock_nanosleep<TimeSpec32>)                                    \
    CALL(268, statfs64, sys_statfs64)                                                              \
    CALL(269, fstatfs64, sys_fstatfs64)                                                            \
    CALL(270, tgkill, sys_tgkill)                                                                  \
    CALL(271, utimes, sys_utimes)                                                                  \
    CALL(272, fadvise64_64, sys_fadvise64_64)                                                      \
    NAMED(273, vserver) NAMED(274, mbind) NAMED(275, get_mempolicy) NAMED(276, set_mempolicy)      \
    CALL(277, mq_open, sys_mq_open)                                                                \
    CALL(278, mq_unlink, sys_mq_unlink)                                                            \
    CALL(279, mq_timedsend, sys_mq_timedsend<TimeSpec32>)                                          \
    CALL(280, mq_timedreceive, sys_mq_timedreceive<TimeSpec32>)                                    \
    CALL(281, mq_notify, sys_mq_notify)                                                            \
    CALL(282, mq_getsetattr, sys_mq_getsetattr)                                                    \
    NAMED(283, kexec_load)                                                                         \
    CALL(284, waitid, sys_waitid)                                                                  \
    NAMED(286, add_key) NAMED(287, request_key) NAMED(288, keyctl) NAMED(289, ioprio_set)          \
    NAMED(290, ioprio_get) NAMED(291, inotify_init) NAMED(292, inotify_add_watch)                  \
    NAMED(293, inotify_rm_watch) NAMED(294, migrate_pages)                                         \
    CALL(295, openat, sys_openat)                                                                  \
    CALL(296, mkdirat, sys_mkdirat)                                                                \
    CALL(297, mknodat, sys_mknodat)                                                                \
    CALL(298, fchownat, sys_fchownat)                                                              \
    CALL(299, futimesat, sys_futimesat)                                                            \
    CALL(300, fstatat64, sys_fstatat64)                                                            \
    CALL(301, unlinkat, sys_unlinkat)                                                              \
    CALL(302, renameat, sys_renameat)                                                              \
    CALL(303, linkat, sys_linkat)                                                                  \
    CALL(304, symlinkat, sys_symlinkat)                                                            \
    CALL(305, readlinkat, sys_readlinkat)                                                          \
    CALL(306, fchmodat, sys_fchmodat)                                                              \
    CALL(307, faccessat, sys_faccessat)                                                            \
    CALL(308, pselect6, sys_pselect6<TimeSpec32>)                                                  \
    CALL(309, ppoll, sys_ppoll<TimeSpec32>)                                                        \
    NAMED(310, unshare)                                                                            \
    CALL(311, set_robust_list, sys_set_robust_list)                                                \
    CALL(312, get_robust_list, sys_get_robust_list)                                                \
    NAMED(313, splice)                                                                             \
    CALL(314, sync_file_range, sys_sync_file_range)                                                \
    NAMED(315, tee) NAMED(316, vmsplice)                                                           \
    NAMED(317, move_pages)                                                                         \
    CALL(318, getcpu, sys_getcpu)                                                                  \
    CALL(319, epoll_pwait, sys_epoll_pwait)                                                        \
    CALL(320, utimensat, sys_utimensat<TimeSpec32>)                                                \
    CALL(321, signalfd, sys_signalfd)                                                              \
    CALL(322, timerfd_create, sys_timerfd_create)                                                  \
    CALL(323, eventfd, sys_eventfd)                                                                \
    CALL(324, fallocate, sys_fallocate)                                                            \
    CALL(325, timerfd_settime, sys_timerfd_settime<TimeSpec32>)                                    \
    CALL(326, timerfd_gettime, sys_timerfd_gettime<TimeSpec32>)                                    \
    CALL(327, signalfd4, sys_signalfd4)                                                            \
    CALL(328, eventfd2, sys_eventfd2)                                                              \
    CALL(329, epoll_create1, sys_epoll_create1)                                                    \
    CALL(330, dup3, sys_dup3)                                                                      \
    CALL(331, pipe2, sys_pipe2)                                                                    \
    NAMED(332, inotify_init1)                                                                      \
    CALL(333, preadv, sys_preadv)                                                                  \
    CALL(334, pwritev, sys_pwritev)                                                                \
    CALL(335, rt_tgsigqueueinfo, sys_rt_tgsigqueueinfo)                                            \
    NAMED(336, perf_event_open)                                                                    \
    CALL(337, recvmmsg, sys_recvmmsg<TimeSpec32>)                                                  \
    NAMED(338, fanotify_init)                                                                      \
    NAMED(339, fanotify_mark)                                                                      \
    CALL(340, prlimit64, sys_prlimit64)                                                            \
    NAMED(341, name_to_handle_at) NAMED(342, open_by_handle_at) NAMED(343, clock_adjtime)          \
    CALL(344, syncfs, sys_syncfs)                                                                  \
    CALL(345, sendmmsg, sys_sendmmsg)                                                              \
    NAMED(346, setns) NAMED(347, process_vm_readv)                                                 \
    NAMED(348, process_vm_writev) NAMED(349, kcmp) NAMED(350, finit_module)                        \
    CALL(351, sched_setattr, sys_sched_setattr)                                                    \
    CALL(352, sched_getattr, sys_sched_getattr)                                                    \
    CALL(353, renameat2, sys_renameat2)                                                            \
    NAMED(354, seccomp)                                                                            \
    CALL(355, getrandom, sys_getrandom)                                                            \
    NAMED(356, memfd_create) NAMED(357, bpf) NAMED(358, execveat)                                  \
    CALL(359, socket, sys_socket)                                                                  \
    CALL(360, socketpair, sys_socketpair)                                                          \
    CALL(361, bind, sys_bind)                                                                      \
    CALL(362, connect, sys_connect)                                                                \
    CALL(363, listen, sys_listen)                                                                  \
    CALL(364, accept4, sys_accept4)                                                                \
    CALL(365, getsockopt, sys_getsockopt)                                                          \
    CALL(366, setsockopt, sys_setsockopt)                                                          \
    CALL(367, getsockname, sys_getsockname)                                                        \
    CALL(368, getpeername, sys_getpeername)                                                        \
    CALL(369, sendto, sys_sendto)                                                                  \
    CALL(370, sendmsg, sys_sendmsg)                                                                \
    CALL(371, recvfrom, sys_recvfrom)                                                              \
    CALL(372, recvmsg, sys_recvmsg)                                                                \
    CALL(373, shutdown, sys_shutdown)                                                              \
    NAMED(374, userfaultfd) NAMED(375, membarrier)                                                 \
    CALL(376, mlock2, sys_mlock2)                                                                  \
    CALL(377, copy_file_range, sys_copy_file_range)                                                \
    CALL(378, preadv2, sys_preadv2)                                                                \
    CALL(379, pwritev2, sys_pwritev2)                                                              \
    NAMED(380, pkey_mprotect) NAMED(381, pkey_alloc) NAMED(382, pkey_free)                         \
    CALL(383, statx, sys_statx)                                                                    \
    NAMED(384, arch_prctl) NAMED(385, io_pgetevents) NAMED(386, rseq)                              \
    CALL(393, semget, sys_semget)                                                                  \
    CALL(394, semctl, sys_semctl)                                                                  \
    CALL(395, shmget, sys_shmget)                                                                  \
    CALL(396, shmctl, sys_shmctl)                                                                  \
    CALL(397, shmat, sys_shmat)                                                                    \
    CALL(398, shmdt, sys_shmdt)                                                                    \
    CALL(399, msgget, sys_msgget)                                                                  \
    CALL(400, msgsnd, sys_msgsnd)                                                                  \
    CALL(401, msgrcv, sys_msgrcv)                                                                  \
    CALL(402, msgctl, sys_msgctl)                                                                  \
    CALL(403, clock_gettime64, sys_clock_gettime<TimeSpec64>)                                      \
    CALL(404, clock_settime64, sys_clock_settime<TimeSpec64>)                                      \
    NAMED(405, clock_adjtime64)                                                                    \
    CALL(406, clock_getres_time64, sys_clock_getres<TimeSpec64>)                                   \
    CALL(407, clock_nanosleep_time64, sys_clock_nanosleep<TimeSpec64>)                             \
    CALL(408, timer_gettime64, sys_timer_gettime<TimeSpec64>)                                      \
    CALL(409, timer_settime64, sys_timer_settime<TimeSpec64>)                                      \
    CALL(410, timerfd_gettime64, sys_timerfd_gettime<TimeSpec64>)                                  \
    CALL(411, timerfd_settime64, sys_timerfd_settime<TimeSpec64>)                                  \
    CALL(412, utimensat_time64, sys_utimensat<TimeSpec64>)                                         \
    CALL(413, pselect6_time64, sys_pselect6<TimeSpec64>)                                           \
    CALL(414, ppoll_time64, sys_ppoll<TimeSpec64>)                                                 \
    NAMED(416, io_pgetevents_time64)                                                               \
    CALL(417, recvmmsg_time64, sys_recvmmsg<TimeSpec64>)                                           \
    CALL(418, mq_timedsend_time64, sys_mq_timedsend<TimeSpec64>)                                   \
    CALL(419, mq_timedreceive_time64, sys_mq_timedreceive<TimeSpec64>)                             \
    CALL(420, semtimedop_time64, sys_semtimedop<TimeSpec64>)                                       \
    CALL(421, rt_sigtimedwait_time64, sys_rt_sigtimedwait<TimeSpec64>)                             \
    CALL(422, futex_time64, sys_futex<TimeSpec64>)                                                 \
    CALL(423, sched_rr_get_interval_time64, sys_sched_rr_get_interval<TimeSpec64>)                 \
    NAMED(424, pidfd_send_signal) NAMED(425, io_uring_setup) NAMED(426, io_uring_enter)            \
    NAMED(427, io_uring_register) NAMED(428, open_tree) NAMED(429, move_mount) NAMED(430, fsopen)  \
    NAMED(431, fsconfig) NAMED(432, fsmount) NAMED(433, fspick) NAMED(434, pidfd_open)             \
    NAMED(435, clone3)                                                                             \
    CALL(436, close_range, sys_close_range)                                                        \
    NAMED(437, openat2) NAMED(438, pidfd_getfd)                                                    \
    CALL(439, faccessat2, sys_faccessat2)                                                          \
    NAMED(440, process_madvise)                                                                    \
    CALL(441, epoll_pwait2, sys_epoll_pwait2)                                                      \
    NAMED(442, mount_setattr)                                                                      \
    NAMED(443, quotactl_fd) NAMED(444, landlock_create_ruleset) NAMED(445, landlock_add_rule)      \
    NAMED(446, landlock_restrict_self) NAMED(447, memfd_secret) NAMED(448, process_mrelease)       \
    NAMED(449, futex_waitv) NAMED(450, set_mempolicy_home_node)
// clang-format on

constexpr uint32_t kSystemCallNumbers = 451;  // one more than the largest

// "read"; null if the number means nothing.
const char* system_call_name(uint32_t number);

// Installs the dispatcher as the handler of int 0x80.
void system_calls_init();
