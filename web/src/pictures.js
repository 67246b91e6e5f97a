// The live pictures under the terminal: what the kernel does, drawn from its own trace while it runs, by
// the charts of the report page (scripts/trace_*.js). Each picture has a table beside it.
import { D, drawCpus, drawThreads, drawWhom, from, label, point, show, threadRows, to, use } from '../../scripts/trace_charts.js';
import { OWNERS, drawFrames, drawMap, drawPages, memoryKey, offerProcesses, theProcess } from '../../scripts/trace_memory.js';
import { busiest, diskKey, drawDisks, offerDisks } from '../../scripts/trace_disk.js';
import { GuestMemory, TraceReader, parseHead } from './ring.js';
import { Model } from './model.js';

const KEPT = 60e9, FIRST = 3e9; // nanoseconds of history, and of it what is shown at first
const CHARTS = ['cpus', 'threads', 'whom', 'frames', 'map', 'pages', 'queue', 'head', 'cache'];
const make = (tag, attributes = {}, ...children) => {
  const element = Object.assign(document.createElement(tag), attributes);
  element.append(...children);
  return element;
};
const number = value => Number(value).toLocaleString('en', { maximumFractionDigits: 1 });

export class Pictures {
  // on: {keep(html), goTo(time in ns since the first event)}
  constructor(box, machine, words, ringAddress, on) {
    Object.assign(this, { box, machine, words, ringAddress, on });
    this.window = FIRST;
    this.still = false;
    this.build();
  }

  // From the machine's memory as it is now. `head`: of the trace, where it is known.
  async start(head) {
    this.head = head ?? parseHead((await this.machine.control.run('head -c 32768 /proc/trace_raw')).output);
    this.memory = new GuestMemory(this.machine.emulator);
    this.reader = new TraceReader(this.memory, this.head, this.ringAddress);
    this.model = new Model();
    if (!this.timer) this.timer = setInterval(() => this.tick(), 120);
  }

  build() {
    const w = this.words(), named = (id, tag = 'canvas') => Object.assign(make(tag), { id });
    this.tables = {};
    const section = (id, ...parts) => {
      const table = this.tables[id] = make('table');
      const drawn = parts.some(part => part.tagName === 'CANVAS');
      for (const part of parts.filter(part => part.tagName === 'CANVAS')) {
        part.setAttribute('role', 'img');
        part.setAttribute('aria-label', w.pictures[id][0]);
      }
      return make('section', { className: 'picture', id: { whom: 'whombox', frames: 'framebox', map: 'mapbox', disk: 'diskbox', cache: 'cachebox' }[id] ?? id + 'box' },
        make('h2', { textContent: w.pictures[id][0] }), make('p', { textContent: w.pictures[id][1] }), ...parts,
        ...drawn ? [make('details', {}, make('summary', { textContent: w.asTable }), table)] : [table]);
    };
    const key = colours => make('p', {}, ...Object.entries(colours).map(([name, colour]) =>
      make('span', { className: 'key' }, Object.assign(make('i'), { style: `background:${colour}` }), w.keys[name])));
    const choice = id => Object.assign(named(id, 'select'), { ariaLabel: w.which });
    const button = (text, work) => make('button', { textContent: text, onclick: work });
    this.stillButton = button(w.still, () => this.hold(!this.still));
    const bar = make('div', { className: 'tools' }, this.stillButton,
      button(w.closer, () => this.zoom(0.5)), button(w.wider, () => this.zoom(2)), button(w.step, () => this.step()),
      button(w.keepReport, () => this.on.keep(this.model.data())), this.moment = make('input', { size: 8, ariaLabel: w.goTo, placeholder: w.goTo }));
    this.moment.onchange = () => { if (Number.isFinite(parseFloat(this.moment.value))) this.on.goTo(parseFloat(this.moment.value) * 1e6); };
    this.address = make('input', { value: '0x08048000', size: 12, ariaLabel: w.pictures.walk[0] });
    const states = Object.fromEntries(['running', 'ready', 'blocked', 'new', 'suspended'].map(s => [s, `var(--${s === 'running' ? 'run' : s})`]));
    this.box.replaceChildren(bar, section('cpus', named('cpus')), section('threads', key(states), named('threads')), section('whom', named('whom')),
      section('frames', named('frames')), section('map', choice('mapof'), named('mapkey', 'p'), named('map'), named('pages')),
      section('disk', choice('diskof'), named('diskkey', 'p'), named('queue'), named('head')), section('cache', named('cache')),
      section('semaphores'), section('walk', this.address), make('div', { id: 'tip', className: 'tip' }));
    for (const id of CHARTS)
      point(id, { onZoom: (a, b) => this.hold(true, a, b), onAll: () => this.hold(false), onClick: time => this.on.goTo(time) });
    this.hold(this.still);
  }

  // Holds the pictures (the machine runs on), at a part of them where one is given.
  hold(still, a, b) {
    this.still = still;
    this.stillButton.setAttribute('aria-pressed', still);
    if (a !== undefined) show(a, b);
    this.draw(a === undefined);
  }
  zoom(factor) {
    this.window = Math.min(KEPT, Math.max(1e6, this.window * factor));
    this.draw();
  }

  // Runs on until the kernel has recorded something more, and pauses there.
  async step() {
    if (!this.machine.paused) await this.machine.pause();
    this.take();
    const before = this.reader.written();
    await this.machine.runUntil(() => this.reader.written() !== before);
    this.machine.on.paused?.();
    this.take();
    this.draw();
  }

  // Runs until the event of that time has been recorded, or all of the kept input is through.
  async runTo(time) {
    await this.machine.runUntil(() => {
      this.take();
      return this.model.end - this.model.start >= time || this.machine.clock.finished;
    });
    this.machine.on.paused?.();
    this.draw();
  }

  take() {
    for (const event of this.reader.take()) this.model.add(event);
    this.model.lost = this.reader.lost;
    this.model.forget(this.model.end - KEPT);
  }
  tick() {
    if (!this.machine.ready || this.machine.paused || !this.reader) return;
    this.take();
    if (!this.still && !document.hidden) this.draw();
  }

  draw(follow = true) {
    const { model } = this;
    if (!model?.threads.length) return;
    const end = model.end - model.start, w = this.words();
    if (!this.still || !D) use(model.data(Math.max(end - this.window, 1)), { busyOnly: true, word: text => w.chart[text] ?? text });
    if (follow) show(end - this.window, end);
    drawCpus();
    drawThreads();
    drawWhom();
    drawFrames();
    offerProcesses();
    memoryKey();
    drawMap();
    drawPages();
    offerDisks();
    diskKey();
    drawDisks();
    this.drawTables();
  }

  rows(id, head, lines) {
    this.tables[id].replaceChildren(make('tr', {}, ...head.map(text => make('th', { textContent: text }))),
      ...lines.map(line => make('tr', {}, ...line.map(text => make('td', { textContent: text })))));
  }

  drawTables() {
    const w = this.words(), threads = threadRows().map(i => D.threads[i]);
    const total = (thread, state) => thread.states.reduce((sum, [a, b, s]) => sum + (s === state ? Math.max(Math.min(b, to) - Math.max(a, from), 0) : 0), 0);
    const states = [[2, 'running'], [1, 'ready'], [3, 'blocked']];
    this.rows('cpus', [w.thread, `${w.keys.running} (ms)`], threads.filter(t => total(t, 2)).map(t => [label(t), number(total(t, 2) / 1e6)]));
    this.rows('threads', [w.thread, ...states.map(([, name]) => `${w.keys[name]} (ms)`)],
      threads.map(t => [label(t), ...states.map(([state]) => number(total(t, state) / 1e6))]));
    const named = tid => { const t = this.model.living.get(tid); return t ? label(t) : tid; };
    this.rows('whom', [w.waiter, w.holder, w.what], [...this.model.holders].map(([tid, { holder, what }]) => [named(tid), named(holder), what]));
    const frames = D.memory.frames.at(-1);
    this.rows('frames', OWNERS.map(([name]) => w.chart[name] ?? name), frames ? [frames.slice(1).map(number)] : []);
    const process = theProcess(), pages = process?.resident.at(-1);
    this.rows('map', [w.chart['in memory'], w.chart['working set'], w.chart['in swap'], w.faults],
      process ? [[...(pages ? pages.slice(1) : [0, 0, 0]).map(number), number(process.faults.length)]] : []);
    const disk = busiest(), last = disk?.requests.at(-1);
    this.rows('disk', [w.queue, w.head], disk ? [[number(disk.queue.at(-1)?.[1] ?? 0), last ? number(last[2] + last[3]) : '–']] : []);
    const cache = D.disk.cache.at(-1);
    this.rows('cache', ['found in it', 'missed', 'read ahead'].map(name => w.chart[name] ?? name), cache ? [cache.slice(1, 4).map(number)] : []);
    this.rows('semaphores', [w.semaphore, w.value, w.inQueue, w.changes], [...this.model.semaphores].map(([address, s]) =>
      [s.name ?? `0x${address.toString(16)}`, number(s.value), s.queue.map(named).join(', ') || number(s.waiting), number(s.changes)]));
    this.drawWalk();
  }

  drawWalk() {
    const address = Number(this.address.value) >>> 0, w = this.words();
    const { directory, table, physical } = this.memory.walk(address), hex = v => `0x${(v >>> 0).toString(16).padStart(8, '0')}`;
    const flags = entry => ['P', 'W', 'U', '', '', 'A', 'D', 'S', 'G'].filter((name, bit) => name && entry & 1 << bit).join(' ');
    this.rows('walk', ['', w.index, w.entry, w.flags], [
      ['CR3', '', hex(this.memory.cpu.cr[3]), ''],
      ['PDE', address >>> 22, hex(directory), flags(directory)],
      ['PTE', address >>> 12 & 1023, table === null ? '–' : hex(table), table === null ? '' : flags(table)],
      [w.frame, '', physical === null ? w.notMapped : hex(physical), '']]);
  }
}
