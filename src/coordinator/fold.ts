/** From journal to state: the one way in which agents come into memory. */
import { decodeEvent } from "../agent/codec.ts";
import type { Content } from "../agent/content.ts";
import { evolve } from "../agent/evolve.ts";
import type { Head, State } from "../agent/state.ts";
import { assert } from "../base/assert.ts";
import { BanyanError } from "../base/errors.ts";
import { presentIsOver } from "../base/event-loop.ts";
import type { AgentId } from "../base/ids.ts";
import { LIMITS } from "../base/limits.ts";
import { type Past, restore } from "../checkpoints/restore.ts";
import type { Folded } from "../checkpoints/snapshot-parts.ts";
import type { Covered } from "../checkpoints/snapshotter.ts";
import type { Journal, StoredRecord } from "../journal/journal.ts";

export interface Restored extends Folded {
  /** What came from a snapshot. */
  readonly covered: Covered | undefined;
}

/**
 * The agent's state after its newest event, or after event `to`: from the newest snapshot on its path there, and the events since.
 * @throws AGENT_NOT_FOUND, JOURNAL_DAMAGED, EVENT_INVALID, CHECKPOINT_NOT_FOUND when it has no event `to`
 */
export async function foldAgent(past: Past, agent: AgentId, to?: number): Promise<Restored> {
  const { journal } = past;
  const path = await segments(journal, agent, to);
  const begun = await newestOf(past, path);
  let { state, size }: { state: State | undefined; size: number } = begun?.folded ?? { state: undefined, size: 0 };
  for (const segment of path.slice(begun?.index)) {
    const from = segment.agent === state?.head.agent ? state.head.seq + 1 : undefined;
    let batches = 0;
    for await (const batch of journal.read(segment.agent, { ...(from && { from }), to: segment.to })) {
      // Of a very long past others have their turn in between.
      batches += 1;
      if (batches > 1) await presentIsOver();
      for (const record of batch) {
        size += record.body.length;
        const event = decodeEvent(record.type, record.body);
        state = evolve(record.agent, state, { seq: record.seq, time: record.time, event });
      }
    }
  }
  if (!state || (to !== undefined && state.head.seq !== to)) {
    throw new BanyanError("CHECKPOINT_NOT_FOUND", `${agent} has no event ${to}`, { agent });
  }
  return { state, size, covered: begun && coveredBy(begun.folded) };
}

function coveredBy({ state: { head }, size }: Folded): Covered {
  return { size, seq: head.seq, time: head.time };
}

/** The newest snapshot on the path, and the segment that it is of. */
async function newestOf(past: Past, path: readonly Segment[]) {
  if (!past.snapshots) return undefined;
  for (let index = path.length - 1; index >= 0; index -= 1) {
    const segment = path[index] as Segment;
    const folded = await restore(past, segment.agent, segment.to);
    if (folded) return { index, folded };
  }
  return undefined;
}

/** Events that are read at a time to find an output: it stands at the end, or near it. */
const OUTPUT_WITHIN = 16;

/** What a completed agent answered: a head that was read from a summary lacks it. @throws JOURNAL_DAMAGED */
export async function outputOf(journal: Journal, head: Head): Promise<Content | null> {
  if (head.status !== "completed" || head.output !== null) return head.output;
  for (let to = head.seq; to > 0; to -= OUTPUT_WITHIN) {
    let output: Content | undefined;
    for await (const batch of journal.read(head.agent, { from: to - OUTPUT_WITHIN + 1, to })) {
      for (const { type, body } of batch) {
        const event = type === "agent.completed" ? decodeEvent(type, body) : undefined;
        if (event?.type === "agent.completed") output = event.output;
      }
    }
    if (output !== undefined) return output;
  }
  throw new BanyanError("JOURNAL_DAMAGED", `the journal of ${head.agent} does not say what it answered`, {
    agent: head.agent,
  });
}

/** Every record of the agent's past in batches, oldest first: through all the forks that led to it. */
export async function* history(
  journal: Journal,
  agent: AgentId,
  { from = 1, to }: { from?: number | undefined; to?: number | undefined } = {},
): AsyncGenerator<StoredRecord[]> {
  for (const segment of await segments(journal, agent, to)) {
    if (segment.to >= from) yield* journal.read(segment.agent, { from, to: segment.to });
  }
}

interface Segment {
  readonly agent: AgentId;
  readonly to: number;
}

/** The journals that make up an agent's past, oldest first, each with the last sequence that belongs to it. */
async function segments(journal: Journal, agent: AgentId, to = Number.MAX_SAFE_INTEGER): Promise<Segment[]> {
  const found: Segment[] = [];
  let at: { agent: AgentId; seq: number } | undefined = { agent, seq: to };
  while (at) {
    const head = await journal.head(at.agent);
    if (!head) throw new BanyanError("AGENT_NOT_FOUND", `no journal of ${at.agent}`, { agent });
    found.push({ agent: at.agent, to: at.seq });
    assert(found.length <= LIMITS.forkChainMax, `the chain of forks of ${agent} is bounded`);
    at = head.origin && { agent: head.origin.agent, seq: Math.min(head.origin.seq, at.seq) };
  }
  return found.reverse();
}

/**
 * The journal that holds an agent's event `seq`: its own, or one that it was forked from.
 * @throws CHECKPOINT_NOT_FOUND
 */
export async function holderOf(journal: Journal, agent: AgentId, seq: number): Promise<AgentId> {
  for (let at: AgentId = agent; ; ) {
    const head = await journal.head(at);
    if (!head || !Number.isInteger(seq) || seq < 1 || seq > head.seq)
      throw new BanyanError("CHECKPOINT_NOT_FOUND", `${agent} has no event ${seq}`, { agent });
    if (!head.origin || seq > head.origin.seq) return at;
    at = head.origin.agent;
  }
}
