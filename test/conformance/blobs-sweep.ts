/** Removing what nobody refers to (B5). What an earlier process put has no grace; what this one put has. */
import { describe, expect, test } from "vitest";
import type { Blobs, Digest } from "../../src/blobs/blobs.ts";
import {
  type BlobsWorld,
  bytesOf,
  inBlobsWorld,
  listed,
  type MakeBlobsWorld,
  readBlob,
  streamOf,
} from "./blobs-world.ts";

const HOUR_MS = 3_600_000;
/** Of one piece, and of several in stores that cut them. */
const SIZES = [0, 10, 300, 9_000, 300_000, 1_500_000];

const keepNone = { keeps: () => false, graceMs: 2 * HOUR_MS, dryRun: false };
const keeping = (kept: Iterable<Digest>) => {
  const wanted = new Set(kept);
  return { ...keepNone, keeps: (digest: Digest) => wanted.has(digest) };
};

/** What an earlier process left: blobs by size, in a store that is open anew. */
async function left(world: BlobsWorld, sizes: readonly number[] = SIZES): Promise<{ blobs: Blobs; old: Digest[] }> {
  const before = await world.open();
  const old: Digest[] = [];
  for (const size of sizes) old.push((await before.put(bytesOf(size, size))).digest);
  await before.close();
  return { blobs: await world.open(), old };
}

export function sweepSuite(make: MakeBlobsWorld): void {
  describe("a sweep", () => {
    test("B5: what is kept stays as it was, and the rest is gone, for this process and the next", () =>
      inBlobsWorld(make, async (world) => {
        const { blobs, old } = await left(world);
        const kept = old.filter((_, index) => index % 2 === 0);
        const goneBytes = SIZES.filter((_, index) => index % 2 === 1).reduce((sum, size) => sum + size, 0);
        const swept = await blobs.sweep(keeping(kept));
        expect(swept).toMatchObject({ kept: 3, removed: 3, removedBytes: goneBytes });
        expect(swept.bytesAfter).toBeLessThan(swept.bytesBefore);
        for (const reader of [blobs, await world.open()]) {
          expect((await listed(reader)).map(({ digest }) => digest)).toEqual([...kept].sort());
          for (const [index, digest] of old.entries()) {
            const size = SIZES[index] ?? 0;
            if (index % 2 === 0) expect((await readBlob(reader, digest)).equals(bytesOf(size, size))).toBe(true);
            else await expect(readBlob(reader, digest)).rejects.toMatchObject({ code: "BLOB_NOT_FOUND" });
          }
        }
        expect(await blobs.sweep(keeping(kept))).toMatchObject({ kept: 3, removed: 0, removedBytes: 0 });
      }));

    test("B5: what this process put, or put again, stays within the grace, as bytes or as a stream", () =>
      inBlobsWorld(make, async (world) => {
        const { blobs, old } = await left(world, [20, 400_000, 500_000]);
        await blobs.put(bytesOf(20, 20));
        await blobs.put(streamOf(bytesOf(400_000, 400_000), 70_000));
        const fresh = await blobs.put(bytesOf(7, 70_000));
        expect(await blobs.sweep(keepNone)).toMatchObject({ kept: 3, removed: 1, removedBytes: 500_000 });
        const there = [old[0], old[1], fresh.digest];
        for (const digest of there) expect(await blobs.verify(digest as Digest)).toBe(true);
      }));

    test("a dry run removes nothing, and says what would be", () =>
      inBlobsWorld(make, async (world) => {
        const { blobs, old } = await left(world);
        const said = await blobs.sweep({ ...keeping(old.slice(0, 2)), dryRun: true });
        expect(said).toMatchObject({ kept: 2, removed: 4 });
        expect(await listed(blobs)).toHaveLength(SIZES.length);
        expect(await blobs.sweep(keeping(old.slice(0, 2)))).toMatchObject({
          kept: 2,
          removed: 4,
          removedBytes: said.removedBytes,
        });
      }));

    test("what was removed can be put again, by this process and the next", () =>
      inBlobsWorld(make, async (world) => {
        const { blobs } = await left(world);
        await blobs.sweep(keepNone);
        for (const size of SIZES) await blobs.put(bytesOf(size, size));
        for (const reader of [blobs, await world.open()]) {
          for (const { digest } of await listed(reader)) expect(await reader.verify(digest)).toBe(true);
          expect(await listed(reader)).toHaveLength(SIZES.length);
        }
      }));

    test("B5: of what is put again while it is swept nothing is lost", () =>
      inBlobsWorld(make, async (world) => {
        const sizes = Array.from({ length: 60 }, (_, index) => 200 + index * 9_000);
        const { blobs } = await left(world, sizes);
        const sweeping = blobs.sweep(keepNone);
        const put = await Promise.all(sizes.map((size) => blobs.put(bytesOf(size, size))));
        await sweeping;
        for (const { digest, bytes } of put) {
          expect((await readBlob(blobs, digest)).equals(bytesOf(bytes, bytes))).toBe(true);
        }
      }));

    test("one at a time; one that is cut short has removed nothing that is kept, and the next goes on", () =>
      inBlobsWorld(make, async (world) => {
        const { blobs, old } = await left(world);
        const stop = new AbortController();
        const keeps = (digest: Digest) => {
          stop.abort(new Error("enough"));
          return digest === old[3];
        };
        const first = blobs.sweep({ ...keepNone, keeps, signal: stop.signal });
        await expect(blobs.sweep(keepNone)).rejects.toMatchObject({ code: "DATA_IN_USE" });
        await first.catch((error: unknown) => expect(error).toMatchObject({ message: "enough" }));
        expect(await blobs.verify(old[3] as Digest)).toBe(true);
        await blobs.sweep(keeping(old.slice(3, 4)));
        expect((await listed(blobs)).map(({ digest }) => digest)).toEqual([old[3]]);
      }));

    test("once the store is closed there is none, and closing ends one that is under way", () =>
      inBlobsWorld(make, async (world) => {
        const { blobs, old } = await left(world);
        const sweeping = blobs.sweep(keeping(old)).catch((error: unknown) => error);
        await blobs.close();
        await sweeping;
        await expect(blobs.sweep(keepNone)).rejects.toMatchObject({ code: "SHUTTING_DOWN" });
        expect(await listed(await world.open())).toHaveLength(SIZES.length);
      }));
  });
}
