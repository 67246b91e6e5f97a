# Swap: 16 MiB of memory and 40 MiB of data, beside a mapped file larger than memory; areas that
# don't exist, can't be written or fill up; every policy; what is lost when nothing is left: one
# process.
# timeout: 300
# programs: sweep lockedsweep
. "$(dirname "$0")/harness.sh"

truncate -s 96M "$work/swap.img"
mkswap "$work/swap.img" >/dev/null 2>&1
swap=(-drive "file=$work/swap.img,if=ide,index=1,format=raw,cache=unsafe")
head -c 64M /dev/urandom >"$work/file"
bin=/usr/lib/orrery/tests

guest --mem 16 --add "$work/file:/file" --exec "swapon /dev/hdb && $bin/sweep 64 1 /file &&
    cat /proc/swaps && swapoff /dev/hdb && wc -l </proc/swaps" </dev/null -- "${swap[@]}"
status_is 0
output_has '64 MiB, 1 rounds: all there'
output_has '/dev/hdb .*partition'
check 'no area is left' [ "$(tail -1 "$out")" = 1 ]
guest --mem 16 --smp 4 --add "$work/file:/file" --exec "swapon /dev/hdb; $bin/sweep 64 1 &
    $bin/sweep 1 1 /file; wait" </dev/null -- "${swap[@]}"
output_has '64 MiB, 1 rounds: all there'
output_has '1 MiB, 1 rounds: all there'

# A file as the area: its blocks must all be there, and nobody else touches it meanwhile.
head -c 56M /dev/urandom >"$work/area"
mkswap "$work/area" >/dev/null 2>&1
guest --mem 16 --smp 2 --add "$work/area:/area" --exec "swapon /area && $bin/sweep 48 1 && cat /proc/swaps
    for try in 'echo x >>/area' 'mv /area /moved' 'rm /area' 'swapon /area'; do sh -c \"\$try\" || echo refused; done
    swapoff /area && echo off && echo x >>/area && rm /area && wc -l </proc/swaps
    dd if=/dev/zero of=/holes bs=4k seek=1000 count=1 2>/dev/null && mkswap /holes >/dev/null
    swapon /holes; swapon /etc; swapoff /holes" </dev/null
output_has '48 MiB, 1 rounds: all there'
output_has '^/area  *file'
check 'four refusals' [ "$(grep -c refused "$out")" = 4 ]
check 'text file busy, not permitted twice, busy' \
    [ "$(grep -Ec 'Text file busy|not permitted|resource busy' "$err")" = 4 ]
output_has '^off'
check 'no area is left' [ "$(tail -1 "$out")" = 1 ]
check 'holes, and no file' [ "$(grep -Ec 'holes|Invalid argument' "$err")" = 3 ]

# Once no area is left, no program's pages are looked at any more.
guest --mem 16 --exec "swapon /dev/hdb && $bin/sweep 24 1 && swapoff /dev/hdb
    grep pgscan /proc/vmstat; $bin/sweep 1 1 /file; grep pgscan /proc/vmstat" \
    --add "$work/file:/file" </dev/null -- "${swap[@]}"
output_has '24 MiB, 1 rounds: all there'
check 'nothing is scanned without swap' [ "$(grep pgscan "$out" | sort -u | wc -l)" = 1 ]

# Pages that are locked stay, and are not looked at again and again; once unlocked they go like others.
guest --mem 20 --exec "swapon /dev/hdb && $bin/lockedsweep 6 30" </dev/null -- "${swap[@]}"
output_has '1536 of 1536 stayed, then [0-9]*$'
read -r seen _ _ taken _ <"$out"
check "$seen looked at, $taken taken" [ "$seen" -le $((taken * 5 / 4)) ]
read -r _ _ _ _ _ then < <(tail -1 "$out")
check "$then of those that were locked are left" [ "$then" -lt 768 ]

# A disk that is slow is no lack of memory while it has room: everybody waits, and nobody ends.
guest --mem 16 --smp 4 --timeout 200 --exec "swapon /dev/hdb; for i in 1 2 3 4; do $bin/sweep 12 1 & done; wait" \
    </dev/null -- -drive "file=$work/swap.img,if=ide,index=1,format=raw,cache=unsafe,throttling.iops-total=200"
check 'four finish on a slow disk' [ "$(grep -c 'all there' "$out")" = 4 ]

# Two at once, under another policy each time it is told to change.
guest --mem 16 --exec "swapon /dev/hdb; ($bin/sweep 14 3) & ($bin/sweep 14 3) &
    for policy in fifo lru ageing lfu improved-clock working-set clock; do
        echo \$policy >/proc/sys/vm/replacement; sleep 1; done; wait; cat /proc/sys/vm/replacement;
    echo opt >/proc/sys/vm/replacement" </dev/null -- "${swap[@]}"
check 'both finish' [ "$(grep -c 'all there' "$out")" = 2 ]
output_has 'fifo lru ageing lfu \[clock\] improved-clock working-set'
errors_have 'Invalid argument'

guest --mem 16 --append vm.replacement=lfu --exec "cat /proc/sys/vm/replacement; swapon /dev/hda;
    swapon /bin/sh; swapoff /dev/hdb; swapon /none; swapon /dev/hdb; swapon /dev/hdb" </dev/null -- "${swap[@]}"
output_has '\[lfu\]'
check 'EINVAL thrice, ENOENT, EBUSY' [ "$(grep -Ec 'Invalid argument|No such|busy' "$err")" = 5 ]

# Nothing is left: the largest process goes, and the log says so; the rest of the machine lives.
guest --mem 16 --exec "$bin/sweep 40; echo status \$?; echo alive" </dev/null
output_has 'alive'
truncate -s 8M "$work/small.img"
mkswap "$work/small.img" >/dev/null 2>&1
guest --mem 16 --exec "swapon /dev/hdb; (sleep 1; echo patient) & $bin/sweep 15; $bin/sweep 20; echo status \$?; wait; echo alive" \
    </dev/null -- -drive "file=$work/small.img,if=ide,index=1,format=raw"
output_has '15 MiB, 2 rounds: all there'
output_has 'status 137'
output_has 'patient'
output_has 'alive'
log_has 'out of memory: .*sweep'

# A disk that fails: what can't be written stays in memory, what can't be read hurts one program.
failing() { # failing read|write
    printf '[inject-error]\nevent = "%s_aio"\niotype = "%s"\nerrno = "5"\nsector = "4000"\n' "$1" "$1" >"$work/errors"
    printf '%s' "file=blkdebug:$work/errors:$work/swap.img,if=ide,index=1,format=raw,werror=report,rerror=report"
}
guest --mem 16 --exec "swapon /dev/hdb; $bin/sweep 30; echo status \$?; echo alive" \
    </dev/null -- -drive "$(failing write)"
output_has 'alive'
log_has 'swap: /dev/hdb: a write failed'
guest --mem 16 --exec "swapon /dev/hdb; $bin/sweep 30; echo status \$?; $bin/sweep 8; echo alive" \
    </dev/null -- -drive "$(failing read)"
output_has 'status 135'
output_has '8 MiB, 2 rounds: all there'
output_has 'alive'
log_has "swap: /dev/hdb: page .* can't be read"

finish
