/**
 * What an agent of a simulated fleet says next, from its conversation alone. Leads send their unit on its way, wait, and replace what
 * has ended; workers use a tool, again and again, until their share is done, they fail, or a person must allow what they ask for.
 */
import { pick, type Random, randomInt, seededRandom } from "../../base/random.ts";
import { childrenOf, nameOf, placeIn, taskOf, type Unit } from "./plan.ts";

export interface Answer {
  readonly text: string;
  readonly calls: readonly { readonly name: string; readonly input: object }[];
  /** It is in a hurry: others wait for what it says. */
  readonly atOnce: boolean;
}

/** What one has heard since it spoke last, and how often it has spoken. */
export interface Heard {
  readonly unit: Unit;
  readonly turns: number;
  /** Names of children that have ended. */
  readonly ended: readonly string[];
  /** A person, or another agent, has said something. */
  readonly spokenTo: boolean;
}

export interface Character {
  /** Turns of a worker's life, about. */
  readonly turns: number;
  /** Share of workers that fail in the end, and of turns that ask for what a person must allow. */
  readonly failing: number;
  readonly asking: number;
}

/** Undefined for a worker that breaks down now. */
export function answer(heard: Heard, character: Character): Answer | undefined {
  const random = seededRandom(heard.unit.seed ^ Math.imul(heard.turns + 1, 0x9e3779b1));
  if (heard.spokenTo) return { text: "Understood. I go on with that in mind.", calls: look(random), atOnce: true };
  return heard.unit.agents > 1 ? lead(heard) : work(heard, character, random);
}

function lead({ unit, turns, ended }: Heard): Answer {
  const children = childrenOf(unit);
  if (turns === 0) {
    return { text: `I split this between ${children.length}.`, calls: children.map(spawn), atOnce: true };
  }
  const places = ended.map(placeIn).filter((place) => place !== undefined);
  const next = places.flatMap((place) => {
    const child = children[place];
    return child ? [spawn({ ...child, seed: (child.seed + turns) % 2 ** 31 }, place)] : [];
  });
  if (next.length > 0) return { text: "There is more to do.", calls: next, atOnce: true };
  return { text: "All are on their way.", calls: [], atOnce: true };
}

function spawn(unit: Unit, place: number) {
  return { name: "spawn_agent", input: { name: nameOf(unit, place), task: taskOf(unit) } };
}

function work({ unit, turns }: Heard, { turns: lifeTurns, failing, asking }: Character, random: Random) {
  const life = seededRandom(unit.seed);
  const last = 1 + randomInt(life, 2 * lifeTurns);
  if (turns < last) {
    const calls = random.next() < asking ? [{ name: "publish", input: { draft: pick(random, TOPICS) } }] : look(random);
    return { text: `${pick(random, STEPS)} ${pick(random, TOPICS)}.`, calls, atOnce: false };
  }
  if (life.next() < failing) return undefined;
  return { text: `Done: ${pick(random, TOPICS)} is in order.`, calls: [], atOnce: false };
}

function look(random: Random) {
  return [{ name: "look_up", input: { topic: pick(random, TOPICS) } }];
}

const STEPS = [
  "I look into",
  "Comparing sources on",
  "Checking",
  "Rewriting the part on",
  "Measuring",
  "Reading about",
];
const TOPICS = [
  "the retry policy",
  "the import graph",
  "last quarter's incidents",
  "the billing export",
  "the parser's edge cases",
  "the migration plan",
  "open questions of the review",
  "the search index",
  "the onboarding guide",
  "test coverage",
];
