# The IDE driver's three ways of moving data and every elevator: what was written is
# right, requests are counted, and names that nobody knows are refused.
. "$(dirname "$0")/harness.sh"

cat >"$work/modes.sh" <<'END'
cd /proc/sys/dev/disk
for mode in poll irq dma; do
    echo $mode >ide && grep -o '\[.*\]' ide
    cat /bin/busybox >/copy-$mode
    sync
done
echo nonsense >ide || echo refused
for elevator in $(tr -d '[]' <elevator); do
    echo $elevator >elevator
    for i in 1 2 3; do dd if=/dev/hda of=/dev/null bs=4k count=9 skip=$((i * 1777)) 2>/dev/null & done
    wait
done
grep -o '\[.*\]' elevator
awk '$3 == "hda" { print ($4 > 0), ($8 > 0), ($12 == 0) }' /proc/diskstats
END
cp --sparse=always "$build/disk.img" "$work/own.img"
guest --disk "$work/own.img" --exec sh <"$work/modes.sh"
status_is 0
output_is $'[poll]\n[irq]\n[dma]\nrefused\n[deadline]\n1 1 1'
check 'the image is clean' e2fsck -fn "$work/own.img"
for mode in poll irq dma; do
    debugfs -R "dump /copy-$mode $work/$mode" "$work/own.img" 2>/dev/null
    check "written by $mode" cmp "$work/$mode" build/busybox/busybox
done
guest --append 'ide=irq elevator=fcfs' --exec 'cat /proc/sys/dev/disk/*' </dev/null
output_has '\[fcfs\]'
output_has '\[irq\]'
finish
