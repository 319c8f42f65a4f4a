/**
 * Bits that flip and files that are cut, in what stands beside a journal: its snapshots and the segments of its backup. And how much all that
 * takes as the history grows.
 */
import { mkdtempSync, readdirSync, readFileSync, rmSync, statSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { basename, join } from "node:path";
import { expect, test } from "vitest";
import { work } from "../../bench/banyan/contender.ts";
import { payloadModel } from "../../bench/core/payload-model.ts";
import { randomInt, seededRandom } from "../../src/base/random.ts";
import { openFsObjects } from "../../src/blobs/fs/fs-objects.ts";
import { BackupStore } from "../../src/checkpoints/backup/store.ts";
import { openFsSnapshots } from "../../src/checkpoints/fs/fs-snapshots.ts";
import { foldAgent } from "../../src/coordinator/fold.ts";
import { Banyan } from "../../src/index.ts";
import { openSqliteJournal } from "../../src/journal/sqlite/sqlite-journal.ts";
import { backUp } from "../../src/runtime/backup.ts";
import { plainOf } from "./plain-state.ts";

/** More by the environment: DAMAGES=10000. */
const DAMAGES = Number(process.env.DAMAGES ?? 150);

/** Agents that worked so many turns each, and their backup. */
async function lived(place: string, turns: number): Promise<{ agent: string; data: string; store: string }> {
  const [data, store] = [join(place, `data-${turns}`), join(place, `store-${turns}`)];
  await using banyan = await Banyan.open(data, { tools: [work], snapshotTailMin: 8_000 });
  const agent = await banyan.spawn({ name: "agent", model: payloadModel(turns), task: "go", tools: [work] });
  await agent.result();
  await banyan.close();
  await backUp(data, { store });
  return { agent: agent.id, data, store };
}

function filesBelow(folder: string): string[] {
  const entries = readdirSync(folder, { recursive: true, withFileTypes: true });
  return entries.filter((entry) => entry.isFile()).map((entry) => join(entry.parentPath, entry.name));
}

const seqOf = (path: string) => Number.parseInt(basename(path), 10);
const bytesBelow = (folder: string) => filesBelow(folder).reduce((sum, path) => sum + statSync(path).size, 0);

test(`of ${DAMAGES} flipped bits and cuts in snapshots and segments, none is served`, {
  timeout: 600_000,
}, async () => {
  const place = mkdtempSync(join(tmpdir(), "banyan-damage-"));
  const { agent, data, store } = await lived(place, 60);
  const journal = await openSqliteJournal({ folder: join(data, "journal"), readOnly: true });
  try {
    const backup = await BackupStore.open(openFsObjects(store), {});
    const [segment] = await backup.segments();
    if (!segment) throw new Error("nothing was shipped");
    const whole = await backup.read(segment);
    const state = plainOf((await foldAgent({ journal }, agent)).state);
    // As many as were kept, all of the newest agent: the two of N2.
    const folder = join(data, "snapshots");
    const snapshots = filesBelow(folder).filter((path) => path.endsWith(".snapshot"));
    expect(snapshots).toHaveLength(2);
    const expected = new Map<number, ReturnType<typeof plainOf>>();
    for (const path of snapshots) {
      const seq = seqOf(path);
      expected.set(seq, plainOf((await foldAgent({ journal }, agent, seq)).state));
    }
    const random = seededRandom(5);
    const counted = { detected: 0, harmless: 0 };
    for (let damage = 0; damage < DAMAGES; damage++) {
      const path = [...snapshots, join(store, segment.name)][damage % 3] ?? "";
      const sound = readFileSync(path);
      const at = randomInt(random, sound.length);
      const harmed = Buffer.from(damage % 2 === 0 ? sound : sound.subarray(0, at));
      if (damage % 2 === 0) harmed[at] = (harmed[at] ?? 0) ^ (1 << randomInt(random, 8));
      writeFileSync(path, harmed);
      let found = false;
      if (damage % 3 === 2) {
        const read = await backup.read(segment).catch((error) => {
          expect(error.code).toBe("BLOB_DAMAGED");
          found = true;
          return whole;
        });
        expect(read).toEqual(whole);
      } else {
        const onBadSnapshot = () => {
          found = true;
        };
        const past = { journal, snapshots: openFsSnapshots({ folder }), onBadSnapshot };
        // The older one is looked at where the newer one cannot be.
        const seq = seqOf(path);
        expect(plainOf((await foldAgent(past, agent, seq)).state)).toEqual(expected.get(seq));
        expect(plainOf((await foldAgent(past, agent)).state)).toEqual(state);
      }
      counted[found ? "detected" : "harmless"] += 1;
      writeFileSync(path, sound);
    }
    // Bits that the compressor does not look at, such as unused ones of its header.
    expect(counted.harmless).toBeLessThan(DAMAGES / 20);
  } finally {
    await journal.close();
    rmSync(place, { recursive: true, force: true });
  }
});

test("journal, snapshots and backup grow with the history, not faster", async () => {
  const place = mkdtempSync(join(tmpdir(), "banyan-growth-"));
  try {
    const sizes: { journal: number; snapshots: number; store: number }[] = [];
    for (const turns of [60, 120, 240, 480]) {
      const { data, store } = await lived(place, turns);
      const [journal, snapshots] = [bytesBelow(join(data, "journal")), bytesBelow(join(data, "snapshots"))];
      sizes.push({ journal, snapshots, store: bytesBelow(store) });
    }
    for (const [index, size] of sizes.entries()) {
      const before = sizes[index - 1];
      if (!before) continue;
      for (const what of ["journal", "snapshots", "store"] as const) {
        expect(size[what], `${what}, doubled for the ${index}. time`).toBeLessThan(2.3 * before[what]);
      }
      expect(size.snapshots).toBeLessThan(size.journal);
    }
  } finally {
    rmSync(place, { recursive: true, force: true });
  }
});
