/**
 * What stands below each agent, itself included: agents, money, how many are in each status, how many have which problem, and
 * what was spent in the last minute. Every change walks up to the root, so that a collapsed row is read and never counted.
 */
import { Burn } from "./burn.ts";
import { at, growFloats, growInts } from "./columns.ts";
import type { Fleet } from "./fleet.ts";
import { PROBLEMS, URGENT } from "./problems.ts";

/** Statuses that a row of `mix` has room for. */
export const MIX_WIDTH = 8;
const PROBLEM_WIDTH = PROBLEMS.length;

type Parents = Pick<Fleet, "parent" | "status" | "nano">;

export class Sums {
  agents = new Int32Array(0);
  /** Nano-dollars. */
  nano = new Float64Array(0);
  /** MIX_WIDTH counts an agent, by status. */
  mix = new Int32Array(0);
  /** One count an agent and kind of problem. */
  #problems = new Int32Array(0);
  readonly burn = new Burn();
  /** Of all trees. */
  readonly all = { agents: 0, nano: 0, mix: new Int32Array(MIX_WIDTH), problems: new Int32Array(PROBLEM_WIDTH) };

  reset(): void {
    this.agents.fill(0);
    this.nano.fill(0);
    this.mix.fill(0);
    this.#problems.fill(0);
    this.burn.reset();
    this.all.agents = 0;
    this.all.nano = 0;
    this.all.mix.fill(0);
    this.all.problems.fill(0);
  }

  reserve(count: number): void {
    if (count > this.agents.length) {
      this.agents = growInts(this.agents, count);
      this.nano = growFloats(this.nano, count);
      const { length } = this.agents;
      this.mix = growInts(this.mix, length * MIX_WIDTH);
      this.#problems = growInts(this.#problems, length * PROBLEM_WIDTH);
      this.burn.reserve(length);
    }
  }

  bear(fleet: Parents, agent: number): void {
    const status = at(fleet.status, agent);
    const nano = at(fleet.nano, agent);
    for (let above = agent; above >= 0; above = at(fleet.parent, above)) {
      add(this.agents, above, 1);
      add(this.nano, above, nano);
      add(this.mix, above * MIX_WIDTH + status, 1);
    }
    this.all.agents += 1;
    this.all.nano += nano;
    add(this.all.mix, status, 1);
  }

  move(fleet: Parents, agent: number, from: number, to: number): void {
    for (let above = agent; above >= 0; above = at(fleet.parent, above)) {
      add(this.mix, above * MIX_WIDTH + from, -1);
      add(this.mix, above * MIX_WIDTH + to, 1);
    }
    add(this.all.mix, from, -1);
    add(this.all.mix, to, 1);
  }

  spend(fleet: Parents, agent: number, nano: number, timeMs: number): void {
    for (let above = agent; above >= 0; above = at(fleet.parent, above)) add(this.nano, above, nano);
    this.all.nano += nano;
    this.burn.add(fleet, agent, nano, timeMs);
  }

  afflict(fleet: Parents, agent: number, from: number, to: number): void {
    for (let above = agent; above >= 0; above = at(fleet.parent, above)) {
      add(this.#problems, above * PROBLEM_WIDTH + from, from > 0 ? -1 : 0);
      add(this.#problems, above * PROBLEM_WIDTH + to, to > 0 ? 1 : 0);
    }
    if (from > 0) add(this.all.problems, from, -1);
    if (to > 0) add(this.all.problems, to, 1);
  }

  /** Agents of the subtree with a status. */
  inStatus(agent: number, status: number): number {
    return at(this.mix, agent * MIX_WIDTH + status);
  }

  withProblem(agent: number, problem: number): number {
    return at(this.#problems, agent * PROBLEM_WIDTH + problem);
  }

  /** Agents of the subtree that need a person now. */
  urgent(agent: number): number {
    let count = 0;
    for (let problem = URGENT; problem < PROBLEM_WIDTH; problem++) count += this.withProblem(agent, problem);
    return count;
  }

  /** Agents of the subtree that anything is wrong with. */
  troubled(agent: number): number {
    let count = 0;
    for (let problem = 1; problem < PROBLEM_WIDTH; problem++) count += this.withProblem(agent, problem);
    return count;
  }

  /** The worst problem in the subtree; 0 for none. */
  worstProblem(agent: number): number {
    for (let problem = PROBLEM_WIDTH - 1; problem > 0; problem--)
      if (this.withProblem(agent, problem) > 0) return problem;
    return 0;
  }
}

function add(column: Int32Array | Float64Array, index: number, amount: number): void {
  column[index] = (column[index] ?? 0) + amount;
}
