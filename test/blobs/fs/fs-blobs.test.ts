/** What only files have: modes, leftovers, bounds on open files, and other files in the way. */
import { spawnSync } from "node:child_process";
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
  inFolder(async (blobs, { folder, pathOf }) => {
    const { digest } = await blobs.put(bytesOf(1, 10));
    const modes = [folder, join(folder, "tmp"), join(pathOf(digest), ".."), pathOf(digest)].map(
      (path) => statSync(path).mode & 0o777,
    );
    expect(modes).toEqual([0o700, 0o700, 0o700, 0o600]);
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
    expect(openIn(folder)).toBe(0);
  }),
);

test(
  "B4: a stream is pulled no faster than it is written, and read in chunks of 256 KiB at most",
  inFolder(async (blobs, { folder }) => {
    const chunk = bytesOf(1, 1_000_000);
    const behind: number[] = [];
    const { digest } = await blobs.put(
      (async function* () {
        for (let index = 0; index < 20; index += 1) {
          const [name = ""] = readdirSync(join(folder, "tmp"));
          behind.push(index * chunk.length - statSync(join(folder, "tmp", name)).size);
          yield chunk;
        }
      })(),
    );
    expect(behind).toEqual(Array(20).fill(0));
    for await (const read of blobs.get(digest)) expect(read.length).toBeLessThanOrEqual(256 * 1024);
  }),
);

test("what dead processes left is removed at the next opening, what a living one writes is not", async () => {
  const world = await fsBlobsWorld();
  await inBlobsWorld(
    async () => world,
    async () => {
      await (await world.open()).close();
      const { pid: dead } = spawnSync(process.execPath, ["--version"]);
      const [left, under] = [`abc-${dead}`, `abc-${process.ppid}`].map((name) => join(world.folder, "tmp", name));
      for (const path of [left, under]) writeFileSync(String(path), "half");
      await world.open();
      expect([left, under].map((path) => existsSync(String(path)))).toEqual([false, true]);
    },
  );
});

test(
  "files that are no blobs are not listed, and a folder in a blob's place is told of",
  inFolder(async (blobs, { folder, pathOf }) => {
    const { digest } = await blobs.put(bytesOf(1, 10));
    for (const name of ["readme", "ff", "zz"]) {
      mkdirSync(join(folder, name), { recursive: true });
      writeFileSync(join(folder, name, "stray"), "?");
    }
    expect(await listed(blobs)).toEqual([{ digest, bytes: 10 }]);
    const taken = digestOf(bytesOf(2, 10));
    mkdirSync(pathOf(taken), { recursive: true });
    await expect(blobs.put(bytesOf(2, 10))).rejects.toMatchObject({ code: "DISK_FAILED" });
    await expect(readBlob(blobs, taken)).rejects.toMatchObject({
      code: "DISK_FAILED",
      message: expect.stringContaining(taken),
    });
    expect(readdirSync(join(folder, "tmp"))).toEqual([]);
  }),
);

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
