// The charts of disks: one disk's queue and head, and the page cache.
import { $, D, LABEL, axis, canvas, css, escape, from, ms, place, slices, tellAlso, to, word } from './trace_charts.js';
import { lastBefore, line, outline, right, scale } from './trace_memory.js';

const KIND_COLOUR = ['#2176c7', '#e07b1a', '#7f8c8d'], FAILED = '#d62728';
const CACHE_PARTS = [['found in it', '#2e9e5b'], ['missed', '#d62728'], ['read ahead', '#9cc7e8']];
let diskOf = null, disk = null; // by its name; null: the busiest
const chooseDisk = () => { disk = D.disk.disks.find(d => d.name === diskOf) ?? D.disk.disks.reduce((a, b) => a && a.requests.length >= b.requests.length ? a : b, null); };

function drawQueue() {
  const height = 70, c = canvas('queue', height + 28), most = Math.max(1, disk.longest); axis(c, height + 24);
  const y = n => 24 + height - n / most * (height - 4), points = outline(c, disk.queue, r => r[1], y);
  if (points.length) {
    c.g.fillStyle = '#f0a83066'; c.g.beginPath(); c.g.moveTo(points[0][0], y(0));
    for (const [px, py] of points) c.g.lineTo(px, py);
    c.g.lineTo(points[points.length - 1][0], y(0)); c.g.fill();
    c.g.strokeStyle = '#c07f10'; line(c.g, points);
  }
  slices(c, disk.requests, 24 + height - 1, 4, r => r[5] ? FAILED : KIND_COLOUR[r[4]]);
  scale(c, 24, height, most, 'waiting', 'transfers');
}
// From the lowest sector used to the highest.
function headRange() {
  let low = Infinity, high = 0;
  for (const r of disk.requests) if (r[4] < 2 && r[1] >= from && r[0] <= to) { low = Math.min(low, r[2]); high = Math.max(high, r[2] + r[3]); }
  const room = Math.max((high - low) * 0.04, 4);
  return low > high ? [0, 1] : [Math.max(low - room, 0), high + room];
}
function drawHead() {
  const height = 240, c = canvas('head', height + 28), [low, high] = headRange(); axis(c, height + 24);
  const y = sector => 24 + height - (sector - low) / (high - low) * height, g = c.g;
  g.save(); g.beginPath(); g.rect(LABEL, 24, right(c) - LABEL, height); g.clip();
  g.fillStyle = '#1d273340';
  for (const [t, sector, kind] of disk.arrivals) if (kind < 2 && t >= from && t <= to) g.fillRect(c.x(t) - 1, y(sector) - 1, 2, 2);
  g.strokeStyle = '#8a8f98'; g.lineWidth = 0.8; g.beginPath();
  let before = null;
  for (const r of disk.requests) {
    if (r[4] === 2) continue;
    if (before && r[0] >= from && before[1] <= to) { g.moveTo(c.x(before[1]), y(before[2] + before[3])); g.lineTo(c.x(r[0]), y(r[2])); }
    before = r;
  }
  g.stroke();
  for (const r of disk.requests) {
    if (r[1] < from || r[0] > to) continue;
    const a = c.x(r[0]), b = Math.max(c.x(r[1]), a + 1.2);
    g.fillStyle = g.strokeStyle = r[5] ? FAILED : KIND_COLOUR[r[4]];
    if (r[4] === 2) { g.globalAlpha = 0.5; g.fillRect(a, 24, b - a, height); g.globalAlpha = 1; continue; }
    g.lineWidth = 2.6; g.beginPath(); g.moveTo(a, y(r[2])); g.lineTo(b, y(r[2] + r[3])); g.stroke();
  }
  g.restore(); g.lineWidth = 1;
  g.fillStyle = css('--soft'); g.fillText(word('sector'), 4, 26 + height / 2); g.textAlign = 'right';
  g.fillText(Math.round(high), LABEL - 6, 30); g.fillText(Math.round(low), LABEL - 6, 20 + height); g.textAlign = 'left';
  g.strokeStyle = css('--line'); g.strokeRect(LABEL, 24, right(c) - LABEL, height);
}
// What was added from each total to the next, in pages a millisecond.
function cacheRates() {
  const cache = D.disk.cache;
  return cache.slice(1).map((row, i) => [cache[i][0], row[0], ...[1, 2, 3].map(k => (row[k] - cache[i][k]) / Math.max((row[0] - cache[i][0]) / 1e6, 1e-3))]);
}
function drawCache() {
  const none = D.disk.cache.length < 2;
  $('cachebox').style.display = none ? 'none' : '';
  if (none) return;
  const height = 110, c = canvas('cache', height + 28), rates = cacheRates().filter(r => r[1] >= from && r[0] <= to); axis(c, height + 24);
  const most = Math.max(1e-3, ...rates.map(r => r[2] + r[3] + r[4]));
  for (const [a, b, ...parts] of rates) {
    let base = 24 + height;
    parts.forEach((n, i) => {
      const h = n / most * (height - 4), x = Math.max(c.x(a), LABEL);
      c.g.fillStyle = CACHE_PARTS[i][1]; c.g.fillRect(x, base - h, Math.max(Math.min(c.x(b), right(c)) - x, 1), h); base -= h;
    });
  }
  scale(c, 24, height, most < 10 ? most.toFixed(2) : Math.round(most), 'page cache', 'pages/ms');
  CACHE_PARTS.forEach(([name, colour], i) => { c.g.fillStyle = colour; c.g.fillRect(4, 66 + i * 18, 10, 10); c.g.fillStyle = css('--ink'); c.g.fillText(word(name), 20, 72 + i * 18); });
}
export function drawDisks() {
  chooseDisk();
  $('diskbox').style.display = disk ? '' : 'none';
  if (disk) { drawQueue(); drawHead(); }
  drawCache();
}

// What is under the pointer, for describe().
function requestAt(time) { const near = (to - from) / 400; return disk.requests.filter(r => r[0] - near <= time && time <= r[1] + near).slice(0, 4); }
const tellRequest = r => `${D.disk.kinds[r[4]]}${r[4] < 2 ? ` of sectors ${r[2]} to ${r[2] + r[3] - 1}` : ''}${r[6] > 1 ? `, ${r[6]} transfers` : ''}${r[5] ? `: error ${r[5]}` : ''}\n  ${ms(r[0])} to ${ms(r[1])}, after ${ms(r[7])} in the queue${place(r[0])}`;
tellAlso({
  queue(time) { const row = disk.queue[lastBefore(disk.queue, time)]; return `${word('waiting')}: ${row ? row[1] : 0}\n${requestAt(time).map(tellRequest).join('\n')}`; },
  head(time) { return requestAt(time).map(tellRequest).join('\n'); },
  cache(time) {
    const r = cacheRates().find(r => r[0] <= time && time <= r[1]);
    return r ? CACHE_PARTS.map(([name], i) => `${name}: ${(r[2 + i] * (r[1] - r[0]) / 1e6).toFixed(0)} pages`).join('\n') : '';
  },
});
export const busiest = () => disk;
export function offerDisks() {
  chooseDisk();
  const options = D.disk.disks.map(d => `<option${d === disk ? ' selected' : ''}>${escape(d.name)}</option>`).join('');
  if ($('diskof').innerHTML !== options) $('diskof').innerHTML = options;
  $('diskof').onchange = () => { diskOf = $('diskof').value; drawDisks(); };
}
export function diskKey() {
  $('diskkey').innerHTML = D.disk.kinds.map((n, i) => `<span class="key"><i style="background:${KIND_COLOUR[i]}"></i>${word(n)}</span>`).join('') + `<span class="key"><i style="background:${FAILED}"></i>${word('failed')}</span>`;
}
export function diskTables() {
  offerDisks();
  diskKey();
  $('disktable').innerHTML = '<thead><tr><th>disk</th><th></th><th>requests</th><th>transfers in them</th><th>KiB</th><th>ms at work</th><th>mean wait, ms</th><th>longest queue</th><th>travel, sectors</th><th>failed</th></tr></thead><tbody>' +
    D.disk.disks.map(d => d.figures.map(([kind, requests, transfers, sectors, time], i) => `<tr><td>${i ? '' : escape(d.name)}</td><td>${kind}</td><td>${requests}</td><td>${transfers}</td><td>${sectors / 2}</td><td>${ms(time)}</td>` +
      (i ? '<td></td><td></td><td></td><td></td>' : `<td>${ms(d.wait)}</td><td>${d.longest}</td><td>${d.travel}</td><td>${d.failed || ''}</td>`) + '</tr>').join('')).join('') + '</tbody>';
  const cache = D.disk.cache;
  if (cache.length < 2) return;
  const a = cache[0], b = cache[cache.length - 1], [hits, missed, ahead, used] = [1, 2, 3, 4].map(k => b[k] - a[k]);
  $('cachesum').textContent = `From the first tick to the last: ${hits} pages found, ${missed} missed (${(100 * hits / Math.max(hits + missed, 1)).toFixed(1)} % found); ${ahead} read ahead, of which ${used} were used.`;
  $('cachefiles').innerHTML = '<thead><tr><th>inode</th><th>reads of the disk</th><th>pages asked for</th><th>read ahead</th></tr></thead><tbody>' +
    D.disk.files.map(r => `<tr><td>${r[0] || 'disk'}</td><td>${r[1]}</td><td>${r[2]}</td><td>${r[3]}</td></tr>`).join('') + '</tbody>';
}
