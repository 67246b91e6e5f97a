# An image that xorriso wrote is mounted, walked and read; damaged ones give errors, never a panic.
. "$(dirname "$0")/harness.sh"

mkdir -p "$work/tree/one/two"
echo 'hello from a disc' >"$work/tree/one/two/A rather long name.text"
head -c 3000000 /dev/urandom >"$work/tree/big.bin"
for i in $(seq 100); do echo "$i" >"$work/tree/one/file $i"; done
xorriso -as mkisofs -quiet -R -o "$work/t.iso" "$work/tree" 2>/dev/null
sum=$(cd "$work/tree" && find . -type f | sort | xargs -d '\n' cat | md5sum | cut -d' ' -f1)
second() { echo "file=$1,format=raw,if=ide,index=1,media=disk"; }
guest --exec 'mkdir /tmp/m; mount -t iso9660 -o ro /dev/hdb /tmp/m || exit 1; cd /tmp/m
    find . -type f | sort | tr "\n" "\0" | xargs -0 cat | md5sum; ls one | wc -l
    echo x >one/new || echo refused; cd /; umount /tmp/m && echo gone' \
    -- -drive "$(second "$work/t.iso")" </dev/null
status_is 0
output_is "$sum  -
101
refused
gone"

# One in four bytes of the directories, at most, is changed.
for seed in 1 2 3; do
    python3 - "$work/t.iso" "$work/bad.iso" "$seed" <<'END'
import random, sys
data = bytearray(open(sys.argv[1], 'rb').read())
random.seed(int(sys.argv[3]))
for _ in range(2000):
    data[random.randrange(17 * 2048, 60 * 2048)] = random.randrange(256)
open(sys.argv[2], 'wb').write(data)
END
    guest --exec 'mkdir /tmp/m; mount -t iso9660 -o ro /dev/hdb /tmp/m && ls -R /tmp/m >/dev/null 2>&1
        cat /tmp/m/* /tmp/m/one/* >/dev/null 2>&1; echo alive' \
        -- -drive "$(second "$work/bad.iso")" </dev/null
    output_is alive
done
finish
