import fc from "fast-check";
import { describe, expect, test } from "vitest";
import { VersionedMap } from "../../src/agent/versioned-map.ts";

/** What a map answers, by every door. */
function seen(map: VersionedMap<string, number>) {
  const entries = [...map];
  expect(map.size).toBe(entries.length);
  expect([...map.values()]).toEqual(entries.map(([, value]) => value));
  const middle = entries.at(entries.length / 2)?.[1];
  if (middle !== undefined) expect(map.some((value) => value === middle)).toBe(true);
  expect(map.some((value) => value < 0)).toBe(false);
  if (middle !== undefined) expect(map.find((value) => value === middle)).toBe(middle);
  expect(map.find((value) => value < 0)).toBeUndefined();
  for (const [key, value] of entries) expect([map.has(key), map.get(key)]).toEqual([true, value]);
  return entries;
}

describe("VersionedMap", () => {
  test("is empty to begin with, and knows no key", () => {
    const map = VersionedMap.of<string, number>();
    expect(seen(map)).toEqual([]);
    expect([map.has("a"), map.get("a")]).toEqual([false, undefined]);
  });

  test("is made of entries, the later of two for one key in the place of the first", () => {
    const many = Array.from({ length: 200 }, (_, i): [string, number] => [`k${i}`, i]);
    expect(seen(VersionedMap.of(many))).toEqual(many);
    expect(
      seen(
        VersionedMap.of([
          ["a", 1],
          ["b", 2],
          ["a", 3],
        ]),
      ),
    ).toEqual([
      ["a", 3],
      ["b", 2],
    ]);
  });

  test("an older version does not see the keys of a newer one, also when two futures share a key", () => {
    const past = VersionedMap.of([["a", 1]]);
    const one = past.set("b", 2);
    const other = past.set("b", 3).set("c", 4);
    expect([past.has("b"), past.get("b")]).toEqual([false, undefined]);
    expect(seen(one)).toEqual([
      ["a", 1],
      ["b", 2],
    ]);
    expect(seen(other)).toEqual([
      ["a", 1],
      ["b", 3],
      ["c", 4],
    ]);
  });

  test("any version, whatever was made of it or of another since, is what a copied Map would be", () => {
    const step = fc.record({ from: fc.nat(), key: fc.nat(150).map((n) => `k${n}`), value: fc.nat() });
    fc.assert(
      fc.property(fc.array(step, { maxLength: 300 }), fc.boolean(), (steps, mostlyNewest) => {
        const versions = [{ map: VersionedMap.of<string, number>(), model: new Map<string, number>() }];
        for (const { from, key, value } of steps) {
          const newest = versions.length - 1;
          const base = versions[mostlyNewest && from % 10 > 0 ? newest : from % versions.length];
          if (!base) throw new Error("there is always a version");
          versions.push({ map: base.map.set(key, value), model: new Map(base.model).set(key, value) });
        }
        for (const { map, model } of versions) expect(seen(map)).toEqual([...model]);
      }),
      { numRuns: 50 },
    );
  });
});
