# Guest tests under every policy; under round robin each has a run of its own already. Left out are
# smp, which spins for what another CPU does; those that compute for seconds and hardly wait; and those
# that count what they find in the machine, or end processes that work until somebody ends them.
# timeout: 400
. "$(dirname "$0")/harness.sh"
cat >"$work/all.sh" <<'E2'
left_out='bigfolder compaction endings epoll eventfiles exec forkexec fpu ipclist killed layout'
left_out="$left_out linksmoves memadvice memstorm mqueue ownership policychange prctl rsslimit rtlimit smp"
left_out="$left_out socketendings writeback"
failed=
for test in /usr/lib/orrery/tests/*; do
    case " $left_out " in *" ${test##*/} "*) continue ;; esac
    $test >/tmp/out 2>&1 </dev/null || {
        echo "${test##*/}: status $?"
        grep FAIL /tmp/out
        failed=1
    }
done
[ -z "$failed" ]
E2
for policy in fcfs sjf srtn hrrn priority mlfq stride; do
    guest --mem 256 --append "sched=$policy" --add "$work/all.sh:/all.sh" --exec 'sh /all.sh' </dev/null
    status_is 0
    output_is ''
done
finish
