// Commands that the page itself gives: a shell of the guest at the other end of the host link, so
// that menus and files do not disturb the user's terminal. One command runs at a time, in order.
import { HostLink } from './host_link.js';

// Typed once at the first prompt; the blank in front of it keeps it out of the shell's history.
export const START = " (setsid sh </dev/hostin >/dev/hostout 2>/dev/hosterr &)";
export class Reset extends Error {} // the machine was reset before the command was done
const END = /\x1e(\d+)\x1e$/;

export class Control {
  constructor(send, onTrace, onPanic) {
    this.text = new TextDecoder();
    this.link = new HostLink(send, {
      O: bytes => this.output(this.text.decode(bytes, { stream: true })),
      E: bytes => { this.errors += new TextDecoder().decode(bytes); },
      T: bytes => onTrace?.(bytes),
      P: bytes => onPanic?.(new TextDecoder().decode(bytes)),
    });
    this.reset();
  }

  reset(state = { asked: false }) {
    for (const { fail } of this.waiting ?? []) fail(new Reset());
    this.link.state = state;
    this.waiting = [];
    this.errors = this.got = '';
  }

  // Resolves to {output, errors, status}.
  run(command) {
    return new Promise((done, fail) => {
      this.waiting.push({ command, done, fail });
      if (this.waiting.length === 1) this.next();
    });
  }

  next() {
    this.errors = this.got = '';
    if (this.waiting.length) this.link.write(`${this.waiting[0].command}\nprintf '\\036%d\\036' $?\n`);
  }

  output(text) {
    this.got += text;
    const end = END.exec(this.got);
    if (!end || !this.waiting.length) return;
    const { done } = this.waiting.shift();
    done({ output: this.got.slice(0, end.index), errors: this.errors, status: Number(end[1]) });
    this.next();
  }

  async read(path) {
    const { output, errors, status } = await this.run(`base64 ${quote(path)}`);
    if (status) throw new Error(errors.trim());
    return Uint8Array.from(atob(output.replace(/\s/g, '')), c => c.charCodeAt(0));
  }

  async write(path, bytes) {
    let text = '';
    for (let at = 0; at < bytes.length; at += 3 << 12)
      text += btoa(String.fromCharCode(...bytes.subarray(at, at + (3 << 12)))) + '\n';
    const { errors, status } = await this.run(`base64 -d >${quote(path)} <<'.'\n${text}.`);
    if (status) throw new Error(errors.trim());
  }
}

export const quote = word => `'${word.replaceAll("'", `'\\''`)}'`;
