// The live pictures under the terminal: what the kernel does, drawn from its own trace while it runs.
// Colours are those of the report page (scripts/trace report). Each picture has a table beside it.
import { GuestMemory, TraceReader, parseHead } from './ring.js';
import { Live } from './model.js';

const STATE = { running: '#2e9e5b', ready: '#f0a830', blocked: '#b9c6d3', new: '#9b7fd1', suspended: '#d65f5f' };
const FRAMES = { programs: '#2e9e5b', files: '#4a90d9', kernel: '#9b7fd1', free: '#e3e8ed' };
const ROW = 18, LABEL = 130;
const make = (tag, attributes = {}, ...children) => {
  const element = Object.assign(document.createElement(tag), attributes);
  element.append(...children);
  return element;
};
const number = value => Number(value).toLocaleString('en', { maximumFractionDigits: 1 });

export class Pictures {
  constructor(box, machine, words, ringAddress) {
    Object.assign(this, { box, machine, words, ringAddress });
    this.window = 3000; // milliseconds of the guest that are shown
    this.still = false;
    this.hits = []; // what is where, for the pointer
    this.build();
  }

  async start() {
    const { output } = await this.machine.control.run("sed '/^$/q' /proc/trace_raw");
    this.memory = new GuestMemory(this.machine.emulator);
    this.reader = new TraceReader(this.memory, parseHead(output), this.ringAddress);
    this.live = new Live();
    if (!this.timer) this.timer = setInterval(() => this.tick(), 100);
  }

  stop() { clearInterval(this.timer); this.timer = null; }

  build() {
    const w = this.words();
    this.canvases = {};
    this.tables = {};
    const section = (id, drawn, extra = []) => {
      const table = this.tables[id] = make('table');
      const parts = [make('h2', { textContent: w.pictures[id][0] }), make('p', { textContent: w.pictures[id][1] }), ...extra];
      if (drawn) {
        const canvas = this.canvases[id] = make('canvas', { tabIndex: 0 });
        canvas.setAttribute('role', 'img');
        canvas.setAttribute('aria-label', w.pictures[id][0]);
        parts.push(canvas, make('details', {}, make('summary', { textContent: w.asTable }), table));
      } else parts.push(table);
      return make('section', { className: 'picture' }, ...parts);
    };
    const key = colours => make('p', { className: 'key' }, ...Object.entries(colours).map(([name, colour]) =>
      make('span', {}, Object.assign(make('i'), { style: `background:${colour}` }), w.keys[name])));
    const button = (label, work) => make('button', { textContent: label, onclick: work });
    this.stillButton = button(w.still, () => { this.still = !this.still; this.stillButton.setAttribute('aria-pressed', this.still); });
    const bar = make('div', { className: 'tools' }, this.stillButton,
      button(w.closer, () => this.zoom(0.5)), button(w.wider, () => this.zoom(2)),
      button(w.step, () => this.step()));
    this.address = make('input', { value: '0x08048000', size: 12 });
    this.address.setAttribute('aria-label', w.pictures.walk[0]);
    this.box.replaceChildren(bar, section('cpu', true, [key(STATE)]), section('waits', false), section('memory', true, [key(FRAMES)]),
      section('disk', true), section('semaphores', false), section('walk', false, [this.address]));
    this.tip = make('div', { className: 'tip', hidden: true });
    this.box.append(this.tip);
    this.canvases.cpu.onmousemove = event => this.point(event);
    this.canvases.cpu.onmouseleave = () => { this.tip.hidden = true; };
    if (this.live) this.draw();
  }

  zoom(factor) {
    this.window = Math.min(60000, Math.max(10, this.window * factor));
    this.draw();
  }

  // Runs on until the kernel has recorded something more, and pauses again.
  async step() {
    if (!this.machine.paused) await this.machine.pause();
    this.take();
    const before = this.reader.written();
    await this.machine.run();
    while (this.reader.written() === before) await new Promise(done => setTimeout(done, 0));
    await this.machine.pause();
    this.machine.on.paused?.();
    this.take();
    this.draw();
  }

  take() {
    for (const event of this.reader.take()) this.live.add(event);
    this.live.forget();
  }

  tick() {
    if (!this.machine.ready || this.machine.paused || !this.reader) return;
    this.take();
    if (!this.still && !document.hidden) this.draw();
  }

  canvas(id, height) {
    const canvas = this.canvases[id], width = canvas.parentElement.clientWidth, scale = devicePixelRatio;
    if (canvas.width !== width * scale || canvas.height !== height * scale) {
      canvas.width = width * scale;
      canvas.height = height * scale;
      canvas.style.height = `${height}px`;
    }
    const g = canvas.getContext('2d');
    g.setTransform(scale, 0, 0, scale, 0, 0);
    g.clearRect(0, 0, width, height);
    g.font = '12px system-ui, sans-serif';
    g.textBaseline = 'middle';
    const style = getComputedStyle(this.box);
    return { g, width, ink: style.color, to: this.live.now, from: this.live.now - this.window,
             x: time => LABEL + (time - (this.live.now - this.window)) / this.window * (width - LABEL - 4) };
  }

  draw() {
    this.drawCpu();
    this.drawWaits();
    this.drawMemory();
    this.drawDisk();
    this.drawSemaphores();
    this.drawWalk();
  }

  rows(id, head, lines) {
    this.tables[id].replaceChildren(make('tr', {}, ...head.map(text => make('th', { textContent: text }))),
      ...lines.map(line => make('tr', {}, ...line.map(text => make('td', { textContent: text })))));
  }

  drawCpu() {
    const rows = this.live.active(this.live.now - this.window, this.live.now);
    const c = this.canvas('cpu', Math.max(2, rows.length) * ROW + 20);
    this.hits = [];
    c.g.fillStyle = c.ink;
    c.g.textAlign = 'right';
    c.g.fillText(`${number(c.to / 1000)} s`, c.width - 4, rows.length * ROW + 10);
    c.g.textAlign = 'left';
    c.g.fillText(`${number(c.from / 1000)} s`, LABEL, rows.length * ROW + 10);
    rows.forEach((row, i) => {
      const y = i * ROW;
      c.g.fillStyle = c.ink;
      c.g.fillText(this.live.label(row.tid), 4, y + ROW / 2, LABEL - 8);
      for (const [start, end, state, why] of row.slices) {
        const colour = STATE[state.startsWith('suspended') ? 'suspended' : state];
        if (!colour) continue;
        c.g.fillStyle = colour;
        const tall = state === 'running' ? 14 : state === 'ready' ? 10 : 4;
        c.g.fillRect(c.x(start), y + (ROW - tall) / 2, Math.max(0.7, c.x(end) - c.x(start)), tall);
        this.hits.push({ x1: c.x(start), x2: c.x(end), y, text: `${this.live.label(row.tid)}: ${this.words().states[state] ?? state}${why ? ` (${why})` : ''}\n${number(start)} – ${number(end)} ms` });
      }
    });
    const total = (row, state) => row.slices.reduce((sum, [start, end, s]) => sum + (s === state ? end - start : 0), 0);
    const w = this.words();
    this.rows('cpu', [w.thread, ...['running', 'ready', 'blocked'].map(s => `${w.keys[s]} (ms)`)],
      rows.map(row => [this.live.label(row.tid), ...['running', 'ready', 'blocked'].map(state => number(total(row, state)))]));
  }

  point(event) {
    const hit = this.hits.findLast(h => event.offsetY >= h.y && event.offsetY < h.y + ROW && event.offsetX >= h.x1 - 1 && event.offsetX <= h.x2 + 1);
    this.tip.hidden = !hit;
    if (!hit) return;
    this.tip.textContent = hit.text;
    this.tip.style.left = `${Math.min(event.clientX + 12, innerWidth - 240)}px`;
    this.tip.style.top = `${event.clientY + 14}px`;
  }

  drawWaits() {
    const w = this.words();
    this.rows('waits', [w.waiter, w.holder, w.what], [...this.live.waits].map(([tid, { holder, what, which }]) =>
      [this.live.label(tid), this.live.label(holder), `${what} ${which}`]));
  }

  drawMemory() {
    const c = this.canvas('memory', 90), list = this.live.frames, w = this.words();
    list.forEach(([time, frames], i) => {
      const end = list[i + 1]?.[0] ?? c.to;
      if (end < c.from) return;
      const total = Object.values(frames).reduce((a, b) => a + b, 0);
      let y = 88;
      for (const [name, colour] of Object.entries(FRAMES)) {
        const tall = frames[name] / total * 86;
        c.g.fillStyle = colour;
        const x = Math.max(LABEL, c.x(time));
        c.g.fillRect(x, y - tall, Math.max(1, c.x(end) - x), tall);
        y -= tall;
      }
    });
    const last = list.at(-1)?.[1];
    this.rows('memory', Object.keys(FRAMES).map(name => w.keys[name]), last ? [Object.keys(FRAMES).map(name => number(last[name]))] : []);
  }

  drawDisk() {
    const c = this.canvas('disk', 90), list = this.live.disk, w = this.words();
    const most = Math.max(1, ...list.map(([, , head]) => head)), deep = Math.max(4, ...list.map(([, queued]) => queued));
    c.g.strokeStyle = '#d65f5f';
    c.g.beginPath();
    list.forEach(([time, queued, head], i) => {
      const end = list[i + 1]?.[0] ?? c.to;
      if (end < c.from) return;
      c.g.fillStyle = '#4a90d9';
      const x = Math.max(LABEL, c.x(time));
      c.g.fillRect(x, 88 - queued / deep * 40, Math.max(0.7, c.x(end) - x), queued / deep * 40);
      c.g.lineTo(x, 44 - head / most * 40);
      c.g.lineTo(c.x(end), 44 - head / most * 40);
    });
    c.g.stroke();
    c.g.fillStyle = c.ink;
    c.g.fillText(w.head, 4, 24, LABEL - 8);
    c.g.fillText(w.queue, 4, 68, LABEL - 8);
    this.rows('disk', [w.queue, w.head], list.length ? [[number(this.live.queued), number(this.live.head)]] : []);
  }

  drawSemaphores() {
    const w = this.words();
    this.rows('semaphores', [w.semaphore, w.value, w.inQueue, w.changes], [...this.live.semaphores].map(([address, s]) =>
      [`0x${address.toString(16)}`, number(s.value), number(s.waiting), number(s.changes)]));
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
