# A file system in a file, with little memory: more is written to it than there is memory, by two programs at
# once; nothing waits for ever, and what was written is there.
# needs: wing
. "$(dirname "$0")/harness.sh"

truncate -s 96M "$work/disk"
mke2fs -q -b 4096 "$work/disk"
cat >"$work/fill.sh" <<'E2'
mount /dev/hdb /mnt && mkdir /root/inner || exit 1
dd if=/dev/zero of=/mnt/image bs=1M count=0 seek=64 2>/dev/null
losetup /dev/loop0 /mnt/image && mke2fs /dev/loop0 >/dev/null && mount -t ext2 /dev/loop0 /root/inner || exit 2
for name in a b; do
    dd if=/dev/urandom of=/root/inner/$name bs=64k count=256 2>/dev/null &
done
wait
sum=$(cat /root/inner/a /root/inner/b | md5sum)
umount /root/inner && mount -t ext2 /dev/loop0 /root/inner || exit 3
[ "$sum" = "$(cat /root/inner/a /root/inner/b | md5sum)" ] && echo same
umount /root/inner && losetup -d /dev/loop0 && umount /mnt && echo away
E2
for sizes in '16 1' '32 4'; do
    read -r mb smp <<<"$sizes"
    guest --mem "$mb" --smp "$smp" --add "$work/fill.sh:/fill.sh" --exec 'sh /fill.sh' </dev/null -- \
        -drive "file=$work/disk,if=ide,index=1,format=raw"
    output_has '^same$'
    output_has '^away$'
    e2fsck -fn "$work/disk" >"$work/fsck" 2>&1 || fail "e2fsck: $(cat "$work/fsck")"
done
finish
