# Standard input of every kind, plain and in a repeatable run: large, empty, binary, never read.
. "$(dirname "$0")/harness.sh"

head -c 4000000 /dev/urandom >"$work/bytes"
shown='4 MB through a pipe, both ways'
cat "$work/bytes" | ./scripts/run --timeout 100 --exec cat 2>"$err" | cmp - "$work/bytes" ||
    fail 'not the same'
guest --icount --exec 'cat; cat; echo $?' <"$work/bytes"
check '4 MB in a repeatable run' cmp <(head -c 4000000 "$out") "$work/bytes"
check 'then the end, again and again' [ "$(tail -c +4000001 "$out")" = 0 ]
mkfifo "$work/open"
exec 8<>"$work/open"  # never ends
for repeatable in '' --icount; do
    guest $repeatable --exec 'cat; read x; echo $?' </dev/null
    output_is 1
    guest $repeatable --exec 'cat' <<<'here'
    output_is here
    seq 100000 | guest $repeatable --exec 'head -1; tail -1'
    output_has '^1$'
    guest $repeatable --exec 'echo done' <"$work/open"
    output_is done
done
# Two readers, one after the other, share what there is.
printf 'one\ntwo\nthree\n' | guest --exec 'read a; read b; echo "$b $a"; (read c; echo "$c")'
output_is $'two one\nthree'
finish
