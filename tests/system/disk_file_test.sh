# A disk written as a file: BusyBox makes a file system on it, e2fsck agrees with what comes to lie
# there; bytes in the middle of sectors; the end; who is refused.
. "$(dirname "$0")/harness.sh"

head -c 16M /dev/urandom >"$work/disk"
truncate -s 8M "$work/swap"
disks=(-drive "file=$work/disk,if=ide,index=1,format=raw" -drive "file=$work/swap,if=ide,index=2,format=raw")
guest --exec 'mke2fs /dev/hdb >/dev/null && mount /dev/hdb /mnt && cp /bin/busybox /mnt/kept || exit 1
    mkswap /dev/hdc >/dev/null && swapon /dev/hdc || exit 2
    for busy in hda hdb hdc; do dd if=/dev/zero of=/dev/$busy count=1 2>&1; done
    umount /mnt; echo word | dd of=/dev/hdb bs=1 seek=509 conv=notrunc,fsync 2>/dev/null
    dd if=/dev/hdb bs=1 skip=509 count=4 2>/dev/null; echo
    dd if=/dev/zero of=/dev/hdb bs=64k seek=255 2>&1
    dd if=/dev/zero of=/dev/hdb bs=64k seek=256 2>&1' </dev/null -- "${disks[@]}"
check 'three are busy' [ "$(grep -c 'resource busy' "$out")" = 3 ]
output_has '^word$'
check 'the end, twice' [ "$(grep -c 'No space left' "$out")" = 2 ]
check 'what fits is written' [ "$(grep -c '^1+0 records out' "$out")" = 1 ]
check 'the host reads it' [ "$(dd if="$work/disk" bs=1 skip=509 count=4 2>/dev/null)" = word ]
e2fsck -fn "$work/disk" >"$work/fsck" 2>&1 || fail "e2fsck: $(cat "$work/fsck")"
finish
