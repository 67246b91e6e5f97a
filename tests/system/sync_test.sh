# The bounded buffer with semaphores and monitors, under every policy, on one and four CPUs.
. "$(dirname "$0")/harness.sh"
for cpus in 1 4; do
    guest --smp $cpus --exec 'for policy in fcfs sjf srtn hrrn rr priority mlfq stride; do
        echo $policy >/proc/sys/kernel/sched/policy && lab-sync buffer 1000 || exit 1
    done' </dev/null
    status_is 0
    [ "$(grep -c '1000 items, 0 broken invariants$' "$out")" = 24 ] || fail 'not all 24 ran well'
done
finish
