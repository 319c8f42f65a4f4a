/** Collections that are killed at any moment, over one folder: nothing that a durable record refers to is ever missing. */
import { spawn } from "node:child_process";
import { mkdtempSync, readdirSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { expect, test } from "vitest";
import { collect } from "../../src/artifacts/collect.ts";
import { systemClock } from "../../src/base/clock.ts";
import { randomInt, seededRandom } from "../../src/base/random.ts";
import type { Digest } from "../../src/blobs/blobs.ts";
import { openFsBlobs } from "../../src/blobs/fs/fs-blobs.ts";
import { openSqliteJournal } from "../../src/journal/sqlite/sqlite-journal.ts";
import { listed } from "../conformance/blobs-world.ts";

const CYCLES = Number(process.env.KILL_CYCLES ?? 12);

test("B5: kill -9 in the middle of puts and collections, again and again", {
  timeout: 30_000 + CYCLES * 3_000,
}, async () => {
  const root = mkdtempSync(join(tmpdir(), "banyan-collect-"));
  const random = seededRandom(5);
  const referred = new Set<Digest>();
  try {
    for (let cycle = 1; cycle <= CYCLES; cycle += 1) {
      for (const digest of await live(root, cycle, 1 + randomInt(random, 300))) referred.add(digest);
      const blobs = await openFsBlobs({ folder: join(root, "blobs"), readOnly: true });
      for (const digest of referred) expect(await blobs.verify(digest), digest).toBe(true);
      await blobs.close();
    }
    const blobs = await openFsBlobs({ folder: join(root, "blobs") });
    const journal = await openSqliteJournal({ folder: join(root, "journal") });
    const { kept, removed } = await collect({ journal, blobs, clock: systemClock() });
    expect(kept).toBeGreaterThanOrEqual(referred.size);
    expect(removed).toBeGreaterThan(0);
    expect(await listed(blobs)).toHaveLength(kept);
    await journal.close();
    await blobs.close();
    expect(readdirSync(join(root, "blobs", "packs")).length).toBeLessThan(2 * CYCLES + 4);
  } finally {
    rmSync(root, { recursive: true, force: true });
  }
});

/** Runs the host until it has said so many lines, and kills it. Returns what it said. */
async function live(root: string, seed: number, lines: number): Promise<Digest[]> {
  const host = spawn(process.execPath, [join(import.meta.dirname, "collect-host.ts"), root, String(seed)], {
    stdio: ["ignore", "pipe", "inherit"],
  });
  let text = "";
  for await (const chunk of host.stdout) {
    text += chunk;
    if (text.split("\n").length > lines) host.kill("SIGKILL");
  }
  return text.split("\n").slice(0, -1) as Digest[];
}
