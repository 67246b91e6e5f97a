# The disk of a q35 machine hangs on AHCI: the same names, queue, counts and trace as with IDE; what was
# written is right; with several processors, and with the 8259s only. Faults: fs_faults_test.py; discs:
# cdrom_test.sh.
. "$(dirname "$0")/harness.sh"

cp --sparse=always "$root_image" "$work/own.img"
mke2fs -q -F -t ext2 "$work/b.img" 300M >/dev/null 2>&1
# Beyond 128 GiB a sector has a number of more than 28 bits.
truncate -s 200G "$work/large.img"
guest --machine q35 --smp 4 --disk "$work/own.img" --trace "$work/trace.json" --exec '
    for i in 1 2 3 4; do head -c 300000 /bin/busybox >/copy-$i & done; wait; sync
    mount -t ext2 /dev/hdb /mnt && cat /copy-1 >/mnt/x && umount /mnt && echo made
    dd if=/bin/busybox of=/dev/hdc bs=4k count=5 seek=40000000 conv=fsync 2>/dev/null
    dd if=/dev/hdc bs=4k count=5 skip=40000000 2>/dev/null | cmp -n 20480 - /bin/busybox && echo far
    dd if=/dev/zero of=/dev/hdb bs=1M seek=400 count=1 2>/dev/null || echo the end
    awk "\$3 == \"hda\" { print (\$4 > 50), (\$8 > 0), (\$12 == 0) }" /proc/diskstats
    grep -c ahci /proc/interrupts' </dev/null -- \
    -drive "file=$work/b.img,format=raw,if=ide,index=1" -drive "file=$work/large.img,format=raw,if=ide,index=2"
status_is 0
no_errors
output_is $'made\nfar\nthe end\n1 1 1\n1'
log_has 'hda: QEMU HARDDISK, [0-9]+ sectors .*LBA48, DMA'
check 'the image is clean' e2fsck -fn "$work/own.img"
for i in 1 2 3 4; do
    debugfs -R "dump /copy-$i $work/copy" "$work/own.img" 2>/dev/null
    check "copy $i is right" cmp "$work/copy" <(head -c 300000 build/busybox/busybox)
done
check 'its requests are in the trace' [ "$(scripts/trace text "$work/trace.json" | grep -c 'disk_done')" -gt 50 ]

guest --machine q35 --append noapic --exec 'cat /etc/passwd | head -1' </dev/null
output_has '^root:'
# Beside IDE disks they are the fifth and on.
guest --exec 'cat /proc/partitions; dd if=/dev/hde bs=1M count=3 2>/dev/null | tr -d "\0" | wc -c' </dev/null -- \
    -device ich9-ahci,id=sata -drive "file=$work/b.img,format=raw,if=none,id=s" -device ide-hd,drive=s,bus=sata.0
output_has 'hda$'
output_has '  307200 hde$'
status_is 0
finish
