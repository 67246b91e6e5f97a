// The machine's time and its input: what v86's timers and time-stamp counter go by, and when what is
// typed arrives. Time stands still while the machine is held, and goes on where a moment was saved.
//
// In `host` mode time is the host's. In `counted` mode it follows the executed instructions, idle time is
// passed over, the disk answers between two slices, and at the prompt time waits for the reader: the same
// input gives the same run, instruction by instruction, and `log` is enough to have it again. v86 then
// interprets: its compiled code ends a slice at places that depend on when the compiler was done.
//
// Invariant: what comes from outside reaches the machine between two slices. A slice is one call of
// v86's main loop: about 100,000 instructions, or until the processor halts.

const PER_MS = 50_000; // instructions in a millisecond of counted time
const FIFO = 16; // bytes that a UART takes at once
const QUIET = 3; // slices in which the guest has nothing to do nor to say: it is at rest
const PATIENCE = 20; // slices that input waits for that, in counted mode

const soon = typeof setImmediate === 'function' ? setImmediate : (() => {
  const { port1, port2 } = new MessageChannel(), queue = [];
  port1.onmessage = () => queue.shift()();
  return work => { queue.push(work); port2.postMessage(0); };
})();

export class Clock {
  constructor(atRest) {
    this.atRest = atRest; // whether the guest waits for the reader only
    this.mode = 'host';
    this.speed = 1; // of the host's time; Infinity: as fast as it goes
    this.base = 0;
    this.since = performance.now();
    this.rate = 1;
    this.reads = 0; // of the disk, under way
    this.queue = []; // [port, bytes, slice] for the guest
    this.begin();
  }

  attach(emulator) {
    this.emulator = emulator;
    const v86 = this.v86 = emulator.v86, tick = v86.do_tick;
    v86.constructor.microtick = () => this.read();
    v86.unregister_yield();
    v86.do_tick = () => {
      if (v86.running && !v86.stopping) this.before();
      this.inside = true;
      tick.call(v86);
      this.inside = false;
    };
    v86.yield = (idle, number) => {
      const go = () => v86.yield_callback(number);
      if (this.inside && v86.running) this.after(idle, go); else soon(go);
    };
    this.mark();
    for (const channel of [v86.cpu.devices.ide.primary, v86.cpu.devices.ide.secondary])
      for (const drive of [channel?.master, channel?.slave]) if (drive?.buffer) this.watch(drive.buffer);
  }

  // Every answer of a disk comes between two slices, be it in the browser's cache or far away.
  watch(buffer) {
    const get = buffer.get;
    buffer.get = (start, length, done, options) => {
      if (this.mode === 'host') return get.call(buffer, start, length, done, options);
      ++this.reads;
      get.call(buffer, start, length, bytes => soon(() => {
        this.answers.push(() => { --this.reads; done(bytes); });
        this.resume();
      }), options);
    };
  }

  // --- time

  source() { return this.mode === 'counted' ? this.v86.cpu.instruction_counter[0] >>> 0 : performance.now(); }
  passed() {
    const gone = this.source() - this.since;
    return this.mode === 'counted' ? (gone >>> 0) / PER_MS : gone * this.rate;
  }
  now() { return this.base + this.passed(); }
  // As v86 reads it. Of two equal readings it would guess, by what it read before, how much is between.
  read() {
    if (this.mode === 'host') return this.now();
    this.last = Math.max(this.now(), this.last + 1e-6);
    return this.last;
  }
  mark(time = this.now(), rate = 1) {
    this.base = time;
    this.since = this.source();
    this.rate = rate;
  }

  // From here on in this mode, at this time; `script`: a log to be gone through again.
  begin(mode = this.mode, time = this.now(), script = []) {
    this.mode = mode;
    this.mark(time);
    this.v86?.cpu.set_jit_config(0, mode === 'counted' ? 1 : 0);
    this.v86?.cpu.jit_clear_cache();
    this.slice = this.quiet = 0;
    this.spoke = false; // it has written to a port in this slice
    this.log = []; // [slice, port, bytes, whether the idle time before it has passed]
    this.slept = false;
    this.script = [...script];
    this.answers = [];
    this.queue = [];
    this.seed = 1;
    this.last = time;
    this.due = 0;
  }

  // All of the script is through, and the guest has done what it asks for.
  get finished() { return this.mode === 'counted' && !this.script.length && !this.reads && this.quiet >= QUIET && this.atRest(); }

  random() { // xorshift
    this.seed ^= this.seed << 13;
    this.seed ^= this.seed >>> 17;
    return this.seed ^= this.seed << 5;
  }

  // --- input

  send(port, bytes) {
    if (this.script.length) return; // all of it is in the script
    this.queue.push([port, bytes, this.slice]);
    if (this.held) this.resume();
    else if (this.mode === 'host' && this.v86?.running && !this.inside) this.v86.next_tick(0);
  }

  deliver(port, bytes) {
    this.quiet = 0;
    if (this.mode === 'counted') this.log.push([this.slice, port, bytes, this.slept]);
    this.onInput?.(port, bytes);
    this.emulator.serial_send_bytes(port, bytes);
  }

  // --- around each slice

  before() {
    this.mark();
    this.held = null;
    if (this.mode === 'counted') ++this.slice;
    for (const answer of this.answers.splice(0)) answer();
    if (this.script.length) {
      while (this.script.length && this.script[0][0] <= this.slice) this.deliver(...this.script.shift().slice(1));
    } else if (this.queue.length && this.mayTake()) {
      const [port, bytes] = this.queue[0];
      this.deliver(port, bytes.subarray(0, FIFO));
      if (bytes.length > FIFO) this.queue[0][1] = bytes.subarray(FIFO); else this.queue.shift();
    }
  }

  // When the page hands something over depends on the host; when the guest has nothing to do does not.
  mayTake() { return this.mode === 'host' || this.quiet >= QUIET || this.slice - this.queue[0][2] > PATIENCE; }

  resume() {
    const go = this.held;
    this.held = null;
    if (go) soon(go);
  }

  after(idle, go) {
    // v86 says 0 too when a timer is due that has not rung yet.
    if (this.v86.cpu.in_hlt[0]) idle = Math.max(idle, 0.01);
    this.quiet = idle && !this.spoke ? this.quiet + 1 : 0;
    this.spoke = false;
    const spent = this.passed(), time = this.now();
    this.mark(time, 0);
    if (this.until?.()) {
      this.until = null;
      this.onUntil();
    }
    if (this.mode === 'counted') return this.afterCounted(idle, spent, go);
    if (!idle) return this.speed < 1 ? setTimeout(go, spent * (1 / this.speed - 1)) : soon(go);
    if (this.speed === Infinity) this.mark(time + idle);
    else this.mark(time, this.speed);
    if (this.queue.length || this.speed === Infinity || idle < 1) soon(go); else setTimeout(go, idle / this.speed);
  }

  afterCounted(idle, spent, go) {
    if (this.reads || (this.quiet >= QUIET && !this.queue.length && !this.script.length && this.atRest())) {
      this.held = go;
      this.slept = false;
      if (this.answers.length || this.v86.stopping) this.resume();
      return;
    }
    const next = this.script[0];
    this.slept = next?.[0] === this.slice + 1 ? next[3] : idle > 0 && !(this.queue.length && this.mayTake());
    const pass = this.slept ? idle : 0;
    this.base += pass;
    const now = performance.now();
    this.due = Math.max(this.due, now - 50) + (spent + pass) / this.speed;
    if (this.due - now < 4 || this.script.length) soon(go); else setTimeout(go, this.due - now);
  }
}
