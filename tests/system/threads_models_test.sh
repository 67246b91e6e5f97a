# The three models of threads: one blocking call stops all of N:1 and none of the others, as many as
# there are kernel threads stop N:M, and a switch in user space is cheaper than one in the kernel.
# On four CPUs only that blocking is checked: speed-up depends on the host's own CPUs.
. "$(dirname "$0")/harness.sh"

cat >"$work/check.awk" <<'E2'
/^1:1/ { full = $3; good += $4 > 0 && $5 > 0 }
/^N:1/ { one = $3; good += $4 == 0 && $5 == 0 }
/^N:M/ { many = $3; good += $4 > 0 && $5 == 0 }
END { print good == 3 && (several || one < many && many < full) ? "good" : "bad" }
E2
guest --icount 0 --exec 'lab-threads --steps 20000' </dev/null
status_is 0
[ "$(awk -f "$work/check.awk" "$work/out")" = good ] || fail "one CPU: $(cat "$work/out")"
guest --smp 4 --exec 'lab-threads --steps 200000' </dev/null
status_is 0
[ "$(awk -v several=1 -f "$work/check.awk" "$work/out")" = good ] ||
    fail "four CPUs: $(cat "$work/out")"
guest --exec 'lab-threads --kernel-threads 1' </dev/null
status_is 2
finish
