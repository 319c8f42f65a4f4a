/**
 * Collection of what nobody refers to any more: every record of the journal is read for digests, and the blobs sweep the others away.
 * Both happen beside agents at work.
 *
 * G1  What a journal refers to is kept, by whichever agent, in whichever past: forks, checkpoints and pins are records, and records that are
 *     in one agent's past alone are read too. Whatever looks like a digest counts.
 * G2  What becomes durable while the journal is read is read as well, up to a moment after which only bytes that were put again can be
 *     referred to anew; those are within their grace.
 * G3  A journal that cannot be read whole collects nothing: what is not read may refer to anything.
 */
import { type Clock, sleep } from "../base/clock.ts";
import { BanyanError } from "../base/errors.ts";
import { LIMITS } from "../base/limits.ts";
import type { Blobs, Digest, Swept } from "../blobs/blobs.ts";
import { DigestSet } from "../blobs/digest-set.ts";
import type { Journal, StoredRecord } from "../journal/journal.ts";

export interface CollectOptions {
  readonly journal: Journal;
  readonly blobs: Blobs;
  readonly clock: Clock;
  /** Age below which nothing is removed that this process put, or put again. */
  readonly graceMs?: number | undefined;
  readonly dryRun?: boolean | undefined;
  readonly signal?: AbortSignal | undefined;
}

export interface Collected extends Swept {
  /** Records that were read, and digests that they refer to. */
  readonly records: number;
  readonly referred: number;
}

/** @throws INPUT_INVALID (the grace), JOURNAL_DAMAGED (G3), DATA_IN_USE, DISK_FAILED, the signal's reason */
export async function collect(options: CollectOptions): Promise<Collected> {
  const { blobs, graceMs = LIMITS.collectGraceMsDefault, dryRun = false, signal } = options;
  if (!(graceMs >= LIMITS.collectGraceMsMin)) {
    throw new BanyanError("INPUT_INVALID", `a grace of ${graceMs} ms: at least ${LIMITS.collectGraceMsMin}`);
  }
  const { digests, records } = await referencesIn(options);
  const swept = await blobs.sweep({ keeps: (digest) => digests.has(digest), graceMs, dryRun, signal });
  return { ...swept, records, referred: digests.size };
}

const DIGEST = /sha256:[0-9a-f]{64}/g;

/** G1, G2. */
async function referencesIn({
  journal,
  clock,
  signal,
}: CollectOptions): Promise<{ digests: DigestSet; records: number }> {
  const digests = new DigestSet();
  let records = 0;
  let busySinceMs = clock.monotonic();
  const note = async (batch: readonly StoredRecord[]) => {
    for (const { body } of batch) {
      records += 1;
      if (body.includes("sha256:")) for (const [digest] of body.matchAll(DIGEST)) digests.add(digest as Digest);
      if (clock.monotonic() - busySinceMs < LIMITS.collectBusyMsMax) continue;
      await sleep(clock, 0, signal);
      busySinceMs = clock.monotonic();
    }
  };
  const began = await journal.position();
  for await (const heads of journal.heads()) {
    for (const { agent, seq } of heads) for await (const batch of journal.read(agent, { to: seq })) await note(batch);
  }
  await noteFrom(journal, began, note);
  return { digests, records };
}

/** Records behind a position, up to the newest one. */
async function noteFrom(
  journal: Journal,
  position: number,
  note: (batch: readonly StoredRecord[]) => Promise<void>,
): Promise<void> {
  const end = await journal.position();
  if (end <= position) return;
  const done = new AbortController();
  for await (const batch of journal.follow(position, done.signal)) {
    await note(batch);
    if ((batch.at(-1)?.position ?? 0) >= end) done.abort();
  }
}
