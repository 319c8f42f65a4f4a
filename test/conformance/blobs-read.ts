/** Reading wholes and ranges, and what is no digest (B3). */
import { expect, test } from "vitest";
import type { Blobs, Digest } from "../../src/blobs/blobs.ts";
import { bytesOf, listed, type MakeBlobsWorld, readBlob, withBlobs } from "./blobs-world.ts";

const LENGTH = 600_000;
const bytes = bytesOf(9, LENGTH);

const RANGES: readonly { name: string; from: number; to: number }[] = [
  { name: "the whole", from: 0, to: LENGTH },
  { name: "the first byte", from: 0, to: 1 },
  { name: "the last byte", from: LENGTH - 1, to: LENGTH },
  { name: "across a chunk's end", from: 262_140, to: 262_150 },
  { name: "a chunk", from: 262_144, to: 524_288 },
  { name: "more than a chunk", from: 3, to: 524_291 },
  { name: "beyond the end", from: LENGTH - 10, to: LENGTH + 10 },
  { name: "as far as can be said", from: 5, to: Number.MAX_SAFE_INTEGER },
  { name: "nothing at the start", from: 0, to: 0 },
  { name: "nothing in the middle", from: 70, to: 70 },
  { name: "behind the end", from: LENGTH, to: LENGTH + 5 },
  { name: "far behind the end", from: Number.MAX_SAFE_INTEGER - 1, to: Number.MAX_SAFE_INTEGER },
  { name: "inverted", from: 20, to: 10 },
];

const NO_RANGES = [
  { from: -1, to: 5 },
  { from: 0, to: -1 },
  { from: 0.5, to: 2 },
  { from: 0, to: Number.POSITIVE_INFINITY },
  { from: Number.NaN, to: 2 },
];

const HEX = "0123456789abcdef".repeat(4);
const HOSTILE: readonly unknown[] = [
  "",
  "sha256:",
  `sha256:${HEX.slice(1)}`,
  `sha256:${HEX}0`,
  `sha256:${HEX.toUpperCase()}`,
  `SHA256:${HEX}`,
  `sha512:${HEX}`,
  HEX,
  `sha256:${HEX}\n`,
  `sha256:${HEX.slice(3)}/..`,
  "sha256:../../../../../../../../../../../../../../../../../../../etc/passwd",
  `sha256:${HEX.slice(1)}\0`,
  "__proto__",
  "x".repeat(1_000_000),
  undefined,
  null,
  7,
  {},
];

export function blobReadSuite(make: MakeBlobsWorld): void {
  test.each(RANGES)("a range has the bytes from `from` up to `to`: $name", ({ from, to }) =>
    withBlobs(make, async (blobs) => {
      const { digest } = await blobs.put(bytes);
      const read = await readBlob(blobs, digest, { from, to });
      expect(read.equals(bytes.subarray(from, Math.max(from, to)))).toBe(true);
    })(),
  );

  test(
    "what is no range of bytes is refused",
    withBlobs(make, async (blobs) => {
      const { digest } = await blobs.put(bytes);
      for (const range of NO_RANGES) {
        await expect(readBlob(blobs, digest, range)).rejects.toMatchObject({ code: "INPUT_INVALID" });
      }
    }),
  );

  test(
    "what is not there is not found, whole or in part",
    withBlobs(make, async (blobs) => {
      const digest: Digest = `sha256:${HEX}`;
      for (const range of [undefined, { from: 0, to: 10 }, { from: 5, to: 5 }]) {
        await expect(readBlob(blobs, digest, range)).rejects.toMatchObject({ code: "BLOB_NOT_FOUND" });
      }
      expect(await blobs.has(digest)).toBeUndefined();
      expect(await blobs.verify(digest)).toBe(false);
      await blobs.delete(digest);
    }),
  );

  test(
    "what is no digest is refused by everything",
    withBlobs(make, async (blobs) => {
      const { digest } = await blobs.put(Buffer.from("stays"));
      const calls: ((hostile: Digest) => Promise<unknown>)[] = [
        (hostile) => readBlob(blobs, hostile),
        (hostile) => readBlob(blobs, hostile, { from: 0, to: 1 }),
        (hostile) => blobs.has(hostile),
        (hostile) => blobs.delete(hostile),
        (hostile) => blobs.verify(hostile),
      ];
      for (const hostile of HOSTILE) {
        for (const call of calls) {
          await expect(call(hostile as Digest)).rejects.toMatchObject({ code: "INPUT_INVALID" });
        }
      }
      expect(await listed(blobs)).toEqual([{ digest, bytes: 5 }]);
    }),
  );

  test(
    "what was read can be changed by its reader, and harms nobody",
    withBlobs(make, async (blobs) => {
      const { digest } = await blobs.put(Buffer.from("do not touch"));
      for await (const chunk of blobs.get(digest)) chunk.fill(0);
      expect((await readBlob(blobs, digest)).toString()).toBe("do not touch");
    }),
  );

  test(
    "a read that is given up, or overtaken by a delete, harms nobody",
    withBlobs(make, async (blobs) => {
      const { digest } = await blobs.put(bytes);
      for (let times = 0; times < 200; times += 1) for await (const _ of blobs.get(digest)) break;
      const reads = Array.from({ length: 20 }, () => wholeOrGone(blobs, digest));
      await blobs.delete(digest);
      expect(new Set(["whole", "gone", ...(await Promise.all(reads))])).toEqual(new Set(["whole", "gone"]));
    }),
  );

  test(
    "a list beside puts and deletes names only what was put",
    withBlobs(make, async (blobs) => {
      const kept = await Promise.all(Array.from({ length: 20 }, (_, index) => blobs.put(bytesOf(index, 100))));
      const going = await Promise.all(Array.from({ length: 20 }, (_, index) => blobs.put(bytesOf(100 + index, 200))));
      const [during] = await Promise.all([listed(blobs), ...going.map(({ digest }) => blobs.delete(digest))]);
      expect(during).toEqual(expect.arrayContaining(kept));
      expect([...kept, ...going]).toEqual(expect.arrayContaining(during));
      expect(await listed(blobs)).toHaveLength(kept.length);
    }),
  );
}

async function wholeOrGone(blobs: Blobs, digest: Digest): Promise<string> {
  try {
    return (await readBlob(blobs, digest)).equals(bytes) ? "whole" : "other";
  } catch (error) {
    return (error as { code?: string }).code === "BLOB_NOT_FOUND" ? "gone" : String(error);
  }
}
