# The clock is calibrated rightly on a host that keeps stopping the machine for longer than the PIT can count.
. "$(dirname "$0")/harness.sh"

measure="dmesg | sed -n 's/.*clock: TSC at \([0-9]*\) kHz.*/\1/p'"
guest --exec "$measure" </dev/null
calm=$(cat "$out")
check 'a frequency' [ "$calm" -gt 100000 ]
for round in 1 2 3; do
    shown="a disturbed boot, $round"
    ./scripts/run --timeout 200 --log "$log" --exec "$measure" >"$out" 2>"$err" </dev/null &
    runner=$!
    while kill -0 $runner 2>/dev/null; do
        for machine in $(pgrep -P $runner); do
            kill -STOP "$machine" 2>/dev/null && sleep 0.07 && kill -CONT "$machine" 2>/dev/null
        done
        sleep 0.01
    done
    wait $runner
    status=$?
    status_is 0
    check "$(cat "$out") kHz is within 2 % of $calm" \
        [ $(($(cat "$out") - calm)) -gt $((-calm / 50)) -a $(($(cat "$out") - calm)) -lt $((calm / 50)) ]
done
finish
