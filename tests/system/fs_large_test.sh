# Large folders on ext2: a file more costs about the same whether there are a thousand or 8,000, e2fsck
# finds nothing, and debugfs reads the names.
. "$(dirname "$0")/harness.sh"
count=${ORRERY_FILES:-8000}
for block in 1024 4096; do
    image=$work/$block.img
    truncate -s 64M "$image"
    mke2fs -q -F -t ext2 -b $block -N $((count + 2000)) "$image" || fail 'mke2fs'
    guest --icount 0 --exec "mount -t ext2 /dev/hdb /mnt &&
        /usr/lib/orrery/tests/bigfolder /mnt/big 1000 $count && mkdir /mnt/some && cd /mnt/some &&
        seq $count | sed s,^,name-number-, | xargs touch && cd / && umount /mnt" \
        -- -drive file="$image",format=raw,if=ide,index=1,media=disk </dev/null
    status_is 0
    grep "^$count" "$out"
    e2fsck -fn "$image" >"$work/fsck" 2>&1 || fail "e2fsck: $(cat "$work/fsck")"
    debugfs -R 'ls -p /some' "$image" 2>/dev/null | grep -c name-number >"$work/names"
    [ "$(cat "$work/names")" = "$count" ] || fail "debugfs reads $(cat "$work/names") names"
done
finish
