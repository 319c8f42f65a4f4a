/** Storing, storing again, deleting, closing and opening again (B1, B2). */
import { createHash } from "node:crypto";
import { expect, test } from "vitest";
import type { BlobInfo, Digest } from "../../src/blobs/blobs.ts";
import { bytesOf, inBlobsWorld, listed, type MakeBlobsWorld, readBlob, streamOf, withBlobs } from "./blobs-world.ts";

/** Around the sizes at which adapters cut: a chunk is 256 KiB. */
const SIZES = [0, 1, 511, 512, 8_193, 262_143, 262_144, 262_145, 524_288, 1_000_001];

export function putSuite(make: MakeBlobsWorld): void {
  test.each(SIZES)("B2: %d bytes are known by their SHA-256, as bytes and as a stream", (length) =>
    inBlobsWorld(make, async (world) => {
      const blobs = await world.open();
      const bytes = bytesOf(length, length);
      const digest: Digest = `sha256:${createHash("sha256").update(bytes).digest("hex")}`;
      expect(await blobs.has(digest)).toBeUndefined();
      expect(await blobs.put(streamOf(bytes, 1_000))).toEqual({ digest, bytes: length });
      expect(await blobs.put(bytes)).toEqual({ digest, bytes: length });
      expect(await blobs.has(digest)).toBe(length);
      expect((await readBlob(blobs, digest)).equals(bytes)).toBe(true);
      expect(await listed(blobs)).toEqual([{ digest, bytes: length }]);
      await blobs.delete(digest);
      expect(await blobs.has(digest)).toBeUndefined();
      expect(await listed(blobs)).toEqual([]);
    }),
  );

  test(
    "B2: empty chunks in a stream are no part of it",
    withBlobs(make, async (blobs) => {
      const pieces = ["", "a", "", "", "bc", ""].map((text) => Buffer.from(text));
      const { digest, bytes } = await blobs.put(
        (async function* () {
          yield* pieces;
        })(),
      );
      expect({ digest, bytes }).toEqual(await blobs.put(Buffer.from("abc")));
    }),
  );

  test(
    "B2: the same bytes, put 100 times at once in both ways, are stored once",
    withBlobs(make, async (blobs) => {
      const bytes = bytesOf(1, 20_000);
      const puts = Array.from({ length: 100 }, (_, index) => blobs.put(index % 3 === 0 ? streamOf(bytes, 999) : bytes));
      const stored = await Promise.all(puts);
      expect(new Set(stored.map(({ digest }) => digest)).size).toBe(1);
      expect(await listed(blobs)).toEqual([stored[0]]);
    }),
  );

  test(
    "B1: a put is whole or absent, whatever is deleted meanwhile; one asked for after a delete is there",
    withBlobs(make, async (blobs) => {
      const bytes = bytesOf(2, 300_000);
      const { digest } = await blobs.put(bytes);
      for (let round = 0; round < 30; round += 1) {
        const before = blobs.put(round % 2 === 0 ? bytes : streamOf(bytes, 50_000));
        const deleted = blobs.delete(digest);
        const after = deleted.then(() => blobs.put(bytes));
        const size = await blobs.has(digest);
        expect([undefined, bytes.length]).toContain(size);
        await Promise.all([before, after]);
        expect(await blobs.verify(digest)).toBe(true);
      }
    }),
  );

  test(
    "B1: a stream that fails leaves nothing, and its own error is told",
    withBlobs(make, async (blobs) => {
      const broken = (async function* () {
        yield bytesOf(3, 100_000);
        throw new Error("the source broke");
      })();
      await expect(blobs.put(broken)).rejects.toThrow("the source broke");
      expect(await listed(blobs)).toEqual([]);
    }),
  );

  test(
    "B1: 500 puts at once are all there",
    withBlobs(make, async (blobs) => {
      const all = Array.from({ length: 500 }, (_, index) => bytesOf(index, 40 + index));
      const stored = await Promise.all(all.map((bytes) => blobs.put(bytes)));
      expect(new Set(stored.map(({ digest }) => digest)).size).toBe(500);
      expect(await listed(blobs)).toHaveLength(500);
      for (const { digest } of stored) expect(await blobs.verify(digest)).toBe(true);
    }),
  );

  test(
    "a blob is put from a read of the same store, 200 times at once",
    withBlobs(make, async (blobs) => {
      const { digest } = await blobs.put(bytesOf(4, 300_000));
      const copies = await Promise.all(Array.from({ length: 200 }, () => blobs.put(blobs.get(digest))));
      expect(new Set(copies.map((copy) => copy.digest))).toEqual(new Set([digest]));
    }),
  );

  test("B1: what was put is there when the store is opened again", () =>
    inBlobsWorld(make, async (world) => {
      const first = await world.open();
      const stored = await Promise.all([10, 10_000, 600_000].map((length) => first.put(bytesOf(length, length))));
      const before = await listed(first);
      await first.close();
      const again = await world.open();
      expect(await listed(again)).toEqual(before);
      for (const { digest, bytes } of stored) {
        expect((await readBlob(again, digest)).equals(bytesOf(bytes, bytes))).toBe(true);
      }
      expect(await again.put(bytesOf(10_000, 10_000))).toEqual(stored[1]);
      expect(await listed(again)).toEqual(before);
    }));

  test("B1: closing waits for the puts under way, then everything is refused; twice is harmless", () =>
    inBlobsWorld(make, async (world) => {
      const blobs = await world.open();
      const puts = [blobs.put(bytesOf(5, 100_000)), blobs.put(streamOf(bytesOf(6, 100_000), 10_000))];
      await Promise.all([blobs.close(), blobs.close()]);
      const { digest } = (await Promise.all(puts))[0] as BlobInfo;
      await blobs.close();
      const calls = [
        () => blobs.put(bytesOf(7, 10)),
        () => readBlob(blobs, digest),
        () => blobs.has(digest),
        () => blobs.delete(digest),
        () => listed(blobs),
        () => blobs.verify(digest),
      ];
      for (const call of calls) await expect(call()).rejects.toMatchObject({ code: "SHUTTING_DOWN" });
      expect(await listed(await world.open())).toHaveLength(2);
    }));
}
