"""Lives of threads and families of processes, and what is right for them. The teacher's tree only."""
import random

STATES = ['created', 'ready', 'running', 'blocked', 'suspended-ready', 'suspended-blocked', 'terminated']
# (state, event): the state then. What is not here changes nothing.
EVENTS = {
    ('created', 'admit'): 'ready', ('ready', 'run'): 'running', ('running', 'over'): 'ready',
    ('running', 'wait'): 'blocked', ('running', 'exit'): 'terminated', ('blocked', 'wake'): 'ready',
    ('ready', 'suspend'): 'suspended-ready', ('blocked', 'suspend'): 'suspended-blocked',
    ('suspended-blocked', 'wake'): 'suspended-ready', ('suspended-blocked', 'resume'): 'blocked',
    ('suspended-ready', 'resume'): 'ready',
}
ARROWS = {(state, then) for (state, _), then in EVENTS.items()}
# A thread that runs is suspended when it gives up the CPU.
ARROWS |= {('running', 'suspended-ready'), ('running', 'suspended-blocked')}


def run(words, lines):
    return {'words': [str(word) for word in words], 'lines': lines}


def changes():
    return run(['changes'], [' '.join([f'{a}:', *(b for b in STATES if (a, b) in ARROWS)]) for a in STATES])


def walk(events):
    state, lines = 'created', []
    for event in events:
        state = EVENTS.get((state, event), state)
        lines.append(f'{event:8} {state}')
    return run(['walk', *events], lines)


def suspended(suspend, resume, wake):
    """A process that sleeps until `wake`, as its states follow one another."""
    way = ['ready', 'running', 'blocked']
    for _, event in sorted([(suspend, 'suspend'), (resume, 'resume'), (wake, 'wake')]):
        way.append(EVENTS[way[-1], event])
        if way[-1] == 'ready':
            way += ['running', 'blocked']  # and sleeps again
    return run(['suspended', suspend, resume, wake], ['states ' + ' '.join(way)])


def ends(hows):
    return run(['ends', *hows], [f'{how}: status {int(how[7:]) if str(how).startswith("signal") else how % 256 * 256:04x}'
                                 for how in hows])


def orphan(length, end, adopters):
    parent = max((one for one in adopters if one < end), default=None)
    name = 'init' if parent is None else f'process {parent}'
    return run(['orphan', length, end, *adopters], [f'{end} ends: {end + 1} is a child of {name}; getppid: {name}'])


def select(groups, which):
    kind, _, what = which.partition('-')
    told = [i + 1 for i, group in enumerate(groups)
            if kind == 'any' or (kind == 'own' and group == 0) or (kind == 'group' and str(group) == what)
            or (kind == 'child' and str(i + 1) == what)]
    return run(['select', *groups, which], [' '.join([f'{which}:', *map(str, told)]) + ', then no child'])


def news(options):
    lines = []
    for option in options:
        stops = '137f' if option in ('stopped', 'both') else '-'
        goes = 'ffff' if option in ('continued', 'both') else '-'
        lines.append(f'{option}: runs -, stops {stops}, again -, goes on {goes}, again -, ends 000f')
    return run(['news', *options], lines)


def times(spent):
    return run(['times', *spent], [f'{one}: before {sum(spent[:i])}, after {sum(spent[:i + 1])}' for i, one in enumerate(spent)])


def make(seed):
    source = random.Random(seed)

    def family():
        length = source.randint(4, 8)
        return orphan(length, source.randint(2, length - 1), sorted(source.sample(range(length), source.randint(0, 3))))

    def children():
        groups = [source.choice([0, 1, 2]) for _ in range(source.randint(3, 5))]
        return select(groups, source.choice(['any', 'own' if 0 in groups else 'any', f'group-{max(groups)}' if max(groups) else 'any',
                                             f'child-{source.randint(1, len(groups))}']))
    first, second, third = sorted(source.sample(range(10, 80, 10), 3))

    def life(count):
        """What another thread or the scheduler may do at any time; what only one that runs does itself."""
        state, events = 'created', ['admit']
        for _ in range(count):
            state = EVENTS.get((state, events[-1]), state)
            events.append(source.choice(['run', 'wake', 'suspend', 'resume'] + 2 * (['over', 'wait'] if state == 'running' else ['run', 'wake'])))
        return events
    options = ['none', 'stopped', 'continued', 'both']
    return {
        '3.1.changes': [changes()],
        '3.1.walk': [walk(['admit', 'run', 'wait', 'suspend', 'wake', 'resume', 'run', 'suspend', 'over', 'suspend', 'resume']),
                     walk(['admit', 'run', 'wait', 'suspend', 'resume', 'wake', 'suspend', 'run', 'resume', 'run', 'exit', 'wake'])],
        '3.1.random': [walk(life(30))],
        '3.1.real': [suspended(first, third, second), suspended(first, second, third)],
        '3.2.status': [ends([source.randint(2, 250), source.randint(257, 5000), -source.randint(1, 100), 'signal-9', 'signal-15', 0])],
        '3.2.zombie': [run(['zombie', 'default', 'ignore', 'no-wait'],
                           ['default: Z, wait: status 3', 'ignore: gone, wait: no child', 'no-wait: gone, wait: no child'])],
        '3.2.orphan': [orphan(5, 2, []), orphan(5, 3, [1]), orphan(5, 4, [0, 1, 4])],
        '3.2.waking': [run(['waking'], ['before: state Z, a child of the one that will end', 'wait: it, status 7, woken by it'])],
        '3.2.random': [family() for _ in range(4)] + [orphan(6, 5, [2])],
        '3.3.which': [select([1, 2, 1, 2, 1], 'group-1'), select([1, 0, 2, 0], 'own'), select([1, 2, 0], 'child-2'), select([1, 0], 'any')],
        '3.3.random': [children() for _ in range(4)] + [select([0, 1, 0], 'group-1')],
        '3.3.news': [news(options)],
        '3.3.status': [news(options)],
        '3.3.once': [news(options)],
        '3.3.times': [times([10 * source.randint(2, 6) for _ in range(2)])],
    }
