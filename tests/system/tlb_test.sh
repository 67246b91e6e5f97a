# lab-tlb: a stale entry is read and then forgotten, here and on another CPU; the counted model.
. "$(dirname "$0")/harness.sh"

guest --exec 'lab-tlb stale && cat /proc/tlb' </dev/null
status_is 0
output_has '^exchanged, the TLB is not told +0 .* 1111 +stale$'
output_has '^after INVLPG +0 .* 2222$'
output_has '^cpu0 pages [1-9]'

guest --smp 2 --exec 'lab-tlb stale' </dev/null
status_is 0
output_has '^exchanged, only CPU 0 is told +0 .* 2222$'
output_has '^exchanged, only CPU 0 is told +1 .* 1111 +stale$'
output_has '^after the shoot-down +1 .* 2222$'

# One after another: 1,024 words a page, and every page once.
guest --exec 'lab-tlb model --entries 16 --ways 16 --memory 100 --lookup 20' </dev/null
status_is 0
output_has '^one after another +262144 +257 +99\.90% +120\.098$'
output_has '^matrix by rows +262144 +257 +99\.90% +120\.098$'
output_has '^matrix by columns +262144 +257 +[0-9]+\.'
guest --exec 'lab-tlb model --entries 10 --ways 4' </dev/null
status_is 2

# The choice between INVLPG and a flush of all: by size.
counts='set -- $(grep -h "nr_tlb_local_flush" /proc/vmstat)'
guest --exec "cd /proc/sys/vm; cat tlb_single_page_flush_ceiling
    $counts; one=\$2 all=\$4
    echo 1 >tlb_single_page_flush_ceiling; cat tlb_single_page_flush_ceiling
    for i in 1 2 3 4 5 6 7 8; do /bin/true; done
    $counts; echo all \$((\$4 - all > 8))
    echo x >tlb_single_page_flush_ceiling" </dev/null
output_has '^32$'
output_has '^1$'
output_has '^all 1$'
errors_have 'Invalid argument'
finish
