// The charts of a run: who has the CPU, the state of each thread, who waits for whom. The report page
// draws a whole run with them (trace_report.html), the machine in the page what happens (web/).
//
// Invariant: what is drawn is D (trace_report.py's report_data(); web/src/model.js makes the same) from
// the time `from` to the time `to`, in nanoseconds; a chart whose canvas is not there is left out.
export const $ = id => document.getElementById(id);
export const [NEW, READY, RUNNING, BLOCKED, SREADY, SBLOCKED] = [0, 1, 2, 3, 4, 5];
export const css = name => getComputedStyle(document.documentElement).getPropertyValue(name).trim();
export const ms = (t, digits = 3) => t === null || t === undefined ? '–' : (t / 1e6).toFixed(digits);
export const escape = s => String(s).replace(/[&<>"]/g, c => ({'&': '&amp;', '<': '&lt;', '>': '&gt;', '"': '&quot;'}[c]));
const CPU_ROW = 46, ROW = 24;
export let D, from = 0, to = 1, LABEL = 150, STATE, word = text => text;
let order, rows, waiters, busyOnly = false;

// `options`: busyOnly, no rows for threads that only slept in the time shown; word, which translates a
// text of the charts.
export function use(data, options = {}) {
  ({ busyOnly, word } = { busyOnly, word, ...options });
  D = data;
  order = new Map(D.processes.map((p, i) => [p.pid, i]));
  STATE = ['--new', '--ready', '--run', '--blocked', '--suspended', '--suspended'].map(css);
  choose();
}
export function show(a, b) {
  const span = Math.min(Math.max(b - a, 100), Math.max(D.duration, 100));
  from = Math.min(Math.max(a, 0), Math.max(D.duration - span, 0));
  to = from + span;
  if (busyOnly) choose();
}
function choose() {
  const busy = t => { for (let i = firstAfter(t.states, from); i < t.states.length && t.states[i][0] <= to; ++i) if (t.states[i][2] !== BLOCKED) return true; return false; };
  rows = D.threads.map((t, i) => i).filter(i => D.threads[i].states.length && (!busyOnly || busy(D.threads[i])))
    .sort((a, b) => (D.threads[a].pid <= 0) - (D.threads[b].pid <= 0) || D.threads[a].states[0][0] - D.threads[b].states[0][0] || a - b);
  waiters = D.threads.map((t, i) => i).filter(i => D.threads[i].pid > 0 && D.whom[i].some(s => !busyOnly || s[1] >= from && s[0] <= to));
}
export const threadRows = () => rows, processAt = pid => D.processes[order.get(pid)];

export const nameOf = t => t.name || (order.has(t.pid) ? processAt(t.pid).name : '?');
export const label = t => `${nameOf(t)} ${t.tid}`;
// Neighbours in the order of arrival get hues far apart.
export const hue = t => t.pid <= 0 ? 'hsl(210 8% 55%)' : `hsl(${(order.get(t.pid) * 137.5 + 205) % 360} 58% ${order.get(t.pid) % 2 ? 48 : 60}%)`;

export function canvas(id, height) {
  const c = $(id), ratio = window.devicePixelRatio || 1, width = c.clientWidth || 1200;
  LABEL = width < 600 ? 96 : 150;
  c.style.height = height + 'px'; c.width = width * ratio; c.height = height * ratio;
  const g = c.getContext('2d'); g.scale(ratio, ratio); g.clearRect(0, 0, width, height);
  g.font = '12.5px system-ui, sans-serif'; g.textBaseline = 'middle';
  return {g, width, x: t => LABEL + (t - from) / (to - from) * (width - LABEL - 8)};
}
export function axis({g, width, x}, height) {
  const span = (to - from) / 1e6, raw = span / Math.max(2, Math.floor((width - LABEL) / 60)), power = 10 ** Math.floor(Math.log10(raw));
  const step = [1, 2, 5, 10].map(f => f * power).find(s => s >= raw), digits = Math.max(0, -Math.floor(Math.log10(step)));
  g.strokeStyle = css('--line'); g.fillStyle = css('--soft'); g.textAlign = 'center';
  for (let t = Math.ceil(from / 1e6 / step) * step; t <= to / 1e6; t += step) {
    const at = x(t * 1e6); g.beginPath(); g.moveTo(at, 18); g.lineTo(at, height); g.stroke();
    g.fillText(t.toFixed(digits), Math.min(at, width - 20), 8);
  }
  g.textAlign = 'left'; g.fillText('ms', LABEL - 30, 8);
}
// The first slice that may be visible: slices are in order.
export function firstAfter(list, time) { let a = 0, b = list.length; while (a < b) { const m = (a + b) >> 1; list[m][1] < time ? a = m + 1 : b = m; } return a; }
// Black or white, whichever stands out more from a colour (WCAG's relative luminance).
function inkOn(g, colour) {
  g.fillStyle = colour;
  const [r, gr, b] = [1, 3, 5].map(i => parseInt(String(g.fillStyle).slice(i, i + 2), 16) / 255).map(v => v <= 0.03928 ? v / 12.92 : ((v + 0.055) / 1.055) ** 2.4);
  return 0.2126 * r + 0.7152 * gr + 0.0722 * b > 0.179 ? '#000' : '#fff';
}
export function slices(c, list, y, h, colour, text) {
  let lastEnd = -1, lastColour = '';
  for (let i = firstAfter(list, from); i < list.length && list[i][0] <= to; ++i) {
    const fill = colour(list[i]); if (!fill) continue;
    const a = Math.max(c.x(list[i][0]), LABEL), b = Math.max(Math.min(c.x(list[i][1]), c.width - 8), a + 0.6);
    if (b <= lastEnd && fill === lastColour) continue;   // nothing of it would be seen
    c.g.fillStyle = fill; c.g.fillRect(a, y, b - a, h); lastEnd = b; lastColour = fill;
    if (text && b - a > 34) {
      c.g.save(); c.g.beginPath(); c.g.rect(a, y, b - a - 2, h); c.g.clip(); c.g.fillStyle = inkOn(c.g, fill);
      c.g.fillText(text(list[i]), a + 4, y + h / 2 + 1); c.g.restore();
    }
  }
}
function rowLabel(c, t, y) {
  c.g.fillStyle = hue(t); c.g.fillRect(4, y + 4, 10, 12);
  c.g.fillStyle = css('--ink'); c.g.fillText(label(t), 20, y + 10, LABEL - 24);
}

export function drawCpus() {
  const height = 24 + D.cpus.length * CPU_ROW, c = canvas('cpus', height); axis(c, height);
  D.cpus.forEach((list, n) => {
    const y = 24 + n * CPU_ROW; c.g.fillStyle = css('--ink'); c.g.fillText(`CPU ${n}`, 4, y + 14);
    slices(c, list, y, 28, s => s[2] < 0 ? '' : hue(D.threads[s[2]]), s => label(D.threads[s[2]]));
    slices(c, D.interrupts.filter(s => s[2] === n), y + 30, 6, () => css('--ink'));
    c.g.strokeStyle = css('--line'); c.g.strokeRect(LABEL, y, c.width - LABEL - 8, 28);
  });
}
export function drawThreads() {
  const height = 24 + rows.length * ROW, c = canvas('threads', height), place = new Map(); axis(c, height);
  rows.forEach((index, n) => {
    const t = D.threads[index], y = 24 + n * ROW; place.set(index, y);
    rowLabel(c, t, y);
    slices(c, t.states.filter(s => s[2] === BLOCKED), y + 2, 16, () => STATE[BLOCKED], s => D.whys[s[3]]);
    slices(c, t.states.filter(s => s[2] !== BLOCKED), y + 2, 16, s => STATE[s[2]]);
  });
  const seen = D.wakes.filter(w => w[0] >= from && w[0] <= to && w[1] >= 0);
  if (seen.length > 120) return;
  c.g.strokeStyle = c.g.fillStyle = css('--ink'); c.g.globalAlpha = 0.7;
  for (const [time, waker, woken] of seen) {
    if (!place.has(waker) || !place.has(woken) || waker === woken) continue;
    const at = c.x(time), a = place.get(waker) + 10, b = place.get(woken) + 10, d = b > a ? 1 : -1;
    c.g.beginPath(); c.g.moveTo(at, a); c.g.lineTo(at, b - 4 * d); c.g.stroke();
    c.g.beginPath(); c.g.moveTo(at, b); c.g.lineTo(at - 3.5, b - 7 * d); c.g.lineTo(at + 3.5, b - 7 * d); c.g.fill();
  }
}
const forWhom = s => `${D.whys[s[3]]}: ${s[2].map(i => label(D.threads[i])).join(', ')}`;
export function drawWhom() {
  // Where rows come and go, the chart stays.
  if (!busyOnly) $('whombox').style.display = waiters.length ? '' : 'none';
  if (!busyOnly && !waiters.length) return;
  const height = 24 + Math.max(waiters.length, 1) * ROW, c = canvas('whom', height); axis(c, height);
  waiters.forEach((index, n) => {
    const t = D.threads[index], y = 24 + n * ROW, colour = s => hue(D.threads[s[2][0]]);
    rowLabel(c, t, y);
    slices(c, D.whom[index].filter(s => !s[4]), y + 10, 8, colour);
    slices(c, D.whom[index].filter(s => s[4]), y + 2, 16, colour, forWhom);
  });
}

// --- what is under the pointer: more charts add theirs, each a function of the time and the height

export const timeAt = (id, x) => from + (x - LABEL) / ($(id).clientWidth - LABEL - 8) * (to - from);
// An event has a place, where a debugger can stand; each slice begins with one.
export const place = time => D.placed ? `\nscripts/debug --at ${D.placed} ${ms(time, 6)}ms` : '';
const slice = (s, what) => s ? `${what}\n${ms(s[0])} ${word('to')} ${ms(s[1])}: ${ms(s[1] - s[0], 6)} ms${place(s[0])}` : '';
const found = (list, time) => { const i = firstAfter(list, time); return i < list.length && list[i][0] <= time ? list[i] : null; };
const TELL = {
  cpus(time, y) {
    const s = found(D.cpus[Math.floor((y - 24) / CPU_ROW)] || [], time);
    return slice(s, s && (s[2] < 0 ? word('idle') : label(D.threads[s[2]])));
  },
  threads(time, y) {
    const t = D.threads[rows[Math.floor((y - 24) / ROW)]]; if (!t) return '';
    const s = found(t.states, time);
    return slice(s, s && `${label(t)}: ${word(D.states[s[2]])}${D.whys[s[3]] ? ` (${D.whys[s[3]]})` : ''}`) || label(t);
  },
  whom(time, y) {
    const i = waiters[Math.floor((y - 24) / ROW)], s = i === undefined ? null : found(D.whom[i], time);
    return slice(s, s && `${label(D.threads[i])} ${word('waits for')} ${forWhom(s)}`);
  },
};
export const tellAlso = tips => Object.assign(TELL, tips);

// The pointer over a chart: a tip; dragged: onZoom(from, to); a click: onClick(time); a double click: onAll().
export function point(id, { onZoom, onClick, onAll }) {
  const c = $(id);
  let start = null;
  c.onmousedown = e => start = e.offsetX;
  c.onmousemove = e => {
    const tip = $('tip'), text = e.offsetX < LABEL || e.offsetY < 24 ? '' : TELL[id](timeAt(id, e.offsetX), e.offsetY);
    tip.style.display = text ? 'block' : 'none'; tip.textContent = text;
    tip.style.left = Math.min(e.clientX + 14, innerWidth - 300) + 'px'; tip.style.top = e.clientY + 16 + 'px';
  };
  c.onmouseleave = () => $('tip').style.display = 'none';
  c.onmouseup = e => {
    if (start !== null && Math.abs(e.offsetX - start) > 4) onZoom?.(...[start, e.offsetX].sort((a, b) => a - b).map(x => timeAt(id, x)));
    else if (start !== null && e.offsetX >= LABEL) onClick?.(timeAt(id, e.offsetX));
    start = null;
  };
  c.ondblclick = () => onAll?.();
}
