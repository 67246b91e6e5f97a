# lab-fs: the way to a block as debugfs tells it and its cold and warm reads, on ext2 with each block
# size, FAT and ISO 9660; the last block of each index level; names; free space step by step.
. "$(dirname "$0")/harness.sh"
export MTOOLS_SKIP_CHECK=1

disk="$root_image"
guest --exec 'lab-fs bmap --json /bin/busybox 5000; lab-fs bmap --json /bin/busybox 500000
    lab-fs lookup /bin/busybox; cd /root; echo x >x; cp x f; mkdir -p d/e; echo y >d/e/file
    for block in 100 5000 1100000; do dd if=x of=f bs=4096 seek=$block conv=notrunc 2>/dev/null; done
    for block in 0 100 5000 1100000; do lab-fs bmap f $((block*4096)); done; lab-fs bmap f 40960
    lab-fs lookup --json /root/d/e/file; lab-fs levels --write /root --json
    lab-fs bmap f 99999999999; lab-fs bmap /dev/null 0; lab-fs lookup /bin/nobody' </dev/null
for block in 1 122; do
    at=$(debugfs -R "bmap /bin/busybox $block" "$disk" 2>/dev/null)
    output_has "\"data\": $((at * 4096 + (block == 1 ? 5000 % 4096 : 500000 % 4096))),"
done
inode=$(debugfs -R 'stat /bin/busybox' "$disk" 2>/dev/null | sed -n 's/^Inode: \([0-9]*\).*/\1/p')
output_has "^busybox +$inode "
check 'a cold read a level, and one for the data; none again' \
    [ "$(sed -n 's/^disk reads: .*; \(. cold, . warm\)/\1/p' "$out" | tr '\n' ' ')" = \
      '1 cold, 0 warm 2 cold, 0 warm 3 cold, 0 warm 4 cold, 0 warm 0 cold, 0 warm ' ]
output_has 'which is a hole'
output_has '"lab": "lab-fs lookup".*"reads": [1-9]'
output_has '"last_block": 1074791435, "largest": 4402345721856, "way": "[0-9]+ -> [0-9]+ -> [0-9]+ -> [0-9]+"'
errors_have 'behind the end of the file'
errors_have '/dev/null is on .*, not on ext2'
errors_have '/bin/nobody: No such file'

# Random offsets in other formats: what is read cold is what the format says, and nothing warm.
mkdir "$work/tree"
head -c 900000 /dev/urandom >"$work/tree/big.bin"
truncate -s 8M "$work/1k.img" "$work/fat.img"
truncate -s 16M "$work/second.img"
mke2fs -q -t ext2 -b 1024 -d "$work/tree" "$work/1k.img"
mformat -i "$work/fat.img" -T 16384 -c 1 -h 16 -s 63 :: && mcopy -i "$work/fat.img" "$work/tree/big.bin" ::
xorriso -as mkisofs -quiet -o "$work/cd.iso" "$work/tree" 2>/dev/null
offsets=$(shuf -i 0-899999 -n 6 --random-source=<(yes) | tr '\n' ' ')
guest --exec "mkdir /tmp/a /tmp/b /tmp/c; mount /dev/hdb /tmp/a; mount -t vfat -o ro /dev/hdd /tmp/b
    mount -t iso9660 /dev/hdc /tmp/c; for at in $offsets; do for m in a b c; do
        lab-fs bmap --json /tmp/\$m/big.bin \$at; dd if=/tmp/\$m/big.bin bs=1 skip=\$at count=4 2>/dev/null | od -An -tx1; done; done
    lab-fs levels --write /tmp/a; lab-fs lookup /tmp/b/big.bin; lab-fs lookup /tmp/c/big.bin; lab-fs directory /tmp/b /bin" \
    -- -drive "file=$work/1k.img,format=raw,if=ide,index=1" -cdrom "$work/cd.iso" \
    -drive "file=$work/fat.img,format=raw,if=ide,index=3" </dev/null
status_is 0
python3 - "$out" "$work" <<'END' || fail 'the ways in ext2, FAT and ISO 9660'
import json, sys
work, images = sys.argv[2], {'ext2': '1k.img', 'vfat': 'fat.img', 'iso9660': 'cd.iso'}
lines = open(sys.argv[1]).read().splitlines()
file = open(work + '/tree/big.bin', 'rb').read()
seen = [json.loads(line) for line in lines if line.startswith('{')]
assert len(seen) == 18, len(seen)
for way in seen:
    image = open(f'{work}/{images[way["format"]]}', 'rb').read()
    at = way['input']['offset']
    assert image[way['data']] == file[at], way
    assert way['cold'] == way['index_pages'] + way['data_runs'] and way['warm'] == 0, way
END
output_has '^ 1024  triple indirect +16843019 +17247252480  [0-9]+ -> [0-9]+ -> [0-9]+ -> [0-9]+$'
output_has 'which is the FCB'
output_has '^vfat: FCBs '

guest --exec 'lab-fs free --policy grouped --group 5 --blocks 16 a=3 b=4 -a
    lab-fs free --policy bitmap --blocks 64 a=3; lab-fs free; lab-fs free --policy list --json --random 40 --seed 9
    lab-fs free --policy list --blocks 64 a=3; lab-fs organisations --random 3; lab-fs free --help' </dev/null
status_is 0
output_has '^b=4: gets 4-7; 8 free; 1 read, 0 written$'
output_has '^a=3: gets 1-3; 60 free; 3 read, 0 written$'
output_has '^a=3: gets \(1,2\) \(1,3\) \(1,4\): b 2-4; 60 free; '
output_has '^i=1	11110000000000000000000000000000$'
output_has '^list +1 +162661 +161245 '
output_has '^grouped +1 +79 +6300 '
output_has '^usage: lab-fs free'
finish
