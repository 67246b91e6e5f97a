# Large folders on ext2: a file more costs about the same whether there are a thousand or 8,000, e2fsck
# finds nothing, and debugfs reads the names.
# programs: bigfolder
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

# Images of all sizes and shapes are written: `shape SIZE OPTIONS of mke2fs`.
shape() {
    local size=$1
    shift
    rm -f "$work/shape.img"
    truncate -s "$size" "$work/shape.img"
    mke2fs -q -F -t ext2 "$@" "$work/shape.img" || fail "mke2fs $size $*"
    [ -z "${revision:-}" ] || debugfs -w -R "set_super_value rev_level $revision" "$work/shape.img" 2>/dev/null
    guest --exec 'mount -t ext2 /dev/hdb /mnt && cd /mnt && mkdir a b && cp /bin/hello a/ && mv a b/ &&
        cmp b/a/hello /bin/hello && for i in 1 2 3 4 5; do mkdir g$i; echo $i >g$i/f; done; cd / && umount /mnt' \
        -- -drive file="$work/shape.img",format=raw,if=ide,index=1,media=disk,cache=unsafe </dev/null
    status_is 0
    no_errors
    e2fsck -fn "$work/shape.img" >"$work/fsck" 2>&1 || fail "e2fsck, $size $*: $(cat "$work/fsck")"
}
shape 1M -b 1024 -N 32 -m 0
shape 1M -b 4096 -N 32 -m 0
revision=0 shape 20M -O none -I 128  # newer mke2fs have no -r
shape 30M -I 128 -b 2048 -O ^filetype,^dir_index,^large_file,^resize_inode
shape 300M -b 1024 -O meta_bg,^resize_inode -N 4000
shape 200G -b 4096 -N 16384

# 100 MB both ways: mke2fs writes them, the kernel reads them and writes them to another disk, debugfs reads
# that. With blocks of 1 KiB they reach the third level of the index.
mkdir "$work/tree"
head -c 100M /dev/urandom >"$work/tree/big"
for block in 1024 4096; do
    for disk in from to; do
        rm -f "$work/$disk.img"
        truncate -s 116M "$work/$disk.img"
    done
    mke2fs -q -F -t ext2 -b $block -N 64 -m 0 -d "$work/tree" "$work/from.img" || fail 'mke2fs -d'
    mke2fs -q -F -t ext2 -b $block -N 64 -m 0 "$work/to.img" || fail 'mke2fs'
    guest --exec 'mkdir /from && mount -t ext2 -o ro /dev/hdb /from && mount -t ext2 /dev/hdd /mnt &&
        cp /from/big /mnt/ && umount /mnt' -- -drive "file=$work/from.img,format=raw,if=ide,index=1" \
        -drive "file=$work/to.img,format=raw,if=ide,index=3,cache=unsafe" </dev/null
    status_is 0
    e2fsck -fn "$work/to.img" >"$work/fsck" 2>&1 || fail "e2fsck, 100 MB: $(cat "$work/fsck")"
    debugfs -R 'cat /big' "$work/to.img" 2>/dev/null | cmp - "$work/tree/big" || fail '100 MB are different'
done
finish
