// The kernel's trace, read out of the machine's memory while it runs (kernel/trace/ring.hpp): the guest
// does nothing for it, so what is watched is not disturbed. Each CPU has two rings, `busy` and `rare`;
// a ring is {events, shift, written, cleared}, an event 32 bytes.
//
// Invariant: an event is taken once, in the order of its time; what was overwritten before it could be
// read is counted in `lost`.

const EVENT = 32, RING = 16;

export class GuestMemory {
  constructor(emulator) {
    this.cpu = emulator.v86.cpu;
    this.emulator = emulator;
    this.pages = new Map(); // of the kernel's: they keep their frames
  }

  physical(bytes, address) { return this.emulator.read_memory(address, bytes); }

  word(address) {
    const b = this.physical(4, address);
    return (b[0] | b[1] << 8 | b[2] << 16 | b[3] << 24) >>> 0;
  }

  // Both levels, as the MMU goes: {directory, table} entries and the frame's address, or null there.
  walk(address, root = this.cpu.cr[3]) {
    const directory = this.word((root & ~0xFFF) + (address >>> 22) * 4);
    if (!(directory & 1)) return { directory, table: null, physical: null };
    if (directory & 0x80) return { directory, table: null, physical: (directory & 0xFFC00000 | address & 0x3FFFFF) >>> 0 };
    const table = this.word((directory & ~0xFFF) + (address >>> 12 & 1023) * 4);
    return { directory, table, physical: table & 1 ? (table & ~0xFFF | address & 0xFFF) >>> 0 : null };
  }

  // An address of the kernel's, as a physical one.
  kernel(address) {
    const page = address >>> 12;
    let base = this.pages.get(page);
    if (base === undefined) {
      base = this.walk(address).physical;
      if (base === null) return null;
      base &= ~0xFFF;
      this.pages.set(page, base);
    }
    return base + (address & 0xFFF);
  }

  text(address) { // a string that the kernel keeps for ever
    const at = this.kernel(address >>> 0);
    if (at === null) return '';
    const bytes = this.physical(64, at), end = bytes.indexOf(0);
    return new TextDecoder('latin1').decode(bytes.subarray(0, end < 0 ? 64 : end));
  }
}

// The head of the binary form: what each event and argument is called.
export function parseHead(text) {
  const head = { khz: 1000000, origin: 0, types: new Map(), values: {} };
  for (const line of text.slice(0, text.indexOf('\n\n')).split('\n')) {
    const words = line.split(' ');
    if (words[0] === 'tsc_khz') [head.khz, head.origin] = [Number(words[1]), Number(words[3])];
    else if (words[0] === 'value') (head.values[words[1]] ??= {})[words[2]] = words.slice(3).join(' ');
    else if (words[0] === 'event')
      head.types.set(Number(words[1]), { name: words[3], fields: words.slice(4).filter(Boolean).map(f => f.split(':')) });
  }
  return head;
}

// One event from its record [tsc, cpu, type, tid, four words]; times in nanoseconds of the guest.
export function decode(head, [tsc, cpu, number, tid, ...words], text) {
  const type = head.types.get(number);
  if (!type) return null;
  const time = Number((BigInt(tsc) - BigInt(head.origin)) * 1000000n / BigInt(head.khz));
  const event = { time, cpu, tid, type: type.name };
  type.fields.slice(0, 4).forEach(([field, kind], i) => {
    const word = words[i];
    if (kind === 'chars') event[field] = characters(words.slice(i));
    else if (kind === 'text') event[field] = text(word);
    else if (['int', 'tid', 'result'].includes(kind)) event[field] = word | 0;
    else event[field] = kind === 'hex' ? word : head.values[kind]?.[word] ?? word;
  });
  return event;
}
const characters = words => new TextDecoder().decode(new Uint8Array(Uint32Array.from(words).buffer)).replace(/\0+$/, '');

export class TraceReader {
  constructor(memory, head, address) {
    this.memory = memory;
    this.head = head;
    this.texts = new Map();
    this.lost = 0;
    this.rings = [0, RING].map(offset => {
      const at = memory.kernel(address + offset);
      const ring = { at, events: memory.word(at), shift: memory.word(at + 4) };
      ring.next = Math.max(0, memory.word(at + 8) - (1 << ring.shift));
      return ring;
    });
  }

  written() { return this.rings.reduce((sum, ring) => sum + this.memory.word(ring.at + 8), 0); }

  // Everything since the last call: {time, cpu, tid, type, …fields}.
  take() {
    const raw = [];
    for (const ring of this.rings) {
      const end = this.memory.word(ring.at + 8), first = Math.max(ring.next, end - (1 << ring.shift));
      this.lost += first - ring.next;
      for (let i = first; i < end; ++i) raw.push(this.event(ring, i));
      ring.next = end;
    }
    return raw.filter(Boolean).sort((a, b) => a.time - b.time);
  }

  event(ring, index) {
    const at = this.memory.kernel(ring.events + (index & (1 << ring.shift) - 1) * EVENT);
    const bytes = this.memory.physical(EVENT, at), view = new DataView(bytes.buffer, bytes.byteOffset, EVENT);
    return decode(this.head, [view.getBigUint64(0, true), view.getUint8(9), view.getUint8(8), view.getInt32(12, true),
      ...[16, 20, 24, 28].map(place => view.getUint32(place, true))], address => this.string(address));
  }

  string(address) {
    if (!address) return '';
    if (!this.texts.has(address)) this.texts.set(address, this.memory.text(address));
    return this.texts.get(address);
  }
}
