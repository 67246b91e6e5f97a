"""What the scheduling programs print, against schedules worked out here."""
from row import near, same, want
from scheduling_reference import jobs_with_io


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
        want(row['utilisation'] <= 1, f'{what}: more than 100 % of the CPU')
