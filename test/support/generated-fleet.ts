/** Fleets as the feed would tell of them, drawn from a seed: of any size and depth, with changes at any rate. */
import { pick, type Random, randomInt, seededRandom } from "../../src/base/random.ts";
import type { AgentColumns, AgentsFrame, ChangedRows, ChangesFrame } from "../../src/server/contract/fleet-frames.ts";

export const STATUSES = ["queued", "starting", "running", "waiting", "held", "completed", "failed", "cancelled"];
const MODELS = ["claude-sonnet-4-5", "claude-haiku-4-5", "claude-opus-4-5"];
const status = (word: string) => STATUSES.indexOf(word);
const CHUNK = 2_000;

type Mutable<T> = { -readonly [K in keyof T]: T[K] extends readonly (infer I)[] ? I[] : T[K] };
export type Columns = Mutable<AgentColumns>;
export type Rows = Mutable<ChangedRows>;

export interface FleetShape {
  readonly agents: number;
  readonly depth: number;
  readonly seed: number;
  /** Parts of the agents; the rest runs or waits for children. */
  readonly failed?: number;
  readonly completed?: number;
  readonly nowMs?: number;
}

const NOW_MS = Date.UTC(2026, 0, 5, 9, 30);

export class GeneratedFleet {
  readonly columns: Columns = emptyColumns();
  readonly #random: Random;
  readonly #depth: number;
  #position = 0;
  #timeMs: number;

  constructor({ agents, depth, seed, failed = 0, completed = 0, nowMs = NOW_MS }: FleetShape) {
    this.#random = seededRandom(seed);
    this.#depth = depth;
    this.#timeMs = nowMs;
    for (let agent = 0; agent < agents; agent++) this.#bear(failed, completed);
  }

  get timeMs(): number {
    return this.#timeMs;
  }

  /** All agents, in pieces. */
  frames(): AgentsFrame[] {
    const total = this.columns.id.length;
    const starts = Array.from({ length: Math.max(1, Math.ceil(total / CHUNK)) }, (_, index) => index * CHUNK);
    return starts.map((from) => ({
      kind: "agents",
      omitted: 0,
      position: this.#position,
      time: this.#timeMs,
      from,
      total,
      ...(from === 0 && { statuses: STATUSES, models: MODELS }),
      agents: slice(this.columns, from, from + CHUNK),
    }));
  }

  /** A tenth of a second of a lively fleet. */
  step(changes: number, births = 0): ChangesFrame {
    this.#timeMs += 100;
    const rows = emptyRows();
    const known = this.columns.id.length;
    for (let index = 0; index < changes; index++) this.#change(randomInt(this.#random, known), rows);
    const from = known;
    for (let index = 0; index < births; index++) this.#bear(0, 0);
    this.#position += changes + births;
    return {
      kind: "changes",
      position: this.#position,
      time: this.#timeMs,
      rows,
      ...(births > 0 && { born: slice(this.columns, from, from + births) }),
    };
  }

  /** Sets one agent as it is to be, and says so. */
  set(agent: number, values: Partial<Omit<Rows, "agent">> | Record<string, unknown>): ChangesFrame {
    this.#timeMs += 100;
    for (const [column, value] of Object.entries(values)) {
      (this.columns as unknown as Record<string, unknown[]>)[column]?.splice(agent, 1, value);
    }
    const rows = emptyRows();
    this.#tell(agent, rows);
    this.#position += 1;
    return { kind: "changes", position: this.#position, time: this.#timeMs, rows };
  }

  #bear(failed: number, completed: number): void {
    const { columns } = this;
    const random = this.#random;
    const agent = columns.id.length;
    const parent = this.#parentFor(agent);
    const level = parent < 0 ? 0 : (columns.level[parent] ?? 0) + 1;
    const draw = random.next();
    const isLeaf = level >= this.#depth / 2;
    const word =
      isLeaf && draw < failed
        ? "failed"
        : isLeaf && draw < failed + completed
          ? "completed"
          : isLeaf
            ? "running"
            : "waiting";
    const ended = word === "failed" || word === "completed";
    columns.id.push(`agent${String(agent).padStart(15, "0")}`);
    columns.parent.push(parent);
    columns.name.push(`${pick(random, isLeaf ? WORKERS : LEADS)}-${agent}`);
    columns.level.push(level);
    columns.status.push(status(word));
    columns.waiting.push(word === "waiting" ? "children" : "");
    columns.hold.push(0);
    columns.spawnedMs.push(this.#timeMs - 3_600_000 + Math.floor((agent * 3_000_000) / 10_000));
    columns.endedMs.push(ended ? this.#timeMs - 30_000 : 0);
    columns.lastMs.push(ended ? this.#timeMs - 30_000 : this.#timeMs - randomInt(random, 20_000));
    columns.turns.push(randomInt(random, 60));
    columns.costUsd.push(randomInt(random, 2_000_000) / 1_000_000);
    columns.tokensIn.push(randomInt(random, 400_000));
    columns.tokensOut.push(randomInt(random, 20_000));
    columns.budgetUsd.push(agent === 0 ? 1_000_000 : 0);
    columns.model.push(randomInt(random, MODELS.length));
    columns.forkOf.push(agent > 10 && random.next() < 0.01 ? randomInt(random, agent) : -1);
    columns.problem.push(word === "failed" ? "the sources contradict each other" : "");
  }

  #parentFor(agent: number): number {
    // One line goes all the way down; the others hang where there is room, nearer the top rather than further down.
    // The first is the root of all, unless there is no level below it.
    if (agent < this.#depth) return agent - 1;
    if (this.#depth === 1) return -1;
    for (;;) {
      const parent = randomInt(this.#random, Math.min(agent, 40 + Math.floor(agent / 8)));
      if ((this.columns.level[parent] ?? 0) < this.#depth - 1) return parent;
    }
  }

  #change(agent: number, rows: Rows): void {
    const { columns } = this;
    if (rows.agent.includes(agent) || (columns.endedMs[agent] ?? 0) > 0) return;
    columns.turns[agent] = (columns.turns[agent] ?? 0) + 1;
    columns.costUsd[agent] = (columns.costUsd[agent] ?? 0) + randomInt(this.#random, 5_000) / 1_000_000;
    columns.tokensIn[agent] = (columns.tokensIn[agent] ?? 0) + randomInt(this.#random, 4_000);
    columns.tokensOut[agent] = (columns.tokensOut[agent] ?? 0) + randomInt(this.#random, 200);
    columns.lastMs[agent] = this.#timeMs;
    const word = this.#random.next() < 0.5 ? "running" : "waiting";
    columns.status[agent] = status(word);
    columns.waiting[agent] = word === "waiting" ? "message" : "";
    this.#tell(agent, rows);
  }

  #tell(agent: number, rows: Rows): void {
    rows.agent.push(agent);
    for (const column of ROW_COLUMNS) {
      (rows[column] as unknown[]).push((this.columns[column] as unknown[])[agent]);
    }
  }
}

const ROW_COLUMNS = [
  "status",
  "waiting",
  "hold",
  "endedMs",
  "lastMs",
  "turns",
  "costUsd",
  "tokensIn",
  "tokensOut",
  "budgetUsd",
  "problem",
] as const;

const LEADS = ["lead", "planner", "architect", "editor", "coordinator"];
const WORKERS = ["researcher", "coder", "reviewer", "tester", "writer", "analyst", "scout", "summariser"];

function emptyColumns(): Columns {
  return {
    id: [],
    parent: [],
    name: [],
    level: [],
    status: [],
    waiting: [],
    hold: [],
    spawnedMs: [],
    endedMs: [],
    lastMs: [],
    turns: [],
    costUsd: [],
    tokensIn: [],
    tokensOut: [],
    budgetUsd: [],
    model: [],
    forkOf: [],
    problem: [],
  };
}

function emptyRows(): Rows {
  const { agent, ...rest } = { agent: [] as number[] };
  const columns = Object.fromEntries(ROW_COLUMNS.map((column) => [column, []]));
  return { agent, ...rest, ...columns } as unknown as Rows;
}

function slice(columns: Columns, from: number, to: number): AgentColumns {
  const pieces = Object.entries(columns).map(([column, values]) => [column, values.slice(from, to)]);
  return Object.fromEntries(pieces) as AgentColumns;
}
