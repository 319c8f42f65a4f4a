/**
 * Events as they are logged: of one agent, of a subtree, or of all, from a position on.
 *
 * G1  No event of a member is left out, and none comes twice: who belongs to a subtree is read from the events themselves,
 *     since a child's first event can be read before the forest knows the child.
 * G2  Following ends when the agent (with its subtree: all of it) has ended and the last event of that has been handed over.
 */
import { decodeEvent } from "../agent/codec.ts";
import type { AgentEvent } from "../agent/events.ts";
import { hasEnded } from "../agent/status.ts";
import type { AgentId } from "../base/ids.ts";
import type { StoredRecord } from "../journal/journal.ts";
import type { Runtime } from "./open.ts";

/** An event of any agent, where it stands. */
export interface FollowedEvent {
  readonly agent: AgentId;
  readonly seq: number;
  /** Its place in the order of all events of the data; follow from here to go on later. */
  readonly position: number;
  /** Milliseconds since the epoch. */
  readonly time: number;
  readonly event: AgentEvent;
}

export interface EventsWanted {
  /** All agents when absent. */
  readonly agent: AgentId | undefined;
  readonly subtree: boolean;
  readonly after: number | undefined;
  readonly follow: boolean;
  readonly signal: AbortSignal;
}

/** Batches of events in the order of their positions. Ends early, without an error, when the signal is aborted. */
export async function* loggedEvents(runtime: Runtime, wanted: EventsWanted): AsyncGenerator<FollowedEvent[]> {
  const { follow, signal } = wanted;
  const { journal } = runtime.services;
  const pick = memberRecords(runtime, wanted);
  let after = await beginningOf(runtime, wanted);
  const end = endOf(runtime, wanted, after);
  try {
    for await (const { records, last } of recordsUntilNow(runtime, wanted, { after, signal })) {
      after = last;
      const own = pick(records).map(logged);
      if (own.length > 0) yield own;
      end.reached(last);
    }
    if (!follow) return;
    for await (const records of journal.follow(after, AbortSignal.any([signal, end.signal]))) {
      const own = pick(records).map(logged);
      if (own.length > 0) yield own;
      end.reached(records.at(-1)?.position ?? after);
    }
  } finally {
    end.forget();
  }
}

/**
 * What is durable when it begins, in batches that hold at least what is wanted, each with the position that it reaches. One agent's own are read
 * from its journal, however much the others wrote meanwhile.
 */
export async function* recordsUntilNow(
  { services: { journal } }: Runtime,
  { agent, subtree }: Pick<EventsWanted, "agent" | "subtree">,
  { after, signal }: { after: number; signal: AbortSignal },
): AsyncGenerator<{ records: readonly StoredRecord[]; last: number }> {
  const end = await journal.position();
  if (end <= after) return;
  const own = new AbortController();
  const from = agent === undefined || subtree ? undefined : ((await journal.seqAt(agent, after)) ?? 0) + 1;
  const batches =
    agent === undefined || from === undefined
      ? journal.follow(after, AbortSignal.any([signal, own.signal]))
      : journal.read(agent, { from });
  let reached = after;
  for await (const records of batches) {
    if (signal.aborted) return;
    reached = Math.min(end, records.at(-1)?.position ?? end);
    yield { records: records.filter(({ position }) => position <= end), last: reached };
    if (reached >= end) return own.abort();
  }
  if (from !== undefined) yield { records: [], last: end };
}

/** Picks the records of members (G1), of all that follow each other. */
export function memberRecords(
  { coordinator: { forest } }: Runtime,
  { agent, subtree }: Pick<EventsWanted, "agent" | "subtree">,
): (records: readonly StoredRecord[]) => readonly StoredRecord[] {
  if (agent === undefined) return (records) => records;
  const members = new Set<AgentId>([agent]);
  if (subtree) for (const { head } of forest.subtree(agent)) members.add(head.agent);
  return (records) =>
    records.filter((record) => {
      if (!members.has(record.agent) && !(subtree && isBorn(record, members))) return false;
      members.add(record.agent);
      return true;
    });
}

/** True for the first event of an agent whose parent is a member. */
function isBorn({ type, body }: StoredRecord, members: ReadonlySet<AgentId>): boolean {
  if (type !== "agent.created" && type !== "agent.forked") return false;
  const event = decodeEvent(type, body);
  return "parent" in event && event.parent !== null && members.has(event.parent);
}

function logged({ agent, seq, position, time, type, body }: StoredRecord): FollowedEvent {
  return { agent, seq, position, time, event: decodeEvent(type, body) };
}

/** The position after which what is wanted begins. */
export async function beginningOf(
  runtime: Runtime,
  { agent, after = 0 }: Pick<EventsWanted, "agent" | "after">,
): Promise<number> {
  return Math.max(after, (await startOf(runtime, agent)) - 1);
}

/** True once all that is wanted has ended (G2). */
export function isOver(
  { coordinator: { forest } }: Runtime,
  { agent, subtree }: Pick<EventsWanted, "agent" | "subtree">,
): boolean {
  const node = agent === undefined ? undefined : forest.get(agent);
  return node !== undefined && (subtree ? node.subtree.live === 0 : hasEnded(node.head.status));
}

/** Where the agent's own events begin. */
async function startOf({ coordinator, services }: Runtime, agent: AgentId | undefined): Promise<number> {
  const head = agent === undefined ? undefined : coordinator.forest.get(agent)?.head;
  if (agent === undefined || !head) return 1;
  return (await services.journal.positionOf(agent, (head.origin?.seq ?? 0) + 1)) ?? 1;
}

/**
 * Says when there is nothing left to follow (G2). The forest shows an end once it is durable, and then all that came before it is:
 * the log ends at the position that was the newest then, however much others write meanwhile.
 */
function endOf(runtime: Runtime, wanted: EventsWanted, after: number) {
  const { journal } = runtime.services;
  const over = new AbortController();
  let reached = after;
  let last: number | undefined;
  const look = async () => {
    if (!isOver(runtime, wanted)) last = undefined;
    else last ??= await journal.position();
    if (last !== undefined && reached >= last) over.abort();
  };
  // A journal that is closed meanwhile ends the log by itself.
  const lookAgain = () => void look().catch(() => undefined);
  const forget = runtime.coordinator.watch(lookAgain);
  lookAgain();
  return {
    signal: over.signal,
    forget,
    reached(position: number) {
      reached = position;
      lookAgain();
    },
  };
}
