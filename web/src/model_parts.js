// What model.js keeps of threads, processes and disks: Thread and Process of scripts/trace_model.py, Disk of
// scripts/trace_disk.py. Times are nanoseconds of the guest.
export const KINDS = ['read', 'write', 'flush'];
// What a process does while none of its threads is in a state further up.
const PARTS = { running: 'service', ready: 'waiting', new: 'queued', blocked: 'blocked',
                'suspended-ready': 'suspended', 'suspended-blocked': 'suspended' };
export const at = (map, key, make) => { if (!map.has(key)) map.set(key, make()); return map.get(key); };
export const sum = list => list.reduce((a, b) => a + b, 0);

export class Texts {
  constructor() { this.all = []; this.numbers = new Map(); }
  number(text) { return at(this.numbers, text, () => this.all.push(text) - 1); }
}

export class Thread {
  constructor(tid, pid, born) {
    Object.assign(this, { tid, pid, born, name: '', firstRun: null, ended: null, intervals: [], moves: new Map(), pending: null });
  }
  get state() { return this.intervals.at(-1)?.[2]; }
  enter(time, state, why = '') {
    const last = this.intervals.at(-1);
    if (last) {
      last[1] = time;
      if (last[0] === time) this.intervals.pop();
    }
    this.intervals.push([time, time, state, why]);
  }
  moved(from, to) {
    const key = `${from},${to}`;
    this.moves.set(key, (this.moves.get(key) ?? 0) + 1);
  }
}

export class Process {
  constructor(pid, parent, born) {
    Object.assign(this, { pid, parent, born, ended: null, status: null, threads: [], names: [], work: null });
  }
  get name() { return this.names.at(-1) ?? (this.pid === 0 ? 'kernel' : `process ${this.pid}`); }
  get arrival() { return this.work ? this.work[0] : this.born; }
  get finish() {
    if (this.work) return this.done(...this.work);
    if (this.ended === null) return null;
    const ends = this.threads.map(thread => thread.ended);
    return ends.includes(null) || !ends.length ? this.ended : Math.max(...ends);
  }
  done(arrival, service) {
    let left = service;
    for (const [start, end, state] of this.threads.flatMap(t => t.intervals).sort((a, b) => a[0] - b[0] || a[1] - b[1])) {
      if (state !== 'running' || end <= arrival) continue;
      left -= end - Math.max(start, arrival);
      if (left * 100 < service) return end;
    }
    return null;
  }
  parts(start, end) {
    const parts = {}, living = {}, changes = [];
    let first = null, last = start;
    for (const thread of this.threads)
      for (const [from, to, state] of thread.intervals) {
        const a = Math.max(from, start), b = Math.min(to, end);
        if (a >= b || !(state in PARTS)) continue;
        changes.push([a, 1, state], [b, -1, state]);
        if (state === 'running') first = first === null ? a : Math.min(first, a);
      }
    for (const [time, change, state] of changes.sort((a, b) => a[0] - b[0] || a[1] - b[1])) {
      const now = Object.keys(PARTS).find(s => living[s]);
      if (now) parts[PARTS[now]] = (parts[PARTS[now]] ?? 0) + time - last;
      living[state] = (living[state] ?? 0) + change;
      last = time;
    }
    return [parts, first];
  }
  measures() {
    const { arrival, finish } = this, [parts, first] = this.parts(arrival ?? 0, finish ?? Infinity);
    const of = name => parts[name] ?? 0, turnaround = arrival !== null && finish !== null ? finish - arrival : null;
    const moves = key => sum(this.threads.map(t => t.moves.get(key) ?? 0));
    return {
      arrival, finish, service: of('service'), waiting: of('waiting') + of('queued'), queued: of('queued'),
      blocked: of('blocked'), suspended: of('suspended'),
      response: first === null || arrival === null ? null : first - arrival, turnaround,
      weighted: turnaround !== null && of('service') ? turnaround / of('service') : null,
      voluntary: moves('running,blocked'), involuntary: moves('running,ready'),
    };
  }
}

export class Disk {
  constructor(number) {
    const major = number >> 8, letter = { 3: 'a', 22: 'c' }[major];
    this.name = letter ? `hd${String.fromCharCode(letter.charCodeAt(0) + ((number & 255) >> 6))}` : `${major}:${number & 255}`;
    Object.assign(this, { queue: [], requests: [], arrivals: [], waiting: [], waited: 0, travel: 0, head: null });
  }
  queued(time, sector, sectors, kind) {
    this.waiting.push([time, sector, sectors, kind]);
    this.arrivals.push([time, sector, kind]);
    this.queue.push([time, this.waiting.length]);
  }
  issued(time, sector, sectors, kind) {
    const mine = this.waiting.filter(w => w[3] === kind && sector <= w[1] && w[1] + w[2] <= sector + sectors);
    this.waiting = this.waiting.filter(w => !mine.includes(w));
    this.queue.push([time, this.waiting.length]);
    const waits = mine.map(w => time - w[0]);
    this.waited += sum(waits);
    this.requests.push([time, null, sector, sectors, kind, 0, Math.max(mine.length, 1), Math.max(0, ...waits)]);
    if (kind === 'flush') return;
    if (this.head !== null) this.travel += Math.abs(sector - this.head);
    this.head = sector + sectors;
  }
  done(time, error) {
    const last = this.requests.at(-1);
    if (last && last[1] === null) [last[1], last[5]] = [time, error];
  }
  figures() {
    return KINDS.map(kind => [kind, this.requests.filter(r => r[4] === kind)]).filter(([, rows]) => rows.length).map(([kind, rows]) =>
      [kind, rows.length, sum(rows.map(r => r[6])), sum(rows.map(r => r[3])), sum(rows.map(r => r[1] === null ? 0 : r[1] - r[0]))]);
  }
}
