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
cp --sparse=always "$root_image" "$work/own.img"
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

# Four threads' neighbours leave as one request; what one of them can't have doesn't hurt the others.
truncate -s 8M "$work/b.img"
guest --exec 'echo 0 >/proc/sys/vm/read_ahead_kb
    counts() { awk "\$3 == \"hdb\" { print \$4, \$5, \$6 }" /proc/diskstats; }
    together() { echo 4 >/proc/sys/dev/disk/hdb/hold
        for page in $1; do (dd if=/dev/hdb of=/dev/null bs=4k skip=$page count=1 2>/dev/null; echo $page: $?) & done; wait; }
    set -- $(counts); together "9 8 11 10" >/dev/null; set -- $1 $2 $3 $(counts); echo $(($4 - $1)) $(($5 - $2)) $(($6 - $3))
    together "100 101 102 103" | sort' -- \
    -blockdev "driver=raw,node-name=d,file.driver=blkdebug,file.image.driver=file,file.image.filename=$work/b.img,file.inject-error.0.event=none,file.inject-error.0.iotype=read,file.inject-error.0.errno=5,file.inject-error.0.once=off,file.inject-error.0.sector=811" \
    -device ide-hd,drive=d,bus=ide.0,unit=1,werror=report,rerror=report </dev/null
output_is $'1 3 32\n100: 0\n101: 1\n102: 0\n103: 0'
log_has 'hdb: read of sector 808 failed'
finish
