# A disk without inodes, then without blocks, and well again after deletion; a byte at each level of
# the index, by the same blocks as debugfs finds. On blocks of 1, 2 and 4 KiB.
# programs: filecalls
. "$(dirname "$0")/harness.sh"

for kib in 1 2 4; do
    image=$work/$kib.img pointers=$((kib * 256))
    truncate -s 12M "$image"
    mke2fs -q -F -t ext2 -b $((kib * 1024)) -N 64 "$image" || fail 'mke2fs'
    # The last block of each level and the first of the next.
    blocks="5 11 12 $((11 + pointers)) $((12 + pointers)) $((12 + pointers + pointers * pointers + 7))"
    guest --exec "mount /dev/hdb /mnt && cd /mnt || exit 1
        i=0; while touch n\$i 2>/dev/null; do i=\$((i + 1)); done; echo files \$i; mkdir d || echo no folder
        df -i /mnt | tail -1; rm n1 n2 && mkdir d && echo >d/again && rm -r d n*
        cp /bin/busybox kept; i=0; while dd if=/dev/zero of=z\$i bs=700k count=1 2>/dev/null; do i=\$((i + 1)); done
        mkdir full || echo no room; cmp kept /bin/busybox && rm z* && mkdir d && cp kept d/ && cmp d/kept kept && rm -r d
        printf x >byte
        for block in $blocks; do dd if=byte of=f bs=${kib}k seek=\$block conv=notrunc 2>/dev/null
            lab-fs bmap --json f \$((block * $kib * 1024)); done; cd /; umount /mnt" \
        -- -drive "file=$image,format=raw,if=ide,index=1,cache=unsafe" </dev/null
    output_has "^files 53$"
    output_has '^no folder'
    output_has ' 100% /mnt'
    output_has '^no room'
    check 'no inode, no block' [ "$(grep -c 'No space left' "$err")" -ge 2 ]
    check 'nothing else' [ "$(grep -vc 'No space left' "$err")" = 0 ]
    e2fsck -fn "$image" >"$work/fsck" 2>&1 || fail "e2fsck: $(cat "$work/fsck")"
    debugfs -R 'blocks /f' "$image" 2>/dev/null | tr ' ' '\n' | grep . | sort -un >"$work/theirs"
    grep -o '"says": [0-9]*' "$out" | cut -c9- | sort -un >"$work/ours"
    check 'six contents and their index blocks' [ "$(wc -l <"$work/ours")" = 12 ]
    cmp -s "$work/theirs" "$work/ours" || fail "blocks: $(diff "$work/theirs" "$work/ours" | head -20)"
done

# A fifth is kept for the superuser.
truncate -s 6M "$work/reserve.img"
mke2fs -q -F -t ext2 -m 20 -N 64 "$work/reserve.img"
tune2fs -U 01000000-0000-0000-0200-00000000000a "$work/reserve.img" >/dev/null 2>&1 || fail 'tune2fs'
guest --exec 'mount /dev/hdb /mnt && stat -f -c %i /mnt && /usr/lib/orrery/tests/filecalls reserve /mnt' \
    -- -drive "file=$work/reserve.img,format=raw,if=ide,index=1,cache=unsafe" </dev/null
status_is 0
output_has '^30a000000$'
e2fsck -fn "$work/reserve.img" >"$work/fsck" 2>&1 || fail "e2fsck: $(cat "$work/fsck")"
finish
