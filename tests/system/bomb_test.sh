# A fork bomb ends in a refusal, and when it is over the machine is as before. The watching shell
# forks nothing itself until then: it would be refused, too.
# BusyBox takes no function named ":", so it is named f here. Its processes end by themselves: a
# shell that cannot fork gives up.
. "$(dirname "$0")/harness.sh"
exec </dev/null

guest --mem 32 --exec 'free() { while read name size unit; do case $name in MemFree:) memory=$size;; esac; done </proc/meminfo; }
alone() { while set -- /proc/[0-9]*; [ $# -gt 2 ]; do :; done; }
ls >/dev/null; free; before=$memory
(f() { f|f& }; f)
alone; free
: & [ $! -gt 50 ] && echo many
[ $((before - memory)) -lt 600 ] && echo free || echo lost $((before - memory))
ls /bin/true'
status_is 0
output_is 'many
free
/bin/true'
errors_have "can't fork: Resource temporarily unavailable"
finish
