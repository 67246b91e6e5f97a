# A disk written as a file: BusyBox makes a file system on it, e2fsck agrees with what comes to lie
# there; bytes in the middle of sectors; the end; who is refused.
. "$(dirname "$0")/harness.sh"

head -c 16M /dev/urandom >"$work/disk"
truncate -s 8M "$work/swap"
truncate -s 16M "$work/second"
disks=(-drive "file=$work/disk,if=ide,index=1,format=raw" -drive "file=$work/swap,if=ide,index=2,format=raw"
    -drive "file=$work/second,if=ide,index=3,format=raw")
guest --exec 'mke2fs /dev/hdb >/dev/null && mount /dev/hdb /mnt && cp /bin/busybox /mnt/kept || exit 1
    mkswap /dev/hdc >/dev/null && swapon /dev/hdc || exit 2
    for busy in hda hdb hdc; do dd if=/dev/zero of=/dev/$busy count=1 2>&1; done
    umount /mnt
    cached() { grep ^Buffers: /proc/meminfo | tr -dc 0-9; }
    before=$(cached); dd if=/dev/hdb of=/tmp/copy bs=64k iflag=direct 2>/dev/null
    dd if=/tmp/copy of=/dev/hdd bs=1M oflag=direct 2>/dev/null; cached=$(($(cached) - before))
    [ $cached -lt 64 ] || echo "$cached KiB are in the cache"
    cmp /tmp/copy /dev/hdd && echo direct
    dd if=/dev/hdd bs=512 skip=1 count=1 iflag=direct 2>/dev/null | wc -c
    echo word | dd of=/dev/hdb bs=1 seek=509 conv=notrunc,fsync 2>/dev/null
    dd if=/dev/hdb bs=1 skip=509 count=4 2>/dev/null; echo
    dd if=/dev/zero of=/dev/hdb bs=64k seek=255 2>&1
    dd if=/dev/zero of=/dev/hdb bs=64k seek=256 2>&1' </dev/null -- "${disks[@]}"
check 'three are busy' [ "$(grep -c 'resource busy' "$out")" = 3 ]
output_has '^direct$'
output_has '^512$'
check 'nothing of it is kept' [ "$(grep -c 'in the cache' "$out")" = 0 ]
output_has '^word$'
check 'the end, twice' [ "$(grep -c 'No space left' "$out")" = 2 ]
check 'what fits is written' [ "$(grep -c '^1+0 records out' "$out")" = 1 ]
check 'the host reads it' [ "$(dd if="$work/disk" bs=1 skip=509 count=4 2>/dev/null)" = word ]
e2fsck -fn "$work/disk" >"$work/fsck" 2>&1 || fail "e2fsck: $(cat "$work/fsck")"
finish
