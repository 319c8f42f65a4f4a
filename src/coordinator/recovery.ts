/**
 * Opening: from what the journal holds to agents that go on where they were.
 *
 * O1  Opening reads the summaries of agents at rest, and folds only those that were at work.
 * O2  What a crash left half done is finished: ends and revivals that a parent was not told of, subtrees whose top had ended,
 *     children that a rewind had cut.
 * O3  A damaged agent is named and left alone; the others go on.
 */

import { hasEnded, wantsWork } from "../agent/status.ts";
import { SummaryReader } from "../agent/summary.ts";
import { asBanyanError, type BanyanError } from "../base/errors.ts";
import type { AgentId } from "../base/ids.ts";
import type { Past } from "../checkpoints/restore.ts";
import { meetChildren } from "./ends.ts";
import { foldAgent } from "./fold.ts";
import type { Roster } from "./roster.ts";
import type { Work } from "./work.ts";

export interface Recovery {
  readonly agents: number;
  /** Agents that could not be read. */
  readonly damaged: readonly { readonly agent: AgentId; readonly error: BanyanError }[];
}

/** Puts every agent of the journal on the roster (O1, O3). */
export async function recall(past: Past, { forest }: Roster): Promise<Recovery> {
  const damaged: { agent: AgentId; error: BanyanError }[] = [];
  const summaries = new SummaryReader();
  const known = (agent: AgentId) => forest.get(agent)?.head;
  const plant = forest.plant();
  for await (const batch of past.journal.heads()) {
    for (const { agent, seq, summary } of batch) {
      try {
        // At rest: nothing is waited for, so that a hundred thousand of them take no turn of the event loop each.
        const atRest = summary?.seq === seq ? summaries.read(agent, summary.text, known) : undefined;
        const head = atRest ?? (await foldAgent(past, agent)).state.head;
        if (head.parent === null || known(head.parent)) plant.add(head);
      } catch (error) {
        damaged.push({ agent, error: asBanyanError(error, "JOURNAL_DAMAGED") });
      }
    }
  }
  plant.done();
  return { agents: forest.size, damaged };
}

/** Has every living agent go on (O2). */
export async function goOn(roster: Roster, work: Work): Promise<void> {
  const { forest } = roster;
  for (const { head, children } of [...forest.nodes()]) {
    if (hasEnded(head.status)) continue;
    if (forest.isOrphan(head.agent)) {
      await roster.cell(head.agent).dispatch({ do: "cancel", by: { kind: "runtime" }, reason: "its parent ended" });
      continue;
    }
    // A call that the crash took is settled under a hold too: others wait for the money that it reserved.
    const goesOn = wantsWork(head) && (head.reservedUsd > 0 || !forest.holder(head.agent));
    const live = children.filter((child) => !hasEnded(child.head.status)).length;
    // The numbers show a difference, but for the rarest; an agent that goes on is read in any case.
    if (children.length > 0 && (goesOn || live !== head.childrenLive)) await meetChildren(roster, work, head.agent);
    if (goesOn) work.kick(head.agent);
  }
}
