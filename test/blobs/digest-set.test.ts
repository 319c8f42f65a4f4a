import { expect, test } from "vitest";
import { digestOf } from "../../src/blobs/blobs.ts";
import { DigestSet } from "../../src/blobs/digest-set.ts";

test("what was added is in it, and nothing else, whatever its size", () => {
  const set = new DigestSet();
  const digests = Array.from({ length: 20_000 }, (_, index) => digestOf(Buffer.from(`${index}`)));
  for (const digest of digests.slice(0, 10_000)) {
    set.add(digest);
    set.add(digest);
  }
  expect(set.size).toBe(10_000);
  expect(digests.findIndex((digest) => !set.has(digest))).toBe(10_000);
  expect(digests.slice(10_000).some((digest) => set.has(digest))).toBe(false);
});

test("the digest that begins with zeros is one like others", () => {
  const set = new DigestSet();
  const zeros = `sha256:${"0".repeat(64)}` as const;
  expect(set.has(zeros)).toBe(false);
  set.add(zeros);
  expect([set.has(zeros), set.size]).toEqual([true, 1]);
});
