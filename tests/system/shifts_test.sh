# The guest tests of what runs at the same time, on the clocks of several virtual processors: each
# shift makes the clock interrupts fall elsewhere. Then 10,000 processes, and no memory lost.
# timeout: 300
# programs: pipes process sigevents signals threads fpu tls forkexec memory
. "$(dirname "$0")/harness.sh"
exec </dev/null

tests='pipes process sigevents signals threads fpu tls forkexec memory'
for shift in 0 2 4 6; do
    guest --icount $shift --exec "for t in $tests; do
        /usr/lib/orrery/tests/\$t >/tmp/out || { grep -v '^ok' /tmp/out; echo \$t failed; }; done"
    status_is 0
    output_is ''
done
guest --exec '/usr/lib/orrery/tests/forkexec 10000'
status_is 0
finish
