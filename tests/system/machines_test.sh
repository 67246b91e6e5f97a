# Other machines: little memory, much memory, several processors.
# timeout: 300
. "$(dirname "$0")/harness.sh"

guest --mem 16 --exec 'head -1 /proc/meminfo' </dev/null
status_is 0
output_has '^MemTotal: +1[0-9]{4} kB'
# A repeatable run has its disk in memory, too.
guest --mem 16 --icount --exec true </dev/null
status_is 125
errors_have 'orrery cannot start: too little memory'
guest --mem 2048 --exec 'head -1 /proc/meminfo' </dev/null
output_has '^MemTotal: +(19|20)[0-9]{5} kB'
guest --smp 4 --exec 'echo $((6*7))' </dev/null
output_is 42

# A processor that is too old is told so before the first instruction that it lacks.
for cpu in 486 pentium; do
    guest --timeout 8 --exec true </dev/null -- -cpu $cpu
    log_has 'needs a Pentium Pro or newer.*-cpu pentium2'
done
guest --exec 'echo $((6*7))' </dev/null -- -cpu pentium2
output_is 42
# What has no driver is named, with what to take instead; so is a machine without a disk.
guest --no-disk --exec true </dev/null -- -drive if=virtio,file=/dev/null,format=raw,readonly=on -usb
status_is 125
errors_have 'disks are IDE or SATA, in QEMU -drive if=ide'
log_has 'virtio disk: not supported; disks are IDE or SATA here'
log_has 'USB: not supported; keyboards are PS/2'
# With SATA disks the machine boots as with IDE's, even if only QEMU is told (more: ahci_test.sh).
guest --exec 'cut -d" " -f3 /proc/mounts | head -1' </dev/null -- -M q35
output_is ext2
# A clock that is missing is named, and the other one serves.
guest --exec 'sleep 0.2; echo awake' </dev/null -- -machine pit=off
output_is awake
log_has "clock: the PIT stands still; the TSC is measured by ACPI's timer alone"
log_has 'TSC at [0-9]{6,} kHz'
guest --exec 'sleep 0.2; echo awake' </dev/null -- -machine acpi=off
output_is awake
log_has 'clock: no ACPI timer; the TSC is measured by the PIT alone'
# A machine without the speaker's port: the clock is right, and the second processor starts.
qemu-system-i386 -M microvm -m 128 -smp 2 -nodefaults -no-reboot -display none -kernel "$build/kernel.elf" \
    -append root=/dev/none -serial "file:$work/microvm" </dev/null &
microvm=$!
for _ in $(seq 100); do grep -q 'no root file system' "$work/microvm" 2>/dev/null && break; sleep 0.2; done
kill $microvm
check 'microvm: two processors' grep -q 'smp: 2 processors' "$work/microvm"
check 'microvm: a TSC of hundreds of MHz at least' grep -Eq 'TSC at [0-9]{6,} kHz' "$work/microvm"

# 64-bit programs are not for this machine, and the log says so.
printf '\177ELF\2\1\1' >"$work/wide" && chmod +x "$work/wide"
guest --add "$work/wide:/bin/wide" --exec 'wide 2>/dev/null; true' </dev/null
log_has 'a 64-bit program; here run 32-bit ones'

finish
