"""What each act brings about, and who waits after it. The teacher's tree only."""
import random
from itertools import count

WHOLE = 4096  # bytes that a pipe takes at once or not at all


class Means:
    """Actors act in turn; results of an act are told in the order in which the actors first appear."""

    def __init__(self):
        self.actors, self.results, self.waiting = [], {}, {}

    def act(self, word):
        name, verb, *numbers = word.split(':')
        if name not in self.actors:
            self.actors.append(name)
        self.results = {}
        self.waiting[name] = (verb, [int(number) for number in numbers])
        self.begin(name)
        while any(self.step(actor) for actor in list(self.waiting)):
            pass

    def begin(self, name):
        pass

    def done(self, name, result):
        self.results[name] = result
        del self.waiting[name]
        return True

    def row(self):
        told = [f'{name} {self.results[name]}' for name in self.actors if name in self.results]
        return ', '.join(told) or '-', ' '.join(name for name in self.actors if name in self.waiting) or '-'

    def clear(self):
        """Whether it can be only as it is: nobody is in a race with another."""
        return True


class Pipe(Means):
    def __init__(self, room, names):
        super().__init__()
        self.size, self.bytes = room, 0
        self.open = {kind: {name for name in names if name[0] == kind} for kind in 'rw'}
        self.left = {}  # writer: (bytes still to write, whether some were tried)

    @property
    def room(self):
        return self.size - self.bytes

    def begin(self, name):
        verb, numbers = self.waiting[name]
        if verb == 'write':
            self.left[name] = (numbers[0], False)

    def step(self, name):
        verb, numbers = self.waiting[name]
        if verb == 'close':
            self.open[name[0]].discard(name)
            return self.done(name, 'closed')
        if verb == 'read':
            if self.bytes == 0:
                return not self.open['w'] and self.done(name, 'end of file')
            taken = min(numbers[0], self.bytes)
            self.bytes -= taken
            return self.done(name, f'read {taken}')
        left, tried = self.left[name]
        if not self.open['r']:
            return self.done(name, f'wrote {numbers[0] - left}' if left < numbers[0] else 'EPIPE')
        if self.room < (WHOLE if tried else numbers[0] if numbers[0] <= WHOLE else 1):
            self.left[name] = (left, True)
            return False
        put = min(left, self.room)
        self.bytes += put
        self.left[name] = (left - put, True)
        return left > put or self.done(name, f'wrote {numbers[0]}')

    def clear(self):
        """Where there is room for the rest, but not for WHOLE, a writer may be woken or not."""
        kinds = [name[0] for name in self.waiting]
        return len(set(kinds)) == len(kinds) and not any(
            self.left[name][0] <= self.room < WHOLE for name in self.waiting if name[0] == 'w')


class Mailbox(Means):
    def __init__(self, room):
        super().__init__()
        self.room, self.messages, self.acts = room, [], count(1)
        self.number = {}

    def begin(self, name):
        self.number[name] = next(self.acts)

    def chosen(self, kind):
        if kind >= 0:
            fit = [message for message in self.messages if kind in (0, message[1])]
        else:
            fit = sorted((message for message in self.messages if message[1] <= -kind), key=lambda message: message[1])
        return fit[0] if fit else None

    def step(self, name):
        verb, numbers = self.waiting[name]
        if verb.startswith('send'):
            if sum(message[2] for message in self.messages) + numbers[1] > self.room:
                return verb == 'sendnow' and self.done(name, 'EAGAIN')
            self.messages.append((self.number[name], *numbers))
            return self.done(name, 'sent')
        found = self.chosen(numbers[0])
        if not found:
            return verb == 'receivenow' and self.done(name, 'ENOMSG')
        self.messages.remove(found)
        return self.done(name, 'got message {} of type {}, {} bytes'.format(*found))

    def clear(self):
        verbs = [verb for verb, _ in self.waiting.values()]
        return len(set(verbs)) == len(verbs)


class Shared(Means):
    def __init__(self, places):
        super().__init__()
        self.places, self.made, self.received, self.released = places, 0, 0, 0

    def step(self, name):
        verb = self.waiting[name][0]
        if verb == 'make':
            if self.made - self.released == self.places:
                return False
            self.made += 1
            return self.done(name, f'made item {self.made}')
        if verb == 'receive':
            if self.received == self.made:
                return False
            self.received += 1
            return self.done(name, f'got item {self.received}')
        self.released += 1
        return self.done(name, 'released')


def new(means, room, script):
    if means == 'pipe':
        return Pipe(room, [word.split(':')[0] for word in script])
    return Mailbox(room) if means == 'mailbox' else Shared(room)


def entry(means, room, script):
    model, rows = new(means, room, script), []
    for word in script:
        model.act(word)
        rows.append([word, *model.row()])
    return {'means': means, 'room': room, 'script': list(script), 'rows': rows}


def drawn(source, means, room, names, draw, length, waits=1):
    """A random script, each step of it clear, in which an actor waits in at least `waits` steps."""
    while True:
        script = [f'{name}:' for name in names]
        model, words = new(means, room, script), []
        while len(words) < length:
            free = [name for name in names if name not in model.waiting]
            word = draw(source, model, source.choice(free)) if free else None
            if not word:
                break
            model.act(word)
            words.append(word)
            if not model.clear():
                break
        if len(words) < length or not model.clear() or {word.split(':')[0] for word in words} != set(names):
            continue
        made = entry(means, room, words)
        if sum(row[2] != '-' for row in made['rows']) >= waits:
            return made


def byte_act(source, model, name):
    """While a writer waits with a part of its bytes, another one's would come between."""
    if any(other[0] == 'w' for other in model.waiting):
        name = 'r1'
    if name[0] == 'r':
        return f'{name}:read:{source.choice((source.randint(1, 300), source.randint(1000, 9000)))}'
    return f'{name}:write:{source.choice((source.randint(1, 300), source.randint(2000, 4096), source.randint(5000, 20000)))}'


def laps(source):
    """Writes and reads that never wait, several times around the ring."""
    words, inside, passed = [], 0, 0
    while passed < 4 * 8192:
        put = source.randint(1500, 4000)
        words.append(f'w1:write:{put}')
        inside += put
        while inside > 4000 or (inside and source.random() < 0.3):
            taken = min(inside, source.randint(700, 3500))
            words.append(f'r1:read:{taken}')
            inside, passed = inside - taken, passed + taken
    return entry('pipe', 8192, words)


def message_act(source, model, name):
    verb = source.choice(('send', 'receive')) + source.choice(('', '', '', 'now'))
    kind = source.randint(1, 4)
    if verb.startswith('send'):
        return f'{name}:{verb}:{kind}:{source.randint(8, 60)}'
    return f'{name}:{verb}:{source.choice((0, kind, -kind))}'


def item_act(source, model, name):
    if name == 'p':
        return 'p:make'
    return 'c:release' if model.received > model.released else 'c:receive'


def make(seed):
    source = random.Random(seed)
    low, high = source.randint(100, 900), source.randint(1000, 2000)
    many, few = source.randint(9000, 20000), source.randint(2500, 4000)
    types = source.sample(range(2, 10), 3)
    most, middle, least = sorted(types, reverse=True)
    places = source.randint(2, 5)

    def pipe(text):
        return entry('pipe', 8192, text.split())

    def mail(text):
        return entry('mailbox', 100, text.split())

    def shared(text):
        return entry('shared', places, text.split())

    return {
        '6.1.order': [pipe(f'w1:write:{high} r1:read:{low} r1:read:{high} w1:write:{low} w1:write:{low} r1:read:9000'),
                      pipe(f'w1:write:{6000 + low} r1:read:{3000 + high} r1:read:9000')],
        '6.1.empty': [pipe(f'r1:read:{high} w1:write:{low} w1:write:{high} r1:read:9000')],
        '6.1.full': [pipe(f'w1:write:{8192 + low} r1:read:{8192 - low} r1:read:9000'),
                     pipe(f'w1:write:{many} r1:read:{high} r1:read:{5000 + low} r1:read:9000 r1:read:9000')],
        '6.1.whole': [pipe(f'w1:write:{8192 - 2000} w2:write:{few} r1:read:9000 r1:read:9000')],
        '6.1.around': [laps(source)],
        '6.1.ends': [pipe(f'w1:write:{low} w1:close r1:read:{high} r1:read:{high}'),
                     pipe(f'r1:read:{low} w1:close w1:close'),
                     pipe(f'r1:close w1:write:{low} w1:write:{few}'),
                     pipe(f'w1:write:{8192 + few} r1:close')],
        '6.1.pipeline': {'items': source.randint(30, 60), 'bytes': 4 * source.randint(600, 2000), 'last': source.randint(3000, 5000)},
        '6.2.order': [mail(f'a:send:{most}:10 a:send:{least}:20 a:send:{middle}:30 b:receive:0 b:receive:0 b:receive:0')],
        '6.2.types': [mail(f'a:send:{most}:10 a:send:{middle}:20 a:send:{least}:30 a:send:{middle}:12 b:receive:{middle} '
                           f'b:receive:{-most} b:receive:{-middle} b:receive:{-most}')],
        '6.2.empty': [mail(f'b:receive:{middle} a:send:{most}:10 a:send:{middle}:20 b:receive:{middle} c:receive:{most} a:send:{middle}:8')],
        '6.2.full': [mail('a:send:1:60 a:send:2:40 a:send:3:30 b:receive:1 b:receive:3'),
                     mail('a:send:1:50 c:send:2:60 b:receive:0 b:receive:0')],
        '6.2.now': [mail(f'b:receivenow:0 a:sendnow:{most}:90 a:sendnow:{least}:20 b:receivenow:{least} b:receivenow:{most} a:sendnow:1:100')],
        '6.2.random': [drawn(source, 'mailbox', 100, 'abc', message_act, 16) for _ in range(2)],
        '6.3.places': [shared(' '.join(['p:make'] * (places + 1)) + ' c:receive c:release p:make c:receive c:release')],
        '6.3.items': [shared('c:receive p:make c:release p:make p:make c:receive c:release c:receive c:release c:receive')],
        '6.3.random': [drawn(source, 'shared', source.randint(2, 5), 'pc', item_act, 18, 3) for _ in range(2)],
        '6.3.run': {'items': source.randint(150, 300), 'bytes': 4 * source.randint(200, 900)},
        '6.1.random': [drawn(source, 'pipe', 8192, ('w1', 'w2', 'r1'), byte_act, 14, 3) for _ in range(2)]}
