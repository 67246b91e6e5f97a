// Makes the page: a folder that any static host can carry, at any path.
//   node build.mjs BUILD OUT      BUILD: the folder that scripts/build left; OUT: where the page goes
// Steps: bundle the page; zip the machine's files; cut the disk into parts, which are fetched as they
// are read; turn the chapters into HTML; boot once and keep the moment at the prompt.
import { execFileSync } from 'node:child_process';
import { createHash } from 'node:crypto';
import fs from 'node:fs';
import path from 'node:path';
import { gzipSync } from 'node:zlib';
import { build } from 'esbuild';
import { V86 } from 'v86';
import { Machine } from './src/machine.js';
import { renderTexts } from './texts.mjs';

const here = import.meta.dirname ?? path.dirname(new URL(import.meta.url).pathname);
const top = path.dirname(here);
const [from, out] = process.argv.slice(2).map(folder => path.resolve(folder));
const PART = 128 << 10; // of the disk: a read fetches one or a few
const BIOS = '/usr/share/seabios';
const CATEGORIES = 'process,sched,irq,fault,memory,lock,sync,disk,mark'; // all but system calls

const exact = file => {
  const bytes = fs.readFileSync(file);
  return bytes.buffer.slice(bytes.byteOffset, bytes.byteOffset + bytes.length);
};
const scratch = path.join(out, '..', 'web.parts');
for (const folder of [scratch, out]) fs.rmSync(folder, { recursive: true, force: true });
for (const folder of [path.join(scratch, 'iso/boot/grub'), path.join(out, 'text')])
  fs.mkdirSync(folder, { recursive: true });

// --- the page itself

await build({
  entryPoints: [path.join(here, 'src/main.js'), path.join(here, 'src/main.css')],
  bundle: true, minify: true, format: 'esm', target: 'es2022', outdir: out, legalComments: 'eof',
  external: ['node:*', 'crypto', 'fs', 'perf_hooks'], logLevel: 'warning',
});
for (const name of ['index.html', 'icon.svg']) fs.copyFileSync(path.join(here, 'src', name), path.join(out, name));
renderTexts(top, path.join(out, 'text'));
// The report page without its data: a run can be kept as one.
fs.writeFileSync(path.join(out, 'report.html'), execFileSync('python3', ['-c',
  'import sys; sys.path.insert(0, sys.argv[1]); import trace_report; print(trace_report.template())', path.join(top, 'scripts')]));

// --- the machine: a CD whose kernel records its events, and the disk without the tests

const iso = path.join(scratch, 'page.iso');
const menu = fs.readFileSync(path.join(top, 'boot/grub.cfg'), 'utf8');
fs.writeFileSync(path.join(scratch, 'iso/boot/grub/grub.cfg'),
  menu.replace('root=/dev/hda', `root=/dev/hda quiet norandmaps trace=${CATEGORIES}`));
execFileSync('i686-linux-gnu-strip',
  ['--strip-debug', '-o', path.join(scratch, 'iso/boot/kernel.elf'), path.join(from, 'kernel.elf')]);
execFileSync(path.join(top, 'scripts/mkiso'), [iso, path.join(scratch, 'iso')], { stdio: 'inherit' });

const programs = fs.readFileSync(path.join(from, 'image.list'), 'utf8').split('\n')
  .filter(line => line && !line.includes(':/usr/lib/orrery/tests/'));
fs.writeFileSync(path.join(scratch, 'image.list'), programs.join('\n') + '\n');
const disk = path.join(scratch, 'disk.img');
execFileSync('python3', ['-IS', path.join(top, 'scripts/mkimage.py'), '--out', disk,
  '--list', path.join(scratch, 'image.list'), '--busybox', path.join(from, 'busybox/busybox'),
  '--skeleton', path.join(top, 'user/rootfs')], { stdio: 'inherit', cwd: from });

// The address of a variable of the kernel.
function symbol(name) {
  const lines = execFileSync('i686-linux-gnu-nm', ['-C', path.join(from, 'kernel.elf')], { encoding: 'utf8', maxBuffer: 64 << 20 });
  const found = new RegExp(`^([0-9a-f]+) \\w (?:.*::)?${name}$`, 'm').exec(lines);
  if (!found) throw new Error(`kernel.elf has no ${name}`);
  return parseInt(found[1], 16);
}

// A medium as parts that v86 fetches as the guest reads them.
function cut(name, file) {
  const image = fs.readFileSync(file), folder = path.join(out, name);
  fs.mkdirSync(folder);
  for (let at = 0; at < image.length; at += PART) {
    const part = Buffer.alloc(PART);
    image.copy(part, 0, at);
    fs.writeFileSync(path.join(folder, `part-${at}-${at + PART}.img`), part);
  }
  return { name: `${name}/part.img`, bytes: image.length, part: PART };
}
const list = { cd: cut('cd', iso), disk: cut('disk', disk), rings: symbol('rings_of_cpus') };

// --- once from power-on to the prompt, as a reader would wait for it

const files = {
  wasm: exact(path.join(here, 'node_modules/v86/build/v86.wasm')),
  bios: exact(path.join(BIOS, 'bios.bin')),
  vgaBios: exact(path.join(BIOS, 'vgabios-stdvga.bin')),
};
const medium = (file, { bytes }) => ({ url: file, size: bytes, async: true });
const machine = new Machine(V86, { ...files, cd: medium(iso, list.cd), disk: medium(disk, list.disk) });
const started = Date.now();
await machine.powerOn();
await machine.control.run('echo 3 >/proc/sys/vm/drop_caches');
const moment = await machine.save();
console.log(`web: power-on to the prompt in ${((Date.now() - started) / 1000).toFixed(1)} s`);

for (const [key, bytes] of Object.entries({ ...files, moment })) {
  const zipped = gzipSync(Buffer.from(bytes), { level: 9 });
  list[key] = { name: `${key}.gz`, bytes: zipped.length };
  fs.writeFileSync(path.join(out, list[key].name), zipped);
}
const everything = folder => fs.readdirSync(folder, { withFileTypes: true }).flatMap(entry =>
  entry.isDirectory() ? everything(path.join(folder, entry.name)) : [path.join(folder, entry.name)]);
const hash = createHash('sha256');
for (const file of everything(out).sort()) hash.update(fs.readFileSync(file));
list.version = hash.digest('hex').slice(0, 16);
fs.writeFileSync(path.join(out, 'files.json'), JSON.stringify(list));

const names = ['./', ...everything(out).map(file => path.relative(out, file))];
fs.writeFileSync(path.join(out, 'sw.js'), fs.readFileSync(path.join(here, 'src/sw.js'), 'utf8')
  .replace(/\/\* @list \*\/.*;/, `${JSON.stringify({ version: list.version, names })};`));
fs.rmSync(scratch, { recursive: true, force: true });

const million = bytes => (bytes / 1e6).toFixed(2);
const page = ['index.html', 'main.js', 'main.css', 'files.json']
  .reduce((sum, name) => sum + gzipSync(fs.readFileSync(path.join(out, name))).length, 0);
const wire = keys => million(keys.reduce((sum, key) => sum + list[key].bytes, page));
const needed = ['wasm', 'bios', 'vgaBios'];
console.log(`web: over the wire: ${wire([...needed, 'moment'])} MB to the kept moment; from power-on ${wire(needed)} MB and what is read of the media`);
process.exit(0);
