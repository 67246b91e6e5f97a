# Disks: files added to a scratch copy, images given with --disk, and what is no root file system.
. "$(dirname "$0")/harness.sh"

printf '#!/bin/sh\necho "hello from $0"\n' >"$work/hello.sh"
chmod 751 "$work/hello.sh"
mkdir -p "$work/tree/deep/er"
head -c 300000 /dev/urandom >"$work/tree/deep/er/data"
ln -s er/data "$work/tree/deep/link"
guest --add "$work/hello.sh:/usr/bin/hello" --add "$work/tree:/srv/tree" \
    --exec 'hello; stat -c "%a %u %g" /bin/hello; cat /srv/tree/deep/link' </dev/null
status_is 0
check 'the script runs, its mode and owner are right' [ "$(head -2 "$out")" = $'hello from /bin/hello\n751 0 0' ]
check 'the data is the same' cmp <(tail -c 300000 "$out") "$work/tree/deep/er/data"
guest --exec 'ls /srv' </dev/null
check 'only the copy has it' [ "$status" != 0 ]

# More than the image has room for: the copy grows.
head -c 60000000 /dev/zero >"$work/large"
guest --add "$work/large:/large" --exec 'wc -c </large' </dev/null
output_is 60000000
guest --add "$work/missing:/x" --exec true </dev/null
status_is 125
errors_have 'missing: no such file'

guest --disk "$work/missing" --exec true </dev/null
status_is 125
errors_have 'no such image'
cp --sparse=always "$root_image" "$work/own.img"
guest --disk "$work/own.img" --exec 'echo fine' </dev/null
output_is fine
check 'the image is clean' e2fsck -fn "$work/own.img"
guest --icount --disk "$work/own.img" --exec 'grep " / " /proc/mounts' </dev/null
output_has hda

# Each of these ends in one line that says why.
no_root() {
    guest "$@" --exec true </dev/null
    status_is 125
    check 'a reason is given' [ -n "$(cat "$err")" ]
}
no_root --no-disk
truncate -s 8M "$work/empty.img"
no_root --disk "$work/empty.img"
head -c 1000000 "$root_image" >"$work/short.img"
no_root --disk "$work/short.img"
if command -v mkfs.vfat >/dev/null; then
    truncate -s 8M "$work/fat.img"
    mkfs.vfat "$work/fat.img" >/dev/null
    no_root --disk "$work/fat.img"
fi

# Block sizes and a directory that needs blocks of its own.
for block in 1024 2048; do
    mkdir -p "$work/root/bin" "$work/root/sbin" "$work/root/proc" "$work/root/dev" "$work/root/tmp"
    cp build/busybox/busybox "$work/root/bin/"
    cp "$build/stripped/sbin/init" "$work/root/sbin/"
    for applet in sh cat ls md5sum; do ln -sf busybox "$work/root/bin/$applet"; done
    mke2fs -q -F -t ext2 -b $block -d "$work/root" "$work/small.img" 16M >/dev/null
    guest --disk "$work/small.img" --exec 'md5sum /bin/busybox' </dev/null
    output_has "^$(md5sum <build/busybox/busybox | cut -d' ' -f1)"
done
# A clean ext3 is one for us, too, and stays one.
mke2fs -q -F -t ext3 "$work/ext3.img" 16M >/dev/null
guest --exec 'mkdir /tmp/x && mount -t ext3 /dev/hdb /tmp/x && echo new >/tmp/x/file && umount /tmp/x' </dev/null \
    -- -drive "file=$work/ext3.img,format=raw,if=ide,index=1"
status_is 0
check 'the ext3 is clean' e2fsck -fn "$work/ext3.img"
check 'its journal is there' grep -q 'has_journal' <(dumpe2fs -h "$work/ext3.img" 2>/dev/null)
check 'what was written is there' [ "$(debugfs -R 'cat file' "$work/ext3.img" 2>/dev/null)" = new ]
finish
