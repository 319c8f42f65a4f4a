/**
 * Checks everything that is stored: every record against its checksum and chain, every event against its schema, every agent by
 * folding it, its summary against the fold, every blob that is referred to against its digest. Changes nothing, and works
 * beside a process that writes.
 *
 * F1  Each record is read a fixed number of times, however many forks share it.
 * F2  What was durable when it began is checked; what is appended meanwhile need not be.
 */
import { checkEvent, decodeEvent } from "../agent/codec.ts";
import { referencesOf } from "../agent/references.ts";
import { BanyanError } from "../base/errors.ts";
import type { AgentId } from "../base/ids.ts";
import { LIMITS } from "../base/limits.ts";
import { forSeveral } from "../base/several.ts";
import { type Blobs, isDigest } from "../blobs/blobs.ts";
import type { Journal, JournalHead, StoredRecord } from "../journal/journal.ts";
import { Folding } from "./folding.ts";

export interface Damaged {
  readonly agent: AgentId | null;
  /** The event that is damaged, or that refers to what is. */
  readonly seq: number | null;
  readonly what: string;
}

export interface VerifyReport {
  readonly agents: number;
  readonly events: number;
  /** Those that events refer to. */
  readonly blobs: number;
  readonly damaged: readonly Damaged[];
  readonly ok: boolean;
}

/** Where something is referred to. */
interface Place {
  readonly agent: AgentId;
  readonly seq: number;
}

/** Reads the whole of the data. Damage is reported, never thrown. */
export async function verifyData({ journal, blobs }: { journal: Journal; blobs: Blobs }): Promise<VerifyReport> {
  const damaged: Damaged[] = [];
  const references = new Map<string, Place>();
  const heads = await readHeads(journal);
  const folding = new Folding(heads);
  for (const head of heads) damaged.push(...(await verifyAgent(journal, folding, head, references)));
  await forSeveral(references, LIMITS.blobsAtOnceMax, async ([digest, place]) => {
    const what = await wrongWith(blobs, digest);
    if (what) damaged.push({ ...place, what });
  });
  const stored = await journal.verify();
  for (const { agent, seq, what } of stored.damaged) damaged.push({ agent: agent ?? null, seq: seq ?? null, what });
  return { agents: heads.length, events: stored.records, blobs: references.size, damaged, ok: damaged.length === 0 };
}

/** As far as they can be read: what stops the reading is named by the journal's own check. */
async function readHeads(journal: Journal): Promise<JournalHead[]> {
  const heads: JournalHead[] = [];
  await unlessDamaged(async () => {
    for await (const batch of journal.heads()) heads.push(...batch);
  });
  return heads;
}

async function verifyAgent(
  journal: Journal,
  folding: Folding,
  head: JournalHead,
  references: Map<string, Place>,
): Promise<Damaged[]> {
  const damaged: Damaged[] = [];
  const { agent } = head;
  const fold = folding.begin(head);
  await unlessDamaged(async () => {
    for await (const batch of journal.read(agent, { to: head.seq })) {
      for (const record of batch) {
        const invalid = checkRecord(record, references);
        if (invalid) fold.stop();
        const what = invalid ?? fold.next(record);
        if (what) damaged.push({ agent, seq: record.seq, what });
      }
    }
  });
  return damaged;
}

/** Returns what is wrong with the event itself; notes the blobs that it refers to, each once. */
function checkRecord({ agent, seq, type, body }: StoredRecord, references: Map<string, Place>): string | undefined {
  const wrong = checkEvent(type, body);
  if (wrong !== undefined) return `the event is not valid: ${wrong}`;
  for (const digest of referencesOf(decodeEvent(type, body))) {
    if (!references.has(digest)) references.set(digest, { agent, seq });
  }
  return undefined;
}

async function wrongWith(blobs: Blobs, digest: string): Promise<string | undefined> {
  if (!isDigest(digest) || (await blobs.has(digest)) === undefined) return `the blob ${digest} is missing`;
  return (await blobs.verify(digest)) ? undefined : `the blob ${digest} does not match its digest`;
}

/** Reads on until something is damaged: the journal's own check names all of it. */
async function unlessDamaged(read: () => Promise<void>): Promise<void> {
  try {
    await read();
  } catch (error) {
    if (!(error instanceof BanyanError) || error.code !== "JOURNAL_DAMAGED") throw error;
  }
}
