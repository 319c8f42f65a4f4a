/**
 * What is wrong with an agent, from its columns and the time alone: the one place that says what needs a person.
 *
 * P1  Whatever is on the list from URGENT on needs a person now; what stands before it is worth a look.
 * P2  A failure is urgent while nobody has gone on from it: the agent is a root, or its parent has done nothing since. Once the
 *     parent has gone on it is worth a look, and once the parent has ended it is history.
 */

import { at } from "./columns.ts";
import type { Fleet } from "./fleet.ts";

/** From none to the worst. An agent's problem is an index in here. */
export const PROBLEMS = ["none", "failedHandled", "burning", "rateLimited", "stalled", "failed", "approval"] as const;
export type Problem = (typeof PROBLEMS)[number];
export const URGENT = PROBLEMS.indexOf("stalled");

const index = Object.fromEntries(PROBLEMS.map((problem, place) => [problem, place])) as Record<Problem, number>;

/** Silence of an agent that works, after which it counts as stalled. */
const STALLED_MS = 120_000;
/** A provider that makes an agent wait for so long is worth a look. */
const RATE_LIMITED_MS = 60_000;
/** Part of its budget from which on a subtree burns. */
const BURNING_PART = 0.8;
/** What a parent does so soon after a child failed it did not do because of that. */
const GOES_ON_AFTER_MS = 2_000;

/** An index in PROBLEMS. */
export function judge(fleet: Fleet, agent: number, nowMs: number): number {
  const status = fleet.statuses[at(fleet.status, agent)];
  if (status === "failed") return judgeFailure(fleet, agent);
  if (at(fleet.endedMs, agent) > 0) return index.none;
  const silentMs = nowMs - at(fleet.lastMs, agent);
  if (status === "waiting") {
    const waiting = fleet.waiting[agent];
    if (waiting === "approval") return index.approval;
    if (waiting === "rateLimit" && silentMs > RATE_LIMITED_MS) return index.rateLimited;
  }
  if ((status === "running" || status === "starting") && silentMs > STALLED_MS) return index.stalled;
  const budget = at(fleet.budgetUsd, agent);
  if (budget > 0 && fleet.subtreeUsd(agent) >= BURNING_PART * budget) return index.burning;
  return index.none;
}

function judgeFailure(fleet: Fleet, agent: number): number {
  const parent = at(fleet.parent, agent);
  if (parent < 0) return index.failed;
  if (fleet.hasEnded(parent)) return index.none;
  const goneOn = at(fleet.lastMs, parent) > at(fleet.endedMs, agent) + GOES_ON_AFTER_MS;
  return goneOn ? index.failedHandled : index.failed;
}
