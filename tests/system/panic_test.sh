# A panic: its report comes out of standard error with names and lines, the status is 125. So it is
# when the kernel's stack pointer is bad, which only a double fault on a stack of its own survives.
. "$(dirname "$0")/harness.sh"
exec </dev/null

guest --core "$work/core" --exec 'echo before; echo c >/proc/sysrq-trigger; echo after'
status_is 125
output_is before
errors_have '^KERNEL PANIC: '
errors_have '#[0-9]+ +[0-9a-f]{8} .*sys_write.* at kernel/syscall/[a-z_]+\.[ch]pp:[0-9]+$'
errors_have 'eflags [0-9a-f]{8}'
errors_have 'cr2 [0-9a-f]{8} +cr3 [0-9a-f]{8}'
errors_have 'thread [0-9]+ \(sh\)'
log_has 'KERNEL PANIC'
check 'one screenful' [ "$(wc -l <"$err")" -le 25 ]

printf 'backtrace\nps\n' >"$work/commands"
opened() { # opened KERNEL CORE
    shown="debug --core $(basename "$2")"
    ORRERY_KERNEL=$1 ./scripts/debug --core "$2" --batch "$work/commands" >"$out" 2>"$err"
    status=$?
}
opened "$build/kernel.elf" "$work/core"
status_is 0
output_has 'sys_write'
output_has '^\*     2 .* running +sh'
# Another build: one byte of its constants is another.
cp "$build/kernel.elf" "$work/other.elf"
at=$(grep -obUam1 'this is a bug in the kernel' "$work/other.elf" | cut -d: -f1)
printf T | dd of="$work/other.elf" bs=1 seek="$at" conv=notrunc status=none
head -c 5000000 "$work/core" >"$work/cut"
: >"$work/empty"
refused() { # refused KERNEL CORE REASON
    opened "$1" "$2"
    status_is 125
    errors_have "$3"
    check 'in one line' [ "$(wc -l <"$err")" -eq 1 ]
}
refused "$work/other.elf" "$work/core" 'another build of the kernel'
refused "$build/kernel.elf" "$work/cut" 'it is cut'
refused "$build/kernel.elf" "$work/empty" 'it is empty'
refused "$build/kernel.elf" README.md 'no core of a 32-bit PC'
refused "$build/kernel.elf" "$work/none" 'No such file'

shown='a bad stack pointer'
rm "$out"
cat >"$work/gdb" <<END
target remote $work/socket
hbreak system_call_entry
continue
set \$esp = 0xdead0000
detach
END
./scripts/run --timeout 100 --log "$log" --exec 'echo before; while :; do sleep 1; done' \
    -- -gdb "unix:$work/socket,server=on,wait=off" >"$out" 2>"$err" &
until [ -S "$work/socket" ] && [ -s "$out" ] || ! kill -0 $! 2>/dev/null; do sleep 0.1; done
gdb -nx -q -batch "$build/kernel.elf" -x "$work/gdb" >"$work/gdb.out" 2>&1 ||
    fail "gdb: $(tail -3 "$work/gdb.out")"
wait $!
status=$?
status_is 125
errors_have 'KERNEL PANIC: double fault'
errors_have '#DF'
errors_have 'esp dead0000'
log_has 'cr2 deacfff'
finish
