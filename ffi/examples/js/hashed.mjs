// Texts as vectors without a model: words and the three-letter pieces of them, each hashed to a
// place and a sign. Finds spellings and shared words, not meanings; a page that wants meanings
// embeds with a model and changes nothing else. SPDX-License-Identifier: MIT OR Apache-2.0

/** Components of a vector. */
export const DIM = 512;

/** FNV-1a with a last stir, so that low and high bits depend on all of the text. */
function hash(text) {
  let h = 0x811c9dc5;
  for (let i = 0; i < text.length; i++) h = Math.imul(h ^ text.charCodeAt(i), 0x01000193);
  return Math.imul(h ^ (h >>> 15), 0x2c1b3c6d) >>> 0;
}

/** Adds the vector of `text` to `into`, which is zero before. A text without letters stays zero. */
export function embed(text, into = new Float32Array(DIM)) {
  const add = (part, weight) => {
    const h = hash(part);
    into[h % DIM] += h >>> 31 ? weight : -weight;
  };
  for (const word of text.toLowerCase().match(/[\p{L}\p{N}]+/gu) ?? []) {
    // Words of two letters are mostly "of", "to" and their like.
    if (word.length > 2) add(word, 1);
    const marked = ` ${word} `;
    for (let i = 0; i + 3 <= marked.length; i++) add(marked.slice(i, i + 3), 0.3);
  }
  // What comes again and again says little more than what comes once.
  for (let i = 0; i < DIM; i++) into[i] = Math.sign(into[i]) * Math.sqrt(Math.abs(into[i]));
  return into;
}
