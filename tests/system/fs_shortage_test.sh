# ENOMEM means no memory: calls on names, and fork, while most of the memory is dirty page cache, on two CPUs.
# timeout: 300
. "$(dirname "$0")/harness.sh"

for block in 1024 4096; do
    mke2fs -q -F -t ext2 -b $block "$work/disk" 96M 2>/dev/null
    guest --mem 64 --smp 2 --exec 'mount -t ext2 /dev/hdb /mnt && /usr/lib/orrery/tests/shortage /mnt &&
        umount /mnt' </dev/null -- -drive "file=$work/disk,if=ide,index=1,format=raw,cache=unsafe"
    status_is 0
    check 'no call failed' sh -c "! grep FAIL $out"
    e2fsck -fn "$work/disk" >"$work/fsck" 2>&1 || fail "e2fsck: $(cat "$work/fsck")"
done
finish
