// The page in headless Chromium, as a reader uses it. ORRERY_WEB: the folder that scripts/web made;
// CHROMIUM: the browser. Served under a sub-path by a host that knows nothing of it.
import assert from 'node:assert/strict';
import fs from 'node:fs';
import http from 'node:http';
import path from 'node:path';
import { after, before, test } from 'node:test';
import { chromium } from 'playwright-core';

const folder = process.env.ORRERY_WEB;
const TYPES = { '.html': 'text/html', '.js': 'text/javascript', '.css': 'text/css', '.json': 'application/json', '.svg': 'image/svg+xml' };
const complaints = [];
let server, browser, address, break_off = null;

before(async () => {
  server = http.createServer((request, answer) => {
    const name = path.join(folder, path.normalize(decodeURIComponent(request.url.split('?')[0]).replace(/^\/course/, '')).replace(/\/$/, '/index.html'));
    if (!fs.existsSync(name)) { answer.writeHead(404); return answer.end(); }
    answer.writeHead(200, { 'content-type': TYPES[path.extname(name)] ?? 'application/octet-stream' });
    if (break_off && name.endsWith(break_off)) {
      answer.write(fs.readFileSync(name).subarray(0, 1000));
      return setImmediate(() => answer.destroy());
    }
    fs.createReadStream(name).pipe(answer);
  }).listen(0, '127.0.0.1');
  await new Promise(done => server.on('listening', done));
  address = `http://127.0.0.1:${server.address().port}/course/`;
  browser = await chromium.launch({ executablePath: process.env.CHROMIUM, args: ['--no-sandbox'] });
});
after(async () => { await browser.close(); server.closeAllConnections(); server.close(); });

async function open(context, query = '') {
  const page = await context.newPage();
  page.setDefaultTimeout(120000); // the host may have other tests to run
  page.on('console', message => { if (message.type() === 'error') complaints.push(message.text()); });
  page.on('pageerror', error => complaints.push(error.message));
  await page.goto(address + query);
  return page;
}
const ready = page => page.waitForFunction(() => globalThis.orrery?.ready, null, { timeout: 120000 });
const screen = page => page.locator('.xterm-rows').innerText();
const shows = (page, text) => page.waitForFunction(wanted =>
  document.querySelector('.xterm-rows').innerText.replaceAll('\u00a0', ' ').includes(wanted), text, { timeout: 60000 });
const fresh = options => browser.newContext({ locale: 'en-US', ...options });

test('boots, takes typing and clicks, changes a policy, pauses, goes on', async () => {
  const context = await fresh(), page = await open(context);
  await ready(page);
  await shows(page, 'root@orrery:~#');
  await page.locator('#terminal').click();
  await page.keyboard.type('echo $((6*7))-typed\n');
  await shows(page, '42-typed');
  await page.locator('button.type', { hasText: 'uname' }).first().click();
  await shows(page, 'GenuineIntel');
  await page.locator('#policy-scheduler').selectOption('mlfq');
  await page.waitForFunction(() => document.getElementById('note').textContent.includes('mlfq'));
  await page.locator('#terminal').click();
  await page.keyboard.type('clear; cat /proc/sys/kernel/sched/policy\n');
  await shows(page, '[mlfq]');
  await page.locator('#pause').click();
  await page.waitForFunction(() => document.getElementById('state').textContent === 'Paused');
  await page.keyboard.type('x');
  await page.locator('#pause').click();
  await page.locator('#terminal').click();
  await page.keyboard.type('\u0015echo on-again\n');
  await shows(page, 'on-again');
  await context.close();
});

const table = (page, id) => page.locator(`#${id}box table`).evaluate(table => table.textContent);
const button = (page, text) => page.locator('#pictures button', { hasText: text });

test('the pictures follow the run, hold still, step, and are kept as a report', async () => {
  const context = await fresh({ viewport: { width: 1300, height: 1600 } }), page = await open(context);
  await ready(page);
  await shows(page, 'root@orrery:~#');
  await page.evaluate(() => globalThis.orrery.type('for i in 1 2 3; do seq 1 100 | sort | wc -l; done\n'));
  await page.waitForFunction(() => /sort/.test(document.querySelector('#threadsbox table').textContent), null, { timeout: 60000 });
  await button(page, 'Hold').click();
  const held = await table(page, 'threads');
  await page.evaluate(() => globalThis.orrery.control.run('ls /proc >/dev/null; sleep 0.3'));
  assert.equal(await table(page, 'threads'), held);
  await button(page, 'Hold').click();
  await page.waitForFunction(held => document.querySelector('#threadsbox table').textContent !== held, held);
  await button(page, 'next event').click();
  await page.waitForFunction(() => document.getElementById('state').textContent === 'Paused');
  await page.waitForFunction(() => /\d/.test(document.querySelector('#framesbox, #framebox').querySelector('table').textContent));
  const [download] = await Promise.all([page.waitForEvent('download'), button(page, 'report').click()]);
  const report = await context.newPage();
  report.on('pageerror', error => complaints.push(error.message));
  const file = `${await download.path()}.html`;
  await download.saveAs(file);
  await report.goto(`file://${file}`);
  assert.match(await report.locator('#measures').innerText(), /sort/);
  await report.close();
  await page.locator('#pause').click();
  await page.waitForFunction(() => document.getElementById('state').textContent === 'Running');
  await context.close();
});

test('a repeatable run: a click stands at its event, its link is the same run', async () => {
  const context = await fresh({ viewport: { width: 1300, height: 1600 } }), page = await open(context);
  await ready(page);
  await page.locator('#link').click();
  await page.waitForFunction(() => document.getElementById('note').textContent.includes('switch it on'));
  await page.locator('#repeatable').click();
  await page.waitForFunction(() => globalThis.orrery.clock.finished);
  await page.locator('#speed').selectOption('Infinity');
  await page.evaluate(() => globalThis.orrery.type('seq 1 300 | sort -n | tail -1\n'));
  await page.waitForFunction(() => globalThis.orrery.clock.finished && /sort/.test(document.querySelector('#threadsbox table').textContent), null, { timeout: 60000 });
  const end = await page.evaluate(() => globalThis.orrery.clock.now());
  const box = await page.locator('#cpus').boundingBox();
  await page.mouse.click(box.x + box.width * 0.6, box.y + 40);
  await page.waitForFunction(() => document.getElementById('note').textContent.includes('stands at'), null, { timeout: 60000 });
  assert.equal(await page.locator('#state').textContent(), 'Paused');
  assert.ok(await page.evaluate(() => globalThis.orrery.clock.now()) < end);
  await page.locator('#pause').click();
  await page.waitForFunction(() => globalThis.orrery.clock.finished, null, { timeout: 60000 });
  assert.equal(await page.evaluate(() => globalThis.orrery.clock.now()), end);
  await page.locator('#link').click();
  await page.waitForFunction(() => location.hash.includes('&run='));
  const second = await context.newPage();
  second.on('pageerror', error => complaints.push(error.message));
  await second.goto(page.url());
  await ready(second);
  await shows(second, '300');
  await second.waitForFunction(() => globalThis.orrery.clock.mode === 'counted' && globalThis.orrery.clock.finished, null, { timeout: 60000 });
  assert.equal(await second.evaluate(() => globalThis.orrery.clock.now()), end);
  await second.goto(`${address}#start&run=damaged`);
  await second.reload();
  await ready(second);
  await second.waitForFunction(() => document.getElementById('note').textContent.includes('damaged'));
  await context.close();
});

test('a kept moment survives a reload; files go in and out', async () => {
  const context = await fresh(), page = await open(context);
  await ready(page);
  await page.evaluate(() => globalThis.orrery.control.run('echo kept >/tmp/mark'));
  await page.locator('#save').click();
  await page.waitForFunction(() => document.getElementById('note').textContent.startsWith('Kept'));
  await page.reload();
  await ready(page);
  assert.notEqual((await page.evaluate(() => globalThis.orrery.control.run('cat /tmp/mark'))).status, 0);
  await page.locator('#restore').click();
  await page.waitForFunction(async () => (await globalThis.orrery.control.run('cat /tmp/mark').catch(() => ({}))).output === 'kept\n');
  await page.locator('#file').setInputFiles({ name: 'note.txt', mimeType: 'text/plain', buffer: Buffer.from('from outside\n') });
  await page.waitForFunction(() => document.getElementById('note').textContent.includes('/root/note.txt'));
  page.once('dialog', dialog => dialog.accept('/root/note.txt'));
  const [download] = await Promise.all([page.waitForEvent('download'), page.locator('#take').click()]);
  assert.equal(fs.readFileSync(await download.path(), 'utf8'), 'from outside\n');
  await context.close();
});

test('without a network after the first load, and two tabs beside each other', async () => {
  const context = await fresh(), page = await open(context);
  await ready(page);
  await page.evaluate(() => navigator.serviceWorker.ready);
  await page.waitForFunction(() => navigator.serviceWorker.controller);
  await context.setOffline(true);
  const second = await context.newPage();
  await second.goto(address);
  await ready(second);
  for (const [tab, word] of [[page, 'first'], [second, 'second']])
    await tab.evaluate(word => globalThis.orrery.control.run(`echo ${word} >/tmp/tab`), word);
  assert.equal((await page.evaluate(() => globalThis.orrery.control.run('cat /tmp/tab'))).output, 'first\n');
  await context.close();
});

test('a slow network: progress, then the machine', async () => {
  const context = await fresh({ serviceWorkers: 'block' }), page = await context.newPage();
  const session = await context.newCDPSession(page);
  await session.send('Network.enable');
  await session.send('Network.emulateNetworkConditions', { offline: false, latency: 40, downloadThroughput: 1.5e6, uploadThroughput: 1e5 });
  await page.goto(address);
  await page.waitForFunction(() => { const value = document.getElementById('progress').value; return value > 0 && value < 1; });
  await ready(page);
  await context.close();
});

for (const [name, prepare, wanted] of [
  ['no WebAssembly', page => page.addInitScript(() => { delete globalThis.WebAssembly; }), /no WebAssembly/],
  ['a download that breaks off', async () => { break_off = 'moment.gz'; }, /damaged|did not arrive/],
  ['a file that is missing', page => page.route('**/wasm.gz', route => route.fulfill({ status: 404 })), /did not arrive/],
  ['too little memory', page => page.addInitScript(() => {
    WebAssembly.instantiate = () => Promise.reject(new RangeError('WebAssembly.Memory(): could not allocate memory')); }), /not enough memory/],
])
  test(`${name}: a sentence that says what to do`, async () => {
    const context = await fresh({ serviceWorkers: 'block' }), page = await context.newPage();
    try {
      await prepare(page);
      await page.goto(address);
      await page.waitForFunction(() => !document.getElementById('problem').hidden, null, { timeout: 60000 });
      assert.match(await page.locator('#problem').innerText(), wanted);
    } finally {
      break_off = null;
      await context.close();
    }
  });

test('a blocked worker: the machine runs all the same', async () => {
  const context = await fresh({ serviceWorkers: 'block' }), page = await context.newPage();
  await page.addInitScript(() => { globalThis.Worker = class { constructor() { throw new DOMException('blocked', 'SecurityError'); } }; });
  await page.goto(address);
  await ready(page);
  assert.equal((await page.evaluate(() => globalThis.orrery.control.run('echo alive'))).output, 'alive\n');
  await context.close();
});

test('every text stands out from what is behind it: WCAG AA, in light and dark', async () => {
  const context = await fresh(), page = await open(context);
  await ready(page);
  for (const theme of ['light', 'dark']) {
    await page.evaluate(theme => { document.documentElement.dataset.theme = theme; }, theme);
    assert.deepEqual(await page.evaluate(() => {
      const parse = text => text.match(/[\d.]+/g).map(Number);
      const light = ([r, g, b]) => [r, g, b].map(v => v / 255).map(v => v <= 0.03928 ? v / 12.92 : ((v + 0.055) / 1.055) ** 2.4)
        .reduce((sum, v, i) => sum + v * [0.2126, 0.7152, 0.0722][i], 0);
      const behind = element => { for (let e = element; e; e = e.parentElement) { const c = parse(getComputedStyle(e).backgroundColor); if ((c[3] ?? 1) > 0.5) return c; } return [255, 255, 255]; };
      const poor = new Set();
      for (const element of document.querySelectorAll('header *, article *, .tools *, .picture *, #note, #state')) {
        if (![...element.childNodes].some(n => n.nodeType === 3 && n.textContent.trim()) || element.disabled || !element.checkVisibility()) continue;
        const [a, b] = [light(parse(getComputedStyle(element).color)), light(behind(element))].sort((x, y) => y - x);
        if ((a + 0.05) / (b + 0.05) < 4.5) poor.add(`${element.tagName} ${element.className} ${((a + 0.05) / (b + 0.05)).toFixed(2)}`);
      }
      return [...poor];
    }), [], theme);
  }
  await context.close();
});

test('390 pixels wide, dark, Chinese, by keyboard', async () => {
  const context = await fresh({ viewport: { width: 390, height: 800 }, colorScheme: 'dark', locale: 'zh-CN' }), page = await open(context);
  await ready(page);
  assert.equal(await page.evaluate(() => document.documentElement.lang), 'zh-CN');
  assert.equal(await page.evaluate(() => document.documentElement.dataset.theme), 'dark');
  assert.ok(await page.evaluate(() => document.documentElement.scrollWidth <= innerWidth), 'the page is wider than the window');
  await page.keyboard.press('Tab');
  assert.equal(await page.evaluate(() => document.activeElement.className), 'skip');
  const nameless = await page.evaluate(() => [...document.querySelectorAll('button, select')]
    .filter(e => !(e.textContent.trim() || e.getAttribute('aria-label'))).map(e => e.id));
  assert.deepEqual(nameless, []);
  await context.close();
});

test('nothing was complained of on the console', () => assert.deepEqual(complaints, []));
