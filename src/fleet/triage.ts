/**
 * What needs a person, ranked: the worst kind first, then what has waited longest, of budgets what spends most. While nothing changes the
 * list stands still, and what is new comes after what was there.
 */
import { at } from "./columns.ts";
import type { Fleet } from "./fleet.ts";
import { PROBLEMS, type Problem, URGENT } from "./problems.ts";

const BURNING = PROBLEMS.indexOf("burning");

export interface Trouble {
  readonly agent: number;
  readonly problem: Problem;
  readonly urgent: boolean;
  /** Since when it stands so. */
  readonly sinceMs: number;
  /** Nano-dollars of the subtree in the last minute. */
  readonly burnNano: number;
}

export interface Triage {
  /** So many as were asked for. */
  readonly troubles: readonly Trouble[];
  /** Of all: those that need a person now, and those that are not among `troubles`. */
  readonly urgent: number;
  readonly left: number;
}

export function triage(fleet: Fleet, most: number): Triage {
  const found: number[] = [];
  for (let agent = 0; agent < fleet.count; agent++) if (at(fleet.problem, agent) > 0) found.push(agent);
  const burn = fleet.sums.burn.nano;
  found.sort((a, b) => {
    const worse = at(fleet.problem, b) - at(fleet.problem, a);
    if (worse !== 0) return worse;
    const dearer = at(fleet.problem, a) === BURNING ? at(burn, b) - at(burn, a) : 0;
    return dearer || sinceOf(fleet, a) - sinceOf(fleet, b) || a - b;
  });
  const troubles = found.slice(0, most).map((agent) => ({
    agent,
    problem: PROBLEMS[at(fleet.problem, agent)] ?? "none",
    urgent: at(fleet.problem, agent) >= URGENT,
    sinceMs: sinceOf(fleet, agent),
    burnNano: at(burn, agent),
  }));
  const urgent = found.filter((agent) => at(fleet.problem, agent) >= URGENT).length;
  return { troubles, urgent, left: found.length - troubles.length };
}

/**
 * The next agent with a problem after this one, in the order of rows, from the top again at the end: the urgent ones, or where there
 * is none any. -1 when nothing is wrong. Healthy subtrees are passed by unseen.
 */
export function nextProblem(fleet: Fleet, after: number, step: 1 | -1 = 1): number {
  const { sums } = fleet;
  let urgent = 0;
  for (let problem = URGENT; problem < PROBLEMS.length; problem++) urgent += at(sums.all.problems, problem);
  const least = urgent > 0 ? URGENT : 1;
  const within = (agent: number) => (least === 1 ? sums.troubled(agent) : sums.urgent(agent)) > 0;
  const places: number[] = [];
  const visit = (from: number) => {
    for (let agent = from; agent >= 0; agent = at(fleet.nextSibling, agent)) {
      if (!within(agent)) continue;
      if (at(fleet.problem, agent) >= least) places.push(agent);
      visit(at(fleet.firstChild, agent));
    }
  };
  visit(fleet.firstRoot);
  if (places.length === 0) return -1;
  const here = places.indexOf(after);
  if (here >= 0) return places[(here + step + places.length) % places.length] ?? -1;
  const following = places.findIndex((agent) => comesAfter(fleet, agent, after));
  if (step === 1) return places[following < 0 ? 0 : following] ?? -1;
  return places.at(following < 0 ? -1 : following - 1) ?? -1;
}

/** Whether `agent` stands below `other` in the order of rows. */
function comesAfter(fleet: Fleet, agent: number, other: number): boolean {
  if (other < 0) return true;
  const [one, two] = [lineage(fleet, agent), lineage(fleet, other)];
  for (let depth = 0; ; depth++) {
    const [a, b] = [one[depth], two[depth]];
    if (b === undefined) return a !== undefined;
    if (a === undefined) return false;
    // Siblings stand in spawn order, which is that of ordinals.
    if (a !== b) return a > b;
  }
}

function lineage(fleet: Fleet, agent: number): number[] {
  const line: number[] = [];
  for (let above = agent; above >= 0; above = at(fleet.parent, above)) line.push(above);
  return line.reverse();
}

function sinceOf(fleet: Fleet, agent: number): number {
  return fleet.endedMs[agent] || at(fleet.lastMs, agent);
}
