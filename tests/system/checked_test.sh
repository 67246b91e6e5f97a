# The debug build, which checks every lock (order of spin locks and of mutexes, owner, no sleep under a
# spin lock, free when destroyed), on four CPUs: tests of the guest that take many locks, in one boot.
# timeout: 900
# programs: smp process threads pthreads threadgroup signals pipes waits sysv epoll sockets socketnames socketrights mqueue locks files filemap linksmoves writeback memory memcalls timers terminal pidfd memfd inotify asyncfiles leases corefiles
. "$(dirname "$0")/harness.sh"
exec </dev/null

another_kernel checked -DORRERY_DEBUG=ON
guest --smp 4 --mem 256 --exec "for t in $(sed -n 's/^# programs: //p' "$0"); do
    timeout 60 /usr/lib/orrery/tests/\$t >/tmp/out 2>&1 || { echo FAIL \$t; tail -n 3 /tmp/out; }
    done; echo end"
output_is end

# The story's deadlock, in this kernel: it stops at the first `mv`, though no other program writes.
ORRERY_BUILD=$build/checked python3 tests/stories/patched.py tests/stories/deadlock.patch "$work/planted" >"$out" 2>&1 ||
    fail "patched.py: $(tail -3 "$out")"
ORRERY_KERNEL=$work/planted/kernel.elf
guest --exec 'echo a >a; mv a b; echo moved'
status_is 125
errors_have 'KERNEL PANIC: mutex of rank [0-9]+ wanted, rank [0-9]+ is held'
errors_have 'rename_child'
check 'each call on a line of its own, however long its name' [ "$(grep -c ' #[0-9]' "$err")" -ge 10 ]
finish
