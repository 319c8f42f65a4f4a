/**
 * Who is in a simulated fleet: a tree of units, each drawn from its seed alone, so that an agent finds its children from its own task.
 *
 * F1  A unit of `agents` agents on `levels` levels has just so many, itself included, and its longest path is that long.
 */
import { assert } from "../../base/assert.ts";
import { pick, type Random, randomInt, seededRandom } from "../../base/random.ts";

/** An agent and all that are to be below it. */
export interface Unit {
  readonly agents: number;
  readonly levels: number;
  readonly seed: number;
}

const CHILDREN_MAX = 12;
const SEEDS = 2 ** 31;

/** The units below a unit, in the order in which they are spawned. */
export function childrenOf({ agents, levels, seed }: Unit): Unit[] {
  assert(levels >= 1 && agents >= levels, "every level has an agent");
  if (levels === 1) return [];
  const random = seededRandom(seed);
  const below = agents - 1;
  const most = below - (levels - 2);
  const fewest = Math.ceil(below / roomOn(levels - 1));
  const count = Math.min(most, Math.max(fewest, 1 + randomInt(random, CHILDREN_MAX)));
  // The one child that goes all the way down has an agent for each level; what is left falls to all of them by chance.
  const sizes = Array.from({ length: count }, (_, index) => (index === 0 ? levels - 1 : 1));
  let left = below - sizes.reduce((sum, size) => sum + size, 0);
  while (left > 0) {
    const share = Math.min(left, 1 + randomInt(random, Math.ceil(left / 2)));
    const at = randomInt(random, count);
    sizes[at] = (sizes[at] ?? 0) + share;
    left -= share;
  }
  return sizes.map((size, index) => {
    const chosen = index === 0 ? levels - 1 : Math.max(levelsFor(size), 1 + randomInt(random, levels - 1));
    return { agents: size, levels: Math.min(size, levels - 1, chosen), seed: randomInt(random, SEEDS) };
  });
}

/** Agents that so many levels hold where nobody has more than CHILDREN_MAX children. */
function roomOn(levels: number): number {
  return (CHILDREN_MAX ** levels - 1) / (CHILDREN_MAX - 1);
}

/** Levels on which so many agents have room. */
function levelsFor(agents: number): number {
  let levels = 1;
  while (roomOn(levels) < agents) levels += 1;
  return levels;
}

/** What a unit is told; `unitOf` reads it. */
export function taskOf({ agents, levels, seed }: Unit): string {
  return `Lead unit ${seed}: ${agents} agents on ${levels} levels.`;
}

/** The unit that a task is about, or undefined for a text that is none. */
export function unitOf(task: string): Unit | undefined {
  const [, seed, agents, levels] = /^Lead unit (\d+): (\d+) agents on (\d+) levels\.$/.exec(task) ?? [];
  return seed === undefined ? undefined : { seed: Number(seed), agents: Number(agents), levels: Number(levels) };
}

const LEADS = ["lead", "planner", "architect", "editor", "coordinator"];
const WORKERS = ["researcher", "coder", "reviewer", "tester", "writer", "analyst", "scout", "summariser"];

/** The name of a unit's child: what it is, and its place, by which its parent knows it again. */
export function nameOf(unit: Unit, place: number): string {
  const random: Random = seededRandom(unit.seed);
  return `${pick(random, unit.agents > 1 ? LEADS : WORKERS)}-${place}`;
}

/** The place in a name that `nameOf` made, whatever number the runtime put behind it. */
export function placeIn(name: string): number | undefined {
  const [, place] = /^[a-z]+-(\d+)(?:-\d+)?$/.exec(name) ?? [];
  return place === undefined ? undefined : Number(place);
}
