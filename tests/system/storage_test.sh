# A disk that is written: what the tools of BusyBox do to a tree is there afterwards, e2fsck finds
# nothing to say after an orderly power-off, and asks nothing after a cut of power in the middle of
# work; debugfs reads what was written here.
# programs: nameless fileflags
. "$(dirname "$0")/harness.sh"
image=$work/disk.img
cp --sparse=always "$root_image" "$image"

cat >"$work/tree.sh" <<'EOF'
set -e
mkdir -p /srv/t/a/b/c && cd /srv/t
for i in 1 2 3 4 5 6 7 8 9; do echo "file $i" >a/b/f$i; ln a/b/f$i a/l$i; ln -s b/f$i a/s$i; done
head -c 300000 /bin/busybox >a/b/c/big
cp -r a copy
tar cf t.tar a && mkdir u && tar xf t.tar -C u && diff -r a u/a
mv u/a moved && mv moved/b/c up && rmdir u
dd if=a/b/c/big of=sparse bs=1000 seek=700 2>/dev/null
rm -r copy/b && rm t.tar
mkdir gone; ! test -e gone/x; rmdir gone  # who looked for x in it does not keep it
truncate -s 3000000000 huge && echo end >>huge
echo "naïve" >"ünïcode"
EOF
guest --disk "$image" --exec "$(cat "$work/tree.sh")" </dev/null
status_is 0
e2fsck -fn "$image" >"$work/fsck" 2>&1 || fail "e2fsck after an orderly power-off: $(cat "$work/fsck")"
guest --disk "$image" --exec 'cd /srv/t && cat moved/b/f7 a/s3 "ünïcode" && tail -c4 huge &&
    cmp -n 300000 /bin/busybox up/big && printf "%s\n" *' </dev/null
output_is 'file 7
file 3
naïve
end
a
copy
huge
moved
sparse
up
ünïcode'
debugfs -R "dump /srv/t/up/big $work/big" "$image" 2>/dev/null
debugfs -R "dump /bin/busybox $work/busybox" "$image" 2>/dev/null
check 'debugfs reads what was written' cmp -n 300000 "$work/busybox" "$work/big"

# Read-only in between: not while a file is written, nor while a file without a name is open.
guest --disk "$image" --exec 'cd /srv/t; exec 5>>a/s3; ro() { mount -o remount,ro / 2>/dev/null; echo $?; }
    ro; exec 5>&-; echo x >gone; exec 6<gone; rm gone; ro; exec 6<&-; ro
    touch new 2>/dev/null; echo $?; mount -o remount,rw / && touch new && echo again' </dev/null
output_is '255
255
0
1
again'
e2fsck -fn "$image" >"$work/fsck" 2>&1 || fail "e2fsck after read-only and back: $(cat "$work/fsck")"

# The machine stops dead while files come and go and are being written back.
for cut in 3 17 40; do
    guest --disk "$image" --exec "mkdir -p /srv/w; echo kept >/srv/kept$cut; sync /srv/kept$cut
        (while :; do sync; done) & i=0
        while [ \$i -lt $cut ]; do i=\$((i+1)); cp -r /srv/t/a /srv/w/\$i; mv /srv/w/\$i/b /srv/w/b\$i
            rm -r /srv/w/\$((i-2)) /srv/w/b\$((i-2)) 2>/dev/null; done
        echo b >/proc/sysrq-trigger" </dev/null
    e2fsck -p "$image" >"$work/fsck" 2>&1
    [ $? -le 1 ] || fail "e2fsck -p after cut $cut: $(cat "$work/fsck")"
    [ "$(debugfs -R "cat /srv/kept$cut" "$image" 2>/dev/null)" = kept ] || fail "what was fsynced is gone"
done

# Files and a folder without a name that are open: they are on the disk's list of orphans. After a cut of
# power e2fsck -p clears them, and so does the next mount; an orderly power-off leaves none.
orphans='mount -t ext2 /dev/hdb /mnt && cd /mnt && echo kept >kept && df . >/tmp/before
    /usr/lib/orrery/tests/nameless hold /mnt
    exec 5>a 6>b 7>c 8>d; mkdir e; rm a b; sync; cd e; rmdir ../e; rm ../c ../d; echo late >&7
    head -c 200000 /bin/busybox >&5; head -c 300000 /bin/busybox >&6; exec 8>&-; sync; echo more >&6; exec 5>&-; sync'
small=$work/small.img
truncate -s 4M "$small"
disk=(-- -drive "file=$small,format=raw,if=ide,index=1,media=disk")
for block in 1024 4096; do
    mke2fs -q -F -t ext2 -b $block "$small"
    guest --exec "$orphans" "${disk[@]}" </dev/null
    status_is 0
    e2fsck -fn "$small" >"$work/fsck" 2>&1 || fail "e2fsck after power-off with orphans: $(cat "$work/fsck")"
    dumpe2fs -h "$small" 2>/dev/null | grep -q 'First orphan' && fail 'the list is not empty'
    guest --exec "$orphans; echo b >/proc/sysrq-trigger" "${disk[@]}" </dev/null
    check 'there is a list' eval "dumpe2fs -h '$small' 2>/dev/null | grep -q 'First orphan'"
    cp "$small" "$work/cut.img"
    e2fsck -p "$work/cut.img" >"$work/fsck" 2>&1
    [ $? = 1 ] && grep -q 'Clearing orphaned' "$work/fsck" || fail "e2fsck -p: $(cat "$work/fsck")"
    check 'the one with a name is whole' [ "$(debugfs -R 'cat named' "$work/cut.img" 2>/dev/null)" = whole ]
    guest --exec 'mount -t ext2 /dev/hdb /mnt && cat /mnt/kept /mnt/named && df /mnt | tail -1' "${disk[@]}" </dev/null
    output_has '^kept'
    output_has '^whole'
    log_has 'files without a name are removed'
    after=$(tail -1 "$out")
    e2fsck -fn "$small" >"$work/fsck" 2>&1 || fail "e2fsck after the list was worked off: $(cat "$work/fsck")"
    e2fsck -p "$work/cut.img" >/dev/null 2>&1
    guest --exec 'mount -t ext2 /dev/hdb /mnt && df /mnt | tail -1' -- \
        -drive "file=$work/cut.img,format=raw,if=ide,index=1,media=disk" </dev/null
    output_is "$after"
done

# Flags that debugfs has set are obeyed.
mkdir -p "$work/flags/fixed" "$work/flags/growing"
touch "$work/flags/immutable" "$work/flags/append" "$work/flags/fixed/inside" "$work/flags/growing/inside"
truncate -s 4M "$work/flags.img"
mke2fs -q -F -t ext2 -N 64 -d "$work/flags" "$work/flags.img"
for set in 'immutable 0x10' 'append 0x20' 'fixed 0x10' 'growing 0x20'; do
    debugfs -w -R "sif ${set% *} flags ${set#* }" "$work/flags.img" 2>/dev/null
done
guest --exec 'mount -t ext2 /dev/hdb /mnt && /usr/lib/orrery/tests/fileflags image /mnt' \
    -- -drive "file=$work/flags.img,format=raw,if=ide,index=1,media=disk" </dev/null
status_is 0
e2fsck -fn "$work/flags.img" >"$work/fsck" 2>&1 || fail "e2fsck, flags: $(cat "$work/fsck")"
finish
