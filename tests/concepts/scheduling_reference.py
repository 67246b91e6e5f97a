"""Schedules worked out by the rules of the textbook, one time unit after the other. Shares no code
with the kernel."""


def jobs_with_io(jobs, degree, quantum=None):
    """Jobs (cycles, burst, io) that compute and do I/O by turns, all submitted at 0, at most `degree`
    of them let in (None: all), FCFS or (with a quantum) round robin. I/O needs no CPU and nobody waits
    for a device; after its last I/O a job needs the CPU once more, for no time, to end. Per job: first
    turn, end; and the CPU's busy time. In milliseconds."""
    waiting = list(range(len(jobs)))
    left = [cycles for cycles, _, _ in jobs]
    rest = [burst for _, burst, _ in jobs]
    first, end = [None] * len(jobs), [None] * len(jobs)
    ready, back = [], {}  # job: when its I/O is done
    running, used, busy, now = None, 0, 0, 0

    def let_in():
        inside = len(jobs) - len(waiting) - sum(e is not None for e in end)
        while waiting and (degree is None or inside < degree):
            ready.append(waiting.pop(0))
            inside += 1

    let_in()
    while None in end:
        for job in [j for j, when in back.items() if when == now]:
            del back[job]
            ready.append(job)
        if running is not None and quantum and used == quantum:
            ready.append(running)
            running = None
        while running is None and ready:
            running, used = ready.pop(0), 0
            if first[running] is None:
                first[running] = now
            if not left[running]:
                end[running], running = now, None
                let_in()
        now += 1
        if running is None:
            continue
        busy += 1
        used += 1
        rest[running] -= 1
        if rest[running] == 0:
            left[running] -= 1
            rest[running] = jobs[running][1]
            back[running] = now + jobs[running][2]
            running = None
    return first, end, busy


def fixed_priority_misses(tasks, time):
    """Missed deadlines of periodic tasks (period, runtime) under fixed priorities, the shortest period
    first; all in one unit of time. Each job's deadline is its period's end; a late one is finished all
    the same."""
    order = sorted(range(len(tasks)), key=lambda i: (tasks[i][0], i))
    queues = [[(at, tasks[i][1]) for at in range(0, time - tasks[i][0] + 1, tasks[i][0])]
              for i in range(len(tasks))]
    missed = now = 0
    while any(queues):
        ready = [i for i in order if queues[i] and queues[i][0][0] <= now]
        if ready:
            queue = queues[ready[0]]
            release, left = queue[0]
            queue[0] = (release, left - 1)
            if left == 1:
                queue.pop(0)
                missed += now + 1 > release + tasks[ready[0]][0]
        now += 1
    return missed
