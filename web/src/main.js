// The page: the text on one side, the machine on the other. What is here only joins the parts;
// machine.js runs the PC, files.js fetches it, words.js has every sentence in both languages.
import './no_worker.js';
import { V86 } from 'v86';
import { Terminal } from '@xterm/xterm';
import { Reset } from './control.js';
import { Machine } from './machine.js';
import { Problem, loadFiles, loadMoment, loadText } from './files.js';
import { linkOf, runOf } from './link.js';
import { WORDS } from './words.js';
import { Pictures } from './pictures.js';
import { keep, kept } from './store.js';

const $ = id => document.getElementById(id);
const settings = {
  get: key => { try { return localStorage.getItem(key); } catch { return null; } },
  set: (key, value) => { try { localStorage.setItem(key, value); } catch { /* private mode */ } },
};

// --- language, theme

let pictures = null;
let language = settings.get('language') ?? (navigator.language.startsWith('zh') ? 'zh' : 'en');
let words = WORDS[language];

function applyLanguage() {
  words = WORDS[language];
  document.documentElement.lang = language === 'zh' ? 'zh-CN' : 'en';
  for (const element of document.querySelectorAll('[data-word]'))
    element.textContent = words[element.dataset.word];
  for (const option of $('speed').options) option.textContent = words.speeds[option.value];
  for (const element of document.querySelectorAll('[data-label]'))
    element.setAttribute('aria-label', words[element.dataset.label]);
  showState();
  showChapter();
  showPolicies();
  pictures?.build();
  if (machine?.paused) showPaused();
}

function applyTheme(theme) {
  document.documentElement.dataset.theme = theme;
  settings.set('theme', theme);
}
applyTheme(settings.get('theme') ?? (matchMedia('(prefers-color-scheme: dark)').matches ? 'dark' : 'light'));
$('theme').onclick = () => applyTheme(document.documentElement.dataset.theme === 'dark' ? 'light' : 'dark');
$('language').onclick = () => {
  language = language === 'zh' ? 'en' : 'zh';
  settings.set('language', language);
  applyLanguage();
};

// --- what is said

let state = 'loading';
const showState = () => { $('state').textContent = words[state]; };
const setState = name => { state = name; showState(); };
const note = text => { $('note').textContent = text; };

function fail(error) {
  const known = error instanceof Problem ? error.message
    : error instanceof RangeError || /memory/i.test(error.message) ? 'memory' : 'other';
  $('problem').hidden = false;
  $('problem').textContent = words.problems[known] + (known === 'other' ? error.message : '');
  $('progress').hidden = true;
  console.warn(error);
}

// --- the text

const chapters = fetch('text/index.json').then(r => r.ok ? r.json() : []).catch(() => []);

async function showChapter() {
  const list = await chapters, select = $('chapter');
  const chosen = list.find(c => c.id === location.hash.slice(1).split('&')[0]) ?? list[0];
  select.replaceChildren(...list.map(c => new Option(c.title[language] ?? c.title.en, c.id, false, c === chosen)));
  if (!chosen) return;
  try {
    const name = chosen.title[language] ? `${chosen.id}.${language}` : `${chosen.id}.en`;
    $('text').innerHTML = await (await fetch(`text/${name}.html`)).text();
  } catch {
    $('text').textContent = words.problems.download;
    return;
  }
  for (const button of $('text').querySelectorAll('button.type')) {
    button.title = words.typeIt;
    button.onclick = () => { machine?.type(button.textContent + '\n'); terminal.focus(); };
  }
}
$('chapter').onchange = () => { location.hash = $('chapter').value; };
window.onhashchange = showChapter;

// --- the machine

const terminal = new Terminal({ cols: 92, rows: 24, fontSize: 13, screenReaderMode: true, convertEol: false,
  theme: { background: '#10151a' } });
terminal.open($('terminal'));

let machine = null, version = '', rings = 0;
const tools = ['pause', 'reset', 'save', 'restore', 'send', 'take', 'repeatable', 'link', 'speed'];
const enable = on => { for (const id of tools) $(id).disabled = !on; };

const POLICIES = [
  ['scheduler', '/proc/sys/kernel/sched/policy'],
  ['replacement', '/proc/sys/vm/replacement'],
  ['elevator', '/proc/sys/dev/disk/elevator'],
  ['deadlock', '/proc/sys/kernel/deadlock/strategy'],
];
let choices = [], firstChoices = null; // [word, path, names, current]

async function readPolicies() {
  choices = [];
  for (const [word, ...paths] of POLICIES)
    for (const path of paths) {
      const { output, status } = await machine.control.run(`cat ${path}`);
      if (status) continue;
      choices.push(choiceOf(word, path, output));
      break;
    }
  firstChoices ??= choices;
  showPolicies();
}
function choiceOf(word, path, output) {
  const names = output.trim().split(/\s+/);
  return [word, path, names.map(n => n.replace(/[[\]]/g, '')), names.findIndex(n => n[0] === '[')];
}

function showPolicies() {
  $('policies').replaceChildren(...choices.map(([word, path, names, current]) => {
    const label = document.createElement('label'), select = document.createElement('select');
    select.id = `policy-${word}`;
    select.append(...names.map((name, i) => new Option(name, name, false, i === current)));
    select.onchange = async () => {
      const { errors, output, status } = await machine.control.run(`echo ${select.value} >${path} && cat ${path}`);
      note(status ? words.refused(errors.trim()) : words.chose(words[word], select.value));
      choices = choices.map(row => row[1] === path && !status ? choiceOf(word, path, output) : row);
      showPolicies();
    };
    label.append(`${words[word]} `, select);
    return label;
  }));
}

const on = {
  terminal: text => terminal.write(text),
  panic: () => note(words.panic),
  ready: () => {
    $('progress').hidden = true;
    showPaused();
    enable(true);
    const again = machine.clock.mode === 'counted';
    $('repeatable').setAttribute('aria-pressed', again);
    pictures ??= new Pictures($('pictures'), machine, () => words, rings, { keep: keepReport, goTo });
    // A repeated run has all of its input from its log: the page asks the guest nothing.
    if (again) { choices = firstChoices ?? []; showPolicies(); pictures.start(firstHead).catch(fail); return; }
    const unlessReset = error => { if (!(error instanceof Reset)) fail(error); };
    choicesRead = readPolicies().catch(unlessReset);
    pictures.start().then(() => { firstHead ??= fresh ? null : pictures.head; }).catch(unlessReset);
  },
  paused: showPaused,
};

async function begin() {
  applyLanguage();
  if (typeof WebAssembly !== 'object') throw new Problem('wasm');
  fresh = new URLSearchParams(location.search).has('power-on');
  const files = await loadFiles(fresh, part => { $('progress').value = part; });
  version = files.version;
  rings = files.rings;
  setState('starting');
  machine = new Machine(V86, files, on);
  window.orrery = machine; // for tests, and for the curious
  terminal.onData(text => { if (!/^\x1b\[\d+;\d+R$/.test(text)) machine.type(text); }); // machine.js says where the cursor is
  terminal.onBinary(text => machine.type(text));
  if (fresh) return machine.powerOn();
  firstMoment = new Uint8Array(files.moment);
  await machine.restore(firstMoment);
  const text = /&run=([\w-]+)/.exec(location.hash)?.[1], run = text && await runOf(text);
  if (!text) return;
  if (!run) return note(words.brokenLink);
  if (run.version !== version) return note(words.otherMoment);
  await choicesRead;
  await repeat(run.log);
}

// --- repeatable runs: from the moment that the page opens with, by counted time

let fresh = false, firstMoment = null, firstHead = null, choicesRead = null;

async function repeat(log = []) {
  firstMoment ??= new Uint8Array(await loadMoment());
  terminal.reset();
  await machine.restore(firstMoment, 'counted', log);
}
$('repeatable').onclick = async () => {
  try {
    if (machine.clock.mode === 'counted') { terminal.reset(); await machine.restore(firstMoment); } else await repeat();
    note(machine.clock.mode === 'counted' ? words.repeats : words.repeatsNot);
  } catch (error) { fail(error); }
};
// The same run again, up to the event of that time.
async function goTo(time) {
  if (machine.clock.mode !== 'counted') return note(words.onlyRepeatable);
  const log = [...machine.clock.log, ...machine.clock.script];
  await repeat(log);
  await pictures.runTo(time);
  note(words.stoppedAt((time / 1e6).toFixed(3)));
}
$('link').onclick = async () => {
  if (machine.clock.mode !== 'counted') return note(words.onlyRepeatable);
  const text = await linkOf(version, machine.clock.log, machine.clock.slice);
  if (!text) return note(words.longLink);
  location.hash = `${$('chapter').value}&run=${text}`;
  const copied = await navigator.clipboard?.writeText(location.href).then(() => true, () => false);
  note(copied ? words.linkCopied : words.linkThere);
};
$('speed').onchange = () => { machine.clock.speed = Number($('speed').value); };

function keepReport(data) {
  loadText('report.html').then(template => save(`orrery-${Math.round(data.duration / 1e6)}-ms.html`,
    template.replace('@TITLE@', () => words.title).replace('@DATA@', () => JSON.stringify(data).replaceAll('</', '<\\/')))).catch(fail);
}
function save(name, content) {
  const link = document.createElement('a');
  link.href = URL.createObjectURL(new Blob([content]));
  link.download = name;
  link.click();
  URL.revokeObjectURL(link.href);
}

function showPaused() {
  $('pause').textContent = words[machine.paused ? 'resume' : 'pause'];
  setState(machine.paused ? 'paused' : 'running');
}
$('pause').onclick = async () => {
  if (machine.paused) await machine.run(); else await machine.pause();
  showPaused();
};
$('reset').onclick = async () => {
  enable(false);
  terminal.reset();
  setState('starting');
  await machine.reset();
};
$('save').onclick = async () => {
  try {
    await keep({ version, bytes: await machine.save() });
    note(words.kept);
  } catch (error) { fail(error); }
};
$('restore').onclick = async () => {
  const moment = await kept().catch(() => null);
  if (!moment) return note(words.noMoment);
  if (moment.version !== version) return note(words.otherMoment);
  terminal.reset();
  await machine.restore(moment.bytes);
  showPaused();
};
$('send').onclick = () => $('file').click();
$('file').onchange = async () => {
  const file = $('file').files[0];
  if (!file) return;
  try {
    await machine.control.write(`/root/${file.name}`, new Uint8Array(await file.arrayBuffer()));
    note(words.sent(file.name));
  } catch (error) { note(words.refused(error.message)); }
  $('file').value = '';
};
$('take').onclick = async () => {
  const path = prompt(words.takeWhich, '/etc/profile');
  if (!path) return;
  try {
    save(path.split('/').pop(), await machine.control.read(path));
  } catch (error) { note(words.noFile(error.message)); }
};

if ('serviceWorker' in navigator) navigator.serviceWorker.register('sw.js').catch(() => {});
begin().catch(fail);
