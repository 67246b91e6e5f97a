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

test('the pictures follow the run, hold still, and step', async () => {
  const context = await fresh({ viewport: { width: 1300, height: 1600 } }), page = await open(context);
  await ready(page);
  await shows(page, 'root@orrery:~#');
  const threads = () => page.locator('.picture table').first().evaluate(table => table.textContent);
  await page.evaluate(() => globalThis.orrery.type('for i in 1 2 3; do seq 1 100 | sort | wc -l; done\n'));
  await page.waitForFunction(() => /sort/.test(document.querySelector('.picture table').textContent), null, { timeout: 60000 });
  await page.locator('#pictures button').nth(0).click();
  await page.waitForTimeout(250);
  const held = await threads();
  await page.evaluate(() => globalThis.orrery.control.run('sleep 0'));
  await page.waitForTimeout(250);
  assert.equal(await threads(), held);
  await page.locator('#pictures button').nth(0).click();
  await page.locator('#pictures button').nth(3).click();
  await page.waitForFunction(() => document.getElementById('state').textContent === 'Paused');
  await page.locator('#pause').click();
  await page.waitForFunction(() => document.getElementById('state').textContent === 'Running');
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
