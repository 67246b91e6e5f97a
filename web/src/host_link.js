// The page's end of the kernel's host link (drivers/host_link.hpp): frames of type (1 byte), length
// (2, little-endian), payload. `R` asks for input, and is answered by a length (2) and the bytes.
// Invariant: at most one request is open, and an answer is sent only to an open one.

const MOST = 4096; // bytes of an answer: what the kernel asks for

export class HostLink {
  constructor(send, handlers) {
    this.send = send; // (Uint8Array) => void
    this.handlers = handlers; // {O: bytes => …, E: …, T: …, P: …}
    this.reset();
  }

  reset() {
    this.head = [];
    this.payload = null;
    this.filled = 0;
    this.asked = false;
    this.input = []; // Uint8Arrays that wait for a request
  }

  // What the next machine state expects: a request that was open when it was saved still is.
  get state() { return { asked: this.asked }; }
  set state({ asked }) { this.reset(); this.asked = asked; }

  receive(byte) {
    if (this.payload === null) {
      this.head.push(byte);
      if (this.head.length < 3) return;
      this.payload = new Uint8Array(this.head[1] | this.head[2] << 8);
      this.filled = 0;
    } else {
      this.payload[this.filled++] = byte;
    }
    if (this.filled < this.payload.length) return;
    const type = String.fromCharCode(this.head[0]), payload = this.payload;
    this.head = [];
    this.payload = null;
    if (type === 'R') { this.asked = true; this.answer(); } else this.handlers[type]?.(payload);
  }

  write(text) {
    const bytes = typeof text === 'string' ? new TextEncoder().encode(text) : text;
    for (let at = 0; at < bytes.length; at += MOST) this.input.push(bytes.slice(at, at + MOST));
    this.answer();
  }

  answer() {
    if (!this.asked || !this.input.length) return;
    this.asked = false;
    const bytes = this.input.shift(), frame = new Uint8Array(bytes.length + 2);
    frame.set([bytes.length & 255, bytes.length >> 8]);
    frame.set(bytes, 2);
    this.send(frame);
  }
}
