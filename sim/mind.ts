/**
 * What a simulated model says: anything that a real one might, drawn by chance from what its agent may do. Once the world is no
 * longer hostile it gives a plain answer, so that every agent comes to an end.
 */
import type { Json } from "../src/agent/content.ts";
import type { State } from "../src/agent/state.ts";
import { LIMITS } from "../src/base/limits.ts";
import type { Dice } from "./randoms.ts";
import type { Scenario } from "./scenario.ts";

export interface Saying {
  readonly texts: readonly string[];
  readonly calls: readonly { readonly id: string; readonly name: string; readonly input: Json }[];
  readonly finish: "stop" | "tool-calls" | "length" | "content-filter";
}

export interface MindOptions {
  readonly dice: Dice;
  readonly scenario: Scenario;
  /** Agents in the world. */
  readonly agents: number;
  /** Nothing but a plain answer. */
  readonly isDone: boolean;
}

const CALLS = {
  work_rerun: 4,
  work_report: 4,
  work_ask: 2,
  spawn_agent: 6,
  wait_for_agents: 4,
  wait_for_message: 1,
  send_message: 3,
  write_artifact: 3,
  read_artifact: 1,
  list_agents: 1,
  list_artifacts: 1,
  start_process: 8,
  stop_process: 1,
  process_output: 0.5,
  list_processes: 0.3,
  wait_for_process: 1,
  run_command: 0.5,
  no_such_tool: 0.5,
} as const;

export function say(state: State, { dice, scenario, agents, isDone }: MindOptions): Saying {
  const talksOn = state.head.turns < 12 && dice.chance(state.head.turns === 0 ? 0.85 : 0.6);
  if (isDone || !talksOn) {
    const finish = !isDone && dice.chance(0.03) ? dice.pick(["length", "content-filter"] as const) : undefined;
    return { texts: [words(dice, scenario)], calls: [], finish: finish ?? "stop" };
  }
  const count = dice.chance(0.5) ? 1 : dice.int(2, 4);
  const calls = Array.from({ length: count }, (_, index) => {
    const name = dice.weighted(CALLS);
    // Some providers count their calls' ids anew in each answer.
    const id = dice.chance(0.2) ? `call-${index}` : `call-${state.head.turns}-${index}-${dice.int(0, 1e9)}`;
    const mayGrow = state.head.level < scenario.levelsMax && state.head.childrenTotal < scenario.childrenMax;
    const isFull = agents >= scenario.agentsMax || !mayGrow;
    if (name === "spawn_agent" && isFull) return { id, name: "list_agents", input: {} };
    return { id, name, input: inputOf(name, state, dice, scenario) };
  });
  return { texts: dice.chance(0.5) ? [words(dice, scenario)] : [], calls, finish: "tool-calls" };
}

function inputOf(name: keyof typeof CALLS, state: State, dice: Dice, scenario: Scenario): Json {
  const names = [...state.children.values()].map((child) => child.name);
  switch (name) {
    case "spawn_agent": {
      const budget = scenario.tight && dice.chance(0.3) ? { budgetUsd: dice.between(0.005, 0.1) } : {};
      const instructions = dice.chance(0.3) ? { instructions: words(dice, scenario) } : {};
      return { name: dice.pick(["a", "b", "c"]) ?? "a", task: words(dice, scenario), ...instructions, ...budget };
    }
    case "wait_for_agents": {
      const some = names.filter(() => dice.chance(0.6));
      return dice.chance(0.6) || some.length === 0 ? {} : { names: some };
    }
    case "send_message": {
      const to = dice.pick(["parent", "parent", "a", "b", "nobody", "/lead/a", ...names]) ?? "parent";
      return { to, message: words(dice, scenario) };
    }
    case "write_artifact":
      return { name: dice.pick(["map", "notes", "../bad"]) ?? "map", content: words(dice, scenario) };
    case "read_artifact":
      return { name: "map", ...(names.length > 0 && { agent: dice.pick(names) ?? "a" }) };
    case "start_process": {
      const probes = dice.chance(0.5) ? [{ kind: "heartbeat", line: "beat" }] : [];
      const restart = dice.pick(["never", "onFailure", "always"]) ?? "never";
      const often = { restartsMax: dice.int(1, 3), withinMs: dice.int(1_000, 600_000) };
      // One that is started again and again is waited for in vain: it has a name of its own.
      const name = restart === "never" ? (dice.pick(["p", "q"]) ?? "p") : "server";
      return { name, argv: ["serve"], restart, ...often, probes };
    }
    case "stop_process":
      return { name: dice.pick(["p", "q", "server"]) ?? "p", graceMs: dice.int(0, 500) };
    case "process_output":
    case "wait_for_process":
      return { name: dice.pick(["p", "q"]) ?? "p" };
    case "run_command":
      return { argv: ["true"] };
    default:
      return dice.chance(0.1) ? { surplus: true } : {};
  }
}

/** A text of so many characters counts as huge. */
export const HUGE_LENGTH = 25 * LIMITS.inlineBytesMax;

/** Mostly a few words; in a wordy world up to what goes to the blobs, and now and then far more. */
export function words(dice: Dice, { wordy, faults }: Scenario): string {
  if (dice.chance(faults.hugeText)) return `word${dice.int(0, 1e9)} `.repeat(HUGE_LENGTH / 5).slice(0, HUGE_LENGTH);
  const length = wordy && dice.chance(0.4) ? dice.int(1_000, 12_000) : dice.int(1, 60);
  return `word${dice.int(0, 1e9)} `.repeat(Math.ceil(length / 12)).slice(0, length);
}
