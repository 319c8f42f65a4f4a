/** What a large blob is made of: names and sizes of its chunks, in order, 36 bytes each. */
import { BanyanError } from "../../../base/errors.ts";
import { NAME_BYTES } from "./record.ts";

export interface ChunkName {
  readonly name: Buffer;
  readonly bytes: number;
}

const ROW_BYTES = NAME_BYTES + 4;

export function encodeChunks(chunks: readonly ChunkName[]): Buffer {
  const rows = Buffer.alloc(chunks.length * ROW_BYTES);
  for (const [index, { name, bytes }] of chunks.entries()) {
    rows.set(name, index * ROW_BYTES);
    rows.writeUInt32LE(bytes, index * ROW_BYTES + NAME_BYTES);
  }
  return rows;
}

/** @throws BLOB_DAMAGED */
export function* decodeChunks(rows: Buffer): Generator<ChunkName> {
  if (rows.length % ROW_BYTES !== 0) throw new BanyanError("BLOB_DAMAGED", "a list of chunks is cut");
  for (let at = 0; at < rows.length; at += ROW_BYTES) {
    yield { name: rows.subarray(at, at + NAME_BYTES), bytes: rows.readUInt32LE(at + NAME_BYTES) };
  }
}
