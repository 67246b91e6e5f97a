// The charts of memory: frames by owner, one process' mappings and faults, its pages.
import { $, D, LABEL, axis, canvas, css, escape, from, ms, place, processAt, tellAlso, to, word } from './trace_charts.js';

export const OWNERS = [['free', '#eef1f4'], ['files', '#9cc7e8'], ['kernel', '#8a8f98'], ['programs', '#e8a25c']];
export const SOURCE = {zeroed: '#2e9e5b', file: '#2176c7', 'file-copy': '#7a4fc4', copy: '#d1479c', write: '#b59a00', swap: '#d62728', present: '#7f8c8d', none: '#000'};
export const KIND = {anonymous: '#dff1e4', text: '#d5e6f7', file: '#e9e3f6', shared: '#fbe6d2', heap: '#cfe9d6', stack: '#f7f0c8', guard: '#ececec', unknown: '#f2f2f2'};
const faultTotal = row => row.slice(1).reduce((a, b) => a + b, 0);
let mapOf = null; // a process; null: none has faulted
// The index of the last entry that begins no later than `time`; -1: none.
export function lastBefore(list, time) { let a = 0, b = list.length; while (a < b) { const m = (a + b) >> 1; list[m][0] <= time ? a = m + 1 : b = m; } return a - 1; }
export const left = () => LABEL, right = c => c.width - 8;

// Each value holds until the next: the outline of column `i` of the list over the time shown.
export function outline(c, list, value, y) {
  const points = [];
  for (let i = Math.max(lastBefore(list, from), 0); i < list.length && list[i][0] <= to; ++i) {
    const a = Math.max(c.x(list[i][0]), left()), b = Math.min(i + 1 < list.length ? c.x(list[i + 1][0]) : right(c), right(c));
    if (b >= a) points.push([a, y(value(list[i]))], [b, y(value(list[i]))]);
  }
  return points;
}
export function line(g, points) { g.beginPath(); points.forEach(([x, y], i) => i ? g.lineTo(x, y) : g.moveTo(x, y)); g.stroke(); }
export function scale(c, top, height, most, text, unit = 'pages') {
  c.g.fillStyle = css('--soft'); c.g.textAlign = 'left';
  c.g.fillText(word(text), 4, top + 6, LABEL - 8); c.g.fillText(`${most} ${word(unit)}`, 4, top + 24, LABEL - 8); c.g.fillText('0', LABEL - 14, top + height - 4);
  c.g.strokeStyle = css('--line'); c.g.strokeRect(LABEL, top, c.width - LABEL - 8, height);
}

export function drawFrames() {
  $('framebox').style.display = D.memory.frames.length ? '' : 'none'; if (!D.memory.frames.length) return;
  const height = 130, c = canvas('frames', height + 28); axis(c, height + 24);
  const total = faultTotal(D.memory.frames[0]), y = n => 24 + height - n / total * height;
  const sum = [...OWNERS.keys()].map(i => row => row.slice(1, i + 2).reduce((a, b) => a + b, 0));
  for (let i = OWNERS.length - 1; i >= 0; --i) {   // from free at the bottom up, the highest drawn first
    const points = outline(c, D.memory.frames, sum[i], y); if (!points.length) continue;
    c.g.fillStyle = OWNERS[i][1]; c.g.beginPath(); c.g.moveTo(points[0][0], y(0));
    for (const [px, py] of points) c.g.lineTo(px, py);
    c.g.lineTo(points[points.length - 1][0], y(0)); c.g.fill();
  }
  scale(c, 24, height, total, 'frames');
  OWNERS.forEach(([name, colour], i) => { c.g.fillStyle = colour; c.g.fillRect(4, 66 + i * 18, 10, 10); c.g.fillStyle = css('--ink'); c.g.fillText(word(name), 20, 72 + i * 18); });
}

// Where on the chart a page is: ranges that touch make a band, bands lie upon each other.
function layout(process) {
  const bands = [];
  for (const r of [...process.ranges].sort((a, b) => a[2] - b[2])) {
    const last = bands[bands.length - 1];
    if (last && r[2] <= last.end) { last.end = Math.max(last.end, r[2] + r[3]); if (!last.kinds.includes(r[4])) last.kinds.push(r[4]); }
    else bands.push({first: r[2], end: r[2] + r[3], kinds: [r[4]]});
  }
  let height = 0;
  for (const band of bands) { band.height = 10 + 7 * Math.log2(1 + band.end - band.first); band.at = height; height += band.height + 5; }
  const find = page => bands.find(b => page >= b.first && page < b.end);
  const edge = (b, page) => 24 + height - b.at - (page - b.first) / (b.end - b.first) * b.height;
  return {bands, height, find, edge, y: page => { const b = find(page); return b ? edge(b, page + 0.5) : null; },
          page: y => { const up = 24 + height - y, b = bands.find(b => up >= b.at && up <= b.at + b.height); return b ? b.first + Math.floor((up - b.at) / b.height * (b.end - b.first)) : null; }};
}
const hex = page => '0x' + (page * 4096).toString(16);
export function drawMap() {
  const process = D.memory.processes[mapOf]; $('mapbox').style.display = process ? '' : 'none'; if (!process) return;
  const plan = layout(process), c = canvas('map', plan.height + 28); axis(c, plan.height + 24);
  c.g.save(); c.g.beginPath(); c.g.rect(LABEL, 20, c.width - LABEL - 8, plan.height + 8); c.g.clip();
  for (const [a, b, page, pages, kind] of process.ranges) {
    if (b < from || a > to) continue;
    const band = plan.find(page), top = plan.edge(band, page + pages), bottom = plan.edge(band, page);
    c.g.fillStyle = KIND[D.memory.kinds[kind]]; c.g.fillRect(c.x(a), top, Math.max(c.x(b) - c.x(a), 1), bottom - top);
  }
  for (const [t, page, source] of process.faults) {
    if (t < from || t > to) continue;
    const y = plan.y(page); if (y === null) continue;
    c.g.fillStyle = SOURCE[D.memory.sources[source]]; c.g.beginPath(); c.g.arc(c.x(t), y, 2.2, 0, 7); c.g.fill();
  }
  c.g.strokeStyle = '#000'; c.g.lineWidth = 1; c.g.beginPath();
  for (const [t, page] of process.evictions) {
    const y = plan.y(page); if (t < from || t > to || y === null) continue;
    const x = c.x(t); c.g.moveTo(x - 2.5, y - 2.5); c.g.lineTo(x + 2.5, y + 2.5); c.g.moveTo(x + 2.5, y - 2.5); c.g.lineTo(x - 2.5, y + 2.5);
  }
  c.g.stroke(); c.g.restore();
  c.g.fillStyle = css('--soft');
  for (const b of plan.bands) c.g.fillText(`${hex(b.first)} ${D.memory.kinds[b.kinds[0]]}${b.kinds.length > 1 ? '…' : ''}`, 4, 24 + plan.height - b.at - b.height / 2, LABEL - 8);
}
export function drawPages() {
  const process = D.memory.processes[mapOf]; if (!process) return;
  const list = process.resident, height = 90, c = canvas('pages', height + 28), most = Math.max(1, ...list.map(r => Math.max(r[1], r[2], r[3])));
  const y = n => 24 + height - n / most * (height - 4); axis(c, height + 24); scale(c, 24, height, most, 'in memory');
  c.g.lineWidth = 1.6; c.g.strokeStyle = '#1d2733'; line(c.g, outline(c, list, r => r[1], y));
  c.g.strokeStyle = '#d62728'; line(c.g, outline(c, list, r => r[3], y));
  c.g.setLineDash([5, 4]); c.g.strokeStyle = '#2176c7'; line(c.g, outline(c, list, r => r[2], y)); c.g.setLineDash([]); c.g.lineWidth = 1;
}
export function drawMemory() { drawFrames(); drawMap(); drawPages(); }

// What is under the pointer, for describe().
tellAlso({
  frames(time) {
    const row = D.memory.frames[lastBefore(D.memory.frames, time)];
    return row ? OWNERS.map(([name], i) => `${word(name)}: ${row[i + 1]} ${word('pages')} (${(row[i + 1] / 256).toFixed(1)} MiB)`).join('\n') + place(row[0]) : '';
  },
  pages(time) {
    const list = D.memory.processes[mapOf].resident, row = list[lastBefore(list, time)];
    return row ? `${word('in memory')}: ${row[1]}\n${word('working set')}: ${row[2]}\n${word('in swap')}: ${row[3]}${place(row[0])}` : '';
  },
  map(time, y) {
    const process = D.memory.processes[mapOf], plan = layout(process), page = plan.page(y), near = (to - from) / 250;
    const close = process.faults.filter(f => Math.abs(f[0] - time) < near && Math.abs(plan.y(f[1]) - y) < 4);
    if (close.length) return close.slice(0, 6).map(f => `${ms(f[0])}: ${f[3]} 0x${f[5].toString(16)}: ${D.memory.sources[f[2]]}, frame ${f[4]}${place(f[0])}`).join('\n');
    const gone = process.evictions.filter(e => Math.abs(e[0] - time) < near && Math.abs(plan.y(e[1]) - y) < 4);
    if (gone.length) return gone.slice(0, 6).map(e => `${ms(e[0])}: ${hex(e[1])} taken from frame ${e[2]}${e[3] ? ', dirty' : ''}${place(e[0])}`).join('\n');
    const r = page === null ? null : process.ranges.find(r => page >= r[2] && page < r[2] + r[3] && r[0] <= time && time <= r[1]);
    return r ? `${hex(r[2])} to ${hex(r[2] + r[3])}: ${D.memory.kinds[r[4]]}, ${r[3]} pages` : '';
  },
});
// The menu of processes, by their faults; the chosen one stays while it is there.
export function offerProcesses() {
  const rows = D.memory.counts.filter(r => r[0] > 0).sort((a, b) => faultTotal(b) - faultTotal(a));
  const pids = rows.map(r => r[0]).filter(pid => D.memory.processes[pid]);
  if (!D.memory.processes[mapOf]) mapOf = pids[0] ?? null;
  if (mapOf !== null && !pids.includes(mapOf)) pids.unshift(mapOf);
  const options = pids.map(pid => `<option value="${pid}"${pid === mapOf ? ' selected' : ''}>${escape(processName(pid))}</option>`).join('');
  if ($('mapof').innerHTML !== options) $('mapof').innerHTML = options;
  $('mapof').onchange = () => { mapOf = +$('mapof').value; drawMemory(); };
  return rows;
}
const processName = pid => processAt(+pid) ? `${processAt(+pid).name} ${pid}` : pid;
export function memoryKey() {
  $('mapkey').innerHTML = Object.entries(SOURCE).map(([n, c]) => `<span class="key"><i style="background:${c};border-radius:7px"></i>${n}</span>`).join('') +
    D.memory.kinds.map(n => `<span class="key"><i style="background:${KIND[n]}"></i>${n}</span>`).join('');
}
export const theProcess = () => D.memory.processes[mapOf];
export function memoryTables() {
  const rows = offerProcesses();
  memoryKey();
  if (!rows.length) $('faultbox').style.display = 'none';
  $('faults').innerHTML = `<thead><tr><th>process</th>${D.memory.sources.map(s => `<th>${s}</th>`).join('')}<th>all</th></tr></thead><tbody>` +
    rows.map(r => `<tr data-pid="${r[0]}"><td>${escape(processName(r[0]))}</td>${r.slice(1).map(n => `<td>${n || ''}</td>`).join('')}<td>${faultTotal(r)}</td></tr>`).join('') + '</tbody>';
  for (const r of $('faults').querySelectorAll('tr[data-pid]')) r.onclick = () => { mapOf = +r.dataset.pid; offerProcesses(); drawMemory(); };
}
