/** What the port of objects promises, on every adapter. */
import { describe, expect, test } from "vitest";
import { LIMITS } from "../../src/base/limits.ts";
import { bytesOf as allOf, type Objects, putStream } from "../../src/blobs/objects.ts";
import { bytesOf } from "./blobs-world.ts";

export interface ObjectsWorld extends AsyncDisposable {
  readonly objects: Objects;
}

const PART = LIMITS.objectPartBytesMax;

export function objectsConformance(name: string, create: () => Promise<ObjectsWorld>): void {
  const inWorld = (use: (objects: Objects) => Promise<void>) => async () => {
    await using world = await create();
    await use(world.objects);
  };

  const keysBelow = async (objects: Objects, prefix: string) =>
    (await Array.fromAsync(objects.list(prefix))).map(({ key }) => key);

  async function* chunksOf(bytes: Uint8Array, length: number) {
    for (let at = 0; at < bytes.length; at += length) yield bytes.subarray(at, at + length);
  }

  describe(`objects: ${name}`, () => {
    test(
      "O1: a put is read back whole, and replaces what was there",
      inWorld(async (objects) => {
        for (const [seed, length] of [0, 1, 5_000, 300_000].entries()) {
          const bytes = bytesOf(seed, length);
          const put = await objects.put("a/key", bytes);
          expect(put).toMatchObject({ key: "a/key", bytes: length });
          expect(await objects.head("a/key")).toEqual(put);
          expect((await allOf(objects.get("a/key"))).equals(bytes)).toBe(true);
        }
      }),
    );

    test(
      "O1: what breaks while it is put leaves what was there before",
      inWorld(async (objects) => {
        const broken = (async function* () {
          yield bytesOf(1, PART);
          throw new Error("the source broke");
        })();
        await objects.put("a/key", bytesOf(2, 100));
        await expect(objects.putParts("a/key", broken)).rejects.toThrow("the source broke");
        expect((await allOf(objects.get("a/key"))).equals(bytesOf(2, 100))).toBe(true);
        expect(await keysBelow(objects, "")).toEqual(["a/key"]);
      }),
    );

    test(
      "O2: of 20 writers at once that want an object to be new, one wins, and its bytes stand there",
      inWorld(async (objects) => {
        const put = (seed: number) => objects.put("a/lease", bytesOf(seed, 100), { absent: true });
        const wins = await Promise.all(Array.from({ length: 20 }, (_, seed) => put(seed)));
        const winner = wins.findIndex((won) => won !== undefined);
        expect(wins.filter((won) => won !== undefined)).toHaveLength(1);
        expect((await allOf(objects.get("a/lease"))).equals(bytesOf(winner, 100))).toBe(true);
        expect(await put(21)).toBeUndefined();
        await objects.delete("a/lease");
        expect(await put(22)).toMatchObject({ bytes: 100 });
      }),
    );

    test(
      "O3: a range is that of the bytes, wherever it ends",
      inWorld(async (objects) => {
        const bytes = bytesOf(3, 5_000);
        await objects.put("key", bytes);
        for (const [from, to] of [
          [0, 5_000],
          [0, 1],
          [4_999, 5_000],
          [100, 9_000],
          [5_000, 6_000],
          [7, 7],
        ] as const) {
          expect((await allOf(objects.get("key", { from, to }))).equals(bytes.subarray(from, to))).toBe(true);
        }
      }),
    );

    test(
      "O4: a stream of any length is put, in parts when it is long",
      inWorld(async (objects) => {
        for (const length of [0, 10, PART - 1, PART, PART + 1, 2 * PART + 5]) {
          const bytes = bytesOf(length, length);
          expect(await putStream(objects, "stream", chunksOf(bytes, 1_000_003))).toMatchObject({ bytes: length });
          expect((await allOf(objects.get("stream"))).equals(bytes)).toBe(true);
        }
      }),
    );

    test(
      "what is not there is told, and deleting it is harmless",
      inWorld(async (objects) => {
        expect(await objects.head("a/none")).toBeUndefined();
        await objects.delete("a/none");
        for (const range of [undefined, { from: 3, to: 9 }, { from: 3, to: 3 }]) {
          await expect(allOf(objects.get("a/none", range))).rejects.toMatchObject({ code: "OBJECT_NOT_FOUND" });
        }
        expect(await keysBelow(objects, "none/")).toEqual([]);
      }),
    );

    test(
      "a list has those below a prefix, in the order of their keys",
      inWorld(async (objects) => {
        const keys = ["b/2", "b/10", "b-1", "a/b/c", "a/b.1", "a/b-1", "c", "bb/1", "b/_x", "b/X", "b/x"];
        for (const key of keys) await objects.put(key, bytesOf(1, key.length));
        expect(await keysBelow(objects, "")).toEqual(keys.toSorted());
        expect(await keysBelow(objects, "b/")).toEqual(["b/10", "b/2", "b/X", "b/_x", "b/x"]);
        expect(await keysBelow(objects, "a/")).toEqual(["a/b-1", "a/b.1", "a/b/c"]);
        for await (const info of objects.list("")) expect(info).toEqual(await objects.head(info.key));
      }),
    );

    test(
      "keys that are none are refused",
      inWorld(async (objects) => {
        for (const key of ["", "/a", "a//b", "../a", "a/../b", ".a", "a/.b", "a b", "a?b", "a".repeat(513), "a/"]) {
          await expect(objects.head(key)).rejects.toMatchObject({ code: "INPUT_INVALID" });
          await expect(objects.put(key, bytesOf(1, 1))).rejects.toMatchObject({ code: "INPUT_INVALID" });
          await expect(objects.delete(key)).rejects.toMatchObject({ code: "INPUT_INVALID" });
          await expect(allOf(objects.get(key))).rejects.toMatchObject({ code: "INPUT_INVALID" });
        }
      }),
    );
  });
}
