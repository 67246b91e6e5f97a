// The chapters of course/ (and the page's own first text) as HTML with buttons: a line that a reader
// would type becomes one that types it.
import fs from 'node:fs';
import path from 'node:path';
import { Marked } from 'marked';

const escape = text => text.replace(/[&<>"]/g, c => ({ '&': '&amp;', '<': '&lt;', '>': '&gt;', '"': '&quot;' })[c]);

// What a line of a listing types into the guest, or null: `# CMD`, `root@orrery:~# CMD`, and what
// the host's `scripts/run --exec 'CMD'` runs there.
export function commandOf(line) {
  const guest = /^(?:root@orrery:\S*)?# (\S.*)$/.exec(line.trim());
  if (guest) return guest[1];
  const host = /^(?:\$ )?\.\/scripts\/run\b.*--exec (?:'([^']*)'|([^'"\s][^\s]*))/.exec(line.trim());
  return host ? host[1] ?? host[2] : null;
}

const marked = new Marked({
  renderer: {
    code({ text }) {
      let listing = [], html = '';
      const flush = () => { if (listing.length) html += `<pre>${escape(listing.join('\n'))}</pre>`; listing = []; };
      for (const line of text.split('\n')) {
        const command = commandOf(line);
        if (command === null) { listing.push(line); continue; }
        flush();
        html += `<button class="type">${escape(command)}</button><br>`;
      }
      flush();
      return html;
    },
    html({ text }) { return text.startsWith('<!--') ? '' : escape(text); },
  },
});

export const render = text => marked.parse(text);

export function renderTexts(top, out) {
  const found = [['start', path.join(top, 'web/text'), 'start']];
  const course = path.join(top, 'course');
  for (const name of fs.existsSync(course) ? fs.readdirSync(course).sort() : [])
    if (/^\d\d-/.test(name)) found.push([name, path.join(course, name), 'chapter']);
  const index = [];
  for (const [id, folder, name] of found) {
    const title = {};
    for (const [language, file] of [['en', `${name}.md`], ['zh', `${name}.zh.md`]]) {
      const source = path.join(folder, file);
      if (!fs.existsSync(source)) continue;
      const text = fs.readFileSync(source, 'utf8');
      title[language] = /^# (.*)$/m.exec(text)?.[1] ?? id;
      fs.writeFileSync(path.join(out, `${id}.${language}.html`), withPictures(render(text), folder, out, id));
    }
    if (title.en) index.push({ id, title });
  }
  fs.writeFileSync(path.join(out, 'index.json'), JSON.stringify(index));
}

// Pictures are copied beside the text; links into the repository stay words.
function withPictures(html, folder, out, id) {
  return html.replace(/<img src="([^":]+)"/g, (whole, name) => {
    const file = path.join(folder, name);
    if (!fs.existsSync(file)) return whole;
    const copy = `${id}-${path.basename(name)}`;
    fs.copyFileSync(file, path.join(out, copy));
    return `<img src="text/${copy}"`;
  }).replace(/<a href="(?!https?:|#)[^"]*">([^]*?)<\/a>/g, '<span>$1</span>');
}
