# The debug build, which checks every lock (order of spin locks and of mutexes, owner, no sleep under a
# spin lock, free when destroyed), on four CPUs: tests of the guest that take many locks, in one boot.
# timeout: 900
# programs: smp process threads pthreads threadgroup signals pipes waits sysv epoll sockets socketnames socketrights mqueue locks files filemap linksmoves writeback memory memcalls timers terminal pidfd memfd inotify asyncfiles leases corefiles
. "$(dirname "$0")/harness.sh"
exec </dev/null

another_kernel checked -DORRERY_DEBUG=ON
guest --smp 4 --mem 256 --exec "for t in $(sed -n 's/^# programs: //p' "$0"); do
    timeout 60 /usr/lib/orrery/tests/\$t >/tmp/out 2>&1 || { echo FAIL \$t; tail -n 3 /tmp/out; }
    done; echo end"
output_is end

# The debugger's commands read this kernel too, and know what each thread holds.
cat >"$work/session.gdb" <<'END'
break program_started if $_streq(path, "hello")
continue
delete
break-call write fd == 1 && count > 10
continue
info args
python
for command in ('ps runq waitq locks regs bt-all user-bt vmstat swap tlb heap dmesg gdt idt ldt tss irq').split() + [
        'bt-thread 1', 'vtop $pc', 'pt 2', 'maps 2', 'frame 0x1000', 'fds 2', 'dentry /bin/hello', 'inode 2', 'names 2', 'cache 2', 'blocks 2', 'ktrace 9']:
    try: gdb.execute(command)
    except gdb.error as error: print('refused:', command, error)
gdb.execute('delete')
end
break PageCache::write_chunk
continue
locks
END
shown='debug of the checked kernel'
ORRERY_BUILD=$build/checked python3 -EsS scripts/debug.py --timeout 200 --batch "$work/session.gdb" \
    --exec 'hello; echo a >a' >"$out" 2>"$err"
status=$?
status_is 0
grep -q 'Python Exception' "$out" "$err" && fail 'a command ends in an exception of Python'
grep '^refused' "$out" && fail 'a command is refused'
output_has '^count = [0-9]+'
output_has 'sys_write'
output_has 'sh @0xc[0-9a-f]+ holds .*, rank inode$'

# The story's deadlock, in this kernel: it stops at the first `mv`, though no other program writes.
ORRERY_BUILD=$build/checked python3 tests/stories/patched.py tests/stories/deadlock.patch "$work/planted" >"$out" 2>&1 ||
    fail "patched.py: $(tail -3 "$out")"
ORRERY_KERNEL=$work/planted/kernel.elf
guest --exec 'echo a >a; mv a b; echo moved'
status_is 125
errors_have 'KERNEL PANIC: mutex of rank [0-9]+ wanted, rank [0-9]+ is held'
errors_have 'rename_child'
check 'each call on a line of its own, however long its name' [ "$(grep -c ' #[0-9]' "$err")" -ge 10 ]
finish
