/**
 * The newest sound snapshot of an agent up to some event. One that cannot be used is passed over and told of: what it would have
 * saved is folded instead.
 */
import type { AgentId } from "../base/ids.ts";
import type { Journal, StoredRecord } from "../journal/journal.ts";
import { type Folded, readSnapshot } from "./snapshot-parts.ts";
import type { Snapshots } from "./snapshots.ts";

/** Where agents' pasts are: in the journal, and, as far as that was folded before, in snapshots. */
export interface Past {
  readonly journal: Journal;
  readonly snapshots?: Snapshots | undefined;
  /** Told of a snapshot that cannot be used. */
  readonly onBadSnapshot?: ((agent: AgentId, error: unknown) => void) | undefined;
}

/** The state after the newest event at or before `to` of which there is a snapshot. */
export async function restore(past: Past, agent: AgentId, to: number): Promise<Folded | undefined> {
  const { journal, snapshots, onBadSnapshot } = past;
  for (const seq of (await snapshots?.list(agent)) ?? []) {
    if (seq > to) continue;
    const record = await recordAt(journal, agent, seq);
    if (!record || !snapshots) continue;
    try {
      return readSnapshot(await snapshots.read(agent, seq), record);
    } catch (error) {
      onBadSnapshot?.(agent, error);
    }
  }
  return undefined;
}

/** @throws JOURNAL_DAMAGED */
export async function recordAt(journal: Journal, agent: AgentId, seq: number): Promise<StoredRecord | undefined> {
  for await (const [record] of journal.read(agent, { from: seq, to: seq })) return record;
  return undefined;
}
