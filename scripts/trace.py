"""scripts/trace: reads what scripts/run --trace wrote. See there for the commands."""
import argparse
import os
import signal
import sys

from trace_file import BadTrace, load
from trace_model import KERNEL, Model


def milliseconds(time):
    return '-' if time is None else f'{time / 1e6:.3f}'


def table(rows, out):
    widths = [max(len(row[i]) for row in rows) for i in range(len(rows[0]))]
    for row in rows:
        cells = [row[0].ljust(widths[0])] + [c.rjust(w) for c, w in zip(row[1:], widths[1:])]
        print('  '.join(cells).rstrip(), file=out)


def text(trace, options, out):
    """Every event as a line; with -n its number first, for scripts/debug --at."""
    if trace.lost:
        print(f'# {trace.lost} events were lost', file=out)
    for number, event in enumerate(trace.events()):
        print((f'{number:>7} ' if options.numbers else '') + f'{event.tid:>8}  [{event.cpu}]  {event.time / 1e9:>13.9f}  {trace.text_of(event)}', file=out)


def summary(trace, _, out):
    """The measures of the run and of each process, in milliseconds."""
    model = Model(trace)
    finished = model.finished()
    print(f'{milliseconds(model.duration)} ms, {sum(model.counts.values())} events'
          f'{f", {trace.lost} LOST before them" if trace.lost else ""}; {model.switches} switches, '
          f'{len(finished)} processes finished'
          + (f' ({len(finished) / (model.duration / 1e9):.1f} a second)' if model.duration else ''),
          file=out)
    for cpu, slices in enumerate(model.cpus):
        if slices:
            print(f'CPU {cpu}: {100 * model.busy(cpu) / model.duration:.2f} % busy', file=out)
    print(file=out)
    measures = ('arrival', 'turnaround', 'service', 'waiting', 'queued', 'blocked', 'suspended',
                'weighted', 'response', 'voluntary', 'involuntary')
    rows = [('process', *measures)]
    for process in sorted(model.processes.values(), key=lambda p: (p.born or 0, p.pid)):
        if process.pid == KERNEL:
            continue
        values = process.measures()
        if values['arrival'] is not None:
            values['arrival'] -= model.start
        rows.append((f'{process.name} {process.pid}', *(cell(m, values[m]) for m in measures)))
    rows.append(('mean of finished', *('' if m in ('arrival', 'voluntary', 'involuntary') else
                                       cell(m, model.mean(m)) for m in measures)))
    table(rows, out)


def cell(measure, value):
    if value is None:
        return '-'
    if measure == 'weighted':
        return f'{value:.3f}'
    return str(value) if measure in ('voluntary', 'involuntary') else milliseconds(value)


def syscalls(trace, options, out):
    """Each system call: who, when, what, its result, how long."""
    model = Model(trace)
    if not model.calls:
        raise BadTrace('no system calls are recorded; run with: --trace FILE --append trace=all')
    for start, end, thread, name, words, result in model.calls:
        if not thread or (options.pid and options.pid not in (thread.pid, thread.tid)):
            continue
        shown = '?' if result is None else str(result) if -4096 < result < 65536 else hex(result & 0xffffffff)
        arguments = ', '.join(str(w) if w < 65536 else hex(w) for w in words)
        took = '' if end is None else f' <{(end - start) / 1e9:.6f}>'
        print(f'{thread.name}[{thread.tid}] {(start - model.start) / 1e9:.6f} '
              f'{name}({arguments}) = {shown}{took}', file=out)


def report(trace, options, _):
    """A page for a browser."""
    from trace_report import write_report
    page = options.output or os.path.splitext(options.file)[0] + '.html'
    write_report(trace, page, os.path.basename(options.file))
    print(page)


def svg(trace, options, out):
    """The same charts as a picture, for a document."""
    from trace_svg import picture
    out.write(picture(Model(trace), options.processes))


def main():
    signal.signal(signal.SIGPIPE, signal.SIG_DFL)
    parser = argparse.ArgumentParser(prog='scripts/trace', description='What scripts/run --trace FILE '
                                     'recorded, for people.')
    commands = parser.add_subparsers(dest='command', required=True)
    for function in (report, svg, text, summary, syscalls):
        command = commands.add_parser(function.__name__, help=function.__doc__)
        command.add_argument('file')
        if function is report:
            command.add_argument('-o', '--output', metavar='PAGE', help='default: FILE with .html')
        if function is text:
            command.add_argument('-n', '--numbers', action='store_true', help="each event's number in front")
        if function is svg:
            command.add_argument('processes', nargs='*', metavar='NAME', help='only the life of these')
        if function is syscalls:
            command.add_argument('pid', nargs='?', type=int, help='of this process or thread only')
        command.set_defaults(function=function)
    options = parser.parse_args()
    try:
        options.function(load(options.file), options, sys.stdout)
    except (BadTrace, OSError) as error:
        print(f'trace: {error}', file=sys.stderr)
        return 1
    return 0


if __name__ == '__main__':
    sys.exit(main())
