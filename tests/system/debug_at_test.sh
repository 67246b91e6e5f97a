# scripts/debug --at: stands where an event of a recorded run was written, every time.
# timeout: 400
# holds: record
. "$(dirname "$0")/harness.sh"

command='sleep 0.01; echo here >/proc/trace_marker; sleep 0.01'
shown="the recorded run"
guest --icount --trace "$work/run.json" --exec "$command" </dev/null
status_is 0
line=$(./scripts/trace text "$work/run.json" | grep -n ' mark text=here' | cut -d: -f1)
check "the trace has the mark" test -n "$line"
echo backtrace >"$work/commands"

at() { # at NUMBER: the machine of the recorded run, stopped at that event
    shown="debug --at run.json $1"
    ./scripts/debug --at "$work/run.json" "$1" --batch "$work/commands" --timeout 120 --icount \
        --trace /dev/null --exec "$command" >"$out" 2>"$err" </dev/null
    status=$?
}
at $((line - 1))
output_has 'trace_mark|trace_marker'
output_has 'system_call'
at 99999999
check 'an event that is not there is refused' test "$status" -ne 0
errors_have 'there is no such event'
at one
errors_have 'the number of an event'
shown="debug --at nothing"
./scripts/debug --at "$work/nothing" 1 --batch "$work/commands" --exec true >"$out" 2>"$err" </dev/null
errors_have 'No such file'
python3 - "$work/run.json" "$work/other.json" "$work/cut.json" "$work/lost.json" <<'END'
import json, sys
text = open(sys.argv[1]).read()
trace = json.loads(text)
trace['orrery']['kernel'] = 'another'
json.dump(trace, open(sys.argv[2], 'w'))
open(sys.argv[3], 'w').write(text[:len(text) // 2])
trace = json.loads(text)
trace['orrery']['lost'] = 7
json.dump(trace, open(sys.argv[4], 'w'))
END
for other in other cut lost; do
    shown="debug --at $other.json"
    ./scripts/debug --at "$work/$other.json" 5 --batch "$work/commands" --icount --exec "$command" >"$out" 2>"$err" </dev/null
    check 'it is refused' test $? -ne 0
    check 'in one line' test "$(wc -l <"$err")" -eq 1
    case $other in
        other) errors_have 'recorded with another build of the kernel' ;;
        cut) errors_have 'no trace that' ;;
        lost) errors_have '7 events before this trace were overwritten' ;;
    esac
done
cp "$build/kernel.elf" "$work/stripped.elf"
i686-linux-gnu-strip "$work/stripped.elf"
shown='a kernel without symbols'
ORRERY_KERNEL=$work/stripped.elf ./scripts/debug --batch "$work/commands" --exec true >"$out" 2>"$err" </dev/null
errors_have 'has no symbols'
check 'in one line' test "$(wc -l <"$err")" -eq 1

shown='a port that is taken'
python3 - >"$out" 2>"$err" <<'END'
import socket, subprocess, sys
taken = socket.create_server(('127.0.0.1', 0))
option = ['--', '-gdb', f'tcp:127.0.0.1:{taken.getsockname()[1]}']
for words in (['--exec', 'true'], []):
    done = subprocess.run(['./scripts/run', '--timeout', '60', *words, *option], stdin=subprocess.DEVNULL,
                          capture_output=True, text=True)
    print(done.returncode != 0, done.stderr.count('\n'), done.stderr, end='')
END
check 'each says why' test "$(grep -c '^True [12] .*Address already in use' "$out")" -eq 2

# A recorded run: any of its events, by number or by time, and back from there.
shown='debug --record --trace'
./scripts/debug --record --trace "$work/record.json" --timeout 120 --exec "$command; exit 3" >"$out" 2>"$err" </dev/null
status=$?
status_is 3
line=$(./scripts/trace text -n "$work/record.json" | grep ' mark text=here')
number=$(echo $line | cut -d' ' -f1)
check 'text -n tells the number' test "$number" -gt 20
cat >"$work/commands" <<'END'
backtrace
reverse-stepi
print cpus[0].current.tid
tt last-write cpus[0].current
ps
python
try: gdb.execute("break-event mark")
except gdb.error as error: print("refused:", error)
end
END
place() { # place WHERE: debug --at there in the recording
    shown="debug --at record.json $1"
    ./scripts/debug --at "$work/record.json" "$1" --batch "$work/commands" --timeout 120 >"$out" 2>"$err" </dev/null
    status=$?
}
place "$number"
status_is 0
output_has 'trace_mark|trace_marker'
output_has 'TraceRing::write'
output_has '^\$1 = 2$'
output_has 'schedule_locked'
output_has '^refused: a recorded run cannot be changed'
seconds=$(echo $line | cut -d' ' -f4) first=$(./scripts/trace text "$work/record.json" | head -n 1 | awk '{print $3}')
place "$(awk "BEGIN {printf \"%.6fms\", ($seconds - $first) * 1000}")"
output_has 'trace_mark|trace_marker'
fork=$(./scripts/trace text -n "$work/record.json" | grep ' fork child=3' | awk '{print $1}')
place "$fork" # of the rare events' ring
output_has 'clone_process'
place 99999999
errors_have 'there is no such event'
place 99999.9ms
errors_have 'the trace ends before'

cp "$build/record/events" "$work/events"
truncate -s -100 "$build/record/events"
place "$number"
check 'a log that is cut is refused' test "$status" -ne 0
errors_have "the recording's log is cut"
check 'in one line' test "$(wc -l <"$err")" -eq 1
cp "$work/events" "$build/record/events"
sed -i 's/"name": "/&x/' "$build/record/arguments.json"
place "$number"
errors_have 'another one was recorded since'
rm -r "$build/record"
place "$number"
errors_have 'nothing is recorded'
finish
