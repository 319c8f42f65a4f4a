/**
 * Streams of unknown content on their way to a store that wants the name first. What fits one piece stays in memory; what does not is
 * written to a file while it is hashed, and read back piece by piece, so that a piece can be sent again (B4).
 */
import { createHash } from "node:crypto";
import { open, rm } from "node:fs/promises";
import { LIMITS } from "../../base/limits.ts";
import { type Digest, digestOf } from "../blobs.ts";
import { writingDisk } from "../fs/failures.ts";
import type { OpenFiles } from "../fs/open-files.ts";
import { chunksOf } from "../fs/reading.ts";

export interface Spooled {
  readonly digest: Digest;
  readonly bytes: number;
  /** In pieces of LIMITS.objectPartBytesMax, the last one shorter; none for an empty content. Can be asked for again. */
  parts(): AsyncIterable<Uint8Array>;
}

/** Hands `use` what the stream had, and removes the file afterwards. @throws DISK_FAILED, what the stream and `use` throw */
export async function spooling<T>(
  content: AsyncIterable<Uint8Array>,
  { path, files }: { path: string; files: OpenFiles },
  use: (spooled: Spooled) => Promise<T>,
): Promise<T> {
  const hash = createHash("sha256");
  const head: Uint8Array[] = [];
  let file: Awaited<ReturnType<typeof open>> | undefined;
  let bytes = 0;
  try {
    try {
      for await (const chunk of content) {
        hash.update(chunk);
        bytes += chunk.length;
        if (!file && bytes > LIMITS.objectPartBytesMax) {
          file = await writingDisk(open(path, "wx", 0o600));
          for (const early of head.splice(0)) await writingDisk(file.writeFile(early));
        }
        if (file) await writingDisk(file.writeFile(chunk));
        else head.push(Uint8Array.from(chunk));
      }
    } finally {
      await file?.close();
    }
    if (!file) return await use(inMemory(Buffer.concat(head)));
    const digest: Digest = `sha256:${hash.digest("hex")}`;
    const whole = { from: 0, to: bytes };
    return await use({ digest, bytes, parts: () => inParts(chunksOf(path, whole, files)) });
  } finally {
    if (file) await rm(path, { force: true });
  }
}

export function inMemory(content: Uint8Array): Spooled {
  return {
    digest: digestOf(content),
    bytes: content.length,
    async *parts() {
      for (let at = 0; at < content.length; at += LIMITS.objectPartBytesMax) {
        yield content.subarray(at, at + LIMITS.objectPartBytesMax);
      }
    },
  };
}

/** The chunks of a file have one length that divides a part's, all but the last. */
async function* inParts(chunks: AsyncIterable<Uint8Array>): AsyncGenerator<Uint8Array> {
  let part: Uint8Array[] = [];
  let length = 0;
  for await (const chunk of chunks) {
    part.push(chunk);
    length += chunk.length;
    if (length < LIMITS.objectPartBytesMax) continue;
    yield Buffer.concat(part);
    part = [];
    length = 0;
  }
  if (length > 0) yield Buffer.concat(part);
}
