"""Which page leaves, by the rules of the course note, over plain lists. The teacher's tree only."""
import random

WINDOW = 8  # of the working set, in accesses


class Frames:
    """Pages in frames, in the order in which a policy looks at them."""

    def __init__(self, policy):
        self.policy, self.order, self.pages, self.now = policy, [], {}, 0

    def touch(self, page, write):
        known = self.pages[page]
        known['used'], known['ref'] = self.now, True
        known['count'] += 1
        known['dirty'] |= write
        if self.policy == 'lru':
            self.to_back(page)

    def load(self, page, write):
        self.pages[page] = {'used': self.now, 'ref': True, 'count': 1, 'dirty': write}
        self.order.append(page)

    def to_back(self, page):
        self.order.remove(page)
        self.order.append(page)

    def evict(self, page):
        self.order.remove(page)
        del self.pages[page]

    def victim(self):
        if self.policy == 'clock':
            while self.pages[self.order[0]]['ref']:
                self.pages[self.order[0]]['ref'] = False
                self.to_back(self.order[0])
        elif self.policy == 'improved-clock':
            return self.improved()
        elif self.policy in ('lfu', 'working-set'):
            key = 'count' if self.policy == 'lfu' else 'used'
            return min(self.order, key=lambda page: self.pages[page][key])
        return self.order[0]

    def improved(self):
        while True:
            for dirty in (False, True):
                for _ in range(len(self.order)):
                    page = self.order[0]
                    known = self.pages[page]
                    if not known['ref'] and known['dirty'] == dirty:
                        return page
                    if dirty:
                        known['ref'] = False
                    self.to_back(page)

    def expire(self):
        """The pages that leave though no frame is wanted."""
        if self.policy != 'working-set':
            return []
        gone = [page for page in self.order if self.now - self.pages[page]['used'] >= WINDOW]
        for page in gone:
            self.evict(page)
        return gone


def faults(policy, frames, string):
    """[page loaded, page evicted or None] of each fault; and [access, page] of each that leaves by itself."""
    state, loads, left = Frames(policy), [], []
    for page, write in string:
        if page in state.pages:
            state.touch(page, write)
        else:
            victim = state.victim() if len(state.pages) >= frames else None
            if victim is not None:
                state.evict(victim)
            state.load(page, write)
            loads.append([page, victim])
        left += [[state.now, page] for page in state.expire()]
        state.now += 1
    return loads, left


def entry(policy, frames, string):
    string = [[page, write] for page, write in string]
    loads, left = faults(policy, frames, string)
    return {'policy': policy, 'frames': frames, 'string': string, 'loads': loads, 'left': left}


def reads(text):
    return [(int(word.rstrip('w')), word.endswith('w')) for word in text.split()]


RIGHTS = {'private': 'rw', 'shared': 'rw', 'file': 'rw', 'readonly': 'r', 'forbidden': 'none'}


class Frame:
    def __init__(self, value, shared_with):
        self.value, self.users, self.of_file = value, 1, shared_with


class Touched:
    """One page of a parent and a child: what lab-touch has to print."""

    def __init__(self, kind):
        self.kind, self.lines, self.step = kind, [], 0
        # What backs it: a file's or a shared page's frame, which is there before anybody looks.
        self.behind = Frame(100 if kind == 'file' else 0, True) if kind in ('file', 'shared') else None
        self.rights = {'parent': RIGHTS[kind]}
        self.entry = {'parent': None}  # [frame, writable, hidden]

    def do(self, word):
        self.step += 1
        who = 'child' if word.startswith('child') else 'parent'
        if word == 'fork':
            self.fork()
        elif word == 'end':
            self.drop('child')
            del self.rights['child']
        elif word == 'unmap':
            self.drop('parent')
            self.rights['parent'] = None
        elif word.startswith('rights='):
            self.restrict(word[len('rights='):])
        else:
            self.lines.append(f'{self.step} {"write" if word.endswith("write") else "read"}: '
                              + self.access(who, word.endswith('write')))

    def fork(self):
        entry = self.entry['parent']
        self.rights['child'], self.entry['child'] = self.rights['parent'], entry and list(entry)
        if entry:
            entry[0].users += 1
            if self.kind != 'shared':
                entry[1] = self.entry['child'][1] = False

    def drop(self, who):
        entry = self.entry.pop(who)
        if entry:
            entry[0].users -= 1

    def restrict(self, rights):
        self.rights['parent'], entry = rights, self.entry['parent']
        if entry and rights != 'rw':
            entry[1], entry[2] = False, entry[2] or rights == 'none'

    def access(self, who, write):
        rights = self.rights[who]
        if rights is None:
            return 'refused, nothing is mapped'
        if rights == 'none' or (write and rights == 'r'):
            return 'refused, not allowed'
        came = self.resolve(who, write, rights)
        frame = self.entry[who][0]
        frame.value = self.step if write else frame.value
        return f'{came}, {frame.value}'

    def resolve(self, who, write, rights):
        entry = self.entry.get(who)
        if entry is None:
            return self.fill(who, write, rights)
        hidden, entry[2] = entry[2], False
        if not write or entry[1]:
            return 'present' if hidden else 'no fault'
        if self.kind != 'shared' and (entry[0].of_file or entry[0].users > 1):
            entry[0].users -= 1
            self.entry[who] = [Frame(entry[0].value, False), True, False]
            return 'copy'
        entry[1] = True
        return 'write'

    def fill(self, who, write, rights):
        if self.behind is None:
            self.entry[who] = [Frame(0, False), rights == 'rw', False]
            return 'zeroed'
        if write and self.kind == 'file':
            self.entry[who] = [Frame(self.behind.value, False), True, False]
            return 'file-copy'
        self.behind.users += 1
        self.entry[who] = [self.behind, write, False]
        return 'file'


def touches(words):
    page = Touched(words.split()[0])
    for word in words.split()[1:]:
        page.do(word)
    return {'command': 'lab-touch ' + words, 'lines': page.lines}


def some_touches(source):
    """Orders in which something is refused, or copied, or taken over; without a child after its end."""
    while True:
        words, child, ended = [source.choice(list(RIGHTS))], False, False
        for _ in range(9):
            choices = ['read', 'write', 'write', 'rights=' + source.choice(('rw', 'rw', 'r', 'none'))]
            choices += ['child-read', 'child-write', 'child-write', 'end'] if child else [] if ended else ['fork']
            words.append(source.choice(choices))
            child, ended = (child or words[-1] == 'fork') and words[-1] != 'end', ended or words[-1] == 'end'
        made = touches(' '.join(words))
        text = ' '.join(made['lines'])
        if text.count('refused') < 3 and 'write: copy' in text and 'write: write' in text:
            return made


def load(name, text, word):
    return {'command': f'lab-load {name} {text}', 'lines': [f'{text}: {word}' if name in ('ls', 'ws') else word]}


def ls(waiting):
    return load('ls', waiting, 'too many' if waiting > 1000 else 'room' if waiting < 500 else 'as it is')


def sets(total, following, frames, reserve, fastest):
    usable = max(frames - reserve, 0)
    word = 'too many' if total > usable and fastest > 10 else 'room' if total + following <= usable else 'as it is'
    return load('ws', f'{total},{following},{frames},{reserve},{fastest}', word)


RULES = {'oldest': 3, 'youngest': 3, 'priority': 0, 'largest': 1, 'smallest': 1, 'faults': 2}


def suspended(rule, programs):
    sign = 1 if rule in ('youngest', 'smallest') else -1
    order = sorted(range(len(programs)), key=lambda i: (sign * programs[i][RULES[rule]], -programs[i][3], i))
    return load(rule, ' '.join(','.join(map(str, one)) for one in programs), f'{rule}: program {order[0] + 1}')


def some_programs(source):
    """Few values, so that many are alike; but no two active equally long."""
    active = source.sample(range(1, 90), 4)
    return [[source.randint(0, 3), 100 * source.randint(1, 3), source.randint(0, 3), 100 * a] for a in active]


NOTE = reads('7 0 1 2 0 3 0 4 2 3 0 3 2 1 2 0 1 7 0 1')
BELADY = reads('1 2 3 4 1 2 5 1 2 3 4 5')


def make(seed):
    source = random.Random(seed)

    def some(policy, written=0.0, count=3):
        """Strings for which FIFO is wrong; a few favourites, so that policies differ."""
        made = []
        while len(made) < count:
            frames = source.randint(3, 6)
            string = [(source.choice((source.randint(0, 3), source.randint(0, 8))), source.random() < written)
                      for _ in range(30)]
            one = entry(policy, frames, string)
            if policy == 'fifo' or one['loads'] != faults('fifo', frames, one['string'])[0]:
                made.append(one)
        return made

    return {
        '12.1.table': [entry('fifo', 3, NOTE)],
        '12.1.belady': [entry('fifo', 3, BELADY), entry('fifo', 4, BELADY)],
        '12.1.random': some('fifo'),
        '12.2.table': [entry('clock', 3, NOTE)],
        # All bits are set when a frame is wanted: one round clears them, and the first page goes.
        '12.2.round': [entry('clock', 3, reads('1 2 3 4 2 5 2 6 3 2'))],
        '12.2.random': some('clock'),
        # Page 1 is written and 2 is not: 2 goes, though 1 came first. Then with bits that differ.
        '12.3.clean': [entry('improved-clock', 3, reads('1w 2 3w 4 5 1 6 3 7w 8')),
                       entry('improved-clock', 3, reads('1w 2w 3 4 3 5w 4 6 3'))],
        '12.3.random': some('improved-clock', 0.4, 4),
        '12.4.table': [entry('lru', 3, NOTE)],
        '12.4.random': some('lru'),
        '12.5.count': [entry('lfu', 3, reads('1 1 1 2 2 3 4 5 4 1 6 2 7'))],
        '12.5.random': some('lfu'),
        # Page 1 is wanted again nine accesses after its last use, when it has left; then after eight.
        '12.6.window': [entry('working-set', 4, reads('1 2 3 3 3 2 3 2 3 1 2 3')),
                        entry('working-set', 4, reads('1 2 3 3 3 2 3 2 1 2 3')),
                        entry('working-set', 4, reads('1 2 3 3 3 2 3 2 3 2 3 1 2 4 5 2 3 1 5 4 4 2 6 1'))],
        '12.6.random': some('working-set'),
        '12.7.rights': [touches('readonly write read'), touches('private write rights=r read write'),
                        touches('forbidden read write rights=rw write'), touches('private write unmap read'),
                        touches('private write rights=none rights=r read write')],
        '12.7.swapped': [{'command': f'timeout -s KILL 1 lab-suspend --json --pages {source.randint(20, 60)}'}],
        '12.7.copy': [touches('private write fork child-write write end write'),
                      touches('private write fork child-read end write'),
                      touches('shared write fork child-write read end write'),
                      touches('shared read fork child-write read'), touches('file read write read'),
                      touches('file read fork child-write end write')],
        '12.7.random': [some_touches(source) for _ in range(8)],
        '12.8.ls': [ls(n) for n in (499, 500, 1000, 1001, source.randint(0, 400), source.randint(600, 900),
                                    source.randint(1100, 3000))],
        # At the bounds: of the frames that are not kept free, of paging, and of room for one more.
        '12.8.sets': [sets(801, 0, 1000, 200, 50), sets(800, 0, 1000, 200, 50), sets(1200, 0, 1000, 200, 10),
                      sets(1200, 0, 1000, 200, 11), sets(700, 100, 1000, 200, 0), sets(700, 101, 1000, 200, 0),
                      *(sets(*(source.randint(0, n) for n in (2000, 500, 2000, 300, 20))) for _ in range(4))],
        '12.8.victim': [suspended(rule, some_programs(source)) for rule in RULES for _ in range(2)]}
