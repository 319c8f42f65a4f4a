/** Bytes that were changed behind the adapter's back (B3). */
import { expect, test } from "vitest";
import { bytesOf, inBlobsWorld, type MakeBlobsWorld, readBlob, readUntilFailure, streamOf } from "./blobs-world.ts";

const LENGTH = 600_000;

const HARMS: readonly { name: string; change: (bytes: Buffer) => Uint8Array }[] = [
  { name: "the first bit is flipped", change: (bytes) => flipped(bytes, 0) },
  { name: "a bit in the middle is flipped", change: (bytes) => flipped(bytes, LENGTH / 2) },
  { name: "the last byte is flipped", change: (bytes) => flipped(bytes, LENGTH - 1) },
  { name: "the last byte is missing", change: (bytes) => bytes.subarray(0, -1) },
  { name: "it ends at a chunk's end", change: (bytes) => bytes.subarray(0, 262_144) },
  { name: "it is empty", change: () => new Uint8Array() },
  { name: "it has a byte more", change: (bytes) => Buffer.concat([bytes, Buffer.from([0])]) },
  { name: "it is zeros", change: () => new Uint8Array(LENGTH) },
  { name: "it is another blob", change: () => bytesOf(2, LENGTH) },
];

export function damageSuite(make: MakeBlobsWorld): void {
  test.each(HARMS)(
    "B3: found, never served as sound, and mended by the next put, as bytes or as a stream: $name",
    ({ change }) =>
      inBlobsWorld(make, async (world) => {
        const bytes = bytesOf(1, LENGTH);
        const other = await (await world.open()).put(bytesOf(3, 10));
        for (const content of [() => bytes, () => streamOf(bytes, 100_000)]) {
          const before = await world.open();
          const { digest } = await before.put(bytes);
          await world.harm(digest, change);
          await before.close();

          const blobs = await world.open();
          const { bytes: served, code } = await readUntilFailure(blobs, digest);
          expect(code).toBe("BLOB_DAMAGED");
          expect(served).toBeLessThan(Math.max(1, change(bytes).length));
          expect(await blobs.verify(digest)).toBe(false);
          expect(await blobs.has(digest)).toBe(change(bytes).length);
          expect(await blobs.verify(other.digest)).toBe(true);

          await blobs.put(content());
          expect((await readBlob(blobs, digest)).equals(bytes)).toBe(true);
          await blobs.close();
        }
      }),
  );

  test("B1: bytes that were cut or taken away under a process that had put them are written anew by its next put", () =>
    inBlobsWorld(make, async (world) => {
      const blobs = await world.open();
      const bytes = bytesOf(1, LENGTH);
      const { digest } = await blobs.put(bytes);
      await world.harm(digest, (whole) => whole.subarray(0, 1_000));
      await blobs.put(bytes);
      expect(await blobs.verify(digest)).toBe(true);
      await blobs.delete(digest);
      await blobs.put(bytes);
      expect(await blobs.verify(digest)).toBe(true);
    }));
}

function flipped(bytes: Buffer, at: number): Buffer {
  const copy = Buffer.from(bytes);
  copy[at] = (copy[at] ?? 0) ^ 1;
  return copy;
}
