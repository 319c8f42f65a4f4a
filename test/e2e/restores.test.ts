/**
 * Restores under load, with kill -9 in between and a snapshot damaged now and then: each state that was told of is what the journal
 * folds to from its first event, to the byte.
 *
 * RESTORES sets how many there are.
 */
import { spawn } from "node:child_process";
import { hash } from "node:crypto";
import { existsSync, mkdtempSync, readdirSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { createInterface } from "node:readline";
import { expect, test } from "vitest";
import { decodeEvent } from "../../src/agent/codec.ts";
import { evolve } from "../../src/agent/evolve.ts";
import type { State } from "../../src/agent/state.ts";
import { type Random, randomInt, seededRandom } from "../../src/base/random.ts";
import { openSqliteJournal } from "../../src/journal/sqlite/sqlite-journal.ts";
import { plainOf } from "./plain-state.ts";

const RESTORES = Number(process.env.RESTORES ?? 150);
/** Restores of one process, at the most. */
const OF_ONE = 120;

interface Told {
  readonly agent: string;
  readonly at: number;
  readonly hash: string;
}

/** Lets a process restore until it has told so much, and kills it. A line that the kill cut short was not told. */
async function killed(folder: string, seed: number, restores: number): Promise<Told[]> {
  const child = spawn(process.execPath, [join(import.meta.dirname, "restore-host.ts"), folder, String(seed)], {
    stdio: ["ignore", "pipe", "inherit"],
  });
  const told: Told[] = [];
  const exit = new Promise<string | null>((resolve) => child.once("exit", (_code, signal) => resolve(signal)));
  for await (const line of createInterface({ input: child.stdout })) {
    if (!line.endsWith("}")) continue;
    if (told.length < restores) told.push(JSON.parse(line));
    if (told.length >= restores) child.kill("SIGKILL");
  }
  expect(await exit, "it dies by the kill alone").toBe("SIGKILL");
  return told;
}

function damageOne(folder: string, random: Random): boolean {
  const root = join(folder, "snapshots");
  if (!existsSync(root)) return false;
  const files = readdirSync(root, { recursive: true, withFileTypes: true }).filter((entry) => entry.isFile());
  const file = files[randomInt(random, files.length)];
  if (!file) return false;
  const path = join(file.parentPath, file.name);
  const bytes = readFileSync(path);
  const place = randomInt(random, bytes.length);
  bytes[place] = (bytes[place] ?? 0) ^ (1 << randomInt(random, 8));
  writeFileSync(path, bytes);
  return true;
}

/** What was told that is not what the journal folds to. */
async function wrong(folder: string, told: readonly Told[]): Promise<Told[]> {
  const found: Told[] = [];
  const journal = await openSqliteJournal({ folder: join(folder, "journal"), readOnly: true });
  try {
    for (const [agent, restores] of Map.groupBy(told, (each) => each.agent)) {
      const wanted = Map.groupBy(restores, ({ at }) => at);
      let state: State | undefined;
      for await (const batch of journal.read(agent, { to: Math.max(...wanted.keys()) })) {
        for (const { seq, time, type, body } of batch) {
          state = evolve(agent, state, { seq, time, event: decodeEvent(type, body) });
          const here = wanted.get(seq);
          if (!here) continue;
          const expected = hash("sha256", JSON.stringify(plainOf(state)));
          found.push(...here.filter((each) => each.hash !== expected));
          wanted.delete(seq);
        }
      }
      // An event that was restored and is not there.
      for (const lost of wanted.values()) found.push(...lost);
    }
    return found;
  } finally {
    await journal.close();
  }
}

test(`${RESTORES} restores under load and kill -9 give the state that the journal folds to`, {
  timeout: 60_000 + RESTORES * 200,
}, async () => {
  const random = seededRandom(5);
  const folder = mkdtempSync(join(tmpdir(), "banyan-restores-"));
  try {
    const counts = { restores: 0, kills: 0, damaged: 0 };
    while (counts.restores < RESTORES) {
      const told = await killed(folder, 100 + counts.kills, 1 + randomInt(random, OF_ONE));
      expect(await wrong(folder, told)).toEqual([]);
      counts.restores += told.length;
      counts.kills += 1;
      if (randomInt(random, 3) === 0 && damageOne(folder, random)) counts.damaged += 1;
    }
    console.log(JSON.stringify(counts));
  } finally {
    rmSync(folder, { recursive: true, force: true });
  }
});
