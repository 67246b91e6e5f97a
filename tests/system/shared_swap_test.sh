# Shared memory and tmpfs in swap: 16 MiB of memory, and more data than that.
# timeout: 300
# programs: sharedsweep
. "$(dirname "$0")/harness.sh"

truncate -s 96M "$work/swap.img"
mkswap "$work/swap.img" >/dev/null 2>&1
swap=(-drive "file=$work/swap.img,if=ide,index=1,format=raw,cache=unsafe")
bin=/usr/lib/orrery/tests

# Shared memory of every kind, more of it than memory; then all at once; what tmpfs has comes back
# when its area is switched off, or stays where it is if there is no room.
guest --mem 16 --smp 2 --exec "swapon /dev/hdb; mount -t tmpfs -o size=64m none /mnt
    for kind in anonymous segment tmpfs file; do $bin/sharedsweep \$kind 18 1 /mnt/x; done
    for kind in anonymous segment tmpfs file; do $bin/sharedsweep \$kind 5 1 /mnt/\$kind & done; wait
    copies() { for i in \$(seq \$1); do cat /bin/busybox; done; }
    copies 9 >/mnt/big; swapoff /dev/hdb || echo no room
    copies 9 | cmp - /mnt/big && copies 2 >/mnt/less && rm /mnt/big
    swapoff /dev/hdb && wc -l </proc/swaps && copies 2 | cmp - /mnt/less && echo same" \
    </dev/null -- "${swap[@]}"
check 'four kinds, twice' [ "$(grep -c 'all there' "$out")" = 8 ]
output_has 'no room'
output_has '^1$'
output_has '^same'

finish
