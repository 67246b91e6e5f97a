# The kernel heap under each placement, chosen at boot or while it runs; lab-heap; the leak check.
. "$(dirname "$0")/harness.sh"

for name in first-fit next-fit best-fit worst-fit quick-fit buddy; do
    guest --append mm.heap=$name --exec 'cat /proc/sys/vm/heap; seq 20000 | sort -n | tail -1
        for i in 1 2 3; do ls -lR /usr /proc/1 >/dev/null 2>&1; done; cat /proc/heap' </dev/null
    status_is 0
    output_has "\[$name\]"
    output_has '^20000$'
    output_has "^$name +[1-9][0-9]* +[1-9]"
done
guest --smp 4 --exec 'cd /proc/sys/vm; cat heap; (echo nonsense >heap) 2>&1
    for name in first-fit buddy next-fit worst-fit quick-fit best-fit size-classes; do
        echo $name >heap; (ls -lR /usr & ls -lR /proc/self & find / -xdev & wait) >/dev/null 2>&1
    done; cat heap; cat /proc/heap' </dev/null
status_is 0
output_has '^\[size-classes\] first-fit next-fit best-fit worst-fit quick-fit buddy$'
output_has 'Invalid argument'
for name in first-fit next-fit best-fit worst-fit quick-fit buddy; do output_has "^$name +[0-9]+"; done
guest --append mm.heap=nonsense --exec 'cat /proc/sys/vm/heap' </dev/null
log_has "mm.heap=nonsense: unknown, ignored; known: size-classes first-fit"

# a, b and c of 100 bytes take 128 each; the area's own head and edge 48.
guest --exec 'lab-heap --policy first-fit --area 1024 a=100 b=100 c=100 -a -c d=40 -b ! e=900' </dev/null
status_is 0
output_has '^-c +joins the hole above +-:128 b:128 -:[0-9]+$'
output_has '^d=40 +d:64 -:64 b:128'
output_has '^-b +joins both holes +d:64 -:[0-9]+$'
output_has '^e=900 +no hole is large enough '
guest --exec 'lab-heap --policy best-fit --area 1024 a=100 b=100 c=100 -a -c d=40' </dev/null
output_has '^d=40 +d:64 -:64 b:128'
guest --exec 'lab-heap --policy worst-fit --area 1024 a=100 b=100 c=100 -a -c d=40' </dev/null
output_has '^d=40 +-:128 b:128 d:64 -:'
guest --exec 'lab-heap --policy buddy --area 1024 a=100 b=100 -a -b !' </dev/null
output_has '^b=100 +a:128 b:128 -:256 -:512$'
output_has '^-b +joins its buddy +-:1024$'
guest --exec 'lab-heap --steps 5000' </dev/null
status_is 0
output_has '^every block kept its contents$'

# Only a debug kernel knows owners: there a deliberate leak is found.
guest --exec 'echo mark >/proc/heap_owners && echo leak >/proc/heap_owners && cat /proc/heap_owners' \
    </dev/null
if [ $status = 0 ]; then output_has '10 since the mark +lose_objects'; else echo 'no debug kernel'; fi
finish
