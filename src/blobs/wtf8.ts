/**
 * Texts as bytes and back, exactly, for every string. UTF-8 has no bytes for a lone surrogate, which JSON can carry and
 * models do produce when an emoji is cut in two. Such a text is stored as WTF-8 (https://simonsapin.github.io/wtf-8/): UTF-8
 * in which a lone surrogate has the three bytes that its code point would have. These bytes (ED A0..BF xx) occur in no UTF-8, so
 * they need no flag, and a well-formed text has the bytes that anyone expects.
 */

const LONE_SURROGATE = /\p{Surrogate}/gu;
const LONE_SURROGATE_BYTES = 3;

export function encodeText(text: string): Buffer {
  if (text.isWellFormed()) return Buffer.from(text);
  const pieces: Buffer[] = [];
  let from = 0;
  for (const { index } of text.matchAll(LONE_SURROGATE)) {
    const unit = text.charCodeAt(index);
    const bytes = [0xe0 | (unit >> 12), 0x80 | ((unit >> 6) & 0x3f), 0x80 | (unit & 0x3f)];
    pieces.push(Buffer.from(text.slice(from, index)), Buffer.from(bytes));
    from = index + 1;
  }
  return Buffer.concat([...pieces, Buffer.from(text.slice(from))]);
}

/** Bytes that no text was encoded to (a binary file, say) become replacement characters. */
export function decodeText(bytes: Buffer): string {
  let out = "";
  let from = 0;
  for (let at = nextSurrogate(bytes, 0); at >= 0; at = nextSurrogate(bytes, at + LONE_SURROGATE_BYTES)) {
    const [lead = 0, middle = 0, last = 0] = bytes.subarray(at, at + LONE_SURROGATE_BYTES);
    const unit = ((lead & 0x0f) << 12) | ((middle & 0x3f) << 6) | (last & 0x3f);
    out += bytes.toString("utf8", from, at) + String.fromCharCode(unit);
    from = at + LONE_SURROGATE_BYTES;
  }
  return from === 0 ? bytes.toString("utf8") : out + bytes.toString("utf8", from);
}

/** Where the bytes of the next lone surrogate begin, or -1. */
function nextSurrogate(bytes: Buffer, from: number): number {
  for (let at = bytes.indexOf(0xed, from); at >= 0; at = bytes.indexOf(0xed, at + 1)) {
    if ((bytes[at + 1] ?? 0) >= 0xa0 && (bytes[at + 1] ?? 0) <= 0xbf && ((bytes[at + 2] ?? 0) & 0xc0) === 0x80)
      return at;
  }
  return -1;
}
