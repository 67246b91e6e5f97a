"""What the trace says of journals: each transaction from its first operation until its blocks are home, and
what each write of the disk belonged to. Part of trace_model's Model, which hands it the events in the
order of time."""
from trace_disk import disk_name

PARTS = ('data', 'revoke', 'descriptor', 'block', 'commit', 'home', 'superblock')
LOGGED = ('revoke', 'descriptor', 'block', 'commit')
PER_DISK = 64  # device numbers


class Transaction:
    def __init__(self, number, begin):
        self.number, self.begin = number, begin
        self.writing = self.committed = self.home = None  # when it began to go to the log, was there, was home
        self.operations = self.blocks = self.revokes = 0


class Journal:
    def __init__(self, number):
        part = number % PER_DISK
        self.name, self.disk = disk_name(number) + (str(part) if part else ''), number - part
        self.transactions = []
        self.running = None
        self.writes = []  # [start, end or None, sector, sectors, part, transaction's number or None]
        self._labels = {}  # sector: (sectors, part, transaction): of writes that come next
        self._going_home = None

    def running_one(self, number, time):
        if self.running is None or self.running.number != number:
            self.running = Transaction(number, time)
            self.transactions.append(self.running)
        return self.running

    def label(self, time, sector, sectors, part):
        number = None
        if part in LOGGED and self.running:
            number = self.running.number
            self.running.writing = self.running.writing or time
        elif part == 'home':
            number = self._going_home
        elif part == 'superblock' and self._going_home is not None:
            for transaction in self.transactions:
                if transaction.committed and not transaction.home:
                    transaction.home = time
            self._going_home = None
        self._labels[sector] = (sectors, part, number)

    def issued(self, time, sector, sectors):
        """A write, in as many pieces as it has parts."""
        end, running = sector + sectors, self.running.number if self.running else None
        while sector < end:
            known = self._labels.pop(sector, None)
            if known:
                count, part, number = known
            else:
                count, part, number = 1, 'data', running
            last = self.writes[-1] if self.writes else None
            if last and last[0] == time and last[2] + last[3] == sector and last[4:] == [part, number]:
                last[3] += count
            else:
                self.writes.append([time, None, sector, count, part, number])
            sector += count

    def done(self, time):
        for write in reversed(self.writes):
            if write[1] is not None:
                break
            write[1] = time


class Journals:
    def __init__(self):
        self.journals = {}

    def _journal(self, event):
        return self.journals.setdefault(event['disk'], Journal(event['disk']))

    def on_journal_begin(self, event):
        self._journal(event).running_one(event['transaction'], event.time)

    def on_journal_join(self, event):
        self._journal(event).running_one(event['transaction'], event.time).operations += 1

    def on_journal_commit(self, event):
        journal = self._journal(event)
        transaction = journal.running_one(event['transaction'], event.time)
        transaction.committed = event.time
        transaction.blocks, transaction.revokes = event['blocks'], event['revokes']
        journal.running = None

    def on_journal_checkpoint(self, event):
        self._journal(event)._going_home = event['transaction']

    def on_journal_write(self, event):
        self._journal(event).label(event.time, event['sector'] & 0xffffffff, event['sectors'], str(event['part']))

    def on_disk_issued(self, event):
        if str(event['kind']) == 'write':
            for journal in self.journals.values():
                if journal.disk == event['disk']:
                    journal.issued(event.time, event['sector'] & 0xffffffff, event['sectors'])

    def on_disk_done(self, event):
        for journal in self.journals.values():
            if journal.disk == event['disk']:
                journal.done(event.time)


def journal_data(model):
    """For the report page. Times from the trace's start; null: not within it."""
    start, shift = model.start, lambda time: None if time is None else time - model.start
    return [{
        'name': journal.name, 'parts': PARTS,
        'transactions': [[t.number, t.begin - start, shift(t.writing), shift(t.committed), shift(t.home),
                          t.operations, t.blocks, t.revokes] for t in journal.transactions],
        'writes': [[a - start, (model.end if b is None else b) - start, sector, sectors, PARTS.index(part), number]
                   for a, b, sector, sectors, part, number in journal.writes],
    } for _, journal in sorted(model.journals.journals.items())]
