"""Page tables, rights, a counted TLB and descriptors, by the rules of the course note and of the manual. The
teacher's tree only."""
import random

BASE, PAGES, FLUSH_MOST = 0x203fa000, 48, 32


class Pages:
    """What lab-pages does, word by word."""

    def __init__(self):
        self.pages = [{'rights': 'rw', 'value': None, 'writable': False, 'dirty': False, 'held': False, 'frame': None}
                      for _ in range(PAGES)]
        self.frames, self.names = 0, {}
        self.words, self.lines = [], []

    def do(self, words):
        for word in words.split() if isinstance(words, str) else words:
            self.words.append(word)
            self.lines.append(f'{word}: {self.perform(word)}')
        return self

    def touch(self, page, value):
        p = self.pages[page]
        if p['rights'] in (None, 'none') or (value is not None and p['rights'] != 'rw'):
            return 'refused'
        if p['value'] is None:
            self.frames += 1
            p.update(value=0, frame=self.frames, writable=p['rights'] == 'rw')
        if p['held']:
            p.update(held=False, writable=False)
        if value is not None:
            p.update(value=value, writable=True, dirty=True)
        return str(p['value'])

    def perform(self, word):
        verb = word.rstrip('0123456789=,-') if '=' not in word else word[0] if word[0] == 'w' else 'kernel'
        rest = word[len(verb):]
        if verb == 'kernel':
            return f'4 MiB, physical {int(rest[1:], 16) - 0xc0000000:08x}'
        if verb == 'w':
            page, value = rest.split('=')
            return self.touch(int(page), int(value))
        if verb == 'r':
            return self.touch(int(rest), None)
        if verb == 'walk':
            return self.walk(int(rest))
        if verb in ('x', 'here'):
            a, b = map(int, rest.split(','))
            one, other = self.pages[a], self.pages[b]
            for key in ('value', 'writable', 'dirty', 'held', 'frame'):
                one[key], other[key] = other[key], one[key]
            return 'done'
        first, last = map(int, rest.split('-'))
        chosen = self.pages[first:last + 1]
        if verb == 'unmap':
            told = sum(p['value'] is not None for p in chosen)
            for p in chosen:
                p.update(rights=None, value=None, writable=False, dirty=False, held=False, frame=None)
            return f'{told} forgotten'
        for p in chosen:
            p['rights'] = verb
            if verb != 'rw' and p['value'] is not None:
                p.update(writable=False, held=p['held'] or verb == 'none')
        if verb == 'rw':
            return '0 forgotten'
        return 'all forgotten' if len(chosen) > FLUSH_MOST else f'{len(chosen)} forgotten'

    def walk(self, page):
        address = BASE + page * 4096
        upper, lower = address >> 22, address >> 12 & 1023
        text = f'directory {upper}, table {lower}: '
        mates = [p for i, p in enumerate(self.pages) if (BASE + i * 4096) >> 22 == upper]
        if all(p['value'] is None for p in mates):
            return text + 'no table'
        p = self.pages[page]
        if p['value'] is None:
            return text + 'nothing'
        flags = ['present' * (not p['held']), 'writable' * p['writable'], 'user', 'accessed', 'dirty' * p['dirty'], 'held' * p['held']]
        text += ' '.join(filter(None, flags))
        if p['held']:
            return text
        name = self.names.setdefault(p['frame'], chr(ord('A') + len(self.names)))
        return f'{text}, frame {name}'

    def entry(self):
        return {'command': 'lab-pages ' + ' '.join(self.words), 'lines': self.lines, 'words': self.words}


def pages(*words):
    return Pages().do(' '.join(words)).entry()


def writes(first, last, value=1):
    return ' '.join(f'w{page}={value + page}' for page in range(first, last + 1))


def reads(first, last):
    return ' '.join(f'r{page}' for page in range(first, last + 1))


def some_pages(source, verbs, count):
    """Writes, reads, and what else is named, on a few pages beside the border of two tables."""
    run = Pages()
    spots = source.sample(range(2, 12), 5)
    for number in range(count):
        verb = source.choice(['w', 'w', 'r', *verbs])
        page = source.choice(spots)
        if verb == 'w':
            run.do([f'w{page}={100 + number}'])
        elif verb in ('r', 'walk'):
            run.do([f'{verb}{page}'])
        elif verb == 'unmap':
            # Its pages are all there, so that it is plain how many have to be forgotten.
            if run.pages[page]['value'] is not None and not run.pages[page]['held']:
                run.do([f'unmap{page}-{page}', f'r{page}'])
        else:
            last = page + source.randint(0, 2)
            if any(p['rights'] is None for p in run.pages[page:last + 1]):
                continue  # mprotect wants all of its range mapped
            run.do([f'{verb}{page}-{last}', f'r{page}'])
            if source.random() < 0.5:
                run.do([f'w{page}={100 + number}'])
    return run.entry()


def exchanges(source):
    """Pages that hold something change places, and are read at once."""
    spots = source.sample(range(1, 14), 4)
    run = Pages().do([f'w{page}={source.randint(1, 999)}' for page in spots])
    for _ in range(4):
        a, b = source.sample(spots, 2)
        run.do([f'r{a}', f'r{b}', f'{source.choice(["x", "here"])}{a},{b}', f'r{a}', f'r{b}', f'w{a}={source.randint(1, 999)}'])
    return run.entry()


def tlb(string, entries, ways, rule='lru', memory=100, lookup=20):
    sets, hits = {}, []
    for page in string:
        ways_of = sets.setdefault(page % (entries // ways), [])  # the next to leave is first
        hits.append(int(page in ways_of))
        if page not in ways_of:
            if len(ways_of) == ways:
                ways_of.pop(0)
            ways_of.append(page)
        elif rule == 'lru':
            ways_of.remove(page)
            ways_of.append(page)
    count, good = len(string), sum(hits)

    def rounded(amount):
        return (amount + count // 2) // count
    return {'command': f'lab-tlb model --entries {entries} --ways {ways} --replacement {rule} --memory {memory} --lookup {lookup} --json '
                       + ' '.join(map(str, string)),
            'string': string, 'hits': hits, 'eat': 1000 * (memory + lookup) + rounded(1000 * memory * (count - good)),
            'rate': rounded(10000 * good), 'setting': f'{entries} entries, {ways} ways, {rule}', 'memory': memory, 'lookup': lookup}


FLAGS = {'stack': 2, 'code': 4, 'read-only': 8, 'pages': 16, 'absent': 32, 'usable': 64}


def descriptor(base, limit, *flags):
    """The eight bytes, as SDM vol. 3A, figure 3-8 draws them."""
    kind = 2 if 'code' in flags else 1 if 'stack' in flags else 0
    access = (('absent' not in flags) << 7) | 3 << 5 | 1 << 4 | kind << 2 | (('read-only' not in flags) << 1) | 1
    top = (('pages' in flags) << 3) | (('16-bit' not in flags) << 2) | ('usable' in flags)
    raw = (limit & 0xffff) | (base & 0xffffff) << 16 | access << 40 | (limit >> 16 & 15) << 48 | top << 52 | (base >> 24) << 56
    last = limit << 12 | 0xfff if 'pages' in flags else limit
    word = f'{base:x}:{limit:x}' + (':' + ','.join(flags) if flags else '')
    return word, f'{raw:016x}, last {last & 0xffffffff:08x}'


def described(*many):
    pairs = [descriptor(*one) for one in many]
    return {'command': 'lab-descriptor ' + ' '.join(word for word, _ in pairs), 'words': [word for word, _ in pairs],
            'lines': [f'{word}: {line}' for word, line in pairs]}


def told(*many):
    """What get_thread_area reads is what was set."""
    words = [descriptor(*one)[0] for one in many]
    return {'command': 'lab-descriptor ' + ' '.join('tls=' + word for word in words), 'words': ['tls=' + word for word in words],
            'lines': [f'tls={word}: {word}' for word in words]}


def any_descriptor(source, kinds):
    names = [source.choice(kinds)] + [flag for flag in ('read-only', 'pages', 'absent', 'usable') if source.random() < 0.4]
    return source.getrandbits(32), source.getrandbits(20), *filter(None, names)


def make(seed):
    source = random.Random(seed)
    kernel = [f'kernel={0xc0800000 + source.getrandbits(24):x}' for _ in range(4)]
    string = [source.choice([1, 2, 3, 5, 9, 17]) for _ in range(24)]
    return {
        '11.1.table': [pages('w0=1 w5=2 r2 walk0 walk5 walk2 walk3 walk6'), pages('walk8 w8=3 walk8 walk9 walk0')],
        '11.1.big': [pages(*kernel)],
        '11.1.random': [some_pages(source, ['walk'] * 4, 16) for _ in range(2)],
        '11.2.map': [pages('w3=1111 w9=2222 r3 r9 x3,9 r3 r9 w3=7 x3,9 r9'), pages('w1=5 w2=6 w3=7 x1,2 x2,3 r1 r2 r3')],
        '11.2.here': [pages('w3=1111 w9=2222 r3 r9 here3,9 r3 r9'), pages('w7=1 w4=2 r7 r4 here4,7 r7 r4')],
        '11.2.random': [exchanges(source) for _ in range(2)],
        '11.3.write': [pages(writes(2, 9), 'ro3-8', writes(2, 9, 20), reads(2, 9)), pages('w6=5 ro6-6 r6 w6=8 rw6-6 w6=9 r6')],
        '11.3.none': [pages(writes(2, 9), 'none3-8', reads(2, 9), 'rw3-8', reads(2, 9)), pages(writes(5, 12), 'none5-12', writes(5, 12, 20), 'ro5-6 r5 w5=3')],
        '11.3.gone': [pages(writes(2, 9), 'unmap3-8', reads(2, 9)), pages(writes(12, 19), 'unmap12-19', writes(12, 19, 20))],
        '11.3.count': [pages('w2=1 w3=1 w4=1 w5=1 ro2-5 w7=1 unmap7-7 w8=1 unmap8-8'),
                       pages('ro0-39 rw0-39 none2-4 unmap6-9')],
        '11.3.random': [some_pages(source, ['ro', 'rw', 'none', 'unmap'], 18) for _ in range(2)],
        '11.4.hits': [tlb([1, 2, 1, 3, 1, 2], 2, 2), tlb([4, 4, 5, 4], 4, 1)],
        '11.4.sets': [tlb([0, 8, 0, 8, 1, 9, 1], 8, 1), tlb([0, 8, 0, 8, 16, 0], 8, 2), tlb([0, 1, 8, 9] * 2, 8, 2)],
        '11.4.rules': [tlb(string, 4, 4, 'lru'), tlb(string, 4, 4, 'fifo'), tlb([1, 2, 1, 3, 1, 2], 2, 2, 'fifo')],
        '11.4.time': [tlb([1, 2, 1, 3, 1], 2, 2, 'lru', 100, 20), tlb([1] * 7 + [2, 3], 16, 1, 'lru', 10, 1)],
        '11.4.random': [tlb([source.randrange(20) for _ in range(60)], entries, ways, source.choice(['lru', 'fifo']),
                            source.randint(20, 200), source.randint(1, 19)) for entries, ways in ((8, 2), (16, 4), (8, 8))],
        '11.5.place': [described((0x12345678, 0xfffff), (0xfedcba98, 0x12345), (0x1000, 0xfff))],
        '11.5.access': [described((0x1000, 0xfff, 'read-only'), (0x1000, 0xfff, 'code'), (0x1000, 0xfff, 'stack'), (0x1000, 0xfff, 'absent'),
                                  (0x1000, 0xfff, 'code', 'read-only', 'absent', 'usable'))],
        '11.5.unit': [described((0x1000, 3, 'pages'), (0x1000, 3), (0, 0xfffff, 'pages'), (0x1000, 3, '16-bit'))],
        '11.5.back': [told((0x12345678, 0xabcde), (0xfedcba98, 0x12345, 'read-only', 'pages'), (1, 2, 'stack', 'absent', 'usable'))],
        '11.5.random': [described(*(any_descriptor(source, ['', 'code', 'stack']) for _ in range(5))),
                        told(*(any_descriptor(source, ['', 'stack']) for _ in range(4)))]}
