# Processes that end in the midst of something, on four CPUs; guest.endings does it on one.
# programs: endings socketendings
. "$(dirname "$0")/harness.sh"
for program in endings socketendings; do
    guest --smp 4 --exec /usr/lib/orrery/tests/$program </dev/null
    status_is 0
done
finish
