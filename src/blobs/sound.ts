/** What every store of blobs means by one that is sound: all of it is read, and reading checks it. */
import { assert } from "../base/assert.ts";
import { BanyanError } from "../base/errors.ts";

/** False when what is read is damaged, or not there. @throws whatever else reading throws */
export async function isSound(chunks: AsyncIterable<Uint8Array>): Promise<boolean> {
  try {
    for await (const chunk of chunks) assert(chunk.length > 0, "chunks have bytes");
    return true;
  } catch (error) {
    if (error instanceof BanyanError && ["BLOB_DAMAGED", "BLOB_NOT_FOUND"].includes(error.code)) return false;
    throw error;
  }
}
