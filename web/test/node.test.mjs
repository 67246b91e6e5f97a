// The page's machine under Node: a session typed at the terminal, the second shell, files, moments.
// ORRERY_WEB: the folder that scripts/web made.
import assert from 'node:assert/strict';
import fs from 'node:fs';
import path from 'node:path';
import { after, before, test } from 'node:test';
import { gunzipSync } from 'node:zlib';
import { V86 } from 'v86';
import { commandOf, render } from '../texts.mjs';
import { HostLink } from '../src/host_link.js';
import { Machine } from '../src/machine.js';
import { Live } from '../src/model.js';
import { GuestMemory, TraceReader, parseHead } from '../src/ring.js';
import { WORDS } from '../src/words.js';

const folder = process.env.ORRERY_WEB;
const list = JSON.parse(fs.readFileSync(path.join(folder, 'files.json')));
const unzip = key => {
  const bytes = gunzipSync(fs.readFileSync(path.join(folder, list[key].name)));
  return bytes.buffer.slice(bytes.byteOffset, bytes.byteOffset + bytes.length);
};
const medium = name => ({ url: path.join(folder, list[name].name), size: list[name].bytes, async: true,
                          use_parts: true, fixed_chunk_size: list[name].part });
let machine, shown = '';

// What the terminal shows from typing `command` to the next prompt, without both.
async function typed(command) {
  shown = '';
  machine.type(command + '\n');
  await machine.prompt();
  return shown.replace(/\x1b\[[0-9;]*[A-Za-z]/g, '').replaceAll('\r', '').split('\n').slice(1, -1).join('\n');
}

before(async () => {
  const files = { wasm: unzip('wasm'), bios: unzip('bios'), vgaBios: unzip('vgaBios'), cd: medium('cd'), disk: medium('disk') };
  machine = new Machine(V86, files, { terminal: text => { shown += text; } });
  await machine.restore(new Uint8Array(unzip('moment')));
  await machine.prompt();
});
after(() => machine.emulator.destroy());

test('a session has the output that QEMU gives', async () => {
  assert.equal(await typed('echo $((6*7))'), '42');
  assert.equal(await typed('uname -srm'), 'Linux 6.1.0-orrery i686');
  assert.equal(await typed('seq 1 2000 | sort -n | tail -1'), '2000');
});

for (const command of ['lab-fs free --policy bitmap --blocks 64 a=3 b=4 -a', 'lab-disk elevators --computed 55 58 39 18 90'])
  test(`${command}: as under QEMU`, async t => {
    const expected = process.env.ORRERY_QEMU && JSON.parse(process.env.ORRERY_QEMU)[command];
    if (!expected) return t.skip('no run of QEMU to compare with');
    assert.equal(await typed(command), expected.trimEnd());
  });

test('the second shell does not disturb the terminal', async () => {
  shown = '';
  const { output, errors, status } = await machine.control.run('echo out; echo err >&2; exit_with() { return 3; }; exit_with');
  assert.deepEqual([output, errors, status, shown], ['out\n', 'err\n', 3, '']);
});

test('files go in and come out byte for byte', async () => {
  const bytes = new Uint8Array(70000).map((_, i) => i * 31 + (i >> 8));
  await machine.control.write("/tmp/it's here", bytes);
  assert.deepEqual(await machine.control.read("/tmp/it's here"), bytes);
  await assert.rejects(machine.control.read('/none'), /No such file/);
});

test('a policy is changed, and an unknown one refused', async () => {
  const file = '/proc/sys/kernel/sched/policy';
  assert.equal((await machine.control.run(`echo mlfq >${file}`)).status, 0);
  assert.match((await machine.control.run(`cat ${file}`)).output, /\[mlfq\]/);
  assert.notEqual((await machine.control.run(`echo foo >${file}`)).status, 0);
});

test('a moment brings everything back; what is no moment is refused', async () => {
  await typed('x=before');
  const moment = await machine.save();
  await typed('x=after');
  await machine.restore(moment);
  await machine.prompt();
  assert.equal(await typed('echo $x'), 'before');
  assert.equal((await machine.control.run('echo again')).output, 'again\n');
  await assert.rejects(machine.restore(new Uint8Array(10)), /no saved moment/);
  await assert.rejects(machine.restore(moment.subarray(0, 5000)), /cut off/);
});

test('a paused machine does nothing, and goes on afterwards', async () => {
  await machine.pause();
  shown = '';
  machine.type('echo late\n');
  await new Promise(done => setImmediate(done));
  assert.equal(shown, '');
  await machine.run();
  await machine.prompt();
  assert.match(shown, /late/);
});

test('the trace out of the memory is what /proc/trace says', async () => {
  const head = parseHead((await machine.control.run("sed '/^$/q' /proc/trace_raw")).output);
  const reader = new TraceReader(new GuestMemory(machine.emulator), head, list.rings);
  reader.take();
  await machine.control.run('echo >/proc/trace');
  await typed('seq 1 200 | wc -l');
  const { output } = await machine.control.run('cat /proc/trace');
  const read = reader.take(), live = new Live();
  const wanted = output.split('\n').filter(line => /^ +-?\d/.test(line)).map(line => line.trim().split(/\s+/));
  assert.ok(wanted.length > 50, `${wanted.length} events`);
  let at = 0;
  for (const [tid, , seconds, type] of wanted) {
    const same = e => e.type === type && e.tid === Number(tid) && Math.abs(e.time / 1000 - Number(seconds)) < 2e-6;
    while (at < read.length && !same(read[at])) ++at;
    assert.ok(at < read.length, `${type} of ${tid} at ${seconds}`);
  }
  for (const event of read) live.add(event);
  assert.equal(reader.lost, 0);
  const rows = live.active(live.now - 60000, live.now).map(row => row.name);
  for (const name of ['seq', 'wc']) assert.ok(rows.includes(name), `${name} is not in ${rows}`);
});

test('an address is walked as vtop does', async () => {
  const memory = new GuestMemory(machine.emulator);
  assert.equal(memory.kernel(0xC0000000 + 4096), 4096);
  const { physical } = memory.walk(0xC0100000);
  assert.equal(physical, 0x100000);
  assert.equal(memory.walk(0).physical, null);
});

test('what is older than the history goes, what still holds stays', () => {
  const live = new Live(1000);
  for (const [time, event] of [[0, { type: 'name', tid: 5, name: 'old' }], [1, { type: 'switch', tid: 0, next: 5, previous: 'ready' }],
    [2, { type: 'state', tid: 5, thread: 5, from: 'running', to: 'blocked', why: 'pipe' }], [5000, { type: 'switch', tid: 0, next: 6, previous: 'ready' }]])
    live.add({ time, ...event });
  live.forget();
  assert.deepEqual(live.threads.get(5).states, [[2, 'blocked', 'pipe']]);
  assert.deepEqual(live.active(4000, 5000).map(row => row.tid), [6]);
});

test('the host link: pieces of frames, and answers only to requests', () => {
  const sent = [], got = [];
  const link = new HostLink(bytes => sent.push([...bytes]), { O: bytes => got.push(String.fromCharCode(...bytes)) });
  link.write('hi');
  assert.equal(sent.length, 0);
  for (const byte of [0x52, 4, 0, 0, 16, 0, 0, 0x4F, 2, 0, 0x6F, 0x6B, 0x4F, 0, 0]) link.receive(byte);
  assert.deepEqual(sent, [[2, 0, 0x68, 0x69]]);
  assert.deepEqual(got, ['ok', '']);
});

test('lines of a text become buttons, and HTML in it stays text', () => {
  assert.equal(commandOf('# ps | wc -l'), 'ps | wc -l');
  assert.equal(commandOf('root@orrery:~# ps'), 'ps');
  assert.equal(commandOf("$ ./scripts/run --icount --exec 'lab-sched --policy rr A:0:3'"), 'lab-sched --policy rr A:0:3');
  assert.equal(commandOf('a line of output'), null);
  assert.match(render('```\n# echo "<b>"\n```'), /<button class="type">echo &quot;&lt;b&gt;&quot;<\/button>/);
  assert.doesNotMatch(render('<script>x</script>'), /<script>/);
});

test('both languages have every sentence', () => {
  const keys = tree => Object.entries(tree).flatMap(([key, value]) =>
    typeof value === 'object' ? keys(value).map(inner => `${key}.${inner}`) : [key]);
  assert.deepEqual(keys(WORDS.zh), keys(WORDS.en));
});
