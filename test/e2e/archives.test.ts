/**
 * Records that move to an archive and back while others are appended, with kill -9 in between: every record that was told of is read
 * again, to the byte (X1, X2).
 *
 * ARCHIVE_KILLS sets how many kills there are.
 */
import { spawn } from "node:child_process";
import { mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { createInterface } from "node:readline";
import { expect, test } from "vitest";
import { randomInt, seededRandom } from "../../src/base/random.ts";
import { openDataJournal } from "../../src/runtime/data-journal.ts";
import { archivedBody } from "./archived-body.ts";

const KILLS = Number(process.env.ARCHIVE_KILLS ?? 12);
/** Lines of one process, at the most. */
const OF_ONE = 150;

interface Line {
  readonly agent?: string;
  readonly seq?: number;
  readonly out?: string;
  readonly back?: string;
}

/** Lets a process work until it has told so much, and kills it. A line that the kill cut short was not told. */
async function killed(folder: string, seed: number, lines: number): Promise<Line[]> {
  const child = spawn(process.execPath, [join(import.meta.dirname, "archive-host.ts"), folder, String(seed)], {
    stdio: ["ignore", "pipe", "inherit"],
  });
  const told: Line[] = [];
  const exit = new Promise<string | null>((resolve) => child.once("exit", (_code, signal) => resolve(signal)));
  for await (const line of createInterface({ input: child.stdout })) {
    if (line.endsWith("}")) told.push(JSON.parse(line));
    if (told.length >= lines) child.kill("SIGKILL");
  }
  expect(await exit, "it dies by the kill alone").toBe("SIGKILL");
  return told;
}

test(`${KILLS} kills while records move to an archive and back lose none, and change none`, {
  timeout: 60_000 + KILLS * 3_000,
}, async () => {
  const folder = mkdtempSync(join(tmpdir(), "banyan-archives-"));
  const random = seededRandom(11);
  const ends = new Map<string, number>();
  const moves = { out: 0, back: 0 };
  try {
    for (let kill = 0; kill < KILLS; kill++) {
      for (const { agent, seq = 0, out, back } of await killed(folder, kill, 1 + randomInt(random, OF_ONE))) {
        if (agent !== undefined) ends.set(agent, Math.max(seq, ends.get(agent) ?? 0));
        if (out !== undefined) moves.out += 1;
        if (back !== undefined) moves.back += 1;
      }
      const journal = await openDataJournal(folder, { readOnly: true });
      expect((await journal.verify()).damaged, `after kill ${kill + 1}`).toEqual([]);
      for (const [agent, end] of ends) {
        let at = 0;
        for await (const records of journal.read(agent)) {
          for (const { seq, body } of records) {
            at += 1;
            if (seq !== at || body !== archivedBody(agent, seq))
              throw new Error(`record ${seq} of ${agent} has changed`);
          }
        }
        expect(at, agent).toBeGreaterThanOrEqual(end);
      }
      await journal.close();
    }
    expect(moves.out).toBeGreaterThan(KILLS);
    expect(moves.back).toBeGreaterThan(0);
  } finally {
    rmSync(folder, { recursive: true, force: true });
  }
});
