/**
 * A part of an archive: records of one tree as lines of JSON, compressed. The first line is `{format, root, records}`, then one
 * `[agent, seq, position, time, type, body]` a record, by agent and sequence. It can be read without the journal.
 */
import { hash } from "node:crypto";
import { promisify } from "node:util";
import { constants, zstdCompress, zstdDecompress } from "node:zlib";
import { BanyanError } from "../../base/errors.ts";
import type { AgentId } from "../../base/ids.ts";
import { LIMITS } from "../../base/limits.ts";
import type { StoredRecord } from "../journal.ts";

const compress = promisify(zstdCompress);
const decompress = promisify(zstdDecompress);
const params = { [constants.ZSTD_c_checksumFlag]: 1, [constants.ZSTD_c_compressionLevel]: 6 };

/** What a record takes in a part besides its body, about. */
const ROW_BYTES = 80;
/** The most that a part can be of: its last record is whatever long, and JSON writes a control character in six. */
const TEXT_BYTES_MAX = 7 * (LIMITS.archivePartBytesMax + LIMITS.recordBytesMax);

/** Records that follow each other, of one agent. */
export interface Run {
  readonly agent: AgentId;
  readonly first: number;
  readonly bodies: readonly string[];
}

/** Records in pieces, each as large as a part is to be. */
export async function* piecesOf(batches: AsyncIterable<StoredRecord[]>): AsyncGenerator<StoredRecord[]> {
  let piece: StoredRecord[] = [];
  let bytes = 0;
  for await (const batch of batches) {
    for (const record of batch) {
      piece.push(record);
      bytes += Buffer.byteLength(record.body) + ROW_BYTES;
      if (bytes < LIMITS.archivePartBytesMax) continue;
      yield piece;
      [piece, bytes] = [[], 0];
    }
  }
  if (piece.length > 0) yield piece;
}

export async function writePart(
  root: AgentId,
  records: readonly StoredRecord[],
): Promise<{ bytes: Buffer; digest: string }> {
  const lines = records.map((r) => JSON.stringify([r.agent, r.seq, r.position, r.time, r.type, r.body]));
  const text = [JSON.stringify({ format: 1, root, records: records.length }), ...lines].join("\n");
  const bytes = await compress(text, { params });
  return { bytes, digest: hash("sha256", bytes) };
}

/** @throws JOURNAL_DAMAGED for bytes that are not those of the digest */
export async function readPart(bytes: Uint8Array, digest: string, name: string): Promise<Run[]> {
  try {
    if (hash("sha256", bytes) !== digest) throw new Error("it does not match its digest");
    const text = (await decompress(bytes, { maxOutputLength: TEXT_BYTES_MAX })).toString("utf8");
    const runs: { agent: AgentId; first: number; bodies: string[] }[] = [];
    for (const line of text.split("\n").slice(1)) {
      const [agent, seq, , , , body] = JSON.parse(line) as [string, number, number, number, string, string];
      const run = runs.at(-1);
      if (run?.agent === agent && run.first + run.bodies.length === seq) run.bodies.push(body);
      else runs.push({ agent, first: seq, bodies: [body] });
    }
    return runs;
  } catch (cause) {
    throw new BanyanError("JOURNAL_DAMAGED", `${name} of the archive: ${(cause as Error).message}`, { cause });
  }
}

/** The run that has a record, or undefined when none of them has it. */
export function runOf(runs: readonly Run[], agent: AgentId, seq: number): Run | undefined {
  return runs.find((each) => each.agent === agent && seq >= each.first && seq < each.first + each.bodies.length);
}
