"""What the scheduling programs print, against schedules worked out here."""
from row import near, same, want
from scheduling_reference import fixed_priority_misses, jobs_with_io


def three_systems(result):
    """lab-batch: a line each for batch, multiprogramming and time sharing."""
    jobs = [(job['cycles'], job['burst_ms'], job['io_ms']) for job in result['input']['jobs']]
    same([row['system'] for row in result['rows']],
         ['batch', 'multiprogramming', 'time sharing'], 'systems')
    for row in result['rows']:
        quantum = result['input']['quantum_ms'] if row['policy'] == 'rr' else None
        first, end, busy = jobs_with_io(jobs, row['degree'], quantum)
        what = row['system']
        near(row['elapsed_ms'], max(end), 0.06, f'{what}: elapsed')
        near(row['utilisation'], busy / max(end), 0.06, f'{what}: utilisation')
        near(row['throughput'], 1000 * len(jobs) / max(end), 0.06, f'{what}: throughput')
        near(row['turnaround_ms'], sum(end) / len(jobs), 0.06, f'{what}: turnaround')
        near(row['response_ms'] + 10, sum(first) / len(jobs) + 10, 0.1, f'{what}: response')
        # What a job does not wait it computes or does I/O.
        working = sum(cycles * (burst + io) for cycles, burst, io in jobs) / len(jobs)
        near(row['queue_ms'] + row['ready_ms'] + working, row['turnaround_ms'], 0.03, f'{what}: parts')
        want(row['utilisation'] <= 1, f'{what}: more than 100 % of the CPU')


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
