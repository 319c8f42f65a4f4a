import { mkdtemp, readdir, readFile, rm, stat, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterAll, beforeAll, expect, test } from "vitest";
import { openFsSnapshots } from "../../../src/checkpoints/fs/fs-snapshots.ts";
import { snapshotsConformance } from "../../conformance/snapshots.ts";
import { AGENT } from "../../support/commands.ts";

let root: string;
let made = 0;
beforeAll(async () => {
  root = await mkdtemp(join(tmpdir(), "banyan-snapshots-"));
});
afterAll(() => rm(root, { recursive: true, force: true }));

const newFolder = () => {
  made += 1;
  return join(root, `${made}`);
};

snapshotsConformance("a folder", async () => openFsSnapshots({ folder: newFolder() }));

test("S1: of a damaged file nothing is handed over, whichever byte is changed and wherever it is cut", async () => {
  const folder = newFolder();
  const snapshots = openFsSnapshots({ folder });
  const text = Array.from({ length: 50 }, (_, line) => `{"line":${line},"text":"${line * 7919}"}`).join("\n");
  await snapshots.keep(AGENT, 3, [Buffer.from(text), Buffer.from("more")]);
  const path = join(folder, AGENT.slice(-2), AGENT, "3.snapshot");
  const sound = await readFile(path);
  for (let at = 0; at < sound.length; at += 1) {
    const flipped = Buffer.from(sound);
    flipped[at] = (flipped[at] ?? 0) ^ (1 << (at % 8));
    for (const bytes of [flipped, sound.subarray(0, at)]) {
      await writeFile(path, bytes);
      expect(await snapshots.read(AGENT, 3).catch((error) => error.code), `byte ${at}`).toBe("SNAPSHOT_DAMAGED");
    }
  }
});

test("files are for their owner alone, and what is no snapshot, or one of an earlier version, is neither listed nor left", async () => {
  const folder = newFolder();
  const snapshots = openFsSnapshots({ folder });
  await snapshots.keep(AGENT, 3, [Buffer.from("text")]);
  const own = join(folder, AGENT.slice(-2), AGENT);
  expect(await readdir(own)).toEqual(["3.snapshot"]);
  expect([(await stat(own)).mode & 0o777, (await stat(join(own, "3.snapshot"))).mode & 0o777]).toEqual([0o700, 0o600]);
  for (const name of ["4.snapshot.123", "x.snapshot", "2.zst", "5.snapshot.tmp", "-6.snapshot"])
    await writeFile(join(own, name), "");
  expect(await snapshots.list(AGENT)).toEqual([3]);
  await snapshots.keep(AGENT, 4, [Buffer.from("text")]);
  expect((await readdir(own)).sort()).toEqual(["3.snapshot", "4.snapshot"]);
});

test("no path is made of anything but an id", async () => {
  const snapshots = openFsSnapshots({ folder: newFolder() });
  for (const hostile of ["../../etc", "", "a/b", `${AGENT}/..`]) {
    await expect(snapshots.keep(hostile, 1, [Buffer.from("text")])).rejects.toThrow();
    await expect(snapshots.read(hostile, 1)).rejects.toThrow();
  }
});

test("a folder that cannot be written to is told as the disk's fault", async () => {
  const file = join(root, "file");
  await writeFile(file, "in the way");
  const snapshots = openFsSnapshots({ folder: file });
  await expect(snapshots.keep(AGENT, 1, [Buffer.from("text")])).rejects.toMatchObject({
    code: "DISK_FAILED",
    agent: AGENT,
  });
  expect(await snapshots.list(AGENT)).toEqual([]);
});
