/**
 * kill -9 at random moments, over real processes and a real disk. Invariants of docs/architecture.md, section 6: 1 (an
 * acknowledged event is never lost or changed), 3 (same journal, same state), and that a start is never refused.
 * KILL_CYCLES sets the count.
 */
import { type ChildProcess, spawn } from "node:child_process";
import { hash } from "node:crypto";
import { mkdtemp, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { createInterface } from "node:readline";
import { expect, test } from "vitest";
import { randomInt, seededRandom } from "../../src/base/random.ts";
import { foldAgent } from "../../src/coordinator/fold.ts";
import { openSqliteJournal } from "../../src/journal/sqlite/sqlite-journal.ts";

const CYCLES = Number(process.env.KILL_CYCLES ?? 100);
const LANES = 2;
/** Acknowledgements of a process after which it may be killed, at the most. */
const LINES_MAX = 400;

interface Acknowledged {
  readonly agent: string;
  readonly seq: number;
  readonly hash: string;
}

test(`${CYCLES} cycles: nothing acknowledged is lost, no start is refused, the state is the same`, {
  timeout: 600_000,
}, async () => {
  const lanes = await Promise.all(Array.from({ length: LANES }, (_, lane) => runLane(lane, Math.ceil(CYCLES / LANES))));
  const sum = (of: (lane: Lane) => number) => lanes.reduce((total, lane) => total + of(lane), 0);
  console.log(
    `${sum(({ cycles }) => cycles)} cycles, ${sum(({ killed }) => killed)} killed, ${sum(({ acknowledged }) => acknowledged)} appends acknowledged, ${sum(({ compared }) => compared)} states compared, ${sum(({ finished }) => finished)} fleets finished`,
  );
  expect(sum(({ cycles }) => cycles)).toBeGreaterThanOrEqual(CYCLES);
  expect(sum(({ killed }) => killed)).toBeGreaterThan(CYCLES / 2);
});

interface Lane {
  cycles: number;
  killed: number;
  acknowledged: number;
  compared: number;
  finished: number;
}

/** One process after the other on the same data, until the fleet is done; then a new one. */
async function runLane(lane: number, cycles: number): Promise<Lane> {
  const random = seededRandom(1_000 + lane);
  const counts: Lane = { cycles: 0, killed: 0, acknowledged: 0, compared: 0, finished: 0 };
  let folder = await mkdtemp(join(tmpdir(), "banyan-kill-"));
  try {
    while (counts.cycles < cycles) {
      const life = await live(folder, randomInt(random, LINES_MAX));
      counts.cycles += 1;
      counts.killed += life.done ? 0 : 1;
      counts.acknowledged += life.acknowledged.length;
      counts.compared += await compare(folder, life.acknowledged);
      if (!life.done) continue;
      counts.finished += 1;
      await rm(folder, { recursive: true, force: true });
      folder = await mkdtemp(join(tmpdir(), "banyan-kill-"));
    }
    return counts;
  } finally {
    await rm(folder, { recursive: true, force: true });
  }
}

/** Runs a process until it has acknowledged `lines` appends, then kills it. Everything that it had told by then counts. */
async function live(folder: string, lines: number): Promise<{ done: boolean; acknowledged: Acknowledged[] }> {
  const child = spawn(process.execPath, [join(import.meta.dirname, "lively-fleet.ts"), folder], {
    stdio: ["ignore", "pipe", "pipe"],
  });
  const errors = textOf(child);
  const acknowledged: Acknowledged[] = [];
  let opened = false;
  let done = false;
  for await (const line of createInterface({ input: child.stdout })) {
    const told = JSON.parse(line) as Acknowledged & { opened?: number; damaged?: number; done?: boolean };
    if (told.opened !== undefined) {
      opened = true;
      expect(told.damaged).toBe(0);
    } else if (told.done) done = true;
    else acknowledged.push(told);
    if (acknowledged.length >= lines && !done) child.kill("SIGKILL");
  }
  expect(opened, `it starts: ${await errors}`).toBe(true);
  return { done, acknowledged };
}

function textOf({ stderr }: ChildProcess): Promise<string> {
  return stderr ? Array.fromAsync(stderr).then((chunks) => Buffer.concat(chunks).toString()) : Promise.resolve("");
}

/** Folds every agent up to what was told last of it, and compares the state. */
async function compare(folder: string, acknowledged: readonly Acknowledged[]): Promise<number> {
  const last = new Map(acknowledged.map((each) => [each.agent, each]));
  const journal = await openSqliteJournal({ folder: join(folder, "journal"), readOnly: true });
  try {
    for (const { agent, seq, hash: told } of last.values()) {
      const { state } = await foldAgent(journal, agent, seq);
      expect(hash("sha256", JSON.stringify(state.head)), `the state of ${agent} after ${seq}`).toBe(told);
    }
    expect((await journal.verify()).damaged).toEqual([]);
    return last.size;
  } finally {
    await journal.close();
  }
}
