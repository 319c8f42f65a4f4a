/** What only files have: modes, leftovers, bounds on open files, and other files in the way. */
import { existsSync, mkdirSync, readdirSync, readlinkSync, statSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { expect, test } from "vitest";
import { LIMITS } from "../../../src/base/limits.ts";
import { type Blobs, digestOf } from "../../../src/blobs/blobs.ts";
import { openFsBlobs } from "../../../src/blobs/fs/fs-blobs.ts";
import { bytesOf, inBlobsWorld, listed, readBlob, streamOf } from "../../conformance/blobs-world.ts";
import { type FsBlobsWorld, fsBlobsWorld } from "./world.ts";

const inFolder = (use: (blobs: Blobs, world: FsBlobsWorld) => Promise<void>) => async () => {
  const world = await fsBlobsWorld();
  await inBlobsWorld(
    async () => world,
    async () => use(await world.open(), world),
  );
};

/** Files of the folder that this process has open now. */
function openIn(folder: string): number {
  return readdirSync("/proc/self/fd").filter((fd) => {
    try {
      return readlinkSync(join("/proc/self/fd", fd)).startsWith(folder);
    } catch {
      return false;
    }
  }).length;
}

test(
  "files and folders are for their owner alone",
  inFolder(async (blobs, { folder, packs }) => {
    await blobs.put(bytesOf(1, 10));
    await blobs.close();
    const [pack = ""] = packs();
    const modes = [folder, join(folder, "packs"), pack, pack.replace(/pack$/, "idx")].map(
      (path) => statSync(path).mode & 0o777,
    );
    expect(modes).toEqual([0o700, 0o700, 0o600, 0o600]);
  }),
);

test(
  "10,000 puts at once, and 10,000 reads, keep to the bound of open files",
  inFolder(async (blobs, { folder }) => {
    const all = Array.from({ length: 10_000 }, (_, index) => Buffer.from(`blob ${index % 2_500}`));
    let most = 0;
    const counting = (async function* () {
      for (let chunk = 0; chunk < 20; chunk += 1) {
        most = Math.max(most, openIn(folder));
        yield Buffer.from(`chunk ${chunk}`);
        await blobs.has(digestOf(Buffer.from(`blob ${chunk}`)));
      }
    })();
    const puts = [blobs.put(counting), ...all.map((bytes) => blobs.put(bytes))];
    await Promise.all(puts);
    const reads = all.map(async (bytes, index) => {
      if (index % 500 === 0) most = Math.max(most, openIn(folder));
      return (await readBlob(blobs, digestOf(bytes))).equals(bytes);
    });
    expect((await Promise.all(reads)).every(Boolean)).toBe(true);
    expect(most).toBeGreaterThan(0);
    expect(most).toBeLessThanOrEqual(2 * LIMITS.blobFilesMax);
    await blobs.close();
    expect(openIn(folder)).toBe(0);
  }),
);

test(
  "B4: a stream is pulled no faster than it is written, but for half a megabyte, and read in chunks of 256 KiB at most",
  inFolder(async (blobs, { packs }) => {
    const LENGTH = 1_000_000;
    const behind: number[] = [];
    const { digest } = await blobs.put(
      (async function* () {
        for (let index = 0; index < 20; index += 1) {
          const [pack] = packs();
          behind.push(index * LENGTH - (pack ? statSync(pack).size : 0));
          yield bytesOf(index, LENGTH);
        }
      })(),
    );
    expect(Math.max(...behind)).toBeLessThan(1_600_000);
    for await (const read of blobs.get(digest)) expect(read.length).toBeLessThanOrEqual(256 * 1024);
  }),
);

test("a folder of an earlier version goes on: its files are read, listed, checked and removed", async () => {
  const world = await fsBlobsWorld();
  await inBlobsWorld(
    async () => world,
    async () => {
      const [sound, harmed] = [bytesOf(1, 300_000), bytesOf(2, 20_000)] as [Buffer, Buffer];
      for (const [bytes, stored] of [
        [sound, sound],
        [harmed, harmed.subarray(1)],
      ] as const) {
        const name = digestOf(bytes).slice(7);
        mkdirSync(join(world.folder, name.slice(0, 2)), { recursive: true });
        writeFileSync(join(world.folder, name.slice(0, 2), name), stored);
      }
      const blobs = await world.open();
      expect((await listed(blobs)).map(({ bytes }) => bytes).sort()).toEqual([19_999, 300_000]);
      expect((await readBlob(blobs, digestOf(sound))).equals(sound)).toBe(true);
      expect((await readBlob(blobs, digestOf(sound), { from: 5, to: 9 })).equals(sound.subarray(5, 9))).toBe(true);
      expect(await blobs.verify(digestOf(harmed))).toBe(false);
      await blobs.put(harmed);
      expect((await readBlob(blobs, digestOf(harmed))).equals(harmed)).toBe(true);
      expect(await listed(blobs)).toHaveLength(2);
      await blobs.delete(digestOf(sound));
      await blobs.delete(digestOf(harmed));
      expect(await listed(blobs)).toEqual([]);
    },
  );
});

test(
  "a reader finds an empty store where no folder is, and makes none",
  inFolder(async (_, { folder }) => {
    const nowhere = join(folder, "nowhere");
    const blobs = await openFsBlobs({ folder: nowhere, readOnly: true });
    expect(await listed(blobs)).toEqual([]);
    expect(existsSync(nowhere)).toBe(false);
  }),
);

test(
  "a stream that is still coming does not keep other puts waiting",
  inFolder(async (blobs) => {
    const { promise, resolve } = Promise.withResolvers<void>();
    const slow = blobs.put(
      (async function* () {
        await promise;
        yield* streamOf(bytesOf(1, 10), 5);
      })(),
    );
    await Promise.all(Array.from({ length: 100 }, (_, index) => blobs.put(bytesOf(index, 50))));
    resolve();
    expect((await slow).bytes).toBe(10);
  }),
);
