# scripts/debug --at: stands where an event of a recorded run was written, every time.
# timeout: 300
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
finish
