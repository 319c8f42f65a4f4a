/**
 * The restore points of an agent that stand out: those that were named, those at which forks begin, and those at which it came to
 * rest. They are read from its events, so keeping them costs nothing, and listing them costs a fold.
 *
 * I1  Whatever is listed can be forked at; what is not `cut` can be rewound to.
 * I2  Of changes of status at one restore point the last is listed.
 */
import { decodeEvent } from "../agent/codec.ts";
import type { Recorded } from "../agent/events.ts";
import { evolve } from "../agent/evolve.ts";
import type { Entry, State } from "../agent/state.ts";
import type { Status } from "../agent/status.ts";
import type { AgentId } from "../base/ids.ts";
import type { StoredRecord } from "../journal/journal.ts";

export interface ListedCheckpoint {
  /** The restore point: what `rewind` and `fork` are given. */
  readonly seq: number;
  /** Whose journal has that event: the agent, or one that it was forked from. */
  readonly holder: AgentId;
  /** When it was named, or when the event became durable. */
  readonly time: number;
  readonly name: string | null;
  /** Why it is listed. */
  readonly kind: "named" | "fork" | "status";
  /** How the agent stood then. */
  readonly status: Status;
  readonly pinned: boolean;
  /** A rewind took it out of the conversation: it can be forked at, and not be rewound to. */
  readonly cut: boolean;
  /** Of the message that the conversation ends with there; null before the first. */
  readonly messageId: string | null;
  readonly turns: number;
  readonly costUsd: number;
}

export interface ListingOptions {
  /** The agent as it is now. */
  readonly state: State;
  /** Every event of its past, oldest first, through all the forks that led to it. */
  readonly history: AsyncIterable<readonly StoredRecord[]>;
  /** Events at which other agents begin. */
  readonly forkedAt: ReadonlySet<number>;
}

/** In the order of their events. */
export async function listCheckpoints({ state: now, history, forkedAt }: ListingOptions): Promise<ListedCheckpoint[]> {
  const named = Map.groupBy(now.checkpoints, ({ at }) => at);
  const found = new Map<string, ListedCheckpoint>();
  let state: State | undefined;
  for await (const records of history) {
    for (const record of records) {
      const before: State | undefined = state;
      const recorded = { seq: record.seq, time: record.time, event: decodeEvent(record.type, record.body) };
      state = evolve(record.agent, before, recorded);
      const point = pointOf(state, recorded, record.agent);
      for (const { name, time, pinned = false } of named.get(record.seq) ?? []) {
        found.set(`named ${name}`, { ...point, time, name, kind: "named", pinned });
      }
      if (forkedAt.has(record.seq)) found.set(`fork ${record.seq}`, { ...point, kind: "fork" });
      const rest = restPointOf(before, state);
      if (rest !== undefined) found.set(`status ${rest}`, { ...point, seq: rest, kind: "status" });
    }
  }
  const isCut = (seq: number) => now.cuts.some(({ after, before }) => after < seq && seq < before);
  return [...found.values()].map((each) => ({ ...each, cut: isCut(each.seq) })).sort((a, b) => a.seq - b.seq);
}

function pointOf({ head, entries }: State, { seq, time }: Recorded, holder: AgentId) {
  const { turns, costUsd } = head;
  const status: Status = head.held ? "held" : head.status;
  const messageId = idOf(entries.at(-1));
  return { seq, holder, time, name: null, status, pinned: false, cut: false, messageId, turns, costUsd };
}

/** The end of the conversation when the agent has just come to rest: was held, waits, or ended. */
function restPointOf(before: State | undefined, { head, entries }: State): number | undefined {
  const changed = before?.head.status !== head.status || before.head.held !== head.held;
  const rests = head.held || (head.status !== "queued" && head.status !== "starting" && head.status !== "running");
  return changed && rests ? entries.at(-1)?.seq : undefined;
}

/** An identity for the message that outlives its place: the provider's or the sender's, where there is one. */
function idOf(entry: Entry | undefined): string | null {
  switch (entry?.kind) {
    case "user":
      return entry.message.id;
    case "assistant":
      return entry.messageId;
    case "tools":
      return entry.results.at(-1)?.callId ?? null;
    default:
      return null;
  }
}
