# lab-locks: the rules that a lock keeps by its construction, and those that it cannot keep.
. "$(dirname "$0")/harness.sh"
# verdict LOCK RULES: kept, broken, or . for what depends on luck
verdict() { output_has "^$1 +$(echo "$2" | sed 's/ / +/g; s/\./(kept|broken|-)/g') "; }

guest --exec 'lab-locks 20' </dev/null
status_is 0
verdict interrupts-off 'kept kept kept kept'
verdict mutex 'kept kept . kept'

# Where the host has little time, its four CPUs may not meet in the section at once.
for acquires in 40 400 2000; do
    guest --smp 4 --exec "lab-locks $acquires" </dev/null
    grep -q '^interrupts-off  kept    broken ' "$out" && break
done
verdict interrupts-off 'kept broken . .'
verdict mutex 'kept kept . .'
for lock in test-and-set swap; do verdict $lock 'kept kept . broken'; done
for lock in ticket peterson; do verdict $lock 'kept kept kept broken'; done
verdict turns 'broken kept kept broken'
finish
