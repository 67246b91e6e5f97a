# Machines with one to eight CPUs, with and without APICs, and the tests of what runs at the same
# time on four of them. Several CPUs are repeatable, too.
# timeout: 400
# programs: process signals pipes threads smp
. "$(dirname "$0")/harness.sh"
exec </dev/null

count='grep -c ^processor /proc/cpuinfo; nproc; grep -c "^cpu[0-9]" /proc/stat; taskset -p $$'
cpus() { # cpus N MASK
    status_is 0
    output_is "$1
$1
$1
pid 2's current affinity mask: $2"
}
guest --icount --smp 1 --exec "$count" && cpus 1 1
guest --icount --smp 2 --exec "$count" && cpus 2 3
guest --icount --smp 8 --exec "$count" && cpus 8 ff
guest --icount --smp 8 --append maxcpus=3 --exec "$count" && cpus 3 7
guest --icount --smp 4 --append nosmp --exec "$count" && cpus 1 1
guest --icount --smp 4 --append noapic --exec "$count; grep -c XT-PIC /proc/interrupts"
status_is 0
output_has '^pid .* 1$'
# No firmware tables; no APIC at all; a CPU from before all that.
guest --exec 'sleep 0.1; echo $((6*7))' -- -machine pc,acpi=off
output_is 42
guest --exec 'sleep 0.1; echo $((6*7))' -- -cpu pentium2,-apic
output_is 42
guest --smp 2 --exec 'sleep 0.1; nproc' -- -cpu pentium3
output_is 2

for shift in 1 4; do
    guest --icount $shift --smp 4 --mem 256 --exec "for t in process signals pipes threads smp; do
        /usr/lib/orrery/tests/\$t >/tmp/out || { grep -v '^ok' /tmp/out; echo \$t failed; }; done"
    status_is 0
    output_is ''
done

# The same run twice, to the last nanosecond.
same='for i in 1 2 3 4 5 6; do (ls -R /bin | sort | tail -1) & done; wait; cat /proc/uptime /proc/stat'
guest --icount 4 --smp 4 --append idle=spin --exec "$same"
status_is 0
cp "$out" "$work/first"
guest --icount 4 --smp 4 --append idle=spin --exec "$same"
check 'two runs on four CPUs are alike' cmp "$out" "$work/first"

# A panic on one CPU stops the others, and the machine.
guest --smp 4 --exec 'for i in 1 2 3; do (while :; do :; done) & done; echo c >/proc/sysrq-trigger'
status_is 125
finish
