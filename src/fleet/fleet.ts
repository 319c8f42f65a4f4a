/**
 * The whole fleet as the page knows it: one typed array a column, an agent being its ordinal in all of them. The pages, the
 * picture over time and the tests read the columns as they are; only `apply...` and `tick` write.
 *
 *     fleet.count                       agents, with ordinals 0 to count - 1, parents before children, in spawn order
 *     fleet.status[a], fleet.level[a]   what the feed said; see the fields below for units
 *     fleet.firstChild[a]               and fleet.nextSibling[b]: children in spawn order; -1 ends. Roots begin at fleet.firstRoot
 *     fleet.sums                        of subtrees, kept with every change: agents, cost, states, problems (sums.ts)
 *     fleet.problem[a]                  index in PROBLEMS: what is wrong with the agent itself, judged anew every second (problems.ts)
 *     fleet.version                     rises with every change; nothing has changed while it stays the same
 *
 * F1  Sums equal those that a walk over all agents would find, after any frames in any order that the feed may send.
 * F2  A frame costs what it changes (times the levels above), never the size of the fleet.
 * F3  Money is counted in whole nano-dollars, so that sums are exact whatever the order they came in.
 */
import { at, growFloats, growInts } from "./columns.ts";
import type { AgentColumns, AgentsFrame, ChangedRows, ChangesFrame } from "./frames.ts";

import { judge } from "./problems.ts";
import { Sums } from "./sums.ts";

const NANO = 1_000_000_000;
const FIRST_CAPACITY = 1_024;

export class Fleet {
  /** Words of the columns `status` and `model`. */
  statuses: readonly string[] = [];
  models: readonly string[] = [];
  count = 0;
  /** Agents that the feed has announced; more than `count` while the first pieces come in. */
  total = 0;
  version = 0;
  position = 0;
  /** Of the newest frame, by the server's clock, milliseconds. */
  timeMs = 0;
  /** Agents of trees that ended, of which the feed does not tell. */
  omitted = 0;
  /** Of the first frame: what was spent before is not of this watch. */
  sinceMs = 0;
  readonly id: string[] = [];
  readonly name: string[] = [];
  /** What it waits for, such as `children`; "" when it does not. */
  readonly waiting: string[] = [];
  /** In words, as the feed says it; "" for none. */
  readonly trouble: string[] = [];
  parent = new Int32Array(FIRST_CAPACITY);
  firstChild = new Int32Array(FIRST_CAPACITY);
  nextSibling = new Int32Array(FIRST_CAPACITY);
  #lastChild = new Int32Array(FIRST_CAPACITY);
  firstRoot = -1;
  #lastRoot = -1;
  level = new Int32Array(FIRST_CAPACITY);
  status = new Int32Array(FIRST_CAPACITY);
  hold = new Int32Array(FIRST_CAPACITY);
  model = new Int32Array(FIRST_CAPACITY);
  /** Ordinal of the agent whose past it shares, -1 for none. */
  forkOf = new Int32Array(FIRST_CAPACITY);
  turns = new Int32Array(FIRST_CAPACITY);
  problem = new Int32Array(FIRST_CAPACITY);
  spawnedMs = new Float64Array(FIRST_CAPACITY);
  /** 0 while it lives. */
  endedMs = new Float64Array(FIRST_CAPACITY);
  lastMs = new Float64Array(FIRST_CAPACITY);
  /** Own cost, in nano-dollars. */
  nano = new Float64Array(FIRST_CAPACITY);
  tokensIn = new Float64Array(FIRST_CAPACITY);
  tokensOut = new Float64Array(FIRST_CAPACITY);
  /** 0 for none. */
  budgetUsd = new Float64Array(FIRST_CAPACITY);
  readonly sums = new Sums();
  readonly #ordinals = new Map<string, number>();

  /** -1 for an id that is not known. */
  ordinalOf(id: string): number {
    return this.#ordinals.get(id) ?? -1;
  }

  costUsd(agent: number): number {
    return at(this.nano, agent) / NANO;
  }

  subtreeUsd(agent: number): number {
    return at(this.sums.nano, agent) / NANO;
  }

  hasEnded(agent: number): boolean {
    return at(this.endedMs, agent) > 0;
  }

  applyAgents({ from, total, omitted, position, time, statuses, models, agents }: AgentsFrame): void {
    if (from === 0) this.#reset(time);
    if (statuses) this.statuses = statuses;
    if (models) this.models = models;
    if (from === this.count) this.#bear(agents);
    this.total = Math.max(total, this.count);
    this.omitted = omitted;
    this.#stamp(position, time);
  }

  applyChanges({ position, time, models, born, rows }: ChangesFrame): void {
    if (models) this.models = models;
    if (born) this.#bear(born);
    if (rows) this.#change(rows, time);
    this.total = Math.max(this.total, this.count);
    this.#stamp(position, time);
  }

  /** Time has passed: judges all agents anew, and forgets what was spent more than a minute ago. */
  tick(nowMs: number): void {
    if (nowMs > this.timeMs) this.timeMs = nowMs;
    this.sums.burn.expire(this, this.timeMs);
    for (let agent = 0; agent < this.count; agent++) this.#judge(agent);
    this.version += 1;
  }

  #stamp(position: number, time: number): void {
    this.position = position;
    this.timeMs = Math.max(this.timeMs, time);
    this.version += 1;
  }

  #reset(time: number): void {
    this.count = 0;
    this.total = 0;
    this.firstRoot = -1;
    this.#lastRoot = -1;
    this.timeMs = time;
    this.sinceMs = time;
    for (const texts of [this.id, this.name, this.waiting, this.trouble]) texts.length = 0;
    this.#ordinals.clear();
    this.sums.reset();
  }

  #bear(columns: AgentColumns): void {
    const first = this.count;
    this.#reserve(first + columns.id.length);
    for (let index = 0; index < columns.id.length; index++) {
      const agent = first + index;
      const id = columns.id[index] ?? "";
      this.id.push(id);
      this.#ordinals.set(id, agent);
      this.name.push(columns.name[index] ?? "");
      this.waiting.push(columns.waiting[index] ?? "");
      this.trouble.push(columns.problem[index] ?? "");
      this.parent[agent] = at(columns.parent, index);
      this.level[agent] = at(columns.level, index);
      this.status[agent] = at(columns.status, index);
      this.hold[agent] = at(columns.hold, index);
      this.model[agent] = at(columns.model, index);
      this.forkOf[agent] = at(columns.forkOf, index);
      this.turns[agent] = at(columns.turns, index);
      this.problem[agent] = 0;
      this.spawnedMs[agent] = at(columns.spawnedMs, index);
      this.endedMs[agent] = at(columns.endedMs, index);
      this.lastMs[agent] = at(columns.lastMs, index);
      this.nano[agent] = Math.round(at(columns.costUsd, index) * NANO);
      this.tokensIn[agent] = at(columns.tokensIn, index);
      this.tokensOut[agent] = at(columns.tokensOut, index);
      this.budgetUsd[agent] = at(columns.budgetUsd, index);
      this.#link(agent);
      this.count = agent + 1;
      this.sums.bear(this, agent);
    }
    for (let agent = first; agent < this.count; agent++) this.#judge(agent);
  }

  #link(agent: number): void {
    this.firstChild[agent] = -1;
    this.nextSibling[agent] = -1;
    this.#lastChild[agent] = -1;
    const parent = at(this.parent, agent);
    const last = parent < 0 ? this.#lastRoot : at(this.#lastChild, parent);
    if (last >= 0) this.nextSibling[last] = agent;
    else if (parent < 0) this.firstRoot = agent;
    else this.firstChild[parent] = agent;
    if (parent < 0) this.#lastRoot = agent;
    else this.#lastChild[parent] = agent;
  }

  #change(rows: ChangedRows, time: number): void {
    for (let index = 0; index < rows.agent.length; index++) {
      const agent = at(rows.agent, index);
      if (agent < 0 || agent >= this.count) continue;
      const status = at(rows.status, index);
      if (status !== at(this.status, agent)) {
        this.sums.move(this, agent, at(this.status, agent), status);
        this.status[agent] = status;
      }
      const nano = Math.round(at(rows.costUsd, index) * NANO);
      const spent = nano - at(this.nano, agent);
      if (spent !== 0) {
        this.nano[agent] = nano;
        this.sums.spend(this, agent, spent, time);
      }
      const endedMs = at(rows.endedMs, index);
      const turned = endedMs > 0 !== at(this.endedMs, agent) > 0;
      this.endedMs[agent] = endedMs;
      this.waiting[agent] = rows.waiting[index] ?? "";
      this.trouble[agent] = rows.problem[index] ?? "";
      this.hold[agent] = at(rows.hold, index);
      this.budgetUsd[agent] = at(rows.budgetUsd, index);
      this.lastMs[agent] = at(rows.lastMs, index);
      this.turns[agent] = at(rows.turns, index);
      this.tokensIn[agent] = at(rows.tokensIn, index);
      this.tokensOut[agent] = at(rows.tokensOut, index);
      this.budgetUsd[agent] = at(rows.budgetUsd, index);
      this.#judge(agent);
      // Whether a failure is anybody's business depends on whether the parent lives.
      if (turned)
        for (let child = at(this.firstChild, agent); child >= 0; child = at(this.nextSibling, child))
          this.#judge(child);
    }
  }

  #judge(agent: number): void {
    const problem = judge(this, agent, this.timeMs);
    const before = at(this.problem, agent);
    if (problem === before) return;
    this.problem[agent] = problem;
    this.sums.afflict(this, agent, before, problem);
  }

  #reserve(count: number): void {
    if (count > this.parent.length) {
      this.parent = growInts(this.parent, count);
      this.firstChild = growInts(this.firstChild, count);
      this.nextSibling = growInts(this.nextSibling, count);
      this.#lastChild = growInts(this.#lastChild, count);
      this.level = growInts(this.level, count);
      this.status = growInts(this.status, count);
      this.hold = growInts(this.hold, count);
      this.model = growInts(this.model, count);
      this.forkOf = growInts(this.forkOf, count);
      this.turns = growInts(this.turns, count);
      this.problem = growInts(this.problem, count);
      this.spawnedMs = growFloats(this.spawnedMs, count);
      this.endedMs = growFloats(this.endedMs, count);
      this.lastMs = growFloats(this.lastMs, count);
      this.nano = growFloats(this.nano, count);
      this.tokensIn = growFloats(this.tokensIn, count);
      this.tokensOut = growFloats(this.tokensOut, count);
      this.budgetUsd = growFloats(this.budgetUsd, count);
    }
    this.sums.reserve(count);
  }
}
