/** What is said of the store of bytes: how it grows, what a collection did, and what a scrub found. */
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

const archivedTree = z.strictObject({
  root: z.string(),
  path: z.string(),
  parts: count,
  records: count,
  /** Bytes of the records' bodies in the database, and of the parts that they became. */
  bodyBytes: count,
  bytes: count,
});

export const archivedRow = archivedTree.extend({
  /** Empty for the archive in the data folder. */
  place: z.string(),
  time: count,
});

export const archiveOutcome = z.strictObject({
  /** Of a dry run those that would be moved, with no parts and no bytes. */
  trees: z.array(archivedTree),
  failed: z.array(z.strictObject({ root: z.string(), code: z.string(), message: z.string() })),
  /** Of the database, before and after, and what stands free in it afterwards. */
  databaseBytesBefore: count,
  databaseBytesAfter: count,
  freeBytes: count,
});

export const restoredArchive = archivedTree;

export const archiveCheck = z.strictObject({
  parts: count,
  bytes: count,
  unsound: z.array(z.strictObject({ root: z.string(), place: z.string(), key: z.string(), what: z.string() })),
});

export const capacity = z.strictObject({
  /** On disk now, all of the data folder; and free there. */
  storedBytes: count,
  freeBytes: count,
  /** Of records and what they refer to, as it was written. */
  writtenBytes: count,
  /** On disk, over the last week. */
  bytesPerDay: count,
  /** Null when it does not grow. */
  daysUntilFull: count.nullable(),
  /** What was written on the last days that saw anything; each is the time of its midnight (UTC). */
  days: z.array(z.strictObject({ time: count, bytes: count })),
  /** The largest trees first, with the time since their newest record. */
  trees: z.array(z.strictObject({ root: z.string(), path: z.string(), bytes: count, ageMs: count })),
});
export type CapacityReport = z.infer<typeof capacity>;
