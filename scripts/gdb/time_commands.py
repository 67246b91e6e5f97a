"""tt last-write, tt why-blocked, tt why-panic: backwards in a recorded run (scripts/debug --replay)."""
import contextlib

import gdb

from structures import Command, current_thread, find_thread, state, text, threads

NO_RECORDING = ('this machine cannot go back: record a run (scripts/debug --record) and look at that (scripts/debug --replay)')


class TimeTravel(gdb.Command):
    """tt: goes back in a recorded run to the cause of something: tt last-write, tt why-blocked, tt why-panic."""

    def __init__(self):
        super().__init__('tt', gdb.COMMAND_RUNNING, prefix=True)


@contextlib.contextmanager
def only(*points):
    """These breakpoints, and no other, until the machine has stopped."""
    others = [other for other in gdb.breakpoints() if other.enabled and other not in points]
    for other in others:
        other.enabled = False
    try:
        yield
    finally:
        for other in others:
            other.enabled = True
        for point in points:
            point.delete()


def back_to_write(address, size):
    """Stands just after the last write to it before now. False: there was none since the machine started."""
    kind = {1: 'char', 2: 'short', 4: 'int', 8: 'long long'}.get(size)
    if kind is None:
        raise gdb.GdbError(f'{size} bytes: a watchpoint of the processor takes 1, 2, 4 or 8')
    point = gdb.Breakpoint(f'*({kind} *){address:#x}', gdb.BP_WATCHPOINT, gdb.WP_WRITE, internal=True)
    point.silent = True
    with only(point):
        try:
            said = gdb.execute('reverse-continue', to_string=True)
        except gdb.error as error:
            if 'not support' in str(error):
                raise gdb.GdbError(NO_RECORDING) from None
            raise
    return 'No more reverse-execution history' not in said


class LastWrite(Command):
    """tt last-write PLACE [== VALUE]: back to the instruction that last wrote to a place (that value): a variable,
    *(TYPE *)ADDRESS, or an address (4 bytes there). The machine stands there then: registers and calls are those of
    that moment."""
    usage, kind = 'tt last-write PLACE…', gdb.COMMAND_RUNNING

    def run(self, argument):
        place, _, wanted = argument.partition('==')
        wanted = int(gdb.parse_and_eval(wanted)) if wanted.strip() else None
        value = gdb.parse_and_eval(place)
        if value.address is None:
            value = value.cast(gdb.lookup_type('int').pointer()).dereference()
        address, size = int(value.address) & 0xFFFFFFFF, value.type.sizeof
        while True:
            if not back_to_write(address, size):
                print('nothing wrote to it since the recording began; the machine stands there')
                return
            written = int.from_bytes(gdb.selected_inferior().read_memory(address, size), 'little')
            if wanted is None or written == wanted & (1 << 8 * size) - 1:
                break
        gdb.execute('backtrace')


class WhyBlocked(Command):
    """tt why-blocked TID: back to the moment when a thread that is blocked now went to sleep, with the calls that led
    there."""
    usage, kind = 'tt why-blocked TID', gdb.COMMAND_RUNNING

    def choices(self, before):
        return [int(thread['tid']) for _, thread in threads() if state(thread).endswith('blocked')]

    def run(self, argument):
        thread = find_thread(argument)
        if not state(thread).endswith('blocked'):
            raise gdb.GdbError(f'thread {argument} is {state(thread)}, not blocked')
        reason, field = text(thread['wait_reason']), thread['state']
        where = int(thread.address)
        while True:
            if not back_to_write(int(field.address), field.type.sizeof):
                raise gdb.GdbError('it was blocked when the recording began')
            # It went to sleep itself. QEMU 7.2 may stop where another thread writes to the same page, too.
            if int(current_thread().address) == where:
                break
        print(f'thread {argument} sleeps until: {reason}')
        gdb.execute('backtrace')


class WhyPanic(Command):
    """tt why-panic: on to the kernel's panic in this recording, and the calls that led there; from there tt last-write
    finds who left a wrong value."""
    usage, kind = 'tt why-panic', gdb.COMMAND_RUNNING

    def run(self):
        if gdb.convenience_variable('orrery_replay') is None:
            raise gdb.GdbError(NO_RECORDING)  # it would run on to its end
        points = [gdb.Breakpoint(name, internal=True) for name in ('panic', 'panic_with_frame')]
        with only(*points):
            try:
                gdb.execute('continue')
                hit = any(point.hit_count for point in points)
            except gdb.error:
                hit = False
        if not hit:
            raise gdb.GdbError('no panic from here to the end of the recording')
        what = gdb.parse_and_eval('what')  # a std::string_view
        print('panic: ' + what['_M_str'].string(errors='replace', length=int(what['_M_len'])))
        gdb.execute('backtrace')


TimeTravel()
LastWrite()
WhyBlocked()
WhyPanic()
