/**
 * The language of the filter: `status:failed level>6 cost>2 name:foo`. Terms are joined by "and", a dash before one negates it, a comma
 * between words means "or", a bare word looks in name, id and trouble. What cannot be understood is said, and filters nothing.
 */

import { at } from "./columns.ts";
import type { Fleet } from "./fleet.ts";
import { PROBLEMS } from "./problems.ts";

export type Predicate = (agent: number) => boolean;

export interface Filter {
  /** Undefined when nothing is asked for. */
  readonly matches: ((fleet: Fleet) => Predicate) | undefined;
  /** Terms that mean nothing. */
  readonly complaints: readonly Complaint[];
}

/** In words for the person who typed it, and where it stands in the text. */
export interface Complaint {
  readonly says: string;
  readonly from: number;
  readonly to: number;
}

type Make = (fleet: Fleet) => Predicate;

const NUMBERS: Readonly<Record<string, (fleet: Fleet, agent: number) => number>> = {
  level: (fleet, agent) => at(fleet.level, agent),
  /** Of the agent alone, in dollars. */
  cost: (fleet, agent) => fleet.costUsd(agent),
  /** Of the agent and all below it. */
  total: (fleet, agent) => fleet.subtreeUsd(agent),
  turns: (fleet, agent) => at(fleet.turns, agent),
  tokens: (fleet, agent) => at(fleet.tokensIn, agent) + at(fleet.tokensOut, agent),
  agents: (fleet, agent) => at(fleet.sums.agents, agent),
  budget: (fleet, agent) => at(fleet.budgetUsd, agent),
  /** Since it was spawned, and since its newest event, in seconds. */
  age: (fleet, agent) => (fleet.timeMs - at(fleet.spawnedMs, agent)) / 1_000,
  idle: (fleet, agent) => (fleet.timeMs - at(fleet.lastMs, agent)) / 1_000,
};

const WORDS: Readonly<Record<string, (fleet: Fleet, agent: number) => string>> = {
  status: (fleet, agent) => fleet.statuses[at(fleet.status, agent)] ?? "",
  waiting: (fleet, agent) => fleet.waiting[agent] ?? "",
  problem: (fleet, agent) => `${PROBLEMS[at(fleet.problem, agent)]} ${fleet.trouble[agent]}`,
  name: (fleet, agent) => fleet.name[agent] ?? "",
  id: (fleet, agent) => fleet.id[agent] ?? "",
  model: (fleet, agent) => fleet.models[at(fleet.model, agent)] ?? "",
};

const FLAGS: Readonly<Record<string, (fleet: Fleet, agent: number) => boolean>> = {
  live: (fleet, agent) => !fleet.hasEnded(agent),
  ended: (fleet, agent) => fleet.hasEnded(agent),
  hold: (fleet, agent) => at(fleet.hold, agent) > 0,
  fork: (fleet, agent) => at(fleet.forkOf, agent) >= 0,
  problem: (fleet, agent) => at(fleet.problem, agent) > 0,
};

/** What each field is about, in the order in which people need them. */
export const FIELD_HELP: Readonly<Record<string, string>> = {
  status: "how it stands",
  is: "what it is",
  name: "part of its name",
  problem: "what is wrong with it, or part of what it says of it",
  level: "how deep it stands; the root is 0",
  cost: "dollars, its own",
  total: "dollars, with all below",
  idle: "seconds since its newest event",
  waiting: "what it waits for",
  model: "part of its model's name",
  turns: "turns that it has taken",
  tokens: "tokens, in and out",
  agents: "agents in its subtree, itself among them",
  budget: "dollars that its subtree may cost",
  age: "seconds since it was spawned",
  id: "part of its id",
};
export const WORD_FIELDS: readonly string[] = Object.keys(WORDS);
export const NUMBER_FIELDS: readonly string[] = Object.keys(NUMBERS);
export const FLAG_NAMES: readonly string[] = Object.keys(FLAGS);

const TERM = /^(-?)(?:([a-z]+)(:|>=|<=|>|<|=))?("[^"]*"?|.*)$/i;
/** So much of an id tells an agent from others; what is shorter is a part of a name. */
const ID_PART = /^[0-9a-z]{6,}$/;

/** Terms of a filter as they are typed, unfinished ones too. */
export const TERMS = /-?(?:[a-z]+(?:>=|<=|[:<>=]))?(?:"[^"]*"?|[^\s"]+)/gi;

export function parseFilter(text: string): Filter {
  const complaints: Complaint[] = [];
  const makes: Make[] = [];
  for (const { 0: term, index } of text.matchAll(TERMS)) {
    const made = parseTerm(term);
    if (typeof made === "string") complaints.push({ says: made, from: index, to: index + term.length });
    else makes.push(made);
  }
  if (makes.length === 0) return { matches: undefined, complaints };
  const matches: Make = (fleet) => {
    const predicates = makes.map((make) => make(fleet));
    return (agent) => predicates.every((holds) => holds(agent));
  };
  return { matches, complaints };
}

function parseTerm(term: string): Make | string {
  const [, dash = "", field = "", operator = "", given = ""] = TERM.exec(term) ?? [];
  const make = field === "" ? bare(unquoted(given)) : withField(field.toLowerCase(), operator, unquoted(given), term);
  if (typeof make === "string" || dash === "") return make;
  return (fleet) => {
    const holds = make(fleet);
    return (agent) => !holds(agent);
  };
}

function bare(word: string): Make {
  const wanted = word.toLowerCase();
  const mayBeId = ID_PART.test(wanted);
  return (fleet) => (agent) =>
    includes(fleet.name[agent], wanted) ||
    includes(fleet.trouble[agent], wanted) ||
    (mayBeId && (fleet.id[agent] ?? "").includes(wanted));
}

function withField(field: string, operator: string, given: string, term: string): Make | string {
  if (given === "") return `${term} lacks a value`;
  if (field === "is") {
    const flag = Object.hasOwn(FLAGS, given) ? FLAGS[given] : undefined;
    if (!flag) return `is: knows ${Object.keys(FLAGS).join(", ")}, not ${given}`;
    return (fleet) => (agent) => flag(fleet, agent);
  }
  const number = Object.hasOwn(NUMBERS, field) ? NUMBERS[field] : undefined;
  if (number) return compare(number, operator, given, term);
  const word = Object.hasOwn(WORDS, field) ? WORDS[field] : undefined;
  if (!word) return `no field ${field}; there are ${[...Object.keys(WORDS), ...Object.keys(NUMBERS), "is"].join(", ")}`;
  if (operator !== ":" && operator !== "=") return `${field} is a word: write ${field}:${given}`;
  const wanted = given
    .toLowerCase()
    .split(",")
    .filter((part) => part !== "");
  const exact = operator === "=";
  return (fleet) => (agent) => {
    const text = word(fleet, agent).toLowerCase();
    return wanted.some((part) => (exact ? text === part : text.includes(part)));
  };
}

function compare(
  number: (fleet: Fleet, agent: number) => number,
  operator: string,
  given: string,
  term: string,
): Make | string {
  const bound = Number(given.replace(/^\$/, ""));
  if (!Number.isFinite(bound)) return `${term}: ${given} is no number`;
  const holds = COMPARISONS[operator] ?? COMPARISONS[":"];
  return (fleet) => (agent) => holds?.(number(fleet, agent), bound) ?? false;
}

const COMPARISONS: Readonly<Record<string, (value: number, bound: number) => boolean>> = {
  ">": (value, bound) => value > bound,
  ">=": (value, bound) => value >= bound,
  "<": (value, bound) => value < bound,
  "<=": (value, bound) => value <= bound,
  "=": (value, bound) => value === bound,
  ":": (value, bound) => value === bound,
};

function unquoted(text: string): string {
  return text.replace(/^"|"$/g, "");
}

function includes(text: string | undefined, wanted: string): boolean {
  if (text === undefined || text === "") return false;
  return text.toLowerCase().includes(wanted);
}
