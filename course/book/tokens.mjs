// Words of the search's index: Latin ones as they are, Chinese in overlapping pairs of characters, because
// nothing stands between Chinese words. VitePress sends this function to the browser as text: it uses nothing outside.
export function tokenize(text) {
  const words = [];
  for (const [part] of text.matchAll(/\p{Script=Han}+|(?:(?!\p{Script=Han})[\p{L}\p{N}_])+/gu))
    if (!/^\p{Script=Han}./u.test(part)) words.push(part);
    else for (let i = 0; i + 1 < part.length; i++) words.push(part.slice(i, i + 2));
  return words;
}
