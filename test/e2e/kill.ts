/**
 * kill -9 over real processes and a real disk: a fleet is killed at any moment, while it opens and while it closes, and opened
 * again, until it is done; then comes a new one. The numbers are those of docs/architecture.md, section 6.
 *
 * 1  What was acknowledged, an event or a verb, is there and unchanged, and no start is refused.
 * 3  Every head that a process held, after opening and after each event, is what its journal folds to.
 * 7  Every blob that an event refers to is there and sound.
 * 8  A tool that is not declared safe to repeat runs once for a call, over all the processes; a rewind to before its start makes
 *    a call a new one, and a person may say to run it again.
 *
 * KILL_CYCLES sets how many processes both halves take together.
 */
import { spawn } from "node:child_process";
import { mkdtemp, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { createInterface } from "node:readline";
import { expect } from "vitest";
import { systemClock } from "../../src/base/clock.ts";
import { type Random, randomInt, seededRandom } from "../../src/base/random.ts";
import { foldAgent } from "../../src/coordinator/fold.ts";
import type { Journal } from "../../src/journal/journal.ts";
import { openSqliteJournal } from "../../src/journal/sqlite/sqlite-journal.ts";
import { verifyFolder } from "../../src/runtime/verify.ts";
import type { Told } from "./lively-fleet.ts";
import { hashOf } from "./lively-model.ts";

const HALVES = 2;
/** Processes of one half. */
export const CYCLES = Math.ceil(Number(process.env.KILL_CYCLES ?? 500) / HALVES);
/** A cycle takes a quarter of a second of two cores, and half of one when they are shared. */
export const TIMEOUT_MS = 60_000 + CYCLES * 2_000;

/** Events after which a process may be killed, at the most. */
const EVENTS_MAX = 120;
/** Opening and closing take about so long. */
const OPENING_MS_MAX = 60;
const CLOSING_MS_MAX = 25;

/** What a process said of itself before it died. */
type Stage = "opening" | "opened" | "closing" | "closed" | "done";

interface Counts {
  readonly died: Record<Stage, number>;
  readonly did: Map<string, number>;
  events: number;
  states: number;
  blobs: number;
  runs: number;
  fleets: number;
}

/** One process after the other on the same data, until the fleet is done; then a new one. */
export async function killLoop(half: number): Promise<void> {
  const random = seededRandom(1_000 + half);
  const cache = await mkdtemp(join(tmpdir(), "banyan-kill-cache-"));
  const counts: Counts = {
    died: { opening: 0, opened: 0, closing: 0, closed: 0, done: 0 },
    did: new Map(),
    events: 0,
    states: 0,
    blobs: 0,
    runs: 0,
    fleets: 0,
  };
  try {
    for (let cycle = 0; cycle < CYCLES; ) cycle += await killFleet({ half, from: cycle, random, counts, cache });
  } finally {
    await rm(cache, { recursive: true, force: true });
  }
  const { died, did, ...sums } = counts;
  console.log(`half ${half}: ${JSON.stringify({ died, ...sums, did: Object.fromEntries(did) })}`);
  expect(died.opening, "killed while it opened").toBeGreaterThan(CYCLES / 50);
  expect(died.opened, "killed at work").toBeGreaterThan(CYCLES / 4);
  expect(died.closing, "killed while it closed").toBeGreaterThan(CYCLES / 50);
  for (const verb of ["fork", "forkTree", "pause", "rewind", "send", "interrupt", "cancel", "checkpoint"])
    expect(did.get(verb), `${verb} was acknowledged`).toBeGreaterThan(0);
}

interface Loop {
  readonly half: number;
  /** Processes before this fleet. */
  readonly from: number;
  readonly random: Random;
  readonly counts: Counts;
  /** Compiled modules: a process starts in half the time. */
  readonly cache: string;
}

/** Returns how many processes it took, at least one. */
async function killFleet({ half, from, random, counts, cache }: Loop): Promise<number> {
  const folder = await mkdtemp(join(tmpdir(), "banyan-kill-"));
  const known = new Known();
  try {
    for (let cycle = from + 1; cycle <= CYCLES; cycle++) {
      const life = await live({ folder, seed: half * 1_000_000 + cycle, plan: planOf(random), cache });
      counts.died[life.stage] += 1;
      counts.events += life.told.filter((told) => "event" in told).length;
      for (const told of life.told) {
        known.hear(told);
        if ("did" in told) counts.did.set(told.did, (counts.did.get(told.did) ?? 0) + 1);
      }
      const isOver = life.stage === "done" || cycle === CYCLES;
      counts.states += await known.compare(folder, { all: isOver });
      if (!isOver) continue;
      const report = await verifyFolder(folder);
      expect(report.damaged).toEqual([]);
      counts.blobs += report.blobs;
      counts.runs += known.runs.length;
      counts.fleets += 1;
      return cycle - from;
    }
    return CYCLES;
  } finally {
    await rm(folder, { recursive: true, force: true });
  }
}

/** When a process is killed. */
interface Plan {
  readonly in: "opening" | "work" | "closing";
  readonly events: number;
  readonly afterMs: number;
}

function planOf(random: Random): Plan {
  const kind = random.next();
  const events = randomInt(random, EVENTS_MAX);
  if (kind < 0.2) return { in: "opening", events, afterMs: random.next() * OPENING_MS_MAX };
  if (kind < 0.4) return { in: "closing", events, afterMs: random.next() * CLOSING_MS_MAX };
  // The first events of a process are of its recovery.
  return { in: "work", events: kind < 0.5 ? randomInt(random, 12) : events, afterMs: 0 };
}

interface Start {
  readonly folder: string;
  readonly seed: number;
  readonly plan: Plan;
  readonly cache: string;
}

/** Runs a process as far as planned, then kills it. Everything that it had told by then counts. */
async function live({ folder, seed, plan, cache }: Start): Promise<{ stage: Stage; told: Told[] }> {
  const child = spawn(process.execPath, [join(import.meta.dirname, "lively-fleet.ts"), folder, String(seed)], {
    // Its standard input ends when this process does, however it does.
    stdio: ["pipe", "pipe", "pipe"],
    env: { ...process.env, NODE_COMPILE_CACHE: cache },
  });
  const errors = Array.fromAsync(child.stderr).then((chunks) => Buffer.concat(chunks).toString());
  const clock = systemClock();
  const killSoon = () => clock.timer(plan.afterMs, () => child.kill("SIGKILL"));
  const told: Told[] = [];
  let stage: Stage | undefined;
  let events = 0;
  for await (const line of createInterface({ input: child.stdout })) {
    const each = JSON.parse(line) as Told;
    told.push(each);
    if ("at" in each) {
      stage = each.at;
      if (each.at === plan.in) killSoon();
    }
    if (!("event" in each) || ++events !== plan.events + 1) continue;
    if (plan.in === "work") child.kill("SIGKILL");
    if (plan.in === "closing") child.kill("SIGTERM");
  }
  expect(await errors, `seed ${seed} tells of no error`).toBe("");
  if (!stage) throw new Error(`seed ${seed}: the process said nothing`);
  return { stage, told };
}

/** What the processes of one fleet told, and what follows from it for their journals. */
class Known {
  /** The newest of each agent, and whether it is to be compared. */
  readonly #heads = new Map<string, { seq: number; hash: string; isNew: boolean }>();
  readonly #messages = new Set<string>();
  /** Agent and call of each run of a tool that is not safe to repeat. */
  readonly runs: string[] = [];

  hear(told: Told): void {
    if ("event" in told) this.#head(told.event);
    else if ("ran" in told) this.runs.push(told.ran);
    else if ("did" in told) {
      if (told.message !== undefined) this.#messages.add(`${told.agent} ${told.message}`);
    } else if (told.at === "opened") {
      expect(told.damaged).toBe(0);
      for (const head of told.heads ?? []) this.#head(head);
    }
  }

  /** Folds every agent that was heard of, or all, up to what was told last of it. Returns how many. */
  async compare(folder: string, { all }: { all: boolean }): Promise<number> {
    const compared = [...this.#heads].filter(([, head]) => all || head.isNew);
    const journal = await openSqliteJournal({ folder: join(folder, "journal"), readOnly: true }).catch((error) => {
      // A process that was killed before it had made its database acknowledged nothing.
      if (error.code === "DATA_NOT_FOUND" && this.#heads.size === 0) return undefined;
      throw error;
    });
    if (!journal) return 0;
    try {
      for (const [agent, head] of compared) {
        const { state } = await foldAgent({ journal }, agent as never, head.seq);
        head.isNew = false;
        if (head.hash === "") continue;
        expect(hashOf(state.head), `the state of ${agent} after ${head.seq}`).toBe(head.hash);
      }
      if (all) {
        expect(await missing(journal, this.#messages)).toEqual([]);
        expect(await repeated(journal, this.runs)).toEqual([]);
      }
      expect((await journal.verify()).damaged).toEqual([]);
    } finally {
      await journal.close();
    }
    return compared.length;
  }

  #head([agent, seq, told]: readonly [string, number, string]): void {
    expect(seq, `${agent} goes on from what it acknowledged`).toBeGreaterThanOrEqual(this.#heads.get(agent)?.seq ?? 0);
    this.#heads.set(agent, { seq, hash: told, isNew: true });
  }
}

/** Messages that were acknowledged and that their agents' own records do not have. */
async function missing(journal: Journal, messages: ReadonlySet<string>): Promise<string[]> {
  const left = new Set(messages);
  for (const message of messages) {
    const [agent = "", id = ""] = message.split(" ");
    for await (const batch of journal.read(agent as never))
      if (batch.some(({ type, body }) => type === "message.received" && body.includes(`"${id}"`))) left.delete(message);
  }
  return [...left];
}

/** Calls that were started again though nobody had said so, or that ran more often than they were started. */
async function repeated(journal: Journal, runs: readonly string[]): Promise<string[]> {
  const wrong: string[] = [];
  const starts = new Map<string, number>();
  for (const agent of new Set(runs.map((run) => run.split(" ")[0] ?? ""))) {
    /** Calls whose start stands. */
    const standing = new Set<string>();
    for await (const batch of journal.read(agent as never)) {
      for (const { type, body } of batch) {
        const { callId } = JSON.parse(body) as { callId?: string };
        const key = `${agent} ${callId}`;
        if (type === "agent.rewound") standing.clear();
        if (type === "tool.answered") standing.delete(key);
        if (type !== "tool.started") continue;
        if (standing.has(key) && runs.includes(key)) wrong.push(`${key} is started again`);
        standing.add(key);
        starts.set(key, (starts.get(key) ?? 0) + 1);
      }
    }
  }
  for (const run of runs) {
    const left = (starts.get(run) ?? 0) - 1;
    if (left < 0) wrong.push(`${run} ran without a start of its own`);
    starts.set(run, left);
  }
  return wrong;
}
