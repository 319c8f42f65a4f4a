import fc from "fast-check";
import { describe, expect, test } from "vitest";
import { ManualClock } from "../../src/base/clock.ts";
import { createIds, isId, parseId } from "../../src/base/ids.ts";
import { type Random, seededRandom, systemRandom } from "../../src/base/random.ts";

const source = (clock = new ManualClock(), random: Random = seededRandom(1)) => createIds({ clock, random });

describe("ids", () => {
  test("sort in the order they were made, within one millisecond and across them", () => {
    const clock = new ManualClock();
    const next = source(clock);
    const made: string[] = [];
    for (let i = 0; i < 2_000; i++) {
      made.push(next());
      if (i % 7 === 0) clock.advance(1);
    }
    expect(made.toSorted()).toEqual(made);
    expect(new Set(made).size).toBe(made.length);
  });

  test("sort in the order they were made when the wall clock goes back", () => {
    const clock = new ManualClock(2_000_000);
    const next = source(clock);
    const before = next();
    clock.jumpTo(1_000);
    const after = next();
    clock.advance(1);
    expect([next(), after, before].toSorted()).toEqual([before, after, expect.any(String)]);
    expect(after > before).toBe(true);
  });

  test("carry over in the tail, and never run over within a millisecond", () => {
    const highest: Random = { next: () => 0.999, bytes: (length) => new Uint8Array(length).fill(255) };
    const next = source(new ManualClock(), highest);
    const [first, second] = [next(), next()];
    expect(first.slice(10)).toBe(`f${"z".repeat(15)}`);
    expect(second.slice(10)).toBe(`g${"0".repeat(15)}`);
    expect(second > first).toBe(true);
  });

  test("have the syntax of ids, whatever the clock says", () => {
    fc.assert(
      fc.property(fc.double({ min: -1e6, max: 2 ** 48 - 1, noNaN: true }), fc.integer(), (nowMs, seed) => {
        const next = source(new ManualClock(nowMs), seededRandom(seed));
        expect([next(), next()].every(isId)).toBe(true);
      }),
    );
  });

  test("hold the time of their making", () => {
    const clock = new ManualClock(1_700_000_000_000);
    const digits = [...source(clock)().slice(0, 10)].map((digit) => "0123456789abcdefghjkmnpqrstvwxyz".indexOf(digit));
    expect(digits.reduce((sum, digit) => sum * 32 + digit, 0)).toBe(1_700_000_000_000);
  });

  test("of two sources at the same moment differ", () => {
    const clock = new ManualClock();
    const [a, b] = [source(clock, systemRandom), source(clock, systemRandom)];
    const made = Array.from({ length: 500 }, () => [a(), b()]).flat();
    expect(new Set(made).size).toBe(1_000);
  });
});

describe("parseId", () => {
  test("gives back an id", () => {
    const id = source()();
    expect(parseId(id)).toBe(id);
  });

  test.each([
    ["too short", "0".repeat(25)],
    ["too long", "0".repeat(27)],
    ["upper case", "0000000000000000000000000A"],
    ["a letter that is no digit", "0000000000000000000000000u"],
    ["more than 48 bits of time", "80000000000000000000000000"],
    ["with a line end", `${"0".repeat(26)}\n`],
    ["no text", 26],
    ["nothing", undefined],
    ["a text beyond measure", "x".repeat(100_000)],
  ])("refuses what is %s", (_, text) => {
    expect(isId(text)).toBe(false);
    expect(() => parseId(text)).toThrow(expect.objectContaining({ code: "ID_INVALID" }));
    try {
      parseId(text);
    } catch (error) {
      expect((error as Error).message.length).toBeLessThan(80);
    }
  });
});
