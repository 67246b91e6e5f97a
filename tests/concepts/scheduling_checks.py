"""What the scheduling programs print, against schedules worked out here."""
from row import near, same, want
from scheduling_reference import fixed_priority_misses, jobs_with_io


SCALE = 20  # steps of a schedule in a millisecond


def schedules(jobs, degree, quantum):
    """The schedule as the rules give it, and as it is when each burst and each I/O takes a hair longer, as
    switches and interrupts make it: what happens at the same moment comes in another order then."""
    for more_burst in (0, 1, 2):
        for more_io in (0, 1, 2):
            exact = [(cycles, burst * SCALE + more_burst, io * SCALE + more_io) for cycles, burst, io in jobs]
            first, end, busy = jobs_with_io(exact, degree, quantum and quantum * SCALE)
            yield {'elapsed_ms': max(end) / SCALE, 'utilisation': busy / max(end),
                   'throughput': 1000 * SCALE * len(jobs) / max(end),
                   'turnaround_ms': sum(end) / len(jobs) / SCALE,
                   'response_ms': sum(first) / len(jobs) / SCALE}


def three_systems(result):
    """lab-batch: a line each for batch, multiprogramming and time sharing."""
    jobs = [(job['cycles'], job['burst_ms'], job['io_ms']) for job in result['input']['jobs']]
    same([row['system'] for row in result['rows']],
         ['batch', 'multiprogramming', 'time sharing'], 'systems')
    for row in result['rows']:
        quantum = result['input']['quantum_ms'] if row['policy'] == 'rr' else None
        right = list(schedules(jobs, row['degree'], quantum))
        for key in right[0]:
            values, slack = [one[key] for one in right], 1 if key == 'response_ms' else 0
            want(min(values) * 0.94 - slack <= row[key] <= max(values) * 1.06 + slack,
                 f"{row['system']}: {key} {row[key]}, wanted {min(values):.4f} to {max(values):.4f}")
        # What a job does not wait it computes or does I/O.
        working = sum(cycles * (burst + io) for cycles, burst, io in jobs) / len(jobs)
        near(row['queue_ms'] + row['ready_ms'] + working, row['turnaround_ms'], 0.03, f"{row['system']}: parts")
        want(row['utilisation'] <= 1, f"{row['system']}: more than 100 % of the CPU")


def real_time(result):
    """lab-realtime: misses of fixed priorities as worked out here, none with deadlines that were
    admitted, and many under time sharing."""
    tasks = [(task['period_ms'], task['runtime_ms']) for task in result['input']['tasks']]
    time, rows = result['input']['time_ms'], {row['policy']: row for row in result['rows']}
    near(result['utilisation'], sum(r / p for p, r in tasks), 0.001, 'utilisation')
    want(0.94 <= result['admission_limit'] <= 0.96, f"the limit is {result['admission_limit']}")
    deadlines = sum((time - period) // period + 1 for period, _ in tasks)
    for name in ('rr', 'fifo', 'priority'):
        same(rows[name]['deadlines'], deadlines, f'{name}: deadlines')
    # Switches and interrupts take time as well: at most 3 % of what the tasks take.
    least, most = (fixed_priority_misses([(p * 100, r * part) for p, r in tasks], time * 100)
                   for part in (100, 103))
    want(least <= rows['priority']['missed'] <= most,
         f"priority: {rows['priority']['missed']} missed, wanted {least} to {most}")
    want(rows['rr']['missed'] > deadlines / 4, 'time sharing keeps deadlines')
    same(rows['deadline']['missed'], 0, 'deadline: missed')
    # Each reservation is 50 us larger than the runtime that was asked for.
    reserved = sum((r + 0.05) / p for p, r in tasks)
    if abs(reserved - 0.95) > 0.002:
        same(rows['deadline']['admitted'] == len(tasks), reserved < 0.95, 'deadline: all admitted')
