# A run under --icount repeats: the same output and the same kernel log, time stamps included, at
# several speeds of the virtual processor.
# timeout: 300
. "$(dirname "$0")/harness.sh"

printf 'some\ninput\n' >"$work/input"
for shift in '' 0 5; do
    command='ls -lR / 2>&1 | md5sum; ps; cat; date; head -c 16 /dev/urandom | md5sum; (echo a & echo b & wait)'
    guest --icount $shift --exec "$command" <"$work/input"
    status_is 0
    check 'the guest says something' [ -s "$out" ]
    cp "$out" "$work/out1"
    cp "$log" "$work/log1"
    guest --icount $shift --exec "$command" <"$work/input"
    check "the same output, shift ${shift:-default}" cmp "$out" "$work/out1"
    check "the same log, shift ${shift:-default}" cmp "$log" "$work/log1"
done

# Nor do the names of the files matter, which firmware copies: the same run from a longer path.
ln -s "$(realpath "$build")" "$work/another-name-for-the-same-folder"
ORRERY_BUILD=$work/another-name-for-the-same-folder \
    /usr/bin/python3 scripts/run.py --log "$log" --icount 5 --exec "$command" <"$work/input" >"$out"
check 'the same output from another path' cmp "$out" "$work/out1"
check 'the same log from another path' cmp "$log" "$work/log1"
finish
