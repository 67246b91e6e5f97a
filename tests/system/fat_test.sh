# Images that mtools wrote, in FAT12, 16 and 32, are mounted, walked and read, the last one in a
# partition; damaged ones give errors, never a panic.
. "$(dirname "$0")/harness.sh"
export MTOOLS_SKIP_CHECK=1

mkdir -p "$work/tree/Sub folder/two"
echo 'hello from a floppy' >"$work/tree/Sub folder/two/A rather long name, Größe.text"
head -c 700000 /dev/urandom >"$work/tree/big.bin"
for i in $(seq 60); do echo "$i" >"$work/tree/Sub folder/file number $i"; done
: >"$work/tree/EMPTY"
sum=$(cd "$work/tree" && find . -type f | LC_ALL=C sort | xargs -d '\n' cat | md5sum | cut -d' ' -f1)
second() { echo "file=$1,format=raw,if=ide,index=1,media=disk"; }

# fill IMAGE OPTIONS...: formats it and copies the tree there.
fill() {
    image=$1
    shift
    mformat -i "$image" "$@" :: && mcopy -i "$image" -s -Q "$work/tree/"* ::
}
read_all='mkdir /tmp/m; mount -t vfat -o ro $D /tmp/m || exit 1; cd /tmp/m
    find . -type f | sort | tr "\n" "\0" | xargs -0 cat | md5sum; ls "Sub folder" | wc -l
    echo x >new || echo refused; cd /; umount /tmp/m && echo gone'
expect() {
    status_is 0
    output_is "$sum  -
61
refused
gone"
}
export LC_ALL=C.UTF-8
fill "$work/12.img" -C -f 1440
guest --exec "D=/dev/hdb; $read_all" -- -drive "$(second "$work/12.img")" </dev/null
expect
truncate -s 20M "$work/16.img"
fill "$work/16.img" -T 40960 -c 4 -h 16 -s 63
guest --smp 4 --exec "D=/dev/hdb; $read_all" -- -drive "$(second "$work/16.img")" </dev/null
expect

# 40 MiB of FAT32 as the second logical partition; a primary one stands before.
truncate -s 48M "$work/parts.img"
python3 - "$work/parts.img" <<'END_OF_TABLE'
import struct, sys
with open(sys.argv[1], 'r+b') as disk:
    def table(at, *entries):
        disk.seek(at * 512 + 446)
        for kind, first, count in entries:
            disk.write(struct.pack('<8B2I', 0, 0, 0, 0, kind, 0, 0, 0, first, count))
        disk.seek(at * 512 + 510)
        disk.write(b'\x55\xaa')
    table(0, (0x83, 63, 1000), (5, 2048, 96000))
    table(2048, (0x83, 1, 100), (5, 1000, 90000))
    table(3048, (0x0c, 8, 81920))
END_OF_TABLE
fill "$work/parts.img@@$((3056 * 512))" -F -T 81920 -c 1 -h 16 -s 63
guest --exec "D=/dev/hdb6; $read_all; grep hdb /proc/partitions | tr -s ' '; ls /dev/hdb*" \
    -- -drive "$(second "$work/parts.img")" </dev/null
status_is 0
output_is "$sum  -
61
refused
gone
 3 64 49152 hdb
 3 65 500 hdb1
 3 69 50 hdb5
 3 70 40960 hdb6
/dev/hdb
/dev/hdb1
/dev/hdb5
/dev/hdb6"

for seed in 1 2; do
    python3 - "$work/12.img" "$work/bad.img" "$seed" <<'END_OF_DAMAGE'
import random, sys
data = bytearray(open(sys.argv[1], 'rb').read())
random.seed(int(sys.argv[3]))
for _ in range(1500):
    data[random.randrange(512, 40 * 512)] = random.randrange(256)
open(sys.argv[2], 'wb').write(data)
END_OF_DAMAGE
    guest --exec 'mkdir /tmp/m; mount -t vfat -o ro /dev/hdb /tmp/m && ls -lR /tmp/m >/dev/null 2>&1
        cat /tmp/m/* /tmp/m/*/* >/dev/null 2>&1; echo alive' \
        -- -drive "$(second "$work/bad.img")" </dev/null
    output_is alive
done
finish
