/** A file's bytes in chunks. The file is open only while a chunk is read, so that a slow or forgotten reader holds none. */
import { createHash } from "node:crypto";
import { open } from "node:fs/promises";
import { BanyanError } from "../../base/errors.ts";
import type { Digest, Range } from "../blobs.ts";
import type { OpenFiles } from "./open-files.ts";

const CHUNK_BYTES = 256 * 1024;

/** @throws whatever the file system says */
export async function* chunksOf(
  path: string,
  { from, to }: Range,
  files: OpenFiles,
): AsyncGenerator<Uint8Array<ArrayBuffer>> {
  for (let at = from; ; at += CHUNK_BYTES) {
    const wanted = Math.max(0, Math.min(CHUNK_BYTES, to - at));
    const chunk = await files.during(() => readAt(path, at, wanted));
    if (chunk.length > 0) yield chunk;
    if (chunk.length < CHUNK_BYTES) return;
  }
}

/** As many bytes as are there, up to `wanted`. */
async function readAt(path: string, at: number, wanted: number): Promise<Uint8Array<ArrayBuffer>> {
  const file = await open(path, "r");
  try {
    const chunk = new Uint8Array(wanted);
    let length = 0;
    while (length < wanted) {
      const { bytesRead } = await file.read(chunk, length, wanted - length, at + length);
      if (bytesRead === 0) break;
      length += bytesRead;
    }
    return chunk.subarray(0, length);
  } finally {
    await file.close();
  }
}

/** B3: hands over the last chunk only once all of them together have the right digest. @throws BLOB_DAMAGED */
export async function* checked(digest: Digest, chunks: AsyncIterable<Uint8Array>): AsyncGenerator<Uint8Array> {
  const found = createHash("sha256");
  let last: Uint8Array | undefined;
  for await (const chunk of chunks) {
    if (last) yield last;
    found.update(chunk);
    last = chunk;
  }
  if (digest !== `sha256:${found.digest("hex")}`)
    throw new BanyanError("BLOB_DAMAGED", `blob ${digest} has other bytes`);
  if (last) yield last;
}
