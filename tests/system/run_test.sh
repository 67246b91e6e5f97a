# scripts/run as a program among others: pipes that break or never close, signals, time-outs, its
# log, and nothing left behind.
. "$(dirname "$0")/harness.sh"

leftovers() { ls -d "$build"/run.*/ 2>/dev/null; }

shown='output into a closed pipe'
{ ./scripts/run --timeout 100 --exec yes 2>"$err" </dev/null; echo $? >"$work/status"; } | head -2 >"$out"
status=$(cat "$work/status")
status_is 141
output_is $'y\ny'

shown='input that never ends'
mkfifo "$work/fifo"
exec 8<>"$work/fifo"
guest --exec 'echo done' <"$work/fifo"
output_is done
echo 'one line' >"$work/fifo"
guest --exec 'read line; echo "got $line"' <"$work/fifo"
output_is 'got one line'
exec 8>&-

guest --timeout 3 --exec 'sleep 1000' </dev/null
status_is 124
errors_have 'gave up after 3 s'

shown='SIGTERM'
./scripts/run --exec 'echo started; sleep 1000' >"$out" 2>"$err" </dev/null &
pid=$!
for _ in $(seq 300); do [ -s "$out" ] && break; sleep 0.1; done
child=$(pgrep -P $pid)
kill -TERM $pid
wait $pid
status=$?
status_is 143
check 'QEMU ended' [ -n "$child" ]
check 'QEMU ended' [ ! -e "/proc/$child" ]

guest --exec true --nonsense </dev/null
status_is 2
guest --icount 99 --exec true </dev/null
status_is 2
guest --exec true -- -nonsense </dev/null
status_is 125
errors_have nonsense

guest --append nonsense=1 --exec 'cat /proc/cmdline' </dev/null
output_has 'nonsense=1'
log_has nonsense

./scripts/run --timeout 100 --exec true </dev/null
check 'the last log is kept' [ -s "$build/run.log" ]

# Of its own time: the machine may be busy.
TIMEFORMAT='%U %S'
{ time ./scripts/setup; } 2>"$err"
check 'setup is quick when nothing is missing' awk '{ exit $1 + $2 > 0.5 }' "$err"
finish
