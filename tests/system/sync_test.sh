# The classic problems with semaphores and monitors, under every policy, on one and four CPUs.
. "$(dirname "$0")/harness.sh"
for cpus in 1 4; do
    guest --smp $cpus --exec 'for policy in fcfs sjf srtn hrrn rr priority mlfq stride; do
        echo $policy >/proc/sys/kernel/sched/policy && lab-sync all 300 || exit 1
    done' </dev/null
    status_is 0
    [ "$(grep -c '300 steps, 0 broken invariants' "$out")" = $((33 * 8)) ] || fail 'not all ran well'
    [ "$(grep -c '300 items, 0 broken invariants' "$out")" = $((4 * 8)) ] || fail 'not all in the kernel'
    [ "$(grep -c 'mesa.*150 of 150 rounds broken, as expected' "$out")" = 8 ] ||
        fail 'Mesa without a loop is right'
    # Each P and V was replayed from the trace, with the queue that it must have.
    [ "$(grep -c '^[0-9.]* *\(producer\|consumer\) -[0-9]* *[PV] ' "$out")" -gt 1000 ] || fail 'no P and V'
    # Five wait in a circle; in the fair monitor nobody waits for more than were there before.
    [ "$(grep -c 'in a cycle' "$out")" -ge 40 ] || fail 'deadlocks were not found'
    [ "$(grep -c 'fair, \(hoare\|mesa\).* reader [0-5], writer [0-5]' "$out")" = 16 ] ||
        fail 'the fair monitor is not fair'
done

guest --exec 'for bad in 0 x 100001 -1; do echo $bad >/proc/sync_lab && exit 1; done; lab-sync; true' </dev/null
status_is 0
finish
