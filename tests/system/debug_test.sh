# scripts/debug in scripted sessions, as docs/debugging.md describes them.
# timeout: 300
# holds: record
. "$(dirname "$0")/harness.sh"

session() {
    shown="debug $*"
    cat >"$work/session.gdb"
    ./scripts/debug --timeout 120 --batch "$work/session.gdb" "$@" >"$out" 2>"$err"
    status=$?
}

# The first stop at _start comes before its page is there: it faults, is loaded, and starts again.
session --exec 'step; exit 3' <<'END'
info registers eip
hbreak kernel_main
continue
backtrace
delete
break program_started if $_streq(path, "step")
continue
delete
break *_start
continue
regs
vtop $pc
continue
vtop $pc
delete
break sys_write
continue
backtrace
ps
bt-thread 1
bt-thread -1
print process_list
finish
END
status_is 0
output_has '^ +- +-[0-9]+ +- +blocked +reclaim +memory'
output_has 'Tty::send_signals'
output_has '^\$1 = list of Process = \{(0xc[0-9a-f]+, )+0xc[0-9a-f]+\}'
output_has 'Value returned is \$2 = ok: 26'
output_has '<kernel_entry>'
output_has 'kernel_main \(magic='
output_has '^not present: a page fault'
output_has '^physical .*\(frame'
output_has '^eax'
output_has 'sys_write'
output_has '_start'
output_has '^\* +[0-9]+'

# From a kernel function through the system call into a C program's main.
session --exec 'hello' <<'END'
break program_started if $_streq(path, "hello")
continue
delete
hbreak main
continue
delete
break sys_write
continue
backtrace
END
status_is 0
output_has ' main \('

# Recorded, and the same again with steps backwards.
shown='debug --record'
printf 'echo $((6*7)); step; poweroff\n' | timeout 120 ./scripts/debug --record >"$out" 2>"$err"
status=$?
status_is 0
output_has '^42'
session --replay <<'END'
break sys_execve
continue
stepi
stepi
info registers eip
reverse-stepi
reverse-stepi
info registers eip
continue
tt why-blocked 1
tt last-write process_list.head_.prev
python
for command in ("tt why-blocked 99", "tt last-write", "tt why-panic"):
    try: gdb.execute(command)
    except gdb.error as error: print("refused:", error)
end
END
status_is 0
output_has '^refused: no thread 99'
output_has '^refused: usage: tt last-write'
output_has '^refused: no panic from here'
output_has 'eip .*<sys_execve\([^)]*\)>$'
output_has '^thread 1 sleeps until: '
output_has '^#[0-9]+ .* park \('
output_has 'clone_process|fork_process|sys_fork|sys_clone'

# A recorded panic: on to it, and back from there. Before that, how types of the kernel are printed.
shown='debug --record of a panic'
./scripts/debug --record --timeout 120 --exec 'step; echo c >/proc/sysrq-trigger' >"$out" 2>"$err" </dev/null
status=$?
status_is 125
session --replay <<'END'
break program_started if $_streq(path, "step")
continue
print $process(1)->files
print $process(1)->space.pointer_->state_.regions.tree_
print $process(1)->files.pointer_->slots_
print $thread(1)->page_directory
print *(Frame *)&frame_table_size
tt why-panic
tt last-write process_list.head_.prev
END
status_is 0
output_has '^\$1 = FdTable @0xc[0-9a-f]{7}'
output_has '^\$2 = tree of Region = \{0xc'
output_has '^\$3 = vector of [0-9]+, room for [0-9]+ = \{\{file = '
output_has '^\$4 = 0x[0-9a-f]+000$'
output_has '^\$5 = 0x[0-9a-f]+$'
output_has '^panic: .*sysrq'
output_has '^#1 .*system_request'
output_has '^#[0-9]+ .*unlink_zombie'
finish
