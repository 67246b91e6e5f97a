# The debug build, which checks every lock (order of spin locks and of mutexes, owner, no sleep under a
# spin lock, free when destroyed), on four CPUs: tests of the guest that take many locks, in one boot.
# timeout: 900
# programs: smp process threads pthreads threadgroup signals pipes waits sysv epoll sockets socketrights mqueue locks files filemap linksmoves writeback memory memcalls timers terminal
. "$(dirname "$0")/harness.sh"
exec </dev/null

another_kernel checked -DORRERY_DEBUG=ON
guest --smp 4 --mem 256 --exec "for t in $(sed -n 's/^# programs: //p' "$0"); do
    timeout 60 /usr/lib/orrery/tests/\$t >/tmp/out 2>&1 || { echo FAIL \$t; tail -n 3 /tmp/out; }
    done; echo end"
output_is end
finish
