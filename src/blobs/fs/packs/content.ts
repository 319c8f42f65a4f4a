/**
 * What stands behind a name in the packs. Every piece that is handed over was checked against its own digest before, of a range too; and of
 * a range only the chunks that it touches are read.
 */
import { crc32 } from "node:zlib";
import { BanyanError } from "../../../base/errors.ts";
import type { Range } from "../../blobs.ts";
import { isAbsence } from "../failures.ts";
import { checked } from "../reading.ts";
import { type Place, printOf, type Role } from "./digest-table.ts";
import { type ChunkName, decodeChunks } from "./list-of-chunks.ts";
import { unpack } from "./packing.ts";
import type { Found, Packs } from "./packs.ts";
import { type Header, KIND, nameOf } from "./record.ts";

const WHOLE: Range = { from: 0, to: Number.MAX_SAFE_INTEGER };

/** A sweep may move a record between a look at the table and one at the pack: whoever does not find it looks again. */
export const LOOKS = 3;

/** A pack, a chunk or a file that is not there, or not any more. */
export function isGone(error: unknown): boolean {
  return error instanceof BanyanError ? error.code === "BLOB_NOT_FOUND" : isAbsence(error);
}

/** A record under the very name, where it stands, and its header. */
export interface Named {
  readonly place: Place;
  readonly header: Header;
}

/** Records of that name with a sound header. @throws what the file system says */
export async function named(packs: Packs, name: Uint8Array, role: Role): Promise<Named[]> {
  for (let look = 1; ; look += 1) {
    const found: Named[] = [];
    try {
      for (const place of packs.find(printOf(name), role)) {
        const header = await packs.header(place);
        if (header && isNamed(header, name)) found.push({ place, header });
      }
      return found;
    } catch (error) {
      if (!isGone(error)) throw error;
      if (look === LOOKS) return found;
    }
  }
}

/**
 * The bytes of a record that is a blob or a chunk. A flipped bit may change nothing of what comes out of packed bytes: it counts as
 * damage all the same, as it does for a sweep (K2). @throws BLOB_DAMAGED
 */
export async function bytesOf({ header, stored }: Found, name: Uint8Array): Promise<Uint8Array> {
  if (crc32(stored) !== header.crc) throw new BanyanError("BLOB_DAMAGED", "a record of a pack has other stored bytes");
  const bytes = await unpack({ codec: header.codec, stored }, header.bytes);
  if (bytes.length === header.bytes && nameOf(bytes).equals(name)) return bytes;
  throw new BanyanError("BLOB_DAMAGED", "a record of a pack has other bytes");
}

/** The chunks of a list. @throws BLOB_DAMAGED */
export function chunksIn({ header, stored }: Found): ChunkName[] {
  if (crc32(stored) !== header.crc) throw new BanyanError("BLOB_DAMAGED", "a list of chunks has other bytes");
  const chunks = [...decodeChunks(stored)];
  if (chunks.reduce((sum, { bytes }) => sum + bytes, 0) === header.bytes) return chunks;
  throw new BanyanError("BLOB_DAMAGED", "a list of chunks does not add up");
}

/**
 * What stands at a place, if it has that name; all of it where there is no range.
 * @throws BLOB_DAMAGED, BLOB_NOT_FOUND (a chunk), what the file system says
 */
export async function* contentAt(
  packs: Packs,
  place: Place,
  name: Uint8Array,
  range?: Range,
): AsyncGenerator<Uint8Array> {
  const found = await believing(packs, place, () => recordAt(packs, place, name));
  if (!("chunks" in found)) yield* inRange(found.bytes, range ?? WHOLE);
  else if (range) yield* chunked(packs, found.chunks, range);
  else yield* checked(`sha256:${Buffer.from(name).toString("hex")}`, chunked(packs, found.chunks, WHOLE));
}

async function recordAt(packs: Packs, place: Place, name: Uint8Array) {
  const found = await packs.read(place);
  if (!isNamed(found.header, name)) throw new BanyanError("BLOB_DAMAGED", "a record of a pack has another name");
  return found.header.kind === KIND.list ? { chunks: chunksIn(found) } : { bytes: await bytesOf(found, name) };
}

/** A record that turns out to be damaged is not believed by the next put. */
async function believing<T>(packs: Packs, place: Place, read: () => Promise<T>): Promise<T> {
  return read().catch((error) => {
    if (error instanceof BanyanError && error.code === "BLOB_DAMAGED") packs.doubt(place);
    throw error;
  });
}

async function* chunked(packs: Packs, chunks: readonly ChunkName[], range: Range): AsyncGenerator<Uint8Array> {
  let at = 0;
  for (const chunk of chunks) {
    const [from, to] = [Math.max(0, range.from - at), Math.min(chunk.bytes, range.to - at)];
    if (from < to) yield* inRange(await chunkBytes(packs, chunk, () => doubtAll(packs, chunks)), { from, to });
    at += chunk.bytes;
  }
}

/** @throws BLOB_DAMAGED, BLOB_NOT_FOUND, what the file system says */
async function chunkBytes(packs: Packs, { name }: ChunkName, onFailure: () => void): Promise<Uint8Array> {
  let failure: unknown;
  for (let look = 0; look < LOOKS; look += 1) {
    failure = new BanyanError("BLOB_NOT_FOUND", "a chunk of the blob is missing");
    for (const place of packs.find(printOf(name), "piece")) {
      try {
        const found = await believing(packs, place, () => recordAt(packs, place, name));
        if ("bytes" in found) return found.bytes;
      } catch (error) {
        failure = error;
      }
    }
    if (!isGone(failure)) break;
  }
  onFailure();
  throw failure;
}

/** Where one chunk is damaged, nobody has read the next ones. */
function doubtAll(packs: Packs, chunks: readonly ChunkName[]): void {
  for (const { name } of chunks) for (const place of packs.find(printOf(name), "piece")) packs.doubt(place);
}

/** Pieces that are handed over. */
const PIECE_BYTES = 256 * 1024;

function* inRange(bytes: Uint8Array, { from, to }: Range): Generator<Uint8Array> {
  const end = Math.min(bytes.length, to);
  for (let at = from; at < end; at += PIECE_BYTES) yield bytes.subarray(at, Math.min(end, at + PIECE_BYTES));
}

function isNamed(header: Header, name: Uint8Array): boolean {
  return Buffer.compare(header.name, name) === 0;
}
