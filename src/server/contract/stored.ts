/** What is said of the store of bytes: what a collection did, and what a scrub found. */
import { z } from "zod";
import { count, digest } from "./shapes.ts";

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

export const scrubbedArtifacts = z.strictObject({
  /** That were read, and their bytes. */
  blobs: count,
  bytes: count,
  damaged: count,
  missing: count,
  mended: count,
  /** The first of them. */
  unsound: z.array(
    z.strictObject({ digest, what: z.enum(["damaged", "missing"]), agent: z.string().nullable(), mended: z.boolean() }),
  ),
});
export type ScrubbedArtifacts = z.infer<typeof scrubbedArtifacts>;
