/** Packs on disk: what a crash, damage, and a second process leave of them. */
import {
  copyFileSync,
  mkdirSync,
  readdirSync,
  readFileSync,
  rmSync,
  statSync,
  truncateSync,
  writeFileSync,
} from "node:fs";
import { basename, join } from "node:path";
import { expect, test } from "vitest";
import { randomInt, seededRandom } from "../../../src/base/random.ts";
import type { Blobs, Digest } from "../../../src/blobs/blobs.ts";
import { openFsBlobs } from "../../../src/blobs/fs/fs-blobs.ts";
import { HEADER_BYTES } from "../../../src/blobs/fs/packs/record.ts";
import { bytesOf, listed, readBlob, readUntilFailure, streamOf } from "../../conformance/blobs-world.ts";
import { type FsBlobsWorld, fsBlobsWorld, packsIn, recordsIn } from "./world.ts";

/** Bit flips and cuts; the full count is 10,000. */
const HARMS = Number(process.env.BLOB_HARMS ?? 150);

const text = (seed: number, length: number) =>
  Buffer.from(`line ${seed} of some text\n`.repeat(Math.ceil(length / 20))).subarray(0, length);

async function inWorld(use: (world: FsBlobsWorld) => Promise<void>): Promise<void> {
  const world = await fsBlobsWorld();
  try {
    await use(world);
  } finally {
    await world.dispose();
  }
}

/** Small and large, noise and text. */
async function fill(blobs: Blobs): Promise<Map<Digest, Buffer>> {
  const all = [
    bytesOf(1, 100),
    text(2, 5_000),
    bytesOf(3, 20_000),
    text(4, 200_000),
    bytesOf(5, 700_000),
    text(6, 900_000),
    Buffer.alloc(0),
  ];
  const stored = new Map<Digest, Buffer>();
  for (const bytes of all) stored.set((await blobs.put(bytes)).digest, bytes);
  return stored;
}

async function expectAll(blobs: Blobs, stored: ReadonlyMap<Digest, Buffer>): Promise<void> {
  for (const [digest, bytes] of stored) expect((await readBlob(blobs, digest)).equals(bytes)).toBe(true);
  expect(await listed(blobs)).toHaveLength(stored.size);
}

test("P1: without its indexes, or with damaged ones, a folder has all that it had", () =>
  inWorld(async (world) => {
    const blobs = await world.open();
    const stored = await fill(blobs);
    await blobs.close();
    const [index = ""] = readdirSync(join(world.folder, "packs")).filter((name) => name.endsWith(".idx"));
    const path = join(world.folder, "packs", index);
    const whole = readFileSync(path);
    for (const change of [
      () => rmSync(path),
      () => truncateSync(path, 90),
      () => writeFileSync(path, flipped(whole, 100)),
    ]) {
      change();
      const reader = await openFsBlobs({ folder: world.folder, readOnly: true });
      await expectAll(reader, stored);
      await reader.close();
      const again = await world.open();
      await expectAll(again, stored);
      await again.close();
      expect(readFileSync(path).equals(whole)).toBe(true);
    }
  }));

test("P3: a reader finds what another process writes meanwhile", () =>
  inWorld(async (world) => {
    const blobs = await world.open();
    const reader = await openFsBlobs({ folder: world.folder, readOnly: true });
    const stored = await fill(blobs);
    await expectAll(reader, stored);
    const { digest } = await blobs.put(bytesOf(9, 10));
    expect(await reader.has(digest)).toBe(10);
    await blobs.delete(digest);
    expect(await listed(reader)).toHaveLength(stored.size);
    await reader.close();
  }));

test("N1, N2: a pack that was cut anywhere has all that is whole before the cut, and nothing else", () =>
  inWorld(async (world) => {
    const blobs = await world.open();
    const stored = await fill(blobs);
    const [pack = ""] = world.packs();
    const records = recordsIn(pack);
    const size = statSync(pack).size;
    const cuts = [
      0,
      10,
      16,
      ...records.flatMap(({ offset, bytes }) => [
        offset + 1,
        offset + 64,
        offset + bytes - 1,
        offset + Math.ceil(bytes / 8) * 8,
      ]),
    ];
    for (const cut of cuts) {
      const folder = join(world.folder, "..", `cut-${cut}`);
      mkdirSync(join(folder, "packs"), { recursive: true });
      const copy = join(folder, "packs", basename(pack));
      copyFileSync(pack, copy);
      truncateSync(copy, Math.min(size, cut));
      const after = await openFsBlobs({ folder });
      for (const { digest } of await listed(after)) {
        expect((await readBlob(after, digest)).equals(stored.get(digest) as Buffer)).toBe(true);
      }
      const whole = records.filter(
        ({ offset, bytes, kind }) => offset + Math.ceil(bytes / 8) * 8 <= cut && kind !== 2,
      ).length;
      expect(await listed(after)).toHaveLength(whole);
      if (cut % 8 === 0) {
        for (const bytes of stored.values()) await after.put(bytes);
        await expectAll(after, stored);
      }
      await after.close();
    }
  }));

test(
  "B3: every bit flip and cut in packs and chunks is detected, in wholes and in ranges, and mended by the next put",
  { timeout: 30_000 + HARMS * 100 },
  () =>
    inWorld(async (world) => {
      const blobs = await world.open();
      const stored = await fill(blobs);
      await blobs.close();
      const [pack = ""] = world.packs();
      const index = pack.replace(/pack$/, "idx");
      const [sound, soundIndex] = [readFileSync(pack), readFileSync(index)];
      const records = recordsIn(pack);
      const random = seededRandom(7);
      let found = 0;
      for (let harm = 0; harm < HARMS; harm += 1) {
        for (const path of packsIn(world.folder)) rmSync(path);
        for (const name of readdirSync(join(world.folder, "packs"))) rmSync(join(world.folder, "packs", name));
        // Each record is as likely as any other, however small it is. The zeros behind it are nobody's.
        const { offset, bytes } = records[randomInt(random, records.length)] as (typeof records)[number];
        const at = offset + randomInt(random, bytes);
        const isCut = randomInt(random, 10) === 0;
        writeFileSync(pack, isCut ? sound.subarray(0, at) : flipped(sound, at, randomInt(random, 8)));
        if (randomInt(random, 2) === 0) writeFileSync(index, soundIndex);
        const after = await world.open();
        let harmed = 0;
        for (const [digest, whole] of stored) {
          const { code } = await readUntilFailure(after, digest);
          if (code !== undefined) {
            expect(["BLOB_DAMAGED", "BLOB_NOT_FOUND"]).toContain(code);
            expect(await after.verify(digest)).toBe(false);
            harmed += 1;
          }
          const range = { from: randomInt(random, whole.length + 1), to: whole.length };
          const part = await readBlob(after, digest, range).catch(() => undefined);
          if (part) expect(part.equals(whole.subarray(range.from))).toBe(true);
        }
        if (harmed > 0) found += 1;
        if (harm % 10 === 0) {
          for (const bytes of stored.values()) await after.put(bytes);
          for (const [digest, bytes] of stored) expect((await readBlob(after, digest)).equals(bytes)).toBe(true);
        }
        await after.close();
      }
      expect(found).toBe(HARMS);
    }),
);

test("K2: a flipped bit that changes nothing of what is unpacked is damage too, and is mended", () =>
  inWorld(async (world) => {
    const bytes = text(1, 5_000);
    const blobs = await world.open();
    const { digest } = await blobs.put(bytes);
    await blobs.close();
    const [pack = ""] = world.packs();
    const sound = readFileSync(pack);
    const [record = { offset: 0 }] = recordsIn(pack);
    const frame = record.offset + HEADER_BYTES;
    // The head of what zstd makes has bits that no reader minds.
    for (let bit = 0; bit < 8 * 8; bit += 1) {
      for (const path of packsIn(world.folder)) rmSync(path);
      writeFileSync(pack, flipped(sound, frame + Math.floor(bit / 8), bit % 8));
      const after = await world.open();
      expect(await after.verify(digest)).toBe(false);
      expect((await readUntilFailure(after, digest)).code).toBe("BLOB_DAMAGED");
      await after.put(bytes);
      expect((await readBlob(after, digest)).equals(bytes)).toBe(true);
      await after.close();
    }
  }));

test("text takes less than a fifth of its size, noise no more than its own, and versions share their chunks", () =>
  inWorld(async (world) => {
    const blobs = await world.open();
    const bytesOnDisk = () => world.packs().reduce((sum, path) => sum + statSync(path).size, 0);
    const grows = async (bytes: Buffer) => {
      const before = bytesOnDisk();
      await blobs.put(streamOf(bytes, 10_000));
      return (bytesOnDisk() - before) / bytes.length;
    };
    expect(await grows(text(1, 100_000))).toBeLessThan(0.2);
    const noise = bytesOf(1, 3_000_000);
    expect(await grows(noise)).toBeLessThan(1.005);
    expect(
      await grows(Buffer.concat([noise.subarray(0, 1_000_000), Buffer.from("a line"), noise.subarray(1_000_000)])),
    ).toBeLessThan(0.12);
    expect(await grows(Buffer.concat([noise, bytesOf(2, 1_000)]))).toBeLessThan(0.12);
  }));

function flipped(bytes: Buffer, at: number, bit = 0): Buffer {
  const copy = Buffer.from(bytes);
  copy[at] = (copy[at] ?? 0) ^ (1 << bit);
  return copy;
}
