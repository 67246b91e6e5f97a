// The chart of a journal: its transactions, and what each write of its disk belonged to.
import { $, D, LABEL, axis, canvas, css, escape, from, ms, place, slices, tellAlso, to, word } from './trace_charts.js';

export const PART_COLOUR = ['#8a8f98', '#b59a00', '#7a4fc4', '#2176c7', '#d62728', '#2e9e5b', '#1d2733'];
const PART_TEXT = ['contents of files', 'revoked blocks', 'descriptors', 'logged blocks', 'commit blocks', 'blocks going home', "the log's start"];
const RUNNING_COLOUR = '#f0c66a', WRITING_COLOUR = '#c0501a', LOG_COLOUR = '#9cc7e8', LANES = 4, LANE_HEIGHT = 9, LANES_TOP = 24, LANES_BAR = 20, PART_ROW = 18;
let journalOf = null, journal = null; // by its name; null: the busiest
const chooseJournal = () => { const all = D.journals ?? []; journal = all.find(j => j.name === journalOf) ?? all.reduce((a, b) => a && a.writes.length >= b.writes.length ? a : b, null); };
const orEnd = t => t ?? D.duration;
const runningSpan = t => [t[1], orEnd(t[2]), t], writingSpan = t => [orEnd(t[2]), orEnd(t[3]), t];
const loggedSpan = t => t[3] === null ? null : [t[3], orEnd(t[4]), t];

function drawTransactions() {
  const height = LANES_TOP + LANES_BAR + 6 + LANES * LANE_HEIGHT + 4, c = canvas('transactions', height); axis(c, height);
  c.g.fillStyle = css('--ink');
  c.g.fillText(word('running, written'), 4, LANES_TOP + LANES_BAR / 2); c.g.fillText(word('in the log'), 4, LANES_TOP + LANES_BAR + 6 + LANES * LANE_HEIGHT / 2);
  slices(c, journal.transactions.map(runningSpan), LANES_TOP, LANES_BAR, () => RUNNING_COLOUR, s => String(s[2][0]));
  slices(c, journal.transactions.map(writingSpan).filter(s => s[1] > s[0]), LANES_TOP, LANES_BAR, () => WRITING_COLOUR);
  for (let lane = 0; lane < LANES; ++lane)
    slices(c, journal.transactions.filter((t, i) => i % LANES === lane && t[3] !== null).map(loggedSpan), LANES_TOP + LANES_BAR + 6 + lane * LANE_HEIGHT, LANE_HEIGHT - 2, () => LOG_COLOUR);
}
function drawWrites() {
  const height = LANES_TOP + journal.parts.length * PART_ROW + 4, c = canvas('journalwrites', height); axis(c, height);
  journal.parts.forEach((part, i) => {
    const y = LANES_TOP + i * PART_ROW;
    c.g.fillStyle = css('--ink'); c.g.fillText(word(PART_TEXT[i]), 4, y + PART_ROW / 2);
    c.g.strokeStyle = css('--line'); c.g.beginPath(); c.g.moveTo(LABEL, y + PART_ROW - 1); c.g.lineTo(c.width - 8, y + PART_ROW - 1); c.g.stroke();
    slices(c, journal.writes.filter(w => w[4] === i), y + 2, PART_ROW - 5, () => PART_COLOUR[i]);
  });
}
export function drawJournal() {
  chooseJournal();
  $('journalbox').style.display = journal ? '' : 'none';
  if (journal) { drawTransactions(); drawWrites(); }
}

const tellTransaction = t => `${word('transaction')} ${t[0]}: ${t[5]} operations${t[3] === null ? '' : `, ${t[6]} blocks, ${t[7]} revoked`}\n` +
  `began ${ms(t[1])}; in the log ${ms(t[3])}; home ${ms(t[4])}${place(t[1])}`;
tellAlso({
  transactions(time, y) {
    const list = y < LANES_TOP + LANES_BAR + 3 ? journal.transactions.filter(t => t[1] <= time && time <= orEnd(t[3]))
      : journal.transactions.filter((t, i) => i % LANES === Math.floor((y - LANES_TOP - LANES_BAR - 6) / LANE_HEIGHT) && t[3] !== null && t[3] <= time && time <= orEnd(t[4]));
    return list.slice(0, 3).map(tellTransaction).join('\n');
  },
  journalwrites(time, y) {
    const part = Math.floor((y - LANES_TOP) / PART_ROW), near = (to - from) / 400;
    return journal.writes.filter(w => w[4] === part && w[0] - near <= time && time <= w[1] + near).slice(0, 4)
      .map(w => `${PART_TEXT[part]}: sectors ${w[2]} to ${w[2] + w[3] - 1}${w[5] === null ? '' : `, ${word('transaction')} ${w[5]}`}\n  ${ms(w[0])} to ${ms(w[1])}${place(w[0])}`).join('\n');
  },
});
export function journalTables() {
  chooseJournal();
  if (!journal) return;
  $('journalof').innerHTML = D.journals.map(j => `<option${j === journal ? ' selected' : ''}>${escape(j.name)}</option>`).join('');
  $('journalof').onchange = () => { journalOf = $('journalof').value; journalTables(); drawJournal(); };
  $('journalkey').innerHTML = [['running', RUNNING_COLOUR], ['written to the log', WRITING_COLOUR], ['in the log, not home', LOG_COLOUR]]
    .map(([text, colour]) => `<span class="key"><i style="background:${colour}"></i>${word(text)}</span>`).join('');
  const sums = new Map();
  for (const w of journal.writes) {
    const row = sums.get(w[5]) ?? journal.parts.map(() => 0);
    row[w[4]] += w[3] / 2; sums.set(w[5], row);
  }
  const cells = row => row.map(n => `<td>${n || ''}</td>`).join('');
  $('journaltable').innerHTML = '<thead><tr><th>transaction</th><th>began, ms</th><th>operations</th><th>blocks</th><th>revoked</th><th>ms to write it</th><th>home, ms</th>' +
    journal.parts.map(text => `<th>${text}, KiB</th>`).join('') + '</tr></thead><tbody>' +
    journal.transactions.slice(0, 500).map(t => `<tr><td>${t[0]}</td><td>${ms(t[1])}</td><td>${t[5]}</td><td>${t[3] === null ? '' : t[6]}</td><td>${t[7] || ''}</td><td>${t[3] === null || t[2] === null ? '–' : ms(t[3] - t[2])}</td><td>${ms(t[4])}</td>${cells(sums.get(t[0]) ?? journal.parts.map(() => 0))}</tr>`).join('') +
    (sums.has(null) ? `<tr><td>of none</td><td></td><td></td><td></td><td></td><td></td><td></td>${cells(sums.get(null))}</tr>` : '') + '</tbody>';
}
