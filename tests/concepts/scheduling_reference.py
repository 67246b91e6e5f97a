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
