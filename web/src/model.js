// From events to what they mean, while they come: scripts/trace_model.py, trace_memory.py and trace_disk.py
// for a trace that has no end yet. data() is what the report page draws (trace_report.py's report_data());
// a test holds the two equal. Times are nanoseconds of the guest.
import { Disk, KINDS, Process, Texts, Thread, at, sum } from './model_parts.js';

const PAGE = 4096, SHARES_SPACE = 0x100; // CLONE_VM
const STATES = ['new', 'ready', 'running', 'blocked', 'suspended-ready', 'suspended-blocked', 'terminated'];
const SOURCES = ['zeroed', 'file', 'file-copy', 'copy', 'write', 'swap', 'present', 'none'];
const RARE = ['name', 'fork', 'exec', 'exit'];

export class Model {
  constructor(cpus = 1) {
    this.processes = new Map();
    this.threads = [];
    this.living = new Map();
    this.cpus = Array.from({ length: cpus }, () => []);
    Object.assign(this, { interrupts: [], calls: [], faults: [], wakes: [], waits: [], decisions: [], switches: 0, start: null, end: 0, lost: 0 });
    this.counts = new Map();
    this.openInterrupts = new Map();
    this.openCalls = new Map();
    this.openFaults = new Map();
    Object.assign(this, { ranges: new Map(), mapped: new Map(), owner: new Map(), evictions: [], resident: new Map(), frames: [] });
    Object.assign(this, { disks: new Map(), misses: [], cache: [] });
    this.semaphores = new Map(); // address: {value, waiting, changes, last}
    this.holders = new Map(); // tid: {holder, what, which}, while it waits
  }

  thread(tid) {
    if (tid === 0) return null;
    return this.living.get(tid) ?? this.make(tid, tid < 0 ? 0 : tid, null);
  }
  make(tid, pid, born) {
    const thread = new Thread(tid, pid, born);
    this.living.set(tid, thread);
    this.threads.push(thread);
    at(this.processes, pid, () => new Process(pid, null, born)).threads.push(thread);
    return thread;
  }

  add(event) {
    if (this.start === null && !(this.lost && RARE.includes(event.type))) this.start = event.time;
    this.end = Math.max(this.end, event.time);
    this.counts.set(event.type, (this.counts.get(event.type) ?? 0) + 1);
    this[`on_${event.type}`]?.(event);
  }

  // --- births and deaths

  on_fork({ time, child, process: pid, parent, flags }) {
    if (!this.processes.has(pid) || child === pid) this.processes.set(pid, new Process(pid, parent, time));
    const old = this.living.get(child);
    if (!old || old.ended !== null) this.make(child, pid, time);
    if (child === pid && !(flags & SHARES_SPACE))
      for (const [, , page, pages, kind] of [...this.mapped.get(parent) ?? []]) this.map(pid, time, page, pages, kind);
  }
  on_name({ tid, name }) {
    const thread = this.thread(tid);
    if (!thread) return;
    thread.name = name;
    const { names } = this.processes.get(thread.pid);
    if (thread.tid === thread.pid && names.at(-1) !== name) names.push(name);
  }
  on_exec({ time, tid, cpu, process: pid }) {
    const running = this.cpus[cpu].at(-1)?.[2], thread = this.thread(tid);
    if (running && thread && running !== thread && running.pid === thread.pid) {
      running.enter(time, 'terminated');
      running.ended = time;
      thread.enter(time, 'running');
      this.slice(cpu, time, thread);
    }
    this.unmapAll(pid, time);
  }
  on_exit({ time, process: pid, status }) {
    const process = this.processes.get(pid);
    if (process) [process.ended, process.status] = [time, status];
    this.unmapAll(pid, time);
    this.resident.get(pid)?.push([time, 0, 0, 0]);
  }

  // --- states

  on_state({ time, tid, cpu, thread: number, from, to, why }) {
    const thread = this.thread(number);
    if (!thread) return;
    if (!thread.intervals.length) {
      if (from === 'new') thread.born ??= time;
      thread.enter(from === 'new' ? thread.born : this.start ?? time, from);
    }
    thread.moved(from, to);
    if (from === 'running') { thread.pending = [to, why]; return; }
    if (from === 'blocked') this.holders.delete(number);
    if (from === 'blocked' && to === 'ready') this.wakes.push([time, this.thread(tid), this.openInterrupts.has(cpu), thread]);
    if (thread.pending) thread.pending = [to, why]; // woken by another CPU before it has left its own
    else thread.enter(time, to, why);
  }
  slice(cpu, time, thread) {
    const last = this.cpus[cpu].at(-1);
    if (last) last[1] = time;
    this.cpus[cpu].push([time, time, thread]);
  }
  on_switch({ time, tid, cpu, next, previous }) {
    const before = this.thread(tid), after = this.thread(next);
    if (!this.cpus[cpu].length) this.slice(cpu, this.start ?? time, before);
    if (before) {
      if (!before.intervals.length) before.enter(this.start ?? time, 'running');
      const [state, why] = before.pending ?? [previous, ''];
      before.pending = null;
      before.enter(time, state, why);
      if (state === 'terminated') before.ended = time;
    }
    if (after) {
      after.moved('ready', 'running');
      after.enter(time, 'running');
      if (after.firstRun === null && after.born !== null) after.firstRun = time;
    }
    if (before !== after) {
      ++this.switches;
      this.slice(cpu, time, after);
    }
  }

  // --- things with a beginning and an end

  on_interrupt(event) { this.openInterrupts.set(event.cpu, event); }
  on_interrupt_done({ time, cpu }) {
    const begin = this.openInterrupts.get(cpu);
    this.openInterrupts.delete(cpu);
    if (begin) this.interrupts.push([begin.time, time, cpu, begin.line]);
  }
  on_call({ time, tid, call }) {
    this.thread(tid);
    const entry = [time, null, call, null];
    this.openCalls.set(tid, entry);
    this.calls.push(entry);
  }
  on_call_done({ time, tid, call, result }) {
    const entry = this.openCalls.get(tid);
    this.openCalls.delete(tid);
    if (entry?.[2] === call) [entry[1], entry[3]] = [time, result];
  }
  on_fault({ time, tid, address, cause }) {
    const fault = { start: time, thread: this.thread(tid), address, cause, source: null, frame: null };
    this.openFaults.set(tid, fault);
    this.faults.push(fault);
  }
  on_fault_done({ tid, source, frame }) {
    const fault = this.openFaults.get(tid);
    this.openFaults.delete(tid);
    if (fault) Object.assign(fault, { source, frame });
  }
  on_waits_for({ time, tid, holder, what, which }) {
    const waiter = this.thread(tid), other = this.thread(holder);
    if (!waiter || !other) return;
    const name = `${what} ${which > 0xffff ? which.toString(16) : which}`;
    this.waits.push([time, waiter, other, name]);
    this.holders.set(tid, { holder, what: name });
  }
  on_mark({ tid, text }) {
    const thread = this.thread(tid), words = text.split(/\s+/).filter(Boolean), process = thread && this.processes.get(thread.pid);
    if (process && words.length === 3 && words[0] === 'work' && /^\d+$/.test(words[1] + words[2]))
      process.work = [words[1] * 1e6, words[2] * 1e6];
  }
  // Deadlocks' victims, and whom load control suspends and resumes.
  decide({ time, process: pid }, what, why) { this.decisions.push([time, what, pid, why]); }
  on_victim(event) { this.decide(event, 'ended for a deadlock', `by ${event.rule}: ${event.cost}, the least of ${event.among}`); }
  on_load_suspended(event) {
    this.decide(event, 'suspended by load control', `${event.criterion}: too many programs; by ${event.rule}: ${event.measure}`);
  }
  on_load_resumed(event) { this.decide(event, 'resumed by load control', event.why); }
  on_semaphore({ time, tid, semaphore, value, waiting }, arrives = false) {
    const { queue = [], changes = 0, ...rest } = this.semaphores.get(semaphore) ?? {};
    if (arrives && !queue.includes(tid)) queue.push(tid);
    // Who goes on is who does the operation, else the first.
    while (queue.length > waiting) queue.splice(Math.max(queue.indexOf(tid), 0), 1);
    this.semaphores.set(semaphore, { ...rest, queue, value, waiting, changes: changes + 1, last: time });
  }
  on_semaphore_wait(event) { this.on_semaphore(event, true); }
  on_semaphore_name({ semaphore, name }) { this.semaphores.set(semaphore, { value: 0, waiting: 0, changes: 0, queue: [], last: this.end, name }); }

  // --- memory

  map(pid, time, page, pages, kind) {
    const fresh = [time, null, page, pages, kind];
    at(this.ranges, pid, () => []).push(fresh);
    at(this.mapped, pid, () => []).push(fresh);
  }
  cut(pid, time, page, pages) {
    const mine = at(this.mapped, pid, () => []);
    for (const old of mine.filter(r => r[2] < page + pages && page < r[2] + r[3])) {
      mine.splice(mine.indexOf(old), 1);
      old[1] = time;
      if (old[2] < page) this.map(pid, time, old[2], page - old[2], old[4]);
      if (old[2] + old[3] > page + pages) this.map(pid, time, page + pages, old[2] + old[3] - page - pages, old[4]);
    }
  }
  unmapAll(pid, time) {
    for (const old of this.mapped.get(pid) ?? []) old[1] = time;
    this.mapped.delete(pid);
  }
  on_map({ time, tid, address, pages, kind }) {
    const pid = this.thread(tid)?.pid ?? null, page = Math.floor(address / PAGE);
    this.cut(pid, time, page, pages);
    this.map(pid, time, page, pages, kind);
  }
  on_unmap({ time, tid, address, pages }) { this.cut(this.thread(tid)?.pid ?? null, time, Math.floor(address / PAGE), pages); }
  on_evict({ time, address, frame, dirty, space }) {
    this.evictions.push([time, this.owner.get(space) ?? null, Math.floor(address / PAGE), frame, dirty]);
  }
  on_resident({ time, tid, space, resident, working_set, swapped }) {
    const thread = this.thread(tid);
    if (thread && tid > 0) this.owner.set(space, thread.pid);
    const pid = this.owner.get(space);
    if (pid !== undefined) at(this.resident, pid, () => []).push([time, resident, working_set, swapped]);
  }
  on_frames({ time, free, files, kernel, programs }) { this.frames.push([time, free, files, kernel, programs]); }

  // --- disks

  on_disk_queued({ time, disk, sector, sectors, kind }) { this.disk(disk).queued(time, sector >>> 0, sectors, kind); }
  on_disk_issued({ time, disk, sector, sectors, kind }) { this.disk(disk).issued(time, sector >>> 0, sectors, kind); }
  on_disk_done({ time, disk, error }) { this.disk(disk).done(time, error); }
  disk(number) { return at(this.disks, number, () => new Disk(number)); }
  on_cache_miss({ time, inode, page, pages, asked }) { this.misses.push([time, inode, page, pages, asked]); }
  on_cache({ time, hits, misses, ahead, used }) { this.cache.push([time, hits, misses, ahead, used]); }

  // --- what no picture shows any more; what still holds stays

  forget(before) {
    const shorten = (list, end = 0) => {
      const first = list.findIndex(entry => (entry[end] ?? Infinity) >= before);
      list.splice(0, first < 0 ? Math.max(list.length - 1, 0) : Math.max(first - (end ? 0 : 1), 0));
    };
    for (const list of [this.wakes, this.waits, this.decisions, this.frames, this.cache, this.evictions, this.misses]) shorten(list);
    for (const list of [this.interrupts, this.calls, ...this.cpus]) shorten(list, 1);
    for (const list of this.resident.values()) shorten(list);
    this.faults = this.faults.filter(fault => fault.start >= before);
    for (const disk of this.disks.values()) { shorten(disk.queue); shorten(disk.requests, 1); shorten(disk.arrivals); }
    for (const [pid, list] of this.ranges) this.ranges.set(pid, list.filter(r => r[1] === null || r[1] >= before));
    for (const thread of this.threads) shorten(thread.intervals, 1);
    const gone = thread => thread.ended !== null && thread.ended < before;
    this.threads = this.threads.filter(thread => !gone(thread));
    for (const [pid, process] of this.processes) {
      process.threads = process.threads.filter(thread => !gone(thread));
      if (process.ended !== null && process.ended < before)
        for (const map of [this.processes, this.ranges, this.mapped, this.resident]) map.delete(pid);
    }
    for (const [address, { last, name }] of this.semaphores) if (last < before && !name) this.semaphores.delete(address);
  }

  // --- for the charts

  // The whole, or only what reaches into the time from `since` on.
  data(since = 0) {
    const { start, end } = this, begin = start ?? 0, whys = new Texts(), first = since + begin;
    for (const thread of this.threads) if (thread.intervals.length && thread.state !== 'terminated') thread.intervals.at(-1)[1] = end;
    for (const slices of this.cpus) if (slices.length) slices.at(-1)[1] = end;
    const recent = list => since ? list.slice(Math.max(list.findIndex(entry => (entry[1] ?? end) >= first), 0)) : list;
    const index = new Map(this.threads.map((thread, i) => [thread, i]));
    const processes = [...this.processes.values()].sort((a, b) => (a.pid === 0) - (b.pid === 0) || (a.born ?? 0) - (b.born ?? 0) || a.pid - b.pid);
    const finished = processes.filter(p => p.pid !== 0 && p.born !== null && p.ended !== null);
    const measured = new Map(since ? [] : processes.map(p => [p, p.measures()]));
    const mean = name => {
      const known = finished.map(p => measured.get(p)[name]).filter(m => m !== null);
      return known.length ? sum(known) / known.length : null;
    };
    const rest = {};
    const cpus = this.cpus.map(slices => recent(slices).map(([s, e, t]) => [s - begin, e - begin, t === null ? -1 : index.get(t) ?? -1]));
    const interrupts = recent(this.interrupts).map(([s, e, cpu, line]) => [s - begin, e - begin, cpu, whys.number(String(line))]);
    const threads = this.threads.map(thread => ({
      tid: thread.tid, pid: thread.pid, name: thread.name,
      states: recent(thread.intervals).filter(i => i[2] !== 'terminated').map(([s, e, state, why]) => [s - begin, e - begin, STATES.indexOf(state), whys.number(why)]),
      moves: [...thread.moves].map(([key, n]) => [...key.split(',').map(name => STATES.indexOf(name)), n]),
    }));
    if (!since) rest.means = Object.fromEntries(['service', 'turnaround', 'weighted', 'waiting', 'queued', 'blocked', 'suspended', 'response'].map(name => [name, mean(name)]));
    return {
      duration: end - begin, lost: this.lost, events: sum([...this.counts.values()]), switches: this.switches,
      finished: finished.length, states: STATES, ...rest, cpus,
      busy: this.cpus.map(slices => sum(slices.map(([s, e, t]) => t ? e - s : 0))),
      interrupts, threads, whom: this.whom(whys, index, begin, recent),
      processes: processes.map(p => this.processData(p, measured.get(p), begin)),
      wakes: recent(this.wakes.filter(w => !w[2]).map(([time, waker, , woken]) => [time, time, waker, woken]))
        .map(([time, , waker, woken]) => [time - begin, index.get(waker) ?? -1, index.get(woken) ?? -1]),
      decisions: this.decisions.map(([time, what, pid, why]) => [time - begin, what, this.processes.has(pid) ? `${this.processes.get(pid).name} ${pid}` : String(pid), why]),
      memory: this.memoryData(begin, first), disk: this.diskData(begin, recent), calls: this.callData(),
      journals: [], // the page's disk has none
      counts: [...this.counts].sort((a, b) => a[0] < b[0] ? -1 : 1), whys: whys.all,
    };
  }

  processData(p, measures, begin) {
    const shift = time => time === null ? null : time - begin;
    return { pid: p.pid, parent: p.parent, name: p.name, names: p.names, status: p.status,
             ...measures && { ...measures, arrival: shift(measures.arrival), finish: shift(measures.finish) } };
  }

  // Per thread: [start, end, for whom, for what, known]. Known: the kernel said so when the wait began;
  // else it is the thread that woke it in the end.
  whom(whys, index, begin, recent) {
    const told = new Map(), woken = new Map();
    for (const [time, waiter, holder, what] of this.waits) at(told, waiter, () => []).push([time, holder, what]);
    for (const [time, waker, interrupted, thread] of this.wakes)
      if (waker && !interrupted && waker !== thread) at(woken, thread, () => new Map()).set(time, waker);
    return this.threads.map(thread => {
      const rows = [], notes = told.get(thread) ?? [];
      let last = 0;
      for (const [start, end, state, why] of recent(thread.intervals)) {
        if (state !== 'blocked') continue;
        const known = notes.filter(([time, holder]) => last <= time && time <= end && index.has(holder));
        const waker = woken.get(thread)?.get(end);
        last = end;
        if (known.length) rows.push([start - begin, end - begin, [...new Set(known.map(k => index.get(k[1])))], whys.number(known[0][2]), 1]);
        else if (index.has(waker)) rows.push([start - begin, end - begin, [index.get(waker)], whys.number(why), 0]);
      }
      return rows;
    });
  }

  memoryData(begin, first) {
    const faults = this.faults.filter(f => f.thread && f.source !== null && f.start >= first), touched = new Map(), counts = new Map();
    for (const { thread, address, source } of faults) {
      at(touched, thread.pid, () => new Set()).add(Math.floor(address / PAGE));
      ++at(counts, thread.pid, () => SOURCES.map(() => 0))[SOURCES.indexOf(String(source))];
    }
    const ranges = new Map([...this.ranges].map(([pid, list]) => [pid, [...list]]));
    for (const [pid, pages] of touched) {
      const mine = at(ranges, pid, () => []);
      mine.push(...unknown(mine, pages).map(([page, count]) => [begin, null, page, count, 'unknown']));
    }
    const kinds = [...new Set([...ranges.values()].flat().map(r => r[4]))].sort();
    const processes = Object.fromEntries([...ranges].map(([pid, list]) => [pid, {
      ranges: list.filter(([, b]) => b === null || b > begin).map(([a, b, page, pages, kind]) =>
        [Math.max(a, begin) - begin, (b ?? this.end) - begin, page, pages, kinds.indexOf(kind)]),
      resident: (this.resident.get(pid) ?? []).map(([time, ...pages]) => [time - begin, ...pages]), faults: [], evictions: [],
    }]));
    for (const { thread, start, address, source, cause, frame } of faults)
      processes[thread.pid]?.faults.push([start - begin, Math.floor(address / PAGE), SOURCES.indexOf(String(source)), String(cause), frame, address]);
    for (const [time, pid, page, frame, dirty] of this.evictions) processes[pid]?.evictions.push([time - begin, page, frame, dirty]);
    return { sources: SOURCES, kinds, processes, counts: [...counts].map(([pid, row]) => [pid, ...row]),
             frames: this.frames.map(([time, ...owners]) => [time - begin, ...owners]) };
  }

  diskData(begin, recent) {
    const disks = [...this.disks].sort((a, b) => a[0] - b[0]).map(([, disk]) => {
      const transfers = sum(disk.requests.map(r => r[6]));
      return {
        name: disk.name, figures: disk.figures(), travel: disk.travel, wait: transfers ? disk.waited / transfers : 0,
        longest: Math.max(0, ...disk.queue.map(q => q[1])), failed: disk.requests.filter(r => r[5]).length,
        queue: disk.queue.map(([time, length]) => [time - begin, length]),
        arrivals: disk.arrivals.map(([time, sector, kind]) => [time - begin, sector, KINDS.indexOf(kind)]),
        requests: recent(disk.requests).map(([a, b, sector, sectors, kind, ...more]) => [a - begin, (b ?? this.end) - begin, sector, sectors, KINDS.indexOf(kind), ...more]),
      };
    });
    const files = new Map();
    for (const [, inode, , pages, asked] of this.misses) {
      const row = at(files, inode, () => [0, 0, 0]);
      row[0] += 1; row[1] += Math.min(pages, asked); row[2] += Math.max(pages - asked, 0);
    }
    return { kinds: KINDS, disks, cache: this.cache.map(([time, ...totals]) => [time - begin, ...totals]),
             files: [...files].map(([inode, row]) => [inode, ...row]).sort((a, b) => b[1] - a[1]).slice(0, 20) };
  }

  callData() {
    const table = new Map();
    for (const [start, end, name, result] of this.calls) {
      const row = at(table, String(name), () => [0, 0, 0]);
      row[0] += 1; row[1] += (end ?? start) - start; row[2] += result !== null && result > -4096 && result < 0 ? 1 : 0;
    }
    return [...table].map(([name, row]) => [name, ...row]).sort((a, b) => b[1] - a[1] || (a[0] < b[0] ? -1 : 1));
  }
}

// Pages of which the trace doesn't hold how they came to be mapped: runs of them, with small gaps.
function unknown(ranges, pages) {
  const runs = [];
  for (const page of [...pages].sort((a, b) => a - b)) {
    if (ranges.some(r => r[2] <= page && page < r[2] + r[3])) continue;
    if (runs.length && page - runs.at(-1)[1] <= 1024) runs.at(-1)[1] = page; else runs.push([page, page]);
  }
  return runs.map(([first, last]) => [first, last - first + 1]);
}
