// trace_tips.mjs PAGE: looks under the pointer at many places of each chart of a report, and prints the charts whose
// tips tell a time without the place in the run (scripts/debug --at) that it belongs to, then how many have it. The
// page's script runs without a browser: what it draws on takes anything and answers nothing.
import { readFileSync } from 'node:fs';

const any = new Proxy(function () {}, {
  get: (_, key) => key === Symbol.toPrimitive ? () => 1000 : key === Symbol.iterator ? [][Symbol.iterator] : key === 'length' ? 0 : any,
  apply: () => any, set: () => true, construct: () => any,
});
const page = readFileSync(process.argv[2], 'utf8');
const part = start => page.split(start)[1].split('</script>')[0];
const data = { textContent: part('<script type="application/json" id="data">') };
const browser = { document: { getElementById: id => id === 'data' ? data : any, createElement: () => any, documentElement: any, body: any } };
for (const name of ['window', 'innerWidth', 'addEventListener', 'getComputedStyle', 'devicePixelRatio', 'matchMedia', 'location'])
  browser[name] = any;
const run = new Function(...Object.keys(browser), part('<script type="module">').replace(/^export /mg, '') + '\nreturn [TELL, from, to];');
const [tell, from, to] = run(...Object.values(browser));
const lacking = new Set(), placed = new Set();
for (const [chart, tip] of Object.entries(tell))
  for (let i = 0; i < 500; ++i)
    for (let y = 26; y < 250; y += 14) {
      let text = '';
      try { text = tip(from + (to - from) * i / 500, y); } catch { break; }  // a chart of what this run did not do
      if (/debug --at \S+ [\d.]+ms/.test(text)) placed.add(chart);
      else if (/^\s*\d+\.\d{3}\b|to \d+\.\d{3}|began \d/m.test(text)) lacking.add(chart);
    }
console.log([...lacking].join(' '));
console.log([...placed].sort().join(' '));
