# Guest tests under every policy; under round robin each has a run of its own already. Left out are smp, spinyield,
# membarrier and policychange, which are about several CPUs; the endings and corefiles, whose children work until a
# test ends them, which a policy without preemption never lets anybody do; those that count what others may have left
# in the machine; hostile, many and procfiles, which take all that there is; stall and flat, which measure time; damage and
# corebacktrace, which another test drives; and those that compute or wait for seconds.
# timeout: 400
# programs: all
. "$(dirname "$0")/harness.sh"
cat >"$work/all.sh" <<'E2'
left_out='smp membarrier policychange endings socketendings corefiles corebacktrace bigfolder compaction exec forkexec fpu memstorm rsslimit rtlimit'
left_out="$left_out ipclist layout mqueue mqnotices damage hostile many stall flat cputimers procfiles spinyield adjtimex limits"
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
