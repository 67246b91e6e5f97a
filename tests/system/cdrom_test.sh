# CD-ROM drives: what xorriso wrote is read through a drive on either channel, in each of the driver's
# modes; no medium, a changed one, an unreadable one and writing give errors, never a hang.
. "$(dirname "$0")/harness.sh"

mkdir -p "$work/tree/one"
head -c 3000001 /dev/urandom >"$work/tree/big.bin" # ends inside a block
echo 'hello from a disc' >"$work/tree/one/hello"
xorriso -as mkisofs -quiet -R -o "$work/t.iso" "$work/tree" 2>/dev/null
echo 'another disc' >"$work/tree/one/hello"
xorriso -as mkisofs -quiet -R -o "$work/u.iso" "$work/tree" 2>/dev/null
sum=$(md5sum <"$work/tree/big.bin" | cut -d' ' -f1)
raw=$(md5sum <"$work/t.iso" | cut -d' ' -f1)

for mode in '--append ide=poll' '--append ide=irq' '--append ide=dma' '--machine q35'; do
    # shellcheck disable=SC2086
    guest $mode --exec 'mount -t iso9660 -o ro /dev/hdc /mnt || exit 1
        md5sum /mnt/big.bin /dev/hdc; cat /mnt/one/hello; awk "\$3 == \"hdc\" { print (\$4 > 0), (\$6 > 5000) }" /proc/diskstats' \
        -- -cdrom "$work/t.iso" </dev/null
    status_is 0
    output_is "$sum  /mnt/big.bin
$raw  /dev/hdc
hello from a disc
1 1"
done
log_has 'hdc: QEMU DVD-ROM, CD-ROM drive, DMA; a medium is in it'

# The second drive of the first channel, an empty one on the second, a disk beside it.
guest --exec 'mount -t iso9660 /dev/hdb /mnt && cat /mnt/one/hello; umount /mnt
    mount -t iso9660 /dev/hdc /mnt; cat /dev/hdc; dd if=/dev/zero of=/dev/hdb bs=2048 count=1
    mount -t ext2 /dev/hdb /mnt; echo; cat /proc/partitions | grep -c hdd' -- \
    -drive "if=ide,index=1,media=cdrom,file=$work/t.iso,format=raw" -drive if=ide,index=2,media=cdrom \
    -drive "if=ide,index=3,file=$root_image,format=raw,snapshot=on" </dev/null
output_is 'hello from a disc

1'
errors_have '/dev/hdc on /mnt failed: No medium found'
errors_have "can't open '/dev/hdc': No medium found"
errors_have "can't open '/dev/hdb': Read-only file system"
log_has 'hdc: .*no medium'

# The bootable image itself, from GRUB on; the drive is there for the kernel too.
guest --iso --exec 'mount -t iso9660 /dev/hdc /mnt && ls /mnt/boot/kernel.elf' </dev/null
output_is /mnt/boot/kernel.elf

# A block that can't be read: the rest can.
bad=$((64 * 4))
guest --exec 'dd if=/dev/hdc of=/dev/null bs=2048 skip=64 count=1; dd if=/dev/hdc bs=2048 skip=400 count=9 | wc -c' -- \
    -blockdev "driver=raw,node-name=d,file.driver=blkdebug,file.image.driver=file,file.image.filename=$work/t.iso,file.inject-error.0.event=none,file.inject-error.0.iotype=read,file.inject-error.0.errno=5,file.inject-error.0.once=off,file.inject-error.0.sector=$bad" \
    -device ide-cd,drive=d,bus=ide.1,unit=0 </dev/null
errors_have 'dd: error reading|Input/output error'
output_is 18432
log_has 'hdc: read of sector 256 failed'

# The medium is changed while the system runs, through QEMU's monitor.
cat >"$work/change.py" <<'END'
import socket, sys, time
out, monitor, image = sys.argv[1:]
for _ in range(900):
    if 'changed?' in open(out, errors='replace').read(): break
    time.sleep(0.1)
s = socket.socket(socket.AF_UNIX); s.connect(monitor)
s.sendall(f'change cd {image} raw\n'.encode())
s.settimeout(5)
answer = b''
while answer.count(b'(qemu)') < 2: answer += s.recv(4096)
END
>"$out"
python3 "$work/change.py" "$out" "$work/monitor" "$work/u.iso" &
guest --exec 'mount -t iso9660 /dev/hdc /mnt; cat /mnt/one/hello; umount /mnt; echo changed?
    for i in $(seq 300); do mount -t iso9660 /dev/hdc /mnt 2>/dev/null && { grep another /mnt/one/hello && exit
        umount /mnt; }; sleep 0.1; done' -- \
    -drive "if=none,id=cd,media=cdrom,file=$work/t.iso,format=raw" -device ide-cd,drive=cd,bus=ide.1,unit=0 \
    -monitor "unix:$work/monitor,server,nowait" </dev/null
wait
output_is 'hello from a disc
changed?
another disc'
finish
