# lab-fs: the way to a block as debugfs tells it, what it costs; look-up; free space step by step.
. "$(dirname "$0")/harness.sh"

disk="$root_image"
guest --exec 'lab-fs bmap --json /bin/busybox 5000; lab-fs bmap --json /bin/busybox 500000
    lab-fs lookup /bin/busybox; cd /root; echo x >x; cp x f
    for block in 100 5000 1100000; do dd if=x of=f bs=4096 seek=$block conv=notrunc 2>/dev/null; done
    for block in 0 100 5000 1100000; do lab-fs bmap f $((block*4096)); done; lab-fs bmap f 40960
    lab-fs bmap f 99999999999; lab-fs bmap /dev/null 0; lab-fs lookup /bin/nobody' </dev/null
for block in 1 122; do
    at=$(debugfs -R "bmap /bin/busybox $block" "$disk" 2>/dev/null)
    output_has "\"block\": $block, .*\"data\": $at,"
done
inode=$(debugfs -R 'stat /bin/busybox' "$disk" 2>/dev/null | sed -n 's/^Inode: \([0-9]*\).*/\1/p')
output_has "\"busybox\" is inode $inode "
check 'a read a level, and one for the data; none again' \
    [ "$(sed -n 's/^disk reads: \(. on the way\).*, \(. warm\).*/\1 \2/p' "$out" | tr '\n' ' ')" = \
      '1 on the way 0 warm 2 on the way 0 warm 3 on the way 0 warm 4 on the way 0 warm 0 on the way 0 warm ' ]
check 'the cold cache reads' [ "$(grep -c ' [1-5] cold' "$out")" = 4 ]
output_has 'which is a hole'
errors_have 'behind the end of the file'
errors_have '/dev/null is not on an ext2'
errors_have '/bin/nobody: No such file'

guest --exec 'lab-fs free --policy grouped --group 5 --blocks 16 a=3 b=4 -a
    lab-fs free --policy bitmap --blocks 64 a=3; lab-fs free --steps 3000' </dev/null
status_is 0
output_has '^b=4: gets 4-7; 8 free; 1 read, 0 written$'
output_has '^    i=1   11110000000000000000000000000000$'
output_has '^grouped '
finish
