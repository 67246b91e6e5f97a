"""GDB commands for the kernel: ps, runq, regs, vtop, bt-thread, and the symbols of user programs.

Loaded by scripts/debug. Everything is read from the kernel's own structures (kernel/proc/process.hpp,
kernel/sched/thread.hpp) through the debugging information, so no offset is written down here.
"""
import os
import re
import struct

import gdb

ROOT = os.path.dirname(os.path.dirname(os.path.dirname(os.path.abspath(__file__))))
BUILD = os.path.join(ROOT, os.environ.get("ORRERY_BUILD", "build"))
DIRECT_MAP = 0xC0000000


def members(list_value, type_name, member):
    """The elements of a List<type_name, &type_name::member>."""
    element = gdb.lookup_type(type_name)
    offset = field_offset(element, member)
    head = list_value["head_"].address
    node = list_value["head_"]["next"]
    while int(node) != int(head) and int(node) != 0:
        yield gdb.Value(int(node) - offset).cast(element.pointer()).dereference()
        node = node["next"]


def cpu_count():
    return int(gdb.parse_and_eval("cpu_count.value_"))  # an Atomic


def field_offset(kind, name):
    for field in kind.fields():
        if field.name == name:
            return field.bitpos // 8
        if field.is_base_class:
            inner = field_offset(field.type, name)
            if inner is not None:
                return inner + field.bitpos // 8
    return None


def processes():
    return members(gdb.parse_and_eval("process_list"), "Process", "all_node")


def threads():
    """(process or None, thread): programs' threads, the kernel's own, and each CPU's idle thread."""
    for process in processes():
        for thread in members(process["threads"], "Thread", "process_node"):
            yield process, thread
    for thread in members(gdb.parse_and_eval("'(anonymous namespace)::kernel_threads'"), "Thread", "process_node"):
        if int(thread["tid"]):  # an idle one comes with its CPU
            yield None, thread
    for i in range(cpu_count()):
        idle = gdb.parse_and_eval("cpus")[i].dereference()["idle"]
        if int(idle):
            yield None, idle.dereference()


def current_cpu():
    """The CPU of the debugger's selected thread: QEMU numbers its CPUs as we do, from 1 on."""
    number = gdb.selected_thread().num - 1 if gdb.selected_thread() else 0
    cpus = gdb.parse_and_eval("cpus")
    if number >= cpu_count():
        number = 0
    return cpus[number].dereference()


def current_thread():
    return current_cpu()["current"].dereference()


def find_thread(tid):
    for _, thread in threads():  # 0: the first CPU's idle thread
        if int(thread["tid"]) == tid:
            return thread
    raise gdb.GdbError("no thread %d (see ps)" % tid)


def text(value):
    return value.string(errors="replace") if value.type.code == gdb.TYPE_CODE_PTR else \
        bytes(int(value[i]) & 0xFF for i in range(value.type.range()[1] + 1)).split(b"\0")[0].decode(errors="replace")


def state(thread):
    name = str(thread["state"])
    return name.split("::")[-1]


class Ps(gdb.Command):
    """ps: processes and threads, with what each one waits for. The kernel's own threads have numbers below 0."""

    def __init__(self):
        super().__init__("ps", gdb.COMMAND_STATUS)

    def invoke(self, argument, from_tty):
        running = int(current_thread().address)
        print("%1s %5s %5s %5s %-18s %-16s %s" % ("", "PID", "TID", "PPID", "STATE", "NAME", "WAITS FOR"))
        for process, thread in threads():
            parent = process["parent"] if process else 0
            print("%1s %5s %5d %5s %-18s %-16s %s" % (
                "*" if int(thread.address) == running else "", int(process["pid"]) if process else "-",
                int(thread["tid"]), int(parent["pid"]) if int(parent) else "-", state(thread), text(thread["name"]),
                text(thread["wait_reason"]) if state(thread) == "blocked" else ""))


def tree_elements(tree, type_name, member):
    """The elements of an OrderedTree, in order."""
    element = gdb.lookup_type(type_name)
    offset = field_offset(element, member)

    def walk(node):
        if int(node):
            yield from walk(node["child"][0])
            yield gdb.Value(int(node) - offset).cast(element.pointer()).dereference()
            yield from walk(node["child"][1])
    return walk(tree["root_"])


def ready_queues(value, name=""):
    """The queues of entities within a policy, whatever it calls them: (name, threads in order)."""
    kind = value.type.strip_typedefs()
    if str(kind).startswith("List<SchedEntity"):
        yield name, members(value, "SchedEntity", "queue_node")
    elif str(kind).startswith("OrderedTree<SchedEntity"):
        yield name, tree_elements(value, "SchedEntity", "tree_node")
    elif kind.code == gdb.TYPE_CODE_ARRAY:
        for i in range(kind.range()[1] + 1):
            yield from ready_queues(value[i], f"{name}[{i}]")
    elif kind.code == gdb.TYPE_CODE_STRUCT and not str(kind).startswith(("Tunable", "List", "OrderedTree")):
        for field in kind.fields():
            if hasattr(field, "bitpos") and (field.is_base_class or field.name != "tunables"):
                yield from ready_queues(value[field], name if field.is_base_class else field.name)


def link(thread):
    return "%d %s @%#x" % (int(thread["tid"]), text(thread["name"]), int(thread.address))


class RunQ(gdb.Command):
    """runq: the linked queues of TCBs (who runs, who is ready on each CPU, who waits for what), and the
    index of PCBs by number."""

    def __init__(self):
        super().__init__("runq", gdb.COMMAND_STATUS)

    def invoke(self, argument, from_tty):
        thread_type = gdb.lookup_type("Thread").pointer()
        for i in range(cpu_count()):
            cpu = gdb.parse_and_eval("cpus")[i].dereference()
            run = cpu["queue"].dereference()["run"]
            fair = run["fair_"].cast(run["fair_"].dynamic_type).dereference()
            print("CPU %d runs %s" % (i, link(cpu["current"].dereference())))
            for policy in (run, fair):
                for name, entities in ready_queues(policy):
                    chain = [link(e["owner"].cast(thread_type).dereference()) for e in entities]
                    if chain or policy is fair:
                        print("  ready %-12s head -> %s" % (name, " -> ".join(chain + ["end"])))
        waiting = {}
        for _, thread in threads():
            if state(thread).endswith("blocked"):
                waiting.setdefault(text(thread["wait_reason"]), []).append(link(thread))
        for reason in sorted(waiting):
            print("  blocked %-10s head -> %s" % (reason, " -> ".join(waiting[reason] + ["end"])))
        print("index by number")
        for process in processes():
            print("  %5d -> PCB @%#x %s" % (int(process["pid"]), int(process.address), text(process["name"])
                                           if "name" in [f.name for f in process.type.fields()] else ""))


class Regs(gdb.Command):
    """regs [TID]: the registers with which a program entered the kernel (its trap frame)."""

    def __init__(self):
        super().__init__("regs", gdb.COMMAND_STATUS)

    def invoke(self, argument, from_tty):
        thread = find_thread(int(argument)) if argument else current_thread()
        if int(thread["process"]) == 0:
            raise gdb.GdbError("a kernel thread runs: there is no user frame")
        top = int(thread["stack_bottom"]["value"]) + 2 * 4096
        kind = gdb.lookup_type("TrapFrame")
        frame = gdb.Value(top - kind.sizeof).cast(kind.pointer()).dereference()
        for row in (("eax", "ebx", "ecx", "edx"), ("esi", "edi", "ebp", "user_esp"),
                    ("eip", "eflags", "cs", "user_ss"), ("ds", "es", "fs", "gs"), ("vector", "error")):
            print("  ".join("%-8s %08x" % (name, int(frame[name]) & 0xFFFFFFFF) for name in row))


def read_physical(address):
    memory = gdb.selected_inferior().read_memory(DIRECT_MAP + address, 4)
    return struct.unpack("<I", bytes(memory))[0]


FLAGS = ((0, "P"), (1, "W"), (2, "U"), (3, "PWT"), (4, "PCD"), (5, "A"), (6, "D"), (7, "PS"), (8, "G"))


def flags(entry):
    return " ".join(name for bit, name in FLAGS if entry >> bit & 1) or "-"


class VToP(gdb.Command):
    """vtop ADDR [TID]: how the MMU translates an address: CR3, directory entry, table entry, frame."""

    def __init__(self):
        super().__init__("vtop", gdb.COMMAND_DATA)

    def invoke(self, argument, from_tty):
        words = gdb.string_to_argv(argument)
        if not words:
            raise gdb.GdbError("vtop ADDR [TID]")
        value = gdb.parse_and_eval(words[0])
        if value.type.strip_typedefs().code not in (gdb.TYPE_CODE_INT, gdb.TYPE_CODE_PTR):
            value = value.address  # a variable or a function: where it is
        if value is None:
            raise gdb.GdbError("vtop: %s has no address" % words[0])
        address = int(value) & 0xFFFFFFFF
        if len(words) > 1:
            directory = int(find_thread(int(words[1]))["page_directory"]["value"])
        else:
            directory = int(gdb.parse_and_eval("$cr3")) & 0xFFFFF000
        print("linear %08x = directory %d, table %d, offset 0x%03x" % (
            address, address >> 22, address >> 12 & 1023, address & 0xFFF))
        print("CR3 %08x" % directory)
        entry = read_physical(directory + (address >> 22) * 4)
        print("PDE %08x  %s" % (entry, flags(entry)))
        if not entry & 1:
            print("not present: a page fault")
            return
        if entry & 0x80:
            print("physical %08x (4 MiB page)" % (entry & 0xFFC00000 | address & 0x3FFFFF))
            return
        table = entry & 0xFFFFF000
        entry = read_physical(table + (address >> 12 & 1023) * 4)
        print("PTE %08x  %s" % (entry, flags(entry)))
        if not entry & 1:
            print("not present: a page fault")
            return
        print("physical %08x (frame 0x%x)" % (entry & 0xFFFFF000 | address & 0xFFF, entry >> 12))


class BtThread(gdb.Command):
    """bt-thread TID: the backtrace of a thread that isn't running."""

    def __init__(self):
        super().__init__("bt-thread", gdb.COMMAND_STACK)

    def invoke(self, argument, from_tty):
        thread = find_thread(int(argument))
        if int(thread.address) == int(current_thread().address):
            gdb.execute("backtrace")
            return
        # What switch_context pushed: edi esi ebx ebp, and the address it returns to. The kernel
        # keeps frame pointers; following them leaves the debugger's own registers alone.
        bottom = int(thread["stack_bottom"]["value"])
        ebp, pc = read_words(int(thread["saved_esp"]) + 12, 2)
        depth = 0
        while pc:
            print("#%-2d 0x%08x in %s" % (depth, pc, place(pc)))
            if not bottom <= ebp <= bottom + 2 * 4096 - 8:
                break
            ebp, pc = read_words(ebp, 2)
            depth += 1


def read_words(address, count):
    memory = gdb.selected_inferior().read_memory(address, 4 * count)
    return struct.unpack("<%dI" % count, bytes(memory))


def place(return_address):
    """The function and line of a call that returns there."""
    function = gdb.execute("info symbol 0x%x" % return_address, to_string=True).split(" in section")[0]
    if function.startswith("No symbol"):  # a lambda has none in the table
        block = gdb.block_for_pc(return_address)
        function = str(block.function) if block and block.function else "?"
    line = gdb.find_pc_line(return_address - 1)
    return "%s at %s:%d" % (function, line.symtab.filename, line.line) if line.symtab else function


class ProgramStart(gdb.Breakpoint):
    """A program begins: its symbols replace those of the one before, which had the same addresses."""

    loaded = None

    def __init__(self):
        super().__init__("program_started", internal=True)

    def stop(self):
        path = gdb.parse_and_eval("path").string(errors="replace")
        symbols = os.path.join(BUILD, "programs", os.path.basename(path))
        for folder in ("bin", "sbin", "usr/lib/orrery/tests"):
            candidate = os.path.join(BUILD, "programs", folder, os.path.basename(path))
            symbols = candidate if os.path.exists(candidate) else symbols
        if ProgramStart.loaded:
            gdb.execute('remove-symbol-file "%s"' % ProgramStart.loaded, to_string=True)
            ProgramStart.loaded = None
        if os.path.exists(symbols):
            gdb.execute('add-symbol-file "%s"' % symbols, to_string=True)
            ProgramStart.loaded = symbols
        return False


class ResultPrinter:
    """Result<T>: its value, or its error."""

    def __init__(self, value):
        self.value = value

    def to_string(self):
        fields = [field.name for field in self.value.type.fields()]
        if "ok_" not in fields:  # Result<void>
            error = self.value["error_"]
            return "ok" if int(error) == 0 else "error %s" % error
        inner = self.value[self.value.type.fields()[0]]
        return "ok: %s" % inner["value_"] if self.value["ok_"] else "error %s" % inner["error_"]


class ListPrinter:
    """List<T, &T::node>: its elements, by address."""

    def __init__(self, value):
        self.value = value
        self.type_name, member = re.match(r"List<(.+), &?\(?(?:.*::)?(\w+)", str(value.type.strip_typedefs())).groups()
        self.members = members(value, self.type_name, member)

    def to_string(self):
        return "list of " + self.type_name

    def children(self):
        for i, element in enumerate(self.members):
            yield str(i), element.address

    def display_hint(self):
        return "array"


def printer(value):
    name = str(value.type.strip_typedefs())
    return ResultPrinter(value) if name.startswith("Result<") else ListPrinter(value) if name.startswith("List<") \
        else None


gdb.pretty_printers.append(printer)
for command in (Ps, RunQ, Regs, VToP, BtThread):
    command()
ProgramStart()
