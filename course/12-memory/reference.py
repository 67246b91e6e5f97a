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
        if self.policy != 'working-set':
            return
        for page in [page for page in self.order if self.now - self.pages[page]['used'] >= WINDOW]:
            self.evict(page)


def faults(policy, frames, string):
    """[page loaded, page evicted or None] of each fault."""
    state, loads = Frames(policy), []
    for page, write in string:
        if page in state.pages:
            state.touch(page, write)
        else:
            victim = state.victim() if len(state.pages) >= frames else None
            if victim is not None:
                state.evict(victim)
            state.load(page, write)
            loads.append([page, victim])
        state.expire()
        state.now += 1
    return loads


def entry(policy, frames, string):
    string = [[page, write] for page, write in string]
    return {'policy': policy, 'frames': frames, 'string': string, 'loads': faults(policy, frames, string)}


def reads(text):
    return [(int(word.rstrip('w')), word.endswith('w')) for word in text.split()]


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
            if policy == 'fifo' or one['loads'] != faults('fifo', frames, one['string']):
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
        '12.6.window': [entry('working-set', 4, reads('1 2 3 3 3 2 3 2 3 2 3 1 2 4 5 2 3 1 5 4 4 2 6 1'))],
        '12.6.random': some('working-set')}
