# Costs that stay flat: an operation beside thousands of its kind takes at most twice the instructions
# that it takes beside ten.
# timeout: 120
# programs: growth
# needs: wing
. "$(dirname "$0")/harness.sh"

guest --icount 0 --mem 256 --exec /usr/lib/orrery/tests/growth </dev/null
status_is 0
check 'seven kinds' [ "$(wc -l <"$out")" = 7 ]
while read -r name few many; do
    check "$name: $few beside ten, $many beside thousands" [ "$many" -le $((2 * few)) ]
done <"$out"

finish
