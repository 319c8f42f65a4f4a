import fc from "fast-check";
import { expect, test } from "vitest";
import { OutputRing, Spool } from "../../src/processes/output.ts";

test("O2: the ring has the newest bytes and knows the number of their first line, however they came", () => {
  const chunk = fc.string({ unit: fc.constantFrom("a", "b", "\n"), maxLength: 30 });
  fc.assert(
    fc.property(fc.array(chunk, { maxLength: 40 }), fc.integer({ min: 1, max: 50 }), (chunks, size) => {
      const ring = new OutputRing(size);
      let all = "";
      for (const text of chunks) {
        ring.add(Buffer.from(text));
        all += text;
        const kept = all.slice(-size);
        const lost = all.slice(0, all.length - kept.length);
        expect(ring.kept()).toEqual({ text: kept, firstLine: lost.split("\n").length });
        expect(ring.bytes).toBe(all.length);
      }
    }),
    { numRuns: 500 },
  );
});

test("the ring grows with the output, and loses nothing by it", () => {
  const ring = new OutputRing(20_000);
  let all = "";
  for (let i = 0; i < 5_000; i++) {
    ring.add(Buffer.from(`${i}\n`));
    all += `${i}\n`;
  }
  expect(ring.kept().text).toBe(all.slice(-20_000));
});

test("O1: a source that is faster than its reader is held, and goes on when what it put out is read", async () => {
  const held: boolean[] = [];
  const spool = new Spool((is) => held.push(is));
  const reader = spool.read();
  const piece = Buffer.alloc(700_000, "x");
  spool.add(piece);
  spool.add(piece);
  expect(held).toEqual([true]);
  expect((await reader.next()).value).toHaveLength(1_400_000);
  expect(held.at(-1)).toBe(false);
  const next = reader.next();
  spool.add(Buffer.from("end"));
  expect(Buffer.from((await next).value as Uint8Array).toString()).toBe("end");
  spool.end();
  expect((await reader.next()).done).toBe(true);
});
