/**
 * Cuts a stream where its content says so, after FastCDC (Xia et al., USENIX ATC 2016): versions of a file that differ in one place have
 * all other chunks in common, even when bytes were put in or taken out. Sizes are kept near the mean by a mask that is strict before it
 * and lax behind it.
 *
 * X1  The same bytes are cut in the same places, however they come.
 * X2  No chunk is longer than CHUNK_BYTES_MAX; none but the last is shorter than CHUNK_BYTES_MIN.
 */
import { hash } from "node:crypto";

const CHUNK_BYTES_MIN = 16 * 1024;
const CHUNK_BYTES_MEAN = 64 * 1024;
const CHUNK_BYTES_MAX = 256 * 1024;

/** The upper bits of the sum have seen the most bytes: 2 more and 2 less than the 16 of the mean. */
const STRICT = 0xffff_c000 | 0;
const LAX = 0xfffc_0000 | 0;

/** A number of chance for each byte. Never changed: bytes would be cut in other places than before. */
const GEAR = Int32Array.from({ length: 256 }, (_, byte) =>
  hash("sha256", `banyan gear ${byte}`, "buffer").readInt32LE(0),
);

/** Each has memory of its own. */
export async function* cutIntoChunks(content: AsyncIterable<Uint8Array>): AsyncGenerator<Uint8Array> {
  const buffer = Buffer.allocUnsafeSlow(2 * CHUNK_BYTES_MAX);
  let length = 0;
  for await (const piece of content) {
    for (let from = 0; from < piece.length; ) {
      const taken = Math.min(piece.length - from, buffer.length - length);
      buffer.set(piece.subarray(from, from + taken), length);
      from += taken;
      length += taken;
      while (length >= CHUNK_BYTES_MAX) {
        const cut = cutIn(buffer, length);
        yield Uint8Array.prototype.slice.call(buffer, 0, cut);
        buffer.copyWithin(0, cut, length);
        length -= cut;
      }
    }
  }
  while (length > 0) {
    const cut = cutIn(buffer, length);
    yield Uint8Array.prototype.slice.call(buffer, 0, cut);
    buffer.copyWithin(0, cut, length);
    length -= cut;
  }
}

/** Where the first chunk of these bytes ends. */
function cutIn(bytes: Uint8Array, length: number): number {
  const end = Math.min(length, CHUNK_BYTES_MAX);
  const mean = Math.min(end, CHUNK_BYTES_MEAN);
  let sum = 0;
  let at = CHUNK_BYTES_MIN;
  for (; at < mean; at += 1) {
    sum = ((sum << 1) + (GEAR[bytes[at] as number] as number)) | 0;
    if ((sum & STRICT) === 0) return at + 1;
  }
  for (; at < end; at += 1) {
    sum = ((sum << 1) + (GEAR[bytes[at] as number] as number)) | 0;
    if ((sum & LAX) === 0) return at + 1;
  }
  return end;
}
