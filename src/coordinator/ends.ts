/**
 * What follows from an end: the subtree goes, the parent is told, the sibling that waited for the place starts.
 *
 * X1  A subtree that ends leaves nothing running: whatever lives below an ended agent is cancelled.
 * X2  A parent learns of every end of a child once, also when the process died between the two.
 * X3  When an agent goes on after its end, or from an earlier place, its parent counts it among the living, and what it spawned
 *     since is cancelled.
 */
import type { Recorded } from "../agent/events.ts";
import type { Head } from "../agent/state.ts";
import { hasEnded } from "../agent/status.ts";
import { BanyanError } from "../base/errors.ts";
import type { AgentId } from "../base/ids.ts";
import type { Cell } from "./cell.ts";
import { outputOf } from "./fold.ts";
import type { Roster } from "./roster.ts";
import type { Work } from "./work.ts";

/** Looks at what became durable and does what follows; undefined when nothing does. Resolves when that is durable too. */
export function afterCommit(
  work: Work,
  roster: Roster,
  { head }: Cell,
  recorded: readonly Recorded[],
): Promise<unknown> | undefined {
  if (recorded.some(({ event }) => MONEY_EVENTS.has(event.type))) work.moneySettled(head.root);
  if (recorded.some(({ event }) => event.type === "agent.rewound")) work.rewound(head.agent);
  if (!hasEnded(head.status)) {
    const isBack = recorded.some(({ event }) => RETURN_EVENTS.has(event.type));
    return isBack ? tellReturn(roster, work, head.agent) : undefined;
  }
  if (!recorded.some(({ event }) => END_EVENTS.has(event.type))) return undefined;
  work.ended(head.agent, head.parent);
  return Promise.all([cutBelow(roster, head.agent, work), reportEnd(roster, work, head)]);
}

/** X3. Twice is harmless. */
export async function tellReturn(roster: Roster, work: Work, agent: AgentId): Promise<void> {
  const { parent } = roster.cell(agent).head;
  if (parent !== null && !hasEnded(roster.cell(parent).head.status)) {
    await roster.cell(parent).dispatch({ do: "reviveChild", child: agent }).catch(ignoreEndedParent);
  }
  await meetChildren(roster, work, agent);
}

/** An agent below one that has ended does not run: it learns of it when it looks (L4 of the loops). */
function ignoreEndedParent(error: unknown): void {
  if (!(error instanceof BanyanError) || error.code !== "PARENT_ENDED") throw error;
}

/** True for the types of events that end an agent. */
export function isEnd(type: string): boolean {
  return END_EVENTS.has(type);
}

const END_EVENTS: ReadonlySet<string> = new Set(["agent.completed", "agent.failed", "agent.cancelled"]);
const RETURN_EVENTS: ReadonlySet<string> = new Set(["agent.revived", "agent.rewound"]);
const MONEY_EVENTS: ReadonlySet<string> = new Set([
  "turn.ended",
  "turn.failed",
  "turn.lost",
  "turn.withdrawn",
  "agent.cancelled",
  "agent.failed",
  "budget.set",
]);

/** X1. Children first learn of it, then theirs: each cancel brings about the next ones. */
async function cutBelow(roster: Roster, agent: AgentId, work: Work): Promise<void> {
  const live = (roster.forest.get(agent)?.children ?? []).filter(({ head }) => !hasEnded(head.status));
  await Promise.all(
    live.map(async ({ head }) => {
      await work.interrupt(head.agent);
      await roster.cell(head.agent).dispatch({ do: "cancel", by: { kind: "runtime" }, reason: "its parent ended" });
    }),
  );
}

/** X2. Nothing to do for a root, or when the parent has ended: it is told if it goes on (`meetChildren`). */
async function reportEnd(roster: Roster, work: Work, head: Head): Promise<void> {
  const { parent, status } = head;
  if (parent === null || (status !== "completed" && status !== "failed" && status !== "cancelled")) return;
  if (hasEnded(roster.cell(parent).head.status)) return;
  try {
    await roster.cell(parent).dispatch({
      do: "endChild",
      child: head.agent,
      seq: head.seq,
      status,
      output: (await outputOf(work.services.journal, head)) ?? "",
      artifacts: [...head.artifacts],
      ...(head.error && { error: head.error }),
      costUsd: roster.forest.get(head.agent)?.subtree.costUsd ?? head.costUsd,
    });
  } catch (error) {
    if (!(error instanceof BanyanError) || error.code !== "AGENT_ENDED") throw error;
  }
  work.kick(parent);
}

/**
 * Brings what an agent knows of its children in line with what they are: after a crash, and when it goes on after its own end.
 * It is told of ends that it could not be told of, and of children that went on; those that a rewind cut are cancelled.
 */
export async function meetChildren(roster: Roster, work: Work, agent: AgentId): Promise<void> {
  const cell = roster.cell(agent);
  for (const child of (await cell.load()).children.values()) {
    const head = roster.forest.get(child.agent)?.head;
    // A fork alone knows its origin's children, which are not its own.
    if (head?.parent !== agent) continue;
    if (hasEnded(head.status)) {
      if (!child.ended) await reportEnd(roster, work, head);
    } else if (child.cut) {
      await work.interrupt(child.agent);
      await roster
        .cell(child.agent)
        .dispatch({ do: "cancel", by: { kind: "runtime" }, reason: "its parent was rewound" });
    } else if (child.ended) {
      await cell.dispatch({ do: "reviveChild", child: child.agent });
    }
  }
}
