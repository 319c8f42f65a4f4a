/** What is said of the store of bytes: what a collection did. */
import { z } from "zod";
import { count } from "./shapes.ts";

export const collectedArtifacts = z.strictObject({
  /** Blobs that stay, and that went or, in a dry run, would go. */
  kept: count,
  removed: count,
  removedBytes: count,
  /** Of the store on disk, before and after; after a dry run at most. */
  bytesBefore: count,
  bytesAfter: count,
  /** Records that were read, and digests that they refer to. */
  records: count,
  referred: count,
});
export type CollectedArtifacts = z.infer<typeof collectedArtifacts>;
