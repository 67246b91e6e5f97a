# Root images: each block size with every kind of mapping, links and large folders read as they were
# written; and what is no root of ours is refused in one line that says why.
# timeout: 300
. "$(dirname "$0")/harness.sh"
exec </dev/null

root=$work/root data=$work/root/data
mkdir -p "$root"/{bin,sbin,proc,dev,tmp,root} "$data/many" "$data/deep/er"
cp "$build/stripped/sbin/init" "$root/sbin/init"
cp build/busybox/busybox "$root/bin/"
for applet in sh cat ls md5sum find sort readlink dd wc head xargs; do
    ln -s busybox "$root/bin/$applet"
done

# With blocks of 1 KiB: direct up to 12 KiB, single indirect to 268 KiB, double to 64.3 MiB.
piece() { head -c "$2" /dev/urandom | dd of="$data/$1" bs=1 seek="$3" conv=notrunc status=none; }
for at in 0 11000 13000 267000 270000 60000000 67200000 67380000; do piece indirect 5000 $at; done
truncate -s 70000000 "$data/indirect"
truncate -s 300000 "$data/hole"
head -c 1000000 /dev/urandom >"$data/solid"
: >"$data/empty"
printf x >"$data/$(printf 'n%.0s' {1..255})"
printf y >"$data/Zähler mit Abstand"
ln -s solid "$data/fast"
ln -s "$(printf './%.0s' {1..28})one" "$data/59" && ln -s "$(printf './%.0s' {1..29})on" "$data/60"
ln -s "deep/$(printf './%.0s' {1..400})er" "$data/slow"
(cd "$data/many" && seq -f 'entry-%g-of-a-folder-that-needs-many-blocks' 4000 | xargs touch)

# What host and guest must agree on: contents, names, targets of links.
survey='cd /data; find . | sort | md5sum; find . -type f -size +0 -print0 | sort -z | xargs -0 md5sum
for l in fast slow 59 60; do readlink $l; done; ls slow/ | wc -l; cat fast | md5sum; ls many | wc -l'
expected=$(export LC_ALL=C; eval "${survey/\/data/\$data}")

for block in 1024 2048 4096; do
    image=$work/$block.img
    mke2fs -q -F -t ext2 -b $block -d "$root" "$image" 64M >"$work/mke2fs" 2>&1 ||
        fail "mke2fs: $(cat "$work/mke2fs")"
    # One of them with a hashed index, which a reader without indices may ignore.
    [ $block = 2048 ] && e2fsck -fyD "$image" >/dev/null 2>&1
    guest --disk "$image" --exec "$survey"
    status_is 0
    output_is "$expected"
    no_errors
    check "blocks of $block: clean afterwards" e2fsck -fn "$image"
done

# Blocks of 4 KiB: what lies beyond 4 GiB needs the triple indirect block and the large size.
truncate -s 4402341479 "$data/large"
printf 'the end' >>"$data/large"
mke2fs -q -F -t ext2 -b 4096 -d "$root" "$work/large.img" 64M >/dev/null 2>&1
guest --disk "$work/large.img" \
    --exec 'ls -l /data/large; dd if=/data/large bs=4096 skip=1074790 2>/dev/null | cat -v' </dev/null
output_has ' 4402341486 .*large$'
check 'the end of a large file' grep -q 'the end$' "$out"

# No root: `refused REASON OPTIONS`.
refused() {
    local reason=$1
    shift
    guest "$@" --exec true
    status_is 125
    errors_have "$reason"
    check 'one line' [ "$(wc -l <"$err")" = 1 ]
    check 'no output' [ ! -s "$out" ]
}
cd "$work" || exit 1
truncate -s 8M empty
truncate -s 512 tiny
head -c 1000000 "$work/1024.img" >truncated
mke2fs -q -F -t ext4 ext4 16M >/dev/null 2>&1
truncate -s 16M fat && mformat -i fat -t 32 -h 16 -s 63 ::
xorriso -as mkisofs -quiet -o iso "$data/deep" 2>/dev/null
mke2fs -q -F -t ext2 unknown 8M >/dev/null 2>&1
debugfs -w -R 'set_super_value feature_incompat 0x40000002' unknown 2>/dev/null
mke2fs -q -F -t ext2 no-init 8M >/dev/null 2>&1
cd "$OLDPWD" || exit 1
refused 'no disk' --no-disk
refused 'empty' --disk "$work/empty"
refused 'too small' --disk "$work/tiny"
refused 'truncated' --disk "$work/truncated"
refused 'extent' --disk "$work/ext4"
refused 'FAT' --disk "$work/fat"
refused 'ISO 9660' --disk "$work/iso"
refused 'bit 30' --disk "$work/unknown"
refused '/sbin/init' --disk "$work/no-init"
refused 'no disk' --append root=/dev/hdd

# Features that only writing needs to know: mounted, and said.
cp --sparse=always "$root_image" "$work/quota.img"
debugfs -w -R 'set_super_value feature_ro_compat 0x40000003' "$work/quota.img" 2>/dev/null
guest --disk "$work/quota.img" --exec 'echo fine; mount | head -1'
output_has '^fine'
output_has '\(ro'
log_has 'read-only because of features: .*bit 30'
finish
