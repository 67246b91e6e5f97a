# lab-disk: the textbooks' request set travels as far on a real disk's queue as the books say, in
# the books' order; polling costs the CPU all of the time, DMA the fewest interrupts.
. "$(dirname "$0")/harness.sh"

truncate -s 64M "$work/b.img"
second="file=$work/b.img,format=raw,if=ide,index=1,snapshot=on"
guest --exec 'lab-disk elevators --disk hdb; lab-disk elevators --json --disk hdb --down 98 183 37 122 14 124 65 67
    lab-disk elevators --json --disk hdb --random 12 --seed 5
    lab-disk elevators --computed --cylinders 100 --head 50 90 10
    lab-disk modes --kib 1024 --json hdb; cat /proc/sys/dev/disk/hdb/elevator /proc/sys/dev/disk/ide
    for kb in 0 64; do echo $kb >/proc/sys/vm/read_ahead_kb; echo 1 >/proc/sys/vm/drop_caches
        before=$(awk "\$3 == \"hdb\" { print \$4 }" /proc/diskstats); dd if=/dev/hdb of=/dev/null bs=4k count=64 2>/dev/null
        echo "ahead $kb: $(($(awk "\$3 == \"hdb\" { print \$4 }" /proc/diskstats) - before)) requests"; done
    echo 65 >/proc/sys/vm/read_ahead_kb || echo too much; bench-disk /tmp create stat unlink | tail -1
    lab-disk modes nodisk; lab-disk elevators --head 200' -- -drive "$second" </dev/null
row() { output_has "^$1 +$2 +$2 +[0-9]+ +[0-9.]+  $(echo "$3" | tr -d ,)\$"; }
row fcfs 640 '98, 183, 37, 122, 14, 124, 65, 67'
row sstf 236 '65, 67, 37, 14, 98, 122, 124, 183'
row scan 331 '65, 67, 98, 122, 124, 183, 37, 14'
row cscan 382 '65, 67, 98, 122, 124, 183, 14, 37'
row look 299 '65, 67, 98, 122, 124, 183, 37, 14'
row clook 322 '65, 67, 98, 122, 124, 183, 14, 37'
row fscan 299 '65, 67, 98, 122, 124, 183, 37, 14'
row deadline 322 '65, 67, 98, 122, 124, 183, 14, 37'
output_has '"scan", "computed": 236, "travelled": 236, .*"order": \[37, 14, 65'
output_has '^fcfs +120 +- +- +60.00  90 10$'
python3 - "$out" <<'END' || fail 'the three modes'
import json, sys
text = open(sys.argv[1]).read()
objects = [json.loads(line) for line in text.splitlines() if line.startswith('{')]
modes = {m['mode']: m for m in objects[-1]['rows']}
for row in objects[1]['rows']:
    assert row['computed'] == row['travelled'] and sorted(row['order']) == sorted(objects[1]['input']['requests']), row
assert modes['poll']['interrupts'] == 0, modes
assert modes['irq']['interrupts'] > 2 * modes['dma']['interrupts'] > 0, modes
assert modes['dma']['cpu_ms'] < modes['irq']['cpu_ms'] and modes['dma']['cpu_ms'] < modes['poll']['cpu_ms'], modes
END
output_has 'ahead 0: 64 requests'
output_has 'ahead 64: [45] requests'
output_has 'too much'
output_has '^done'
output_has '\[look\]'
output_has '\[dma\]'
errors_have 'nodisk is no disk with a queue'
errors_have 'outside the disk: cylinders are 0 to 199'
guest --icount --exec 'lab-disk elevators 90 10; lab-disk modes' </dev/null
output_has '^deadline +[0-9]+ '  # the whole table, though there is no disk
errors_have 'no disk here has a queue'

# The trace has each request from the queue to its end; the report draws them.
guest --trace "$work/t.json" --append trace=process,disk --exec 'head -c 300000 /dev/hdb | wc -c' -- \
    -drive "$second" </dev/null
output_is 300000
./scripts/trace text "$work/t.json" >"$work/text"
check 'all that was begun was done' [ "$(grep -c 'disk_issued disk=832' "$work/text")" -ge 5 -a \
    "$(grep -c disk_issued "$work/text")" = "$(grep -c disk_done "$work/text")" ]
check 'misses of the cache' grep -q 'cache_miss inode=0 page=0 pages=16' "$work/text"
check 'a report' ./scripts/trace report "$work/t.json" -o "$work/t.html"
check 'which knows the disk' grep -Eq '"name":"hdb","figures":\[\["read",' "$work/t.html"
finish
