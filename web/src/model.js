// From events to what they mean, as far as the last seconds go: states of each thread, frames, the
// disk, semaphores, who waits for whom. The same reading of the events as scripts/trace_model.py.
// Times are milliseconds of the guest.

export class Live {
  constructor(keep = 60000) {
    this.keep = keep; // milliseconds of history
    this.now = 0;
    this.threads = new Map(); // tid: {tid, name, states: [[start, state, why]]}
    this.frames = []; // [time, {free, files, kernel, programs}]
    this.disk = []; // [time, queued, head]
    this.semaphores = new Map(); // address: {value, waiting, changes, last}
    this.waits = new Map(); // tid: {holder, what}
    this.queued = 0;
    this.head = 0;
    this.events = 0;
  }

  thread(tid) {
    if (!this.threads.has(tid)) this.threads.set(tid, { tid, name: '', states: [] });
    return this.threads.get(tid);
  }

  label(tid) {
    const name = this.threads.get(tid)?.name;
    return tid === 0 ? 'idle' : `${name || (tid < 0 ? 'kernel' : 'process')} ${tid}`;
  }

  enter(tid, time, state, why = '') {
    if (tid === 0) return;
    const states = this.thread(tid).states, last = states.at(-1);
    if (last && last[1] === state) return;
    states.push([time, state, why]);
    if (state !== 'blocked') this.waits.delete(tid);
  }

  add(event) {
    this.now = Math.max(this.now, event.time);
    ++this.events;
    switch (event.type) {
      case 'name': this.thread(event.tid).name = event.name; break;
      case 'state': this.enter(event.thread, event.time, event.to, event.why); break;
      case 'switch':
        // Where it goes when it is switched away was told by its `state` event.
        if (event.previous === 'ready' || event.previous === 'blocked') this.enter(event.tid, event.time, event.previous);
        this.enter(event.next, event.time, 'running');
        break;
      case 'waits_for': this.waits.set(event.tid, { holder: event.holder, what: event.what, which: event.which }); break;
      case 'frames': {
        const { free, files, kernel, programs } = event;
        this.frames.push([event.time, { free, files, kernel, programs }]);
        break;
      }
      case 'semaphore': case 'semaphore_wait': {
        const s = this.semaphores.get(event.semaphore) ?? { changes: 0 };
        this.semaphores.set(event.semaphore, { value: event.value, waiting: event.waiting, changes: s.changes + 1, last: event.time });
        break;
      }
      case 'disk_queued': ++this.queued; this.disk.push([event.time, this.queued, this.head]); break;
      case 'disk_issued': this.head = event.sector; this.disk.push([event.time, this.queued, this.head]); break;
      case 'disk_done':
        this.queued = Math.max(0, this.queued - 1);
        this.head = event.sector + event.sectors;
        this.disk.push([event.time, this.queued, this.head]);
        break;
    }
  }

  forget() {
    const before = this.now - this.keep;
    // The last entry before that still holds.
    const shorten = list => {
      const first = list.findIndex(([time]) => time >= before);
      list.splice(0, Math.max(0, (first < 0 ? list.length : first) - 1));
    };
    [this.frames, this.disk].forEach(shorten);
    for (const [tid, { states }] of this.threads) {
      shorten(states);
      if (states.length === 1 && states[0][0] < before && states[0][1] === 'terminated') this.threads.delete(tid);
    }
    for (const [address, semaphore] of this.semaphores) if (semaphore.last < before) this.semaphores.delete(address);
  }

  // Rows of the chart: who did anything but sleep between the two times, in order of their numbers.
  active(from, to) {
    const rows = [];
    for (const thread of this.threads.values()) {
      const slices = [];
      thread.states.forEach(([start, state, why], i) => {
        const end = thread.states[i + 1]?.[0] ?? this.now;
        if (end >= from && start <= to) slices.push([Math.max(start, from), Math.min(end, to), state, why]);
      });
      if (slices.some(([, , state]) => state === 'running' || state === 'ready')) rows.push({ ...thread, slices });
    }
    return rows.sort((a, b) => (a.tid < 0) - (b.tid < 0) || Math.abs(a.tid) - Math.abs(b.tid));
  }
}
