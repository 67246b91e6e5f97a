# The cheap rows of the table of machines (scripts/machines) are as they say.
. "$(dirname "$0")/harness.sh"

shown='machines --quick'
./scripts/machines --quick >"$out" 2>"$err" </dev/null
status=$?
status_is 0
output_has '^\| q35 \| default x 4 \|.*\| 4 CPUs, APIC, hda by DMA, text screen, goes off \|$'
output_has '^\| pc \| 486 \|.*"Orrery needs a Pentium Pro or newer \(CMOV\); .*"'
check 'as many rows as are named' [ "$(./scripts/machines --quick --list | wc -l)" = "$(tail -n +3 "$out" | wc -l)" ]
# A row that does not get there is told, and so is a word that no row has.
./scripts/machines --list nonsense >"$out" 2>"$err" </dev/null
status=$?
status_is 2
errors_have 'no machine has all these words'
finish
