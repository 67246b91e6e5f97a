// The machine: a PC that v86 emulates, with Orrery on its CD and disk. The same code runs in the page
// and, for tests and the snapshot, in Node; `files` says where each brings its bytes from.
//
// It is ready when the guest's shell waits on the terminal (COM1) and another one on the host link
// (COM2). A saved moment is v86's state with, in front, what this side knew of the host link.
import { Control, START } from './control.js';

const PROMPT = /# (\x1b\[6n)?$/;
const MAGIC = 'orrery moment 1\n';

export class Machine {
  // files: {wasm, bios, vgaBios: ArrayBuffer; cd, disk: what v86 takes as an image}
  // on: {terminal(text), trace(bytes), panic(text), ready(), progress(...)}
  constructor(V86, files, on = {}, memory = 32) {
    this.on = on;
    this.tail = '';
    this.decoder = new TextDecoder();
    this.ready = false;
    this.paused = false;
    let broken;
    const failed = new Promise((_, fail) => { broken = fail; });
    this.emulator = new V86({
      wasm_fn: async imports => {
        try {
          return (await WebAssembly.instantiate(files.wasm, imports)).instance.exports;
        } catch (error) {
          broken(error);
          return new Promise(() => {}); // the emulator is not to go on
        }
      },
      memory_size: memory << 20,
      vga_memory_size: 1 << 20,
      bios: { buffer: files.bios },
      vga_bios: { buffer: files.vgaBios },
      cdrom: files.cd,
      hda: files.disk,
      boot_order: 0x213,
      uart1: true,
      autostart: false,
      disable_keyboard: true,
      disable_mouse: true,
      disable_speaker: true,
      net_device: { type: 'none' },
    });
    this.control = new Control(
      bytes => this.emulator.serial_send_bytes(1, bytes), on.trace, on.panic);
    this.emulator.add_listener('serial0-output-byte', byte => this.output(byte));
    this.emulator.add_listener('serial1-output-byte', byte => this.control.link.receive(byte));
    this.loaded = Promise.race(
      [failed, new Promise(done => this.emulator.add_listener('emulator-loaded', done))]);
    this.loaded.catch(() => {});
  }

  // From power-on to the prompt. The second shell is started before anybody sees the first one.
  async powerOn() {
    await this.loaded;
    await this.run();
    this.control.reset();
    await this.prompt();
    this.type(`${START}; clear\n`);
    await this.control.run('stty -F /dev/console cols 92 rows 24');
    this.ready = true;
    this.on.ready?.();
  }

  async reset() {
    this.ready = false;
    this.tail = '';
    this.emulator.restart();
    await this.powerOn();
  }

  output(byte) {
    const text = this.decoder.decode(Uint8Array.of(byte), { stream: true });
    this.tail = (this.tail + text).slice(-64);
    this.on.terminal?.(text);
    if (PROMPT.test(this.tail)) this.atPrompt?.();
  }

  prompt() {
    if (PROMPT.test(this.tail)) return Promise.resolve();
    return new Promise(done => { this.atPrompt = () => { this.atPrompt = null; done(); }; });
  }

  // As much at a time as a UART's FIFO holds: of more at once the guest loses some.
  type(text) {
    this.tail = '';
    const bytes = new TextEncoder().encode(text);
    this.typed = (this.typed ?? Promise.resolve()).then(async () => {
      for (let at = 0; at < bytes.length; at += 16) {
        if (at) await new Promise(done => setTimeout(done, 20));
        this.emulator.serial_send_bytes(0, bytes.subarray(at, at + 16));
      }
    });
  }

  async run() { this.paused = false; await this.emulator.run(); }
  async pause() { this.paused = true; await this.emulator.stop(); }

  // --- moments

  async save() {
    const running = this.emulator.is_running();
    if (running) await this.emulator.stop();
    const state = new Uint8Array(await this.emulator.save_state());
    const tsc = [...this.emulator.v86.cpu.current_tsc]; // as save_state() noted it
    if (running) await this.emulator.run();
    const head = new TextEncoder().encode(
      MAGIC + JSON.stringify({ ...this.control.link.state, tsc, length: state.length }) + '\n');
    const whole = new Uint8Array(head.length + state.length);
    whole.set(head);
    whole.set(state, head.length);
    return whole;
  }

  // v86's set_tsc() reckons from the counter as it reads now, the offset of an earlier restore
  // included: from the second restore on the guest's clock would be wrong.
  setTsc([low, high]) {
    const cpu = this.emulator.v86.cpu;
    cpu.store_current_tsc();
    const shown = BigInt(cpu.current_tsc[0]) | BigInt(cpu.current_tsc[1]) << 32n;
    const host = BigInt(Math.round(performance.now() * 1e6));
    const value = BigInt.asUintN(64, (BigInt(low) | BigInt(high) << 32n) - host + shown);
    cpu.set_tsc(Number(value & 0xFFFFFFFFn), Number(value >> 32n));
  }

  async restore(bytes) {
    const text = new TextDecoder('latin1').decode(bytes.subarray(0, 256));
    const end = text.indexOf('\n', MAGIC.length);
    if (!text.startsWith(MAGIC) || end < 0) throw new Error('this is no saved moment');
    const head = JSON.parse(text.slice(MAGIC.length, end));
    const state = bytes.slice(end + 1);
    if (state.length !== head.length) throw new Error('the saved moment is cut off');
    await this.loaded;
    if (this.emulator.is_running()) await this.emulator.stop();
    await this.emulator.restore_state(state.buffer);
    this.setTsc(head.tsc);
    this.control.reset(head);
    this.tail = '';
    this.ready = true;
    await this.run();
    this.type('\f'); // the shell draws its line anew
    this.on.ready?.();
  }
}
