# scripts/run --exec: a guest command's output, input and status are the host command's.
. "$(dirname "$0")/harness.sh"

guest --exec 'uname -srm; echo $((6*7)); ls -l /bin | head -3; ps; head -2 /proc/meminfo' </dev/null
status_is 0
no_errors
output_has '^Linux .* i686$'
output_has '^42$'
output_has 'busybox$'
output_has '^ *PID +USER'
output_has '^MemTotal: +[0-9]+ kB$'

guest --exec 'exit 7' </dev/null
status_is 7
check 'nothing is printed' [ ! -s "$out" ]
guest --exec 'kill -9 $$' </dev/null
status_is 137
guest --exec 'echo out; echo err >&2; echo more' </dev/null
output_is $'out\nmore'
check 'error output apart' [ "$(cat "$err")" = err ]
guest --exec 'no-such-command' </dev/null
status_is 127

# Quotes, percent signs, newlines, UTF-8 come through.
command='printf "%s|" "a  b" '"'c\"d'"' 100% "é
e" -f'
guest --exec "$command" </dev/null
output_is $'a  b|c"d|100%|é\ne|-f|'

seq 1 200000 | guest --exec 'sort -n | tail -1'
output_is 200000
head -c 4000000 /dev/urandom >"$work/bytes"
guest --exec cat <"$work/bytes"
check '4 MB come through' cmp "$work/bytes" "$out"
guest --exec 'wc -c' <"$work/bytes"
output_is 4000000
guest --exec 'cat; echo end' <&-
output_is end

finish
