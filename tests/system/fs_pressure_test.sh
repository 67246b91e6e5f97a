# Files larger than memory: what index blocks and bitmaps say survives that their pages are wanted
# for contents, on the way in and when the files go again.
. "$(dirname "$0")/harness.sh"

mke2fs -q -F -t ext2 -b 4096 "$work/disk" 64M 2>/dev/null
head -c 36M /dev/urandom >"$work/file"
guest --mem 16 --add "$work/file:/file" --exec 'mount /dev/hdb /mnt && cp /file /mnt/kept &&
    cp /file /mnt/gone 2>/dev/null; rm /mnt/gone; cmp /file /mnt/kept && umount /mnt && echo same' \
    </dev/null -- -drive "file=$work/disk,if=ide,index=1,format=raw,cache=unsafe"
output_has '^same'
e2fsck -fn "$work/disk" >"$work/fsck" 2>&1 || fail "e2fsck: $(cat "$work/fsck")"
debugfs -R "dump /kept $work/kept" "$work/disk" 2>/dev/null
check 'the host reads the same' cmp "$work/file" "$work/kept"
finish
