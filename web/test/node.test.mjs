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
import { linkOf, runOf } from '../src/link.js';
import { Model } from '../src/model.js';
import { GuestMemory, TraceReader, decode, parseHead } from '../src/ring.js';
import { WORDS } from '../src/words.js';

const folder = process.env.ORRERY_WEB;
const list = JSON.parse(fs.readFileSync(path.join(folder, 'files.json')));
const unzip = key => {
  const bytes = gunzipSync(fs.readFileSync(path.join(folder, list[key].name)));
  return bytes.buffer.slice(bytes.byteOffset, bytes.byteOffset + bytes.length);
};
const medium = name => ({ url: path.join(folder, list[name].name), size: list[name].bytes, async: true,
                          use_parts: true, fixed_chunk_size: list[name].part });
const moment = () => new Uint8Array(unzip('moment'));
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
  await machine.restore(moment());
  await machine.prompt();
});
after(() => machine.emulator.destroy());

test('a session has the output that QEMU gives', async () => {
  assert.equal(await typed('echo $((6*7))'), '42');
  assert.equal(await typed('uname -srm'), 'Linux 6.1.0-orrery i686');
  assert.equal(await typed('seq 1 2000 | sort -n | tail -1'), '2000');
});

// Each lab program, in a repeatable run: what QEMU's says under --icount. Where the figures are times, the words.
const labs = process.env.ORRERY_QEMU ? fs.readFileSync(process.env.ORRERY_QEMU, 'utf8').split('=== ').slice(1) : [];
test('each lab program: as under QEMU', { skip: !labs.length && 'no run of QEMU to compare with' }, async t => {
  await machine.restore(moment(), 'counted');
  machine.clock.speed = Infinity;
  for (const block of labs) {
    const [head, ...expected] = block.split('\n'), [how, ...command] = head.split(' ');
    const masked = text => how === 'exact' ? text : text.replace(/[0-9a-f.]*[0-9][0-9a-f.]*/g, '#').replace(/ +/g, ' ');
    await t.test(command.join(' '), async () =>
      assert.equal(masked((await machine.control.run(`${command.join(' ')} 2>&1`)).output), masked(expected.join('\n'))));
  }
  machine.clock.speed = 1;
  await machine.restore(moment());
  await machine.prompt();
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
  const head = parseHead((await machine.control.run('head -c 32768 /proc/trace_raw')).output);
  const reader = new TraceReader(new GuestMemory(machine.emulator), head, list.rings);
  reader.take();
  await machine.control.run('echo >/proc/trace');
  await typed('seq 1 200 | wc -l');
  const { output } = await machine.control.run('cat /proc/trace');
  const read = reader.take(), model = new Model();
  const wanted = output.split('\n').filter(line => /^ +-?\d/.test(line)).map(line => line.trim().split(/\s+/));
  assert.ok(wanted.length > 50, `${wanted.length} events`);
  for (const [tid, , seconds, type] of wanted) // of events of the same moment either may come first
    assert.ok(read.some(e => e.type === type && e.tid === Number(tid) && Math.abs(e.time / 1e9 - Number(seconds)) < 2e-6),
      `${type} of ${tid} at ${seconds}`);
  for (const event of read) model.add(event);
  assert.equal(reader.lost, 0);
  const names = model.data().threads.map(thread => thread.name);
  for (const name of ['seq', 'wc']) assert.ok(names.includes(name), `${name} is not in ${names}`);
});

// What the report page draws, from the same events: scripts/trace_report.py's and the page's.
test('the page reads a trace as the report does', { skip: !process.env.ORRERY_TRACE && 'no trace' }, () => {
  const { orrery: part } = JSON.parse(fs.readFileSync(process.env.ORRERY_TRACE));
  const types = new Map(Object.entries(part.types).map(([n, [, name, fields]]) => [Number(n), { name, fields }]));
  const head = { khz: part.tsc_khz, origin: part.origin, values: part.values, types }, model = new Model(part.cpus);
  model.lost = part.lost;
  for (const record of part.events) model.add(decode(head, record, address => part.strings[address] ?? ''));
  const ours = JSON.parse(JSON.stringify(model.data())), theirs = JSON.parse(fs.readFileSync(process.env.ORRERY_REPORT));
  assert.ok(theirs.threads.length > 5 && theirs.disk.disks.length && theirs.memory.frames.length);
  for (const [name, part] of Object.entries(theirs)) assert.deepEqual(ours[name], part, name);
});

// A run of counted time: everything that was recorded since its beginning.
async function counted(script, work) {
  const head = parseHead((await machine.control.run('head -c 32768 /proc/trace_raw')).output);
  let reader;
  const run = machine.run;
  machine.run = async () => { // between the restored moment and its first slice
    machine.run = run;
    reader = new TraceReader(new GuestMemory(machine.emulator), head, list.rings);
    reader.take();
    await machine.run();
  };
  await machine.restore(moment(), 'counted', script);
  machine.clock.speed = Infinity;
  await work();
  await machine.pause();
  const events = reader.take(), { log, slice } = machine.clock;
  machine.clock.speed = 1;
  await machine.restore(moment());
  await machine.prompt();
  return { events, log, slice };
}

// At the prompt, where the time of a repeatable run waits for the reader.
async function rest() {
  while (!machine.clock.held || !machine.clock.finished) await new Promise(done => setTimeout(done, 2));
}

test('the same typing and clicks give the same run, and its link gives it again', async () => {
  const work = async () => {
    await rest();
    await machine.control.run('echo mlfq >/proc/sys/kernel/sched/policy');
    for (const command of ['lab-sched --policy rr P1:0:3 P2:1:2', 'sort /etc/passwd | wc -c', 'sleep 0.3']) {
      machine.type(command + '\n');
      await rest();
      await new Promise(done => setTimeout(done, Math.random() * 30)); // the reader's own time plays no part
    }
  };
  const first = await counted([], work), second = await counted([], work);
  assert.ok(first.events.length > 500);
  const same = (a, b) => {
    const at = a.findIndex((event, i) => JSON.stringify(event) !== JSON.stringify(b[i]));
    assert.deepEqual([at, a[at], b.length], [-1, at < 0 ? undefined : b[at], a.length]);
  };
  same(second.events, first.events);
  const { log, slice, version } = await runOf(await linkOf('this one', first.log, first.slice));
  assert.equal(version, 'this one');
  const third = await counted(log, () => machine.runUntil(() => machine.clock.slice >= slice));
  same(third.events, first.events);
  assert.equal(await runOf('nonsense'), null);
  const noise = Uint8Array.from({ length: 9000 }, () => Math.random() * 256);
  assert.equal(await linkOf('v', [[1, 0, noise, false]], 2), null);
});

test('slower: the same work takes longer, time inside does not', async () => {
  const took = async speed => {
    machine.clock.speed = speed;
    const real = performance.now(), inside = machine.clock.now();
    await machine.control.run('sleep 0.1');
    machine.clock.speed = 1;
    return [performance.now() - real, machine.clock.now() - inside];
  };
  const [real, inside] = await took(0.1);
  assert.ok(real > 800 && inside < real / 2, `${real} ${inside}`);
});

test('an address is walked as vtop does', async () => {
  const memory = new GuestMemory(machine.emulator);
  assert.equal(memory.kernel(0xC0000000 + 4096), 4096);
  const { physical } = memory.walk(0xC0100000);
  assert.equal(physical, 0x100000);
  assert.equal(memory.walk(0).physical, null);
});

test('what is older than the history goes, what still holds stays', () => {
  const model = new Model(), second = 1e9;
  for (const [time, event] of [[0, { type: 'name', tid: 5, name: 'old' }], [1, { type: 'switch', tid: 0, next: 5, previous: 'ready' }],
    [2, { type: 'state', tid: 5, thread: 5, from: 'running', to: 'blocked', why: 'pipe' }], [3, { type: 'switch', tid: 5, next: 6, previous: 'blocked' }],
    [90, { type: 'switch', tid: 6, next: 7, previous: 'ready' }], [91, { type: 'switch', tid: 7, next: 6, previous: 'ready' }]])
    model.add({ time: time * second, cpu: 0, ...event });
  model.forget(60 * second);
  const { threads } = model.data();
  assert.deepEqual(threads.find(t => t.tid === 5).states.map(([, , state]) => state), [3]);
  assert.equal(threads.find(t => t.tid === 6).states.length, 3);
  assert.ok(model.cpus[0].length >= 3);
});

test('a semaphore has its queue, in order', () => {
  const model = new Model(), step = (time, type, tid, value, waiting) => model.add({ time, cpu: 0, type, tid, semaphore: 16, value, waiting });
  const queue = () => model.semaphores.get(16).queue;
  step(1, 'semaphore', 5, 0, 0);
  step(2, 'semaphore_wait', 6, -1, 1);
  step(3, 'semaphore_wait', 7, -2, 2);
  assert.deepEqual(queue(), [6, 7]);
  step(4, 'semaphore', 5, -1, 1); // a V: the first goes on
  assert.deepEqual(queue(), [7]);
  step(5, 'semaphore_wait', 8, -2, 2);
  step(6, 'semaphore', 8, -1, 1); // System V: the thread itself says that it went on
  assert.deepEqual(queue(), [7]);
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

test('from power-on: BIOS, GRUB on the ISO, kernel, shell', async () => {
  await machine.reset();
  assert.equal(await typed('uname -srm'), 'Linux 6.1.0-orrery i686');
  assert.match(await typed('dmesg | grep boot:'), /boot: by GRUB/);
});
