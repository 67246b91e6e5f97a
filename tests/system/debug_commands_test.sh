# GDB's commands of scripts/gdb, each on a kernel that is stopped within a system call of a program. They
# only read; a wrong word, a missing process and a damaged list are one line each.
# timeout: 600
. "$(dirname "$0")/harness.sh"

session() {
    shown="debug $*"
    {
        cat <<'END'
python
import re
names = ('ps runq waitq locks regs bt-thread bt-all user-bt vtop pt maps frame vmstat swap tlb heap fds dentry inode names cache '
         'blocks ktrace dmesg gdt idt ldt tss irq break-call break-event').split()
def each(*commands):
    for command in commands:
        print("==", command)
        try: gdb.execute(command)
        except gdb.error as error: print("refused:", error)
def complete(*starts): # as the tab key does; the command `complete` loses a blank at the end
    for start in starts:
        print("== complete", start + "|")
        print(gdb.execute('interpreter-exec mi "-complete \\"%s\\""' % start, to_string=True))
end
END
        cat
    } >"$work/session.gdb"
    ./scripts/debug --timeout 300 --batch "$work/session.gdb" "$@" >"$out" 2>"$err"
    status=$?
}

# says COMMAND REGEX: among the lines that the command printed
says() {
    shown="$1"
    awk -v command="== $1" '$0 == command {on = 1; next} /^== / {on = 0} on' "$out" | grep -qE -- "$2" ||
        fail "$1 does not say '$2'"
}

# Before the boot: one line that says so; what needs no memory of the kernel's is there already.
session --exec 'cd /tmp; id -u; chown 4:3 /tmp; chown 3:4 /tmp; chown 4:3 /tmp; id -g' <<'END'
python
words = {'bt-thread': '1', 'pt': '1', 'maps': '1', 'fds': '1', 'dentry': '/', 'frame': '1', 'inode': '2', 'names': '2', 'cache': '2',
         'blocks': '2', 'vtop': 'kernel_main', 'break-call': 'read fd == 3', 'break-event': 'mark'}
each(*((name + ' ' + words.get(name, '')).strip() for name in names), 'tt why-blocked 1', 'tt last-write process_list.head_.prev',
     'tt why-panic', 'print $thread()', 'print $process(1)', 'break-call acct', 'break-call getuid', 'break-call nothing')
complete(*(name + ' ' for name in names), 'tt ', 'tt why-blocked ', 'break-call clock_gett', 'break-call getuid')
gdb.execute('break-call getuid32')
end
hbreak kernel_main
continue
break-call chown32 uid == 3 && gid == 4
continue
backtrace 1
python [one.delete() for one in gdb.breakpoints() if 'getuid' in str(one.location)]
continue
regs
continue
END
status_is 0
check 'each command says that it is too early' [ "$(grep -c '^refused: .*memory is not there yet: hbreak kernel_main' "$out")" -ge 30 ]
grep -q 'Python Exception' "$out" "$err" && fail 'a command ends in an exception of Python'
says 'vtop kernel_main' 'paging is not on yet'
says 'tt why-panic' '^refused: .*this machine cannot go back'
says 'print $thread()' '^refused: one number'
says 'break-call acct' '^refused: acct is not implemented'
says 'complete break-call clock_gett|' '"break-call clock_gettime","break-call clock_gettime64"'
says 'complete break-call getuid|' '"break-call getuid32"'
says 'complete tt |' 'tt why-blocked'
output_has '^#0 .*sys_getuid'
shown='a condition on two arguments of a call whose handler is inlined'
output_has '^eax .* ecx +00000003  edx +00000004$'
check 'the kernel stops at the one call that is as said' [ "$(grep -c ', sys_chown (' "$out")" -eq 1 ]

session --exec 'cat /etc/passwd >/tmp/copy; exec 5</etc/passwd; hello' <<'END'
break program_started if $_streq(path, "hello")
continue
delete
break sys_write
continue
python
each("runq", "waitq", "waitq &process_list", "waitq &((Process*)process_list.head_.next)->pid", "bt-all",
     "regs", "regs 99", "user-bt", "maps 1", "maps", "maps 99", "pt 2 0x8048000", "pt 2", "frame 0x1000", "frame -1",
     "vmstat", "swap", "heap", "fds 2", "fds 1", "dentry /etc/passwd", "dentry /etc/nothing", "inode 2", "inode 4000000",
     "cache 2", "blocks 2", "ktrace 3", "ktrace x", "dmesg", "gdt", "gdt 7", "idt", "ldt", "tss", "irq", "locks",
     "break-call read fd == 0", "break-call read fd == 0 || count > 5", "break-call nothing", "print process_list", "print cpus[0].current.stack_bottom",
     "complete maps 1", "help pt", "user-bt 1", "vtop 0x8048000 -1", "pt 2 0xc0100000", "pt 2 0x40000000", "cache 2 99", "inode 0xc0200000",
     "ktrace 0", *("frame %#x" % ((int(gdb.parse_and_eval(it)) - 0xc0000000) >> 12) for it in ("&process_list", "$process(1)")))
stack = gdb.execute('vtop %#x' % int(gdb.parse_and_eval('$thread(1)->stack_bottom.value')), to_string=True)
each('frame ' + re.search('frame (0x[0-9a-f]+)', stack)[1])
complete('maps ', 'dentry /etc/pas', 'ldt ', 'vtop 0 ', 'break-event fork p', 'break-event fork parent ', 'break-call read fd', 'ps ')
end
delete
break set_state
continue
python
each("locks")
gdb.execute("set var process_list.head_.next.next.prev = process_list.head_.next.next")
each("ps")
end
END
status_is 0
says runq '^CPU 0 runs 2 hello @0xc[0-9a-f]+, policy RoundRobin$'
says runq 'blocked signal +head -> 1 init '
says waitq '^signal +1 init @.*, signals wake it$'
says 'waitq &process_list' '^refused: .*not a WaitQueue'
says bt-all 'sys_rt_sigsuspend'
says bt-all 'sys_write'
says regs '^eax +00000004'
says 'regs 99' '^refused: no thread 99'
says user-bt '^#0 +0x08'
says user-bt ' in main$| in _start$'
says 'user-bt 1' 'the symbols of init are not loaded'
says 'vtop 0x8048000 -1' "thread -1 is the kernel's own"
says 'pt 2 0xc0100000' "^refused: 0xc0100000 is the kernel's"
says 'pt 2 0x40000000' '\[ 256\] no table'
says 'cache 2 99' '^refused: page 99 is not in memory'
says 'inode 0xc0200000' '^refused: no inode is at'
says 'ktrace 0' '^refused: N: 1 at least'
output_has "^  of the kernel's image: "
output_has "kernel's own, (a slab of the heap|by its address in the direct map)"
output_has 'at f[0-9a-f]{7}, kernel stack of thread 1$'
says 'complete maps |' '"maps 1","maps 2"'
says 'complete dentry /etc/pas|' '"dentry /etc/passwd"'
says 'complete ldt |' '"ldt 1"'
says 'complete vtop 0 |' '"vtop 0 1"'
says 'complete break-event fork p|' '"break-event fork parent","break-event fork process"'
says 'complete break-event fork parent |' '"break-event fork parent =="'
says 'complete break-call read fd|' 'matches=\["break-call read fd"\]'
says 'complete ps |' 'matches=\[\]'
says 'maps 1' '^[0-9a-f]{8}-c0000000|^bf[0-9a-f]{6}-bf[0-9a-f]{6} rw-p .* stack'
says maps '^refused: usage: maps PID'
says 'maps 99' '^refused: no process 99'
says 'pt 2 0x8048000' '^ +\[ +32\] 08000000  table at '
says 'pt 2 0x8048000' '^ +08048000 +[0-9]+ pages?  frame 0x[0-9a-f]+.* P U A'
says 'pt 2' '\[ 767\] bfc00000'
says 'frame 0x1000' '^frame 0x1000, physical 0x01000000'
says 'frame -1' '^refused: there are frames 0 to '
says vmstat '^process 2: [1-9][0-9]* pages in memory, 0 in swap'
says swap 'no swap area'
says heap '^ +cells of +[0-9]+: +[0-9]+ used in the slab at 0xc'
says 'fds 2' '^ +5  .*/etc/passwd of its file system$'
says 'dentry /etc/passwd' '^passwd  dentry @0xc[0-9a-f]+, ext2::Ext2Inode [0-9]+ '
says 'dentry /etc/nothing' '^refused: nothing is not in the cache'
says 'inode 2' 'directory, mode 0755, owner 0:0, [0-9]+ links'
says 'inode 4000000' '^refused: inode 4000000 is not in memory'
says 'cache 2' '^[1-9][0-9]* pages$'
says 'blocks 2' '^ +\[0\] block [0-9]+'
says 'ktrace 3' '^ +0 \[0\] +2 '
says 'ktrace x' '^refused: N: a number'
says dmesg '^\[ +[0-9.]+\] hda: '
says gdt 'base 00000000 limit ffffffff DPL 3  code readable'
says 'gdt 7' '^refused: there are CPUs 0 to 0'
says idt '^0x80 +trap gate, DPL 3, system_call_vector$'
says idt '^0x08 +task gate, DPL 0, TSS '
says idt '^0x09\.\.0x7f interrupt gate, DPL 0, vector_stubs$'
says ldt 'it has none'
says tss '^ss0 0x10  esp0 [0-9a-f]{8}'
says irq '^exception +14 +[1-9]'
says 'break-call read fd == 0' 'Breakpoint [0-9]+ at .*watch.cpp'
says 'break-call read fd == 0 || count > 5' 'Breakpoint [0-9]+ at .*read_write.cpp'
says 'break-call nothing' '^refused: no system call nothing'
says 'print process_list' 'list of Process = \{0xc'
says 'print cpus[0].current.stack_bottom' '= 0xf[0-9a-f]+$'
says 'complete maps 1' '^maps 1$'
says 'help pt' "process's page tables as a tree"
says locks 'SpinLock run_queue_lock is taken, rank run_queue'
says ps 'inconsistent: the node at 0x'

# Breakpoints by event and by call, whose conditions the kernel looks at: each stops once, where it should.
session --icount --exec 'echo there >/proc/trace_marker; echo here >/proc/trace_marker; hello; hello | cat' <<'END'
python
each("break-event mark text == here")
end
hbreak kernel_main
continue
delete
break-event mark text == here
continue
backtrace
delete
break-call write fd == 1 && count > 50
continue
info args
python
each("break-event nothing", "break-event mark text < 3", "break-event fork what == 3", "break-event fork parent ==",
     "break-event fork parent == x", "break-call nothing", "complete break-event fau", "complete break-call getpp",
     "break-event fork parent == 1 parent == 2 parent == 3 parent == 4 parent == 5")
end
delete
python
each(*["break-event exec"] * 9)
end
disable
print trace_watches.watch[3].active
enable
delete
break-event state thread == 4 to == blocked
break-event exit status > 0x10000
break-event fork parent >= 2 flags & 0x1000000 child != 3
continue
delete
print trace_watches.active
print cpus[0].trace == 0
continue
END
status_is 0
says 'break-event mark text == here' "^refused: the kernel's memory is not there yet"
output_has '^event mark text=here, thread 2$'
output_has '^#[0-9]+ .*[ :]mark_trace '
output_has 'sys_write \(fd=1, from=\.\.\., count=52\)'
says 'break-event nothing' '^refused: no event nothing; there are .* fork '
says 'break-event mark text < 3' '^refused: .*only =='
says 'break-event fork what == 3' '^refused: fork has the fields child, process, parent, flags, thread'
says 'break-event fork parent ==' '^refused: a condition is'
says 'break-event fork parent == x' '^refused: x: a number'
says 'break-event fork parent == 1 parent == 2 parent == 3 parent == 4 parent == 5' '^refused: 5 conditions'
says 'break-call nothing' '^refused: no system call nothing'
says 'complete break-event fau' '^break-event fault_done$'
says 'complete break-call getpp' '^break-call getppid$'
says 'break-event exec' '^refused: there are 8 watches'
output_has '^\$1 = false'
output_has '^event fork child=[4-9]'
output_has '^\$2 = false'
output_has '^\$3 = false'
# Damaged structures: each command says what does not fit, in one line, and goes on or ends; no Python exception.
session --exec 'cat /etc/passwd >/dev/null; hello' <<'END'
break program_started if $_streq(path, "hello")
continue
delete
break sys_write
continue
python
import file_commands
memory = gdb.selected_inferior()
def damaged(place, value, *commands):
    where = gdb.parse_and_eval(place)
    address, size = int(where.address), where.type.sizeof
    was = bytes(memory.read_memory(address, size))
    memory.write_memory(address, (int(value) & (1 << 8 * size) - 1).to_bytes(size, 'little'))
    gdb.execute('maint flush dcache', to_string=True)
    for command in commands:
        print("==", command, "when damaged:", re.split('->|[.]', place)[-1])
        try: gdb.execute(command)
        except gdb.error as error: print("refused:", error)
    memory.write_memory(address, was)
    gdb.execute('maint flush dcache', to_string=True)

inode = f'((ext2::Ext2Inode *){int(file_commands.find_inode("2").address):#x})'
space = '$process(2)->space.pointer_->state_'
passwd = int(re.search('dentry @(0x[0-9a-f]+), ext2.*\n\\Z', gdb.execute('dentry /etc/passwd', to_string=True))[1], 16)
dentry = f'((Dentry *){passwd:#x})'
number = file_commands.inode_number(gdb.parse_and_eval(dentry + '->inode_.value_').dereference())
written = int(gdb.parse_and_eval("'(anonymous namespace)::rings'[1]->written_.value_"))
last = f"'(anonymous namespace)::rings'[1]->events_[{written - 1} & ((1 << '(anonymous namespace)::rings'[1]->shift_) - 1)]"
damaged('frame_table[0x1000].references.value_', -5, 'frame 0x1000')
damaged(inode + '->cache_.pages_', 77, 'cache 2')
damaged(inode + '->cache_.all_->cache_next', gdb.parse_and_eval(inode + '->cache_.all_'), 'cache 2', 'names 2')
damaged(space + '.regions.tree_.root_->child[0]', gdb.parse_and_eval(space + '.regions.tree_.root_'), 'maps 2')
damaged(space + '.pages.directory_', 0xfffff000, 'pt 2', 'frame 0x1000')
damaged(last + '.type', 200, 'ktrace 3')
damaged(dentry + '->parent_.pointer_', passwd, f'inode {number}', 'dentry /etc/passwd')
damaged('$process(2)->files.pointer_', 16, 'fds 2')
damaged('process_list.head_.next', 16, 'ps', 'maps 2', 'bt-all')
damaged('cpus[0]->current', 16, 'runq', 'regs', 'tss')
damaged('cpus[0]->queue', 16, 'runq')
damaged('$thread(1)->stack_bottom.value', 16, 'regs 1', 'user-bt 1')
damaged('page_hash.buckets', 16, 'frame 0x1000', 'blocks 2')
damaged('$thread(2)->state', 77, 'ps', 'waitq', 'bt-thread 2')
damaged("'(anonymous namespace)::areas'[0].device", 16, 'swap')
damaged('$thread(1)->saved_esp', 16, 'bt-thread 1')
each('ps')
for name in names + ['tt last-write', 'tt why-blocked', 'tt why-panic']:
    told = gdb.execute('help ' + name, to_string=True)
    if not told.startswith((name, f'"{name}')) or len(told) < 20: print('no help:', name, told)
end
END
status_is 0
grep -q 'Python Exception' "$err" && fail 'a command ends in an exception of Python'
untold=$(awk '/^== / {if (open) print open; open = /when damaged/ ? $0 : ""} /inconsistent|^refused: / {open = ""}' "$out" | grep -v ': state$\|: device$')
[ -z "$untold" ] || fail "nothing is said of: $untold"
says 'frame 0x1000 when damaged: value_' '-5 references'
says 'cache 2 when damaged: pages_' 'inconsistent: it says 77'
says 'cache 2 when damaged: cache_next' 'inconsistent: its list of pages leads to 0x'
says 'maps 2 when damaged: child[0]' 'inconsistent: two ways lead'
says 'ktrace 3 when damaged: type' 'inconsistent: an event of the type 200'
says 'fds 2 when damaged: pointer_' '^refused: fds: what a pointer leads to is no memory'
says 'ps when damaged: next' '^refused: ps: what a pointer leads to is no memory'
says ps ' hello '
grep -q '^no help' "$out" && fail 'a command has no help'
finish
