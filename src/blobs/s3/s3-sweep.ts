/**
 * Removes objects of blobs that nobody refers to, while others put and read.
 *
 * V1  Whether a blob stays is decided in the turn in which its removal begins, and a put of it that comes later waits until that has ended:
 *     it then looks again, and sends anew.
 * V2  A removal whose answer was lost is asked for again until it is answered, or the sweep fails; what was removed until then is gone.
 */
import { LIMITS } from "../../base/limits.ts";
import type { BlobInfo, Digest, Swept } from "../blobs.ts";

export interface S3SweepOptions {
  readonly blobs: AsyncIterable<BlobInfo>;
  readonly stays: (digest: Digest) => boolean;
  /** Begins at once, and resolves when the store has answered. */
  readonly remove: (digest: Digest) => Promise<void>;
  readonly dryRun: boolean;
  readonly signal: AbortSignal;
}

/** @throws what the store says, the signal's reason */
export async function sweepObjects({ blobs, stays, remove, dryRun, signal }: S3SweepOptions): Promise<Swept> {
  let [kept, removed, bytesBefore, removedBytes] = [0, 0, 0, 0];
  const removing = new Set<Promise<void>>();
  const failures: unknown[] = [];
  try {
    for await (const { digest, bytes } of blobs) {
      signal.throwIfAborted();
      if (failures.length > 0) break;
      bytesBefore += bytes;
      while (removing.size >= LIMITS.collectRequestsMax) await Promise.race(removing);
      // V1: nothing is waited for from here on.
      if (stays(digest)) {
        kept += 1;
        continue;
      }
      removed += 1;
      removedBytes += bytes;
      if (dryRun) continue;
      const removal: Promise<void> = remove(digest)
        .catch((error: unknown) => void failures.push(error))
        .finally(() => removing.delete(removal));
      removing.add(removal);
    }
  } finally {
    await Promise.all(removing);
  }
  if (failures.length > 0) throw failures[0];
  return { kept, removed, removedBytes, bytesBefore, bytesAfter: bytesBefore - removedBytes };
}
