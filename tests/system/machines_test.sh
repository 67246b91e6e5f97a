# Other machines: little memory, much memory, several processors.
# timeout: 300
. "$(dirname "$0")/harness.sh"

guest --mem 16 --exec 'head -1 /proc/meminfo' </dev/null
status_is 0
output_has '^MemTotal: +1[0-9]{4} kB'
# A repeatable run has its disk in memory, too.
guest --mem 16 --icount --exec true </dev/null
status_is 125
errors_have 'orrery cannot start: too little memory'
guest --mem 2048 --exec 'head -1 /proc/meminfo' </dev/null
output_has '^MemTotal: +(19|20)[0-9]{5} kB'
guest --smp 4 --exec 'echo $((6*7))' </dev/null
output_is 42

finish
