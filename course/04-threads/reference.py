"""In which order threads of one kernel thread run, and who gets a mutex. The teacher's tree only."""
import random


def order(programs):
    """What happens, [who, what] each: who stops running goes to the end, or waits for one that is not done."""
    log, done, ready, joiners = [], set(), [], {}
    joined_by_others = {acts[i + 1] for acts in programs.values() for i in range(len(acts)) if acts[i] == 'j'}

    def join(who, name):
        log.append([who, f'joins {name}'])
        if name not in done:
            joiners[name] = who
            yield
        log.append([who, f'joined {name}'])

    def thread(name, acts):
        log.append([name, 'begins'])
        i = 0
        while i < len(acts):
            if acts[i] == 'j':
                i += 1
                yield from join(name, acts[i])
            else:
                log.append([name, 'yields'])
                ready.append(name)
                yield
                log.append([name, 'goes on'])
            i += 1
        log.append([name, 'ends'])

    def main():
        for name in programs:
            if name not in joined_by_others:
                yield from join('main', name)
        log.append(['main', 'ends'])

    running = {'main': main(), **{name: thread(name, acts) for name, acts in programs.items()}}
    ready += ['main', *programs]
    while ready:
        name = ready.pop(0)
        try:
            next(running[name])
        except StopIteration:
            done.add(name)
            if name in joiners:
                ready.append(joiners[name])
    return log if 'main' in done else None


def turns(text):
    programs = dict(word.split(':') for word in text.split())
    return {'words': text.split(), 'rows': order(programs)}


def drawn(source, threads, length):
    """Threads that yield and join, so that no circle waits for itself."""
    while True:
        names = 'ABCDEFGH'[:threads]
        programs = {name: ['y'] * source.randint(0, length) for name in names}
        for other in source.sample(names, threads - 1):
            if source.random() < 0.6:
                by = source.choice([name for name in names if name != other])
                programs[by].insert(source.randint(0, len(programs[by])), f'j{other}')
        made = turns(' '.join(f'{name}:{"".join(acts)}' for name, acts in programs.items()))
        if made['rows']:
            return made


def mutex(acts):
    """[act, who is inside, what the word says, who waits, calls]; calls: none, wait, wake, or any."""
    rows, inside, waiting, disputed = [], None, [], False
    for act in acts:
        name, _, verb = act.partition('.')
        calls = 'any' if disputed else 'none'
        if verb == 'lock' and inside:
            waiting.append(name)
            disputed, calls = True, 'wait'
        elif verb == 'lock':
            inside = name
        else:
            calls = 'wake' if waiting else calls
            inside = waiting.pop(0) if waiting else None
        rows.append([act, inside or '-', 'taken' if inside else 'free', ' '.join(sorted(waiting)) or '-', calls])
    return {'words': acts, 'rows': rows}


def scramble(source, length):
    acts, inside, waiting = [], None, []
    while len(acts) < length:
        idle = [name for name in 'ABCD' if name != inside and name not in waiting]
        if inside and (not idle or source.random() < 0.5):
            acts.append(f'{inside}.unlock')
            inside = waiting.pop(0) if waiting else None
            continue
        name = source.choice(idle)
        acts.append(f'{name}.lock')
        if inside:
            waiting.append(name)
        else:
            inside = name
    return acts


def make(seed):
    source = random.Random(seed)
    first, second, third, fourth = source.sample('ABCDEFGH', 4)
    a, b, c, _ = mixed = source.sample('ABCD', 4)
    y = ['y' * source.randint(2, 4) for _ in range(3)]
    three = f'{first}:{y[0]} {second}:{y[1]} {third}:{y[2]}'
    return {
        '4.1.begin': [turns(f'{first}:'), turns(f'{first}: {second}:')],
        '4.1.turns': [turns(f'{first}:y'), turns(f'{first}:yy {second}:y'), turns(three)],
        '4.1.registers': [turns(f'{first}:{y[0]} {second}:{y[1]}')],
        '4.1.aligned': [turns(f'{first}: {second}:y')],
        '4.1.join': [turns(f'{first}:{y[0]} {second}:j{first}'), turns(f'{first}: {second}:{y[1]}j{first}'),
                     turns(f'{first}:j{second} {second}:j{third} {third}:{y[2]} {fourth}:yy')],
        '4.1.random': [drawn(source, source.randint(4, 6), 4) for _ in range(3)],
        '4.2.free': [mutex([f'{name}.{verb}' for name in (a, b, a) for verb in ('lock', 'unlock')])],
        '4.2.waits': [mutex([f'{name}.lock' for name in (a, b, c)])],
        '4.2.wakes': [mutex([f'{a}.lock', f'{b}.lock', f'{a}.unlock', f'{b}.unlock']),
                      mutex([f'{name}.lock' for name in mixed] + [f'{name}.unlock' for name in mixed])],
        '4.2.random': [mutex(scramble(source, 14)) for _ in range(2)],
        '4.2.count': {'rounds': source.randint(3000, 5000), 'quanta': sorted(source.sample(range(110, 190), 4))}}
