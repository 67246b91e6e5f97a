"""Gates, vectors and exceptions to try, and what is right for them. The teacher's tree only."""
import random

TYPES = {'task': 5, 'interrupt': 14, 'trap': 15}
# Exception: as what it comes, the signal, its code (sigaction(2)).
SIGNALS = {'divide': ('#DE', 'SIGFPE', 1), 'x87': ('#MF', 'SIGFPE', 3), 'step': ('#DB', 'SIGTRAP', 2),
           'breakpoint': ('#BP', 'SIGTRAP', 128), 'opcode': ('#UD', 'SIGILL', 2), 'bound': ('#BR', 'SIGSEGV', 128),
           'segment': ('#NP', 'SIGBUS', 128), 'stack': ('#SS', 'SIGBUS', 128), 'past-end': ('#PF', 'SIGBUS', 2),
           'read-only': ('#PF', 'SIGSEGV', 2), 'address': ('#PF', 'SIGSEGV', 1), 'overflow': ('#OF', 'SIGSEGV', 128),
           **{name: ('#GP', 'SIGSEGV', 128) for name in
              ('cli', 'sti', 'hlt', 'in', 'out', 'mov-cr3', 'lidt', 'rdmsr', 'int-0x20')}}
PRIVILEGED = ['cli', 'sti', 'hlt', 'in', 'out', 'mov-cr3', 'lidt', 'rdmsr']
# INT n with these would find no error code where the entry expects one, or disturb the machine, if it were allowed.
EXCEPTIONS, DEVICES = [0, 5, 6, 9, 16, 19], [*range(0x40, 0x70), *range(0x90, 0xe0)]


def gate(kind, privilege, selector, offset):
    word = f'{kind}:{privilege}:{selector:x}:{offset:x}'
    if kind == 'task':
        offset = 0
    access = 0x80 + 0x20 * privilege + TYPES[kind]
    return [word, f'{offset // 65536:04x}{access:02x}00{selector:04x}{offset % 65536:04x}']


def vectors(chosen):
    """[vector, as what INT n comes, its error code]: #GP names the gate, and that it is one."""
    allowed = {3: ['#BP', 0], 4: ['#OF', 0], 128: ['nothing', 0]}
    return [[n, *allowed.get(n, ['#GP', n * 8 + 2])] for n in chosen]


def make(seed):
    source = random.Random(seed)

    def some(kinds, privileges, count):
        return [gate(source.choice(kinds), source.choice(privileges), source.randrange(8, 0x400, 8),
                     source.randrange(0xc0100000, 0xffffffff)) for _ in range(count)]
    counted = [[name, SIGNALS[name][0], source.randint(2, 6)] for name in
               source.sample(['divide', 'opcode', 'bound', 'breakpoint'], 2) + [source.choice(PRIVILEGED)]]
    signals = {
        'calculation': ['divide', 'x87'],
        'debuggers': ['breakpoint', 'step'],
        'instructions': ['opcode', 'bound', 'overflow', *source.sample(PRIVILEGED, 2)],
        'segments': ['segment', 'stack'],
        'memory': ['address', 'read-only', 'past-end'],
    }
    return {
        '1.1.bits': [gate('interrupt', 0, 8, 0xc0101234), gate('trap', 0, 8, 0xc0101234), *some(['interrupt', 'trap'], [0], 2)],
        '1.1.privilege': some(['interrupt', 'trap'], [1], 1) + some(['interrupt', 'trap'], [2], 1)
        + some(['interrupt', 'trap'], [3, 0], 2),
        '1.1.task': some(['task'], [0], 2),
        '1.1.random': some(list(TYPES), range(4), 12),
        '1.1.rings': vectors([3, 4, 128, *source.sample(EXCEPTIONS, 2), *source.sample(DEVICES, 2)]),
        **{f'1.2.{case}': [[name, *SIGNALS[name]] for name in names] for case, names in signals.items()},
        '1.3.exceptions': counted,
        '1.3.timer': {'milliseconds': source.randrange(60, 200, 10)},
    }
