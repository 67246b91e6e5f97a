# Four drives on two channels: sectors below and above 2^28 in each mode; all of them busy at once on
# 4 CPUs while mode and elevators change: what was written is right and e2fsck finds nothing.
. "$(dirname "$0")/harness.sh"

truncate -s 300G "$work/big.img"
for gib in 100 250; do
    printf '%-16s' "at $gib GiB" | dd of="$work/big.img" bs=1M seek=$((gib * 1024)) conv=notrunc 2>/dev/null
done
for disk in c d; do
    truncate -s 64M "$work/$disk.img"
    mke2fs -q -F -t ext2 "$work/$disk.img"
done
place() { echo "if=ide,index=$1,file=$work/$2.img,format=raw"; }
cp --sparse=always "$root_image" "$work/root.img"
guest --smp 4 --disk "$work/root.img" --exec 'cd /proc/sys/dev/disk
    for mode in poll irq dma; do echo $mode >ide; echo 1 >/proc/sys/vm/drop_caches
        for gib in 100 250; do dd if=/dev/hdb bs=1M skip=$((gib * 1024)) count=1 2>/dev/null | head -c 16; echo; done; done
    mkdir /c /d; mount -t ext2 /dev/hdc /c && mount -t ext2 /dev/hdd /d || exit 1
    busy() { for i in 1 2 3; do cp /bin/busybox $1/$2$i; sync $1/$2$i; cat /dev/hdb 2>/dev/null | head -c 300000 >/dev/null; done; }
    for place in /c /d; do for who in x y; do busy $place $who & done; done; busy /root x &
    for round in 1 2 3; do for mode in irq poll dma; do echo $mode >ide
        for disk in hda hdc hdd; do echo $(tr -d "[]" <elevator | cut -d" " -f$((round * 2))) >$disk/elevator; done
        echo 1 >/proc/sys/vm/drop_caches; sleep 0.1; done; done; wait
    echo 1 >/proc/sys/vm/drop_caches; md5sum /c/* /d/* /root/x* | grep -c $(md5sum </bin/busybox | cut -c1-32)
    awk "\$3 ~ /hd[acd]\$/ { print \$3, (\$8 > 0), (\$12 == 0), (\$19 > 0) }" /proc/diskstats; umount /c /d' -- \
    -drive "$(place 1 big),snapshot=on" -drive "$(place 2 c)" -drive "$(place 3 d)" </dev/null
status_is 0
[ "$(head -6 "$out" | sort -u | tr -s ' \n' ' ')" = 'at 100 GiB at 250 GiB ' ] || fail 'sectors on either side of 2^28'
output_has '^15$'
for disk in hda hdc hdd; do output_has "^$disk 1 1 1\$"; done
for disk in root c d; do check "$disk is clean" e2fsck -fn "$work/$disk.img"; done

# A disk as a file: written across sectors and pages, to its end and not beyond; made a file system of.
truncate -s $((4 * 1024 * 1024 + 512)) "$work/raw.img"
truncate -s 16M "$work/fs.img"
guest --exec 'head -c 2000000 /bin/busybox >/tmp/data; dd if=/tmp/data of=/dev/hdb bs=1000 seek=3 conv=notrunc,fsync 2>/dev/null
    dd if=/dev/hdb bs=1000 skip=3 2>/dev/null | cmp -n 2000000 - /tmp/data || echo differs
    cat /dev/zero >/dev/hdb; dd if=/dev/hdb bs=512 2>/dev/null | tr -d "\0" | wc -c
    printf end | dd of=/dev/hdb bs=1 seek=$((4194304 + 509)) 2>/dev/null; echo x >>/dev/hdb
    mke2fs /dev/hdc >/dev/null && mount /dev/hdc /mnt && echo hello >/mnt/x && { echo x >/dev/hdc || echo refused; }
    cat /mnt/x; umount /mnt; printf again >/dev/hdc && echo free again' -- \
    -drive "$(place 1 raw)" -drive "$(place 2 fs)" </dev/null
output_is $'0\nrefused\nhello\nfree again'
[ "$(grep -c 'No space left' "$err")" = 2 ] || fail 'beyond the end'
errors_have '/dev/hdc: Device or resource busy'
[ "$(tail -c 3 "$work/raw.img")" = end ] || fail 'the last bytes'
dd if=/dev/zero of="$work/fs.img" bs=5 count=1 conv=notrunc 2>/dev/null
check 'what mke2fs made in the guest is clean' e2fsck -fn "$work/fs.img"
finish
