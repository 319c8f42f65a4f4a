/** The mark that a clean environment does not take away. */
import { spawnSync } from "node:child_process";
import fc from "fast-check";
import { expect, test } from "vitest";
import { BYTES_OF_KIB, LIMITED, LimitMarks, tryLimit } from "../../src/processes/limit-mark.ts";
import { residentLimitOf } from "../../src/processes/proc.ts";

const sh = (script: string, ...args: string[]) =>
  spawnSync("/bin/sh", ["-c", script, "test", ...args], { encoding: "utf8" });

test("N1, N2: numbers are beyond any memory, fit a limit, and are of their host's range and their data's", () => {
  fc.assert(
    fc.property(fc.string(), fc.string(), (data, host) => {
      const marks = new LimitMarks({ data, host });
      const number = marks.next();
      expect(BigInt(number) * BYTES_OF_KIB).toBeGreaterThanOrEqual(2n ** 62n);
      expect(BigInt(marks.data.to) * BYTES_OF_KIB).toBeLessThan(2n ** 63n);
      expect([marks.host.from <= number, number <= marks.host.to]).toEqual([true, true]);
      expect([marks.data.from <= marks.host.from, marks.host.to <= marks.data.to]).toEqual([true, true]);
      expect(Number.isSafeInteger(marks.data.to)).toBe(true);
    }),
  );
});

test("N2: programs of one host have numbers of their own, and the range is gone through before one comes again", () => {
  const marks = new LimitMarks({ data: "d", host: "h" });
  const count = marks.host.to - marks.host.from + 1;
  const numbers = new Set(Array.from({ length: count }, () => marks.next()));
  expect(numbers.size).toBe(262_144);
  expect(marks.next()).toBe(marks.host.from);
});

test("N2: hosts of other data have other numbers", () => {
  const [one, other] = ["one", "other"].map((data) => new LimitMarks({ data, host: "h" })) as [LimitMarks, LimitMarks];
  expect(one.data.to < other.data.from || other.data.to < one.data.from).toBe(true);
});

test("the program has the limit, and its arguments are its own", () => {
  const number = new LimitMarks({ data: "d", host: "h" }).next();
  const { stdout } = sh(
    `${LIMITED}exec "$@"`,
    String(number),
    "sh",
    "-c",
    'cat /proc/$$/limits; echo "$@"',
    "x",
    "$HOME",
    "a b",
  );
  expect(stdout).toContain(` ${BigInt(number) * BYTES_OF_KIB} `);
  expect(stdout.endsWith("$HOME a b\n")).toBe(true);
  expect(residentLimitOf(process.pid)).not.toBe(number);
});

test("N3: where there is a lower limit already, the program runs all the same", () => {
  // Root may raise it: as nobody it stays.
  const lower = process.getuid?.() === 0 ? "setpriv --reuid=65534 --clear-groups" : "";
  const { stdout, stderr } = sh(`ulimit -m 4096; exec ${lower} sh -c '${LIMITED}exec "$@"' x 9000000000000 echo went`);
  expect([stdout, stderr]).toEqual(["went\n", ""]);
});

test("here it holds", async () => {
  expect(await tryLimit()).toEqual({ holds: true, limit: String(2 ** 52) });
});
