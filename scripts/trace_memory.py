"""What the trace says of memory: which ranges each process had mapped when, its faults and what left
memory, how many pages it had there, and who owned the machine's frames. Part of trace_model's Model,
which hands it the events in the order of time."""
from collections import Counter

PAGE = 4096
SHARES_SPACE = 0x100  # CLONE_VM
SOURCES = ('zeroed', 'file', 'file-copy', 'copy', 'write', 'swap', 'present', 'none')


class Memory:
    def __init__(self, model):
        self.model = model
        self.ranges = {}  # pid: [start, end, first page, pages, kind]; end None: still mapped
        self.evictions = []  # (time, pid or None, page, frame, dirty, who took it: Thread or None)
        self.resident = {}  # pid: [(time, pages in memory, working set, swapped)]
        self.frames = []  # (time, free, files, kernel, programs)
        self._mapped = {}  # pid: those of its ranges that are mapped now
        self._owner = {}  # a space's number: pid

    def _pid(self, event):
        thread = self.model.thread(event.tid)
        return thread.pid if thread else None

    def _add(self, pid, time, page, pages, kind):
        fresh = [time, None, page, pages, kind]
        self.ranges.setdefault(pid, []).append(fresh)
        self._mapped.setdefault(pid, []).append(fresh)

    def _cut(self, pid, time, page, pages):
        """The range isn't mapped any more; what reaches out of it stays."""
        for old in [r for r in self._mapped.get(pid, []) if r[2] < page + pages and page < r[2] + r[3]]:
            self._mapped[pid].remove(old)
            old[1] = time
            if old[2] < page:
                self._add(pid, time, old[2], page - old[2], old[4])
            if old[2] + old[3] > page + pages:
                self._add(pid, time, page + pages, old[2] + old[3] - page - pages, old[4])

    def _clear(self, pid, time):
        for old in self._mapped.pop(pid, []):
            old[1] = time

    def on_map(self, event):
        pid, page = self._pid(event), event['address'] // PAGE
        self._cut(pid, event.time, page, event['pages'])
        self._add(pid, event.time, page, event['pages'], str(event['kind']))

    def on_unmap(self, event):
        self._cut(self._pid(event), event.time, event['address'] // PAGE, event['pages'])

    def on_fork(self, event):
        child, parent = event['process'], event['parent']
        if event['child'] == child and not event['flags'] & SHARES_SPACE:
            for _, _, page, pages, kind in list(self._mapped.get(parent, [])):
                self._add(child, event.time, page, pages, kind)

    def on_exec(self, event):
        self._clear(event['process'], event.time)

    def on_exit(self, event):
        self._clear(event['process'], event.time)
        samples = self.resident.get(event['process'])
        if samples:
            samples.append((event.time, 0, 0, 0))

    def on_evict(self, event):
        thief = self.model.thread(event.tid)
        self.evictions.append((event.time, self._owner.get(event['space']), event['address'] // PAGE,
                               event['frame'], event['dirty'], thief))

    def on_resident(self, event):
        thread = self.model.thread(event.tid)
        # A kernel thread tells of others' spaces when it takes their pages.
        if thread and thread.tid > 0:
            self._owner[event['space']] = thread.pid
        pid = self._owner.get(event['space'])
        if pid is not None:
            self.resident.setdefault(pid, []).append(
                (event.time, event['resident'], event['working_set'], event['swapped']))

    def on_frames(self, event):
        self.frames.append((event.time, event['free'], event['files'], event['kernel'],
                            event['programs']))


def fault_counts(model):
    """Per process: how many faults got their page from where."""
    table = {}
    for fault in model.faults:
        if fault.thread and fault.source is not None:
            table.setdefault(fault.thread.pid, Counter())[str(fault.source)] += 1
    return table


def unknown_ranges(ranges, pages):
    """Where the trace doesn't hold how pages came to be mapped: runs of them, with small gaps."""
    runs = []
    for page in sorted(pages):
        if any(r[2] <= page < r[2] + r[3] for r in ranges):
            continue
        if runs and page - runs[-1][1] <= 1024:
            runs[-1][1] = page
        else:
            runs.append([page, page])
    return [(first, last - first + 1) for first, last in runs]


def memory_data(model):
    """For the report page. Times from the trace's start; sources and kinds by name's index."""
    memory, start, end = model.memory, model.start, model.end
    touched = {}
    for fault in model.faults:
        if fault.thread and fault.source is not None:
            touched.setdefault(fault.thread.pid, set()).add(fault.address // PAGE)
    for pid, pages in touched.items():
        ranges = memory.ranges.setdefault(pid, [])
        ranges += [[start, None, page, count, 'unknown']
                   for page, count in unknown_ranges(ranges, pages)]
    kinds = sorted({r[4] for ranges in memory.ranges.values() for r in ranges})
    processes = {}
    for pid, ranges in memory.ranges.items():
        processes[pid] = {
            'ranges': [[max(a, start) - start, (end if b is None else b) - start, page, pages,
                        kinds.index(kind)] for a, b, page, pages, kind in ranges
                       if b is None or b > start],
            'resident': [[time - start, *pages] for time, *pages in memory.resident.get(pid, [])],
            'faults': [], 'evictions': []}
    for fault in model.faults:
        if fault.thread and fault.thread.pid in processes and fault.source is not None:
            processes[fault.thread.pid]['faults'].append(
                [fault.start - start, fault.address // PAGE, SOURCES.index(str(fault.source)),
                 str(fault.cause), fault.frame, fault.address])
    for time, pid, page, frame, dirty, _ in memory.evictions:
        if pid in processes:
            processes[pid]['evictions'].append([time - start, page, frame, dirty])
    return {
        'sources': SOURCES, 'kinds': kinds, 'processes': processes,
        'counts': [[pid, *(counts[s] for s in SOURCES)] for pid, counts in fault_counts(model).items()],
        'frames': [[time - start, *owners] for time, *owners in memory.frames]}
