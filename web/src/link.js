// A run as text: what was typed and clicked (the log of a counted run, clock.js) is all that it takes to
// have it again, from the moment that this version of the page opens with.

const LONGEST = 6000; // characters: more than that not every program takes in an address

const toText = bytes => btoa(String.fromCharCode(...bytes)).replaceAll('+', '-').replaceAll('/', '_').replace(/=+$/, '');
const toBytes = text => Uint8Array.from(atob(text.replaceAll('-', '+').replaceAll('_', '/')), c => c.charCodeAt(0));
const through = async (bytes, stream) => new Uint8Array(await new Response(new Blob([bytes]).stream().pipeThrough(stream)).arrayBuffer());

// null: too long.
export async function linkOf(version, log, slice) {
  const entries = log.map(([at, port, bytes, slept]) => [at, port, slept ? 1 : 0, toText(bytes)]);
  const text = toText(await through(new TextEncoder().encode(JSON.stringify({ version, slice, entries })), new CompressionStream('deflate-raw')));
  return text.length > LONGEST ? null : text;
}

// {version, slice, log}; null: this is no such text.
export async function runOf(text) {
  try {
    const { version, slice, entries } = JSON.parse(new TextDecoder().decode(await through(toBytes(text), new DecompressionStream('deflate-raw'))));
    return { version, slice, log: entries.map(([at, port, slept, bytes]) => [at, port, toBytes(bytes), !!slept]) };
  } catch {
    return null;
  }
}
