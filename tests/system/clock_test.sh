# The clock is calibrated rightly on a host that keeps stopping the machine for longer than the PIT can count.
. "$(dirname "$0")/harness.sh"

shown='machines --clock 12'
./scripts/machines --clock 12 >"$out" 2>"$err" </dev/null
status=$?
status_is 0
output_has '^12 disturbed boots against [0-9]{6,} kHz: .*; 0 more than 1 %$'
./scripts/machines --clock 0 >"$out" 2>"$err" </dev/null
status=$?
status_is 2
finish
