// The machine: a PC that v86 emulates, with Orrery on its CD and disk. The same code runs in the page
// and, for tests and the snapshot, in Node; `files` says where each brings its bytes from.
//
// It is ready when the guest's shell waits on the terminal (COM1) and another one on the host link
// (COM2). A saved moment is v86's state with, in front, what this side knew of the host link.
import { Clock } from './clock.js';
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
    this.compiling = 0;
    this.lineOpen = false; // the shell has asked, and the line it reads is not sent yet
    this.clock = new Clock(() => this.lineOpen && !this.control.waiting.length);
    this.clock.onInput = (port, bytes) => {
      if (port) this.control.link.asked = false;
      else if (bytes.some(byte => [3, 4, 10, 13].includes(byte))) this.lineOpen = false;
    };
    this.clock.onUntil = () => { this.pause().then(this.untilThen); };
    let broken;
    const failed = new Promise((_, fail) => { broken = fail; });
    this.emulator = new V86({
      wasm_fn: async imports => {
        const random = imports.env.get_rand_int;
        imports.env.microtick = () => this.clock.read();
        imports.env.get_rand_int = () => this.clock.mode === 'counted' ? this.clock.random() : random();
        // How many pieces of compiled code are on their way: a counted run waits for the last.
        const compile = imports.env.codegen_finalize;
        imports.env.codegen_finalize = (...piece) => { ++this.compiling; compile(...piece); };
        try {
          const { exports } = (await WebAssembly.instantiate(files.wasm, imports)).instance;
          return { ...exports, codegen_finalize_finished: (...piece) => { --this.compiling; exports.codegen_finalize_finished(...piece); } };
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
      bytes => this.clock.send(1, bytes), on.trace, on.panic);
    this.emulator.add_listener('serial0-output-byte', byte => this.output(byte));
    this.emulator.add_listener('serial1-output-byte', byte => { this.clock.spoke = true; this.control.link.receive(byte); });
    this.loaded = Promise.race(
      [failed, new Promise(done => this.emulator.add_listener('emulator-loaded', () => {
        this.clock.attach(this.emulator);
        done();
      }))]);
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
    this.clock.spoke = true;
    const text = this.decoder.decode(Uint8Array.of(byte), { stream: true });
    this.tail = (this.tail + text).slice(-64);
    this.on.terminal?.(text);
    // Where the cursor is: asked by the shell before it reads a line. The answer has to come at the same
    // slice each time, which a terminal's would not.
    if (this.tail.endsWith('\x1b[6n')) {
      const line = this.tail.slice(this.tail.lastIndexOf('\n') + 1).replace(/\x1b\[[0-9;]*[A-Za-z]/g, '').replaceAll('\r', '');
      this.clock.send(0, new TextEncoder().encode(`\x1b[1;${line.length + 1}R`));
    }
    if (!PROMPT.test(this.tail)) return;
    this.lineOpen = true;
    this.atPrompt?.();
  }

  prompt() {
    if (PROMPT.test(this.tail)) return Promise.resolve();
    return new Promise(done => { this.atPrompt = () => { this.atPrompt = null; done(); }; });
  }

  type(text) {
    this.tail = '';
    this.clock.send(0, new TextEncoder().encode(text));
  }

  async run() { this.paused = false; await this.emulator.run(); }
  async pause() {
    this.paused = true;
    const stopped = this.emulator.stop();
    this.clock.resume();
    await stopped;
  }

  // Runs on until `holds()`, asked after each slice, and pauses there.
  async runUntil(holds) {
    const there = new Promise(done => { this.untilThen = done; });
    this.clock.until = holds;
    if (!this.emulator.is_running()) await this.run();
    await there;
  }

  // --- moments

  async save() {
    const running = this.emulator.is_running();
    if (running) await this.pause();
    const state = new Uint8Array(await this.emulator.save_state());
    const tsc = [...this.emulator.v86.cpu.current_tsc]; // as save_state() noted it
    if (running) await this.run();
    const head = new TextEncoder().encode(
      MAGIC + JSON.stringify({ ...this.control.link.state, tsc, time: this.clock.now(), length: state.length }) + '\n');
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
    const host = BigInt(Math.round(this.clock.now() * 1e6));
    const value = BigInt.asUintN(64, (BigInt(low) | BigInt(high) << 32n) - host + shown);
    cpu.set_tsc(Number(value & 0xFFFFFFFFn), Number(value >> 32n));
  }

  // mode: of the clock (clock.js); script: the log of a counted run that began here, to be run again.
  async restore(bytes, mode = 'host', script = []) {
    const text = new TextDecoder('latin1').decode(bytes.subarray(0, 256));
    const end = text.indexOf('\n', MAGIC.length);
    if (!text.startsWith(MAGIC) || end < 0) throw new Error('this is no saved moment');
    const head = JSON.parse(text.slice(MAGIC.length, end));
    const state = bytes.slice(end + 1);
    if (state.length !== head.length) throw new Error('the saved moment is cut off');
    await this.loaded;
    if (this.emulator.is_running()) await this.pause();
    if (mode === 'counted') this.emulator.v86.cpu.set_jit_config(0, 1);
    while (mode === 'counted' && this.compiling) await new Promise(done => setTimeout(done, 5));
    await this.emulator.restore_state(state.buffer);
    this.clock.begin(mode, head.time, script);
    this.setTsc(head.tsc);
    this.control.reset(head);
    this.tail = '';
    this.lineOpen = true;
    this.ready = true;
    if (!script.length) this.type('\f'); // the shell draws its line anew
    await this.run();
    this.on.ready?.();
  }
}
