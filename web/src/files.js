// Brings the machine's files to the page: `files.json` (made by build.mjs) names each with its size;
// they are kept compressed, so that any static host serves them as they are.
// Errors are sentences for the reader: Problem.

export class Problem extends Error {}

async function get(name) {
  let response;
  try {
    response = await fetch(name);
  } catch {
    throw new Problem('download');
  }
  if (!response.ok) throw new Problem('download');
  return response;
}

// The bytes of a gzipped file, with onPart(bytes) as they come over the wire.
async function fetchZipped(name, onPart) {
  const response = await get(name);
  const counted = response.body.pipeThrough(new TransformStream({
    transform(part, to) { onPart(part.length); to.enqueue(part); },
  }));
  try {
    return await new Response(counted.pipeThrough(new DecompressionStream('gzip'))).arrayBuffer();
  } catch {
    throw new Problem('broken');
  }
}

// onProgress(0…1). Without `fresh`, the moment at the prompt that was kept when the page was made.
export async function loadFiles(fresh, onProgress) {
  const list = await (await get('files.json')).json();
  const wanted = ['wasm', 'bios', 'vgaBios', ...fresh ? [] : ['moment']];
  const total = wanted.reduce((sum, key) => sum + list[key].bytes, 0);
  let done = 0;
  const onPart = bytes => { done += bytes; onProgress(Math.min(done / total, 1)); };
  const parts = await Promise.all(wanted.map(key => fetchZipped(list[key].name, onPart)));
  const files = Object.fromEntries(wanted.map((key, i) => [key, parts[i]]));
  // Fetched in parts, as the guest reads them.
  for (const medium of ['cd', 'disk'])
    files[medium] = { url: list[medium].name, size: list[medium].bytes, async: true, use_parts: true,
                      fixed_chunk_size: list[medium].part };
  files.version = list.version;
  files.rings = list.rings; // where the kernel's trace begins
  return files;
}

export const loadText = async name => (await get(name)).text();
export const loadMoment = async () => fetchZipped((await (await get('files.json')).json()).moment.name, () => {});
