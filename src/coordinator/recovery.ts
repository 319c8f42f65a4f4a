/**
 * Opening: from what the journal holds to agents that go on where they were.
 *
 * O1  Opening reads the summaries of agents at rest, and folds only those that were at work; of a large fleet the heads that were kept
 *     in one piece, and the summaries of those that changed since.
 * O2  What a crash left half done is finished: ends and revivals that a parent was not told of, subtrees whose top had ended,
 *     children that a rewind had cut.
 * O3  A damaged agent is named and left alone; the others go on.
 */

import type { Forest } from "../agent/forest.ts";
import type { Head } from "../agent/state.ts";
import { hasEnded, wantsWork } from "../agent/status.ts";
import { SummaryReader } from "../agent/summary.ts";
import { asBanyanError, type BanyanError } from "../base/errors.ts";
import type { AgentId } from "../base/ids.ts";
import { readKeptHeads } from "../checkpoints/kept-heads.ts";
import type { Past } from "../checkpoints/restore.ts";
import type { JournalHead } from "../journal/journal.ts";
import { meetChildren } from "./ends.ts";
import { foldAgent } from "./fold.ts";
import type { Roster } from "./roster.ts";
import type { Work } from "./work.ts";

export interface Recovery {
  readonly agents: number;
  /** Agents that could not be read. */
  readonly damaged: readonly { readonly agent: AgentId; readonly error: BanyanError }[];
}

export interface Recalled extends Recovery {
  /** The position of the heads that were kept, when they served. */
  readonly keptPosition?: number;
}

/** Puts every agent of the journal on the roster (O1, O3). */
export async function recall(past: Past, { forest }: Roster): Promise<Recalled> {
  const keptPosition = await recallKept(past, forest);
  if (keptPosition !== undefined) return { agents: forest.size, damaged: [], keptPosition };
  const damaged: { agent: AgentId; error: BanyanError }[] = [];
  const known = (agent: AgentId) => forest.get(agent)?.head;
  const heads = new HeadReader(past, known);
  const plant = forest.plant();
  for await (const batch of past.journal.heads()) {
    for (const found of batch) {
      try {
        // At rest: nothing is waited for, so that a hundred thousand of them take no turn of the event loop each.
        const head = heads.atRest(found) ?? (await heads.fold(found));
        if (head.parent === null || known(head.parent)) plant.add(head);
      } catch (error) {
        damaged.push({ agent: found.agent, error: asBanyanError(error, "JOURNAL_DAMAGED") });
      }
    }
  }
  plant.done();
  return { agents: forest.size, damaged };
}

/**
 * The position of the heads that were kept; undefined when there are none that can be used, or an agent that changed since cannot be
 * read: then all are read anew, and it is named.
 */
async function recallKept(past: Past, forest: Forest): Promise<number | undefined> {
  const { journal, snapshots } = past;
  const kept = snapshots && (await readKeptHeads({ journal, snapshots }));
  if (!kept) return undefined;
  const changed: Head[] = [];
  const heads = new HeadReader(past, () => undefined);
  try {
    for await (const batch of journal.heads({ after: kept.position })) {
      for (const found of batch) changed.push(heads.atRest(found) ?? (await heads.fold(found)));
    }
    for (const agent of kept.unread) changed.push(await heads.fold({ agent }));
  } catch {
    return undefined;
  }
  forest.plantColumns(kept.columns);
  for (const head of changed) forest.put(head);
  return kept.position;
}

/** From what the journal knows of an agent to its head. */
class HeadReader {
  readonly #past: Past;
  readonly #known: (agent: AgentId) => Head | undefined;
  readonly #summaries = new SummaryReader();

  constructor(past: Past, known: (agent: AgentId) => Head | undefined) {
    this.#past = past;
    this.#known = known;
  }

  /** Undefined for one whose summary is not of its newest event. */
  atRest({ agent, seq, summary }: JournalHead): Head | undefined {
    return summary?.seq === seq ? this.#summaries.read(agent, summary.text, this.#known) : undefined;
  }

  /** @throws JOURNAL_DAMAGED */
  async fold({ agent }: Pick<JournalHead, "agent">): Promise<Head> {
    return (await foldAgent(this.#past, agent)).state.head;
  }
}

/** Has every living agent go on (O2). */
export async function goOn(roster: Roster, work: Work): Promise<void> {
  const { forest } = roster;
  for (const { agent, brief, children } of [...forest.nodes()]) {
    if (hasEnded(brief.status)) continue;
    if (forest.isOrphan(agent)) {
      await roster.cell(agent).dispatch({ do: "cancel", by: { kind: "runtime" }, reason: "its parent ended" });
      continue;
    }
    // A call that the crash took is settled under a hold too: others wait for the money that it reserved.
    const goesOn = wantsWork(brief) && (brief.reservedUsd > 0 || !forest.holder(agent));
    const live = children.filter((child) => !hasEnded(child.brief.status)).length;
    // The numbers show a difference, but for the rarest; an agent that goes on is read in any case.
    if (children.length > 0 && (goesOn || live !== brief.childrenLive)) await meetChildren(roster, work, agent);
    if (goesOn) work.kick(agent);
  }
}
