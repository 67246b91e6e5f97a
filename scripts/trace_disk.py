"""What the trace says of disks and the page cache: each disk's queue, what it did when and where, and how
often the cache had what was wanted. Part of trace_model's Model, which hands it the events in the
order of time."""

KINDS = ('read', 'write', 'flush')
IDE_MAJORS = {3: 'a', 22: 'c'}


def disk_name(number):
    major, minor = number >> 8, number & 0xff
    return f'hd{chr(ord(IDE_MAJORS[major]) + minor // 64)}' if major in IDE_MAJORS else f'{major}:{minor}'


class Disk:
    def __init__(self, number):
        self.name = disk_name(number)
        self.queue = []  # (time, transfers that wait)
        self.requests = []  # [start, end or None, first sector, sectors, kind, error, transfers, longest wait]
        self.arrivals = []  # (time, sector, kind)
        self._waiting = []  # (time, sector, sectors, kind)
        self.waited = self.travel = 0
        self._head = None

    def queued(self, time, sector, sectors, kind):
        self._waiting.append((time, sector, sectors, kind))
        self.arrivals.append((time, sector, kind))
        self.queue.append((time, len(self._waiting)))

    def issued(self, time, sector, sectors, kind):
        mine = [w for w in self._waiting if w[3] == kind and sector <= w[1] and w[1] + w[2] <= sector + sectors]
        self._waiting = [w for w in self._waiting if w not in mine]
        self.queue.append((time, len(self._waiting)))
        waits = [time - w[0] for w in mine]
        self.waited += sum(waits)
        self.requests.append([time, None, sector, sectors, kind, 0, max(len(mine), 1), max(waits, default=0)])
        if kind == 'flush':
            return
        if self._head is not None:
            self.travel += abs(sector - self._head)
        self._head = sector + sectors

    def done(self, time, error):
        if self.requests and self.requests[-1][1] is None:
            self.requests[-1][1], self.requests[-1][5] = time, error


class Disks:
    def __init__(self):
        self.disks = {}
        self.misses = []  # (time, inode, page, pages, asked)
        self.cache = []  # (time, hits, pages missed, read ahead, of these used): totals

    def _disk(self, event):
        return self.disks.setdefault(event['disk'], Disk(event['disk']))

    def on_disk_queued(self, event):
        self._disk(event).queued(event.time, event['sector'] & 0xffffffff, event['sectors'],
                                 str(event['kind']))

    def on_disk_issued(self, event):
        self._disk(event).issued(event.time, event['sector'] & 0xffffffff, event['sectors'],
                                 str(event['kind']))

    def on_disk_done(self, event):
        self._disk(event).done(event.time, event['error'])

    def on_cache_miss(self, event):
        self.misses.append((event.time, event['inode'], event['page'], event['pages'], event['asked']))

    def on_cache(self, event):
        self.cache.append((event.time, event['hits'], event['misses'], event['ahead'], event['used']))


def figures(disk):
    """[kind, requests, transfers, sectors, time at work] of each kind that there was."""
    table = []
    for kind in KINDS:
        rows = [r for r in disk.requests if r[4] == kind]
        if rows:
            table.append([kind, len(rows), sum(r[6] for r in rows), sum(r[3] for r in rows),
                          sum(r[1] - r[0] for r in rows if r[1] is not None)])
    return table


def disk_data(model):
    """For the report page. Times from the trace's start; kinds by index."""
    disks, start = model.disks, model.start
    table = []
    for _, disk in sorted(disks.disks.items()):
        transfers = sum(r[6] for r in disk.requests)
        table.append({
            'name': disk.name, 'figures': figures(disk), 'travel': disk.travel,
            'wait': disk.waited / transfers if transfers else 0,
            'longest': max((length for _, length in disk.queue), default=0),
            'failed': sum(1 for r in disk.requests if r[5]),
            'queue': [[time - start, length] for time, length in disk.queue],
            'arrivals': [[time - start, sector, KINDS.index(kind)] for time, sector, kind in disk.arrivals],
            'requests': [[a - start, (model.end if b is None else b) - start, sector, sectors,
                          KINDS.index(kind), error, transfers, wait]
                         for a, b, sector, sectors, kind, error, transfers, wait in disk.requests]})
    files = {}
    for _, inode, _, pages, asked in disks.misses:
        row = files.setdefault(inode, [0, 0, 0])
        row[0] += 1
        row[1] += min(pages, asked)
        row[2] += max(pages - asked, 0)
    return {'kinds': KINDS, 'disks': table,
            'cache': [[time - start, *totals] for time, *totals in disks.cache],
            'files': sorted(([inode, *row] for inode, row in files.items()), key=lambda r: -r[1])[:20]}
