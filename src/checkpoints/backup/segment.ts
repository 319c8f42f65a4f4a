/**
 * A segment of a backup: records of all agents in the order in which they became durable, compressed. It names the digest of the one
 * before it, so that none can be exchanged or left out unseen.
 */
import { hash } from "node:crypto";
import { promisify } from "node:util";
import { constants, zstdCompress, zstdDecompress } from "node:zlib";
import { z } from "zod";
import { decodeEvent } from "../../agent/codec.ts";
import { referencesOf } from "../../agent/references.ts";
import { BanyanError } from "../../base/errors.ts";
import { isId } from "../../base/ids.ts";
import { LIMITS } from "../../base/limits.ts";
import { type Digest, isDigest } from "../../blobs/blobs.ts";
import type { StoredRecord } from "../../journal/journal.ts";

const compress = promisify(zstdCompress);
const decompress = promisify(zstdDecompress);
const params = { [constants.ZSTD_c_checksumFlag]: 1, [constants.ZSTD_c_compressionLevel]: 3 };

const header = z.strictObject({
  format: z.literal(1),
  number: z.int().positive(),
  owner: z.int().positive(),
  /** Of the newest record. */
  time: z.int(),
  /** Positions of the first and the last record. */
  first: z.int().positive(),
  last: z.int().positive(),
  records: z.int().positive(),
  /** Digest of the segment before; null for the first. */
  previous: z.string().nullable(),
});
export type SegmentHeader = z.infer<typeof header>;

const row = z.tuple([z.string().refine(isId), z.int().positive(), z.int().positive(), z.int(), z.string(), z.string()]);

export interface Segment {
  readonly header: SegmentHeader;
  readonly records: readonly StoredRecord[];
  readonly digest: string;
}

export type SegmentPlace = Pick<SegmentHeader, "number" | "owner" | "previous">;

/** The bytes, and the digest that the next one names. */
export async function writeSegment(
  place: SegmentPlace,
  records: readonly StoredRecord[],
): Promise<{ bytes: Buffer; digest: string }> {
  const [first, last] = [records[0]?.position ?? 0, records.at(-1)?.position ?? 0];
  const time = records.reduce((newest, record) => Math.max(newest, record.time), Number.MIN_SAFE_INTEGER);
  const head: SegmentHeader = { format: 1, ...place, time, first, last, records: records.length };
  const rows = records.map((r) => JSON.stringify([r.agent, r.seq, r.position, r.time, r.type, r.body]));
  const text = [JSON.stringify(head), ...rows].join("\n");
  return { bytes: await compress(text, { params }), digest: hash("sha256", text) };
}

/** @throws BLOB_DAMAGED */
export async function readSegment(bytes: Uint8Array, name: string): Promise<Segment> {
  try {
    const text = (await decompress(bytes, { maxOutputLength: 2 * LIMITS.backupSegmentBytesMax })).toString("utf8");
    const [first = "", ...rows] = text.split("\n");
    const head = header.parse(JSON.parse(first));
    const records = rows.map((line): StoredRecord => {
      const [agent, seq, position, time, type, body] = row.parse(JSON.parse(line));
      return { agent, seq, position, time, type, body };
    });
    const [begin, end] = [records[0]?.position, records.at(-1)?.position];
    if (records.length !== head.records || begin !== head.first || end !== head.last)
      throw new Error("records are missing");
    return { header: head, records, digest: hash("sha256", text) };
  } catch (cause) {
    throw new BanyanError("BLOB_DAMAGED", `${name} of the backup: ${(cause as Error).message}`, { cause });
  }
}

/** The blobs that a record refers to. Most have none, and are not looked into. */
function blobsOf(type: string, body: string): Iterable<string> {
  return body.includes("sha256:") ? referencesOf(decodeEvent(type, body)) : [];
}

/** Blobs that the records refer to and that are not known yet, as they are asked for; they are known then. */
export function* newBlobs(records: readonly StoredRecord[], known: Set<string>): Generator<Digest> {
  for (const { type, body } of records) {
    for (const digest of blobsOf(type, body)) {
      if (known.has(digest) || !isDigest(digest)) continue;
      known.add(digest);
      yield digest;
    }
  }
}
