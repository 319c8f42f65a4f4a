import { describe, expect, test } from "vitest";
import { chart } from "../../../bench/core/chart.ts";
import { BEGIN, END, renewed } from "../../../bench/core/docs.ts";
import { type Line, median, quantile, significant, slope } from "../../../bench/core/figures.ts";
import { rowsOf } from "../../../bench/core/report.ts";

const line = (contender: string, run: number, value: number, more: Partial<Line> = {}): Line => ({
  bench: "W1",
  contender,
  run,
  figure: "turns per second",
  value,
  unit: "1/s",
  load: 1,
  ...more,
});

const LINES = [
  line("ours", 1, 1_000),
  line("peer", 1, 500),
  line("ours", 2, 2_000),
  line("peer", 2, 500),
  line("ours", 3, 400),
  line("peer", 3, 300),
];

describe("sums", () => {
  test("the median is the middle one, or between the two", () => {
    expect([median([3, 1, 2]), median([4, 1, 2, 3]), median([7])]).toEqual([2, 2.5, 7]);
  });

  test("a quantile is a value that was measured", () => {
    const values = Array.from({ length: 200 }, (_, at) => 200 - at);
    expect([quantile(values, 0.5), quantile(values, 0.99), quantile([5], 0.99)]).toEqual([101, 199, 5]);
  });

  test("the slope is the exponent of a power law", () => {
    const sizes = [10, 100, 1_000, 10_000];
    expect(slope(sizes.map((size) => [size, 7]))).toBeCloseTo(0);
    expect(slope(sizes.map((size) => [size, 3 * size]))).toBeCloseTo(1);
    expect(slope(sizes.map((size) => [size, size ** 1.3]))).toBeCloseTo(1.3);
  });

  test("figures keep three digits, and all before the point", () => {
    expect([0.0012345, 12.345, 999.4, 12_345.6].map(significant)).toEqual([0.00123, 12.3, 999, 12_346]);
  });
});

describe("runs", () => {
  test("ratios are taken within a run, and then their median", () => {
    const [row] = rowsOf(LINES, "ours");
    expect(row?.cells.get("ours")).toEqual({ median: 1_000, min: 400, max: 2_000, runs: 3, ratio: undefined });
    // 0.5, 0.25 and 0.75, where the ratio of the medians would be 0.5 by chance and that of the last pair alone 0.75.
    expect(row?.cells.get("peer")).toEqual({ median: 500, min: 300, max: 500, runs: 3, ratio: 0.5 });
  });

  test("a run that one of them lacks gives no ratio", () => {
    const [row] = rowsOf([line("peer", 1, 500), line("peer", 2, 500), line("ours", 2, 1_000)], "ours");
    expect(row?.cells.get("peer")).toMatchObject({ runs: 2, ratio: 0.5 });
    expect(rowsOf([line("peer", 1, 500)], "ours")[0]?.cells.get("peer")?.ratio).toBeUndefined();
  });
});

describe("the page", () => {
  const page = `# Performance\n\nBy hand.\n\n${BEGIN}\nold\n${END}\n\nAlso by hand.\n`;

  test("what is between the marks is made anew, the rest stays, and twice is the same", () => {
    const once = renewed(page, LINES, "ours");
    expect(once).toMatch(/^# Performance\n\nBy hand\.\n\n/);
    expect(once).toMatch(/\n\nAlso by hand\.\n$/);
    expect(once).not.toContain("old");
    expect(once).toContain("| peer | 500 |");
    expect(renewed(once, LINES, "ours")).toBe(once);
  });

  test("a contender without a figure has a dash, and a share of the workload is said", () => {
    const text = renewed(page, [...LINES, line("slow", 1, 5, { scale: 0.2, note: "it is slow" })], "ours");
    expect(text).toContain("| slow | 5 | - |");
    expect(text).toContain("It is slow. Agents of the workload: W1 x 0.2.");
  });

  test("a page without marks is refused", () => {
    expect(() => renewed("# Performance\n", LINES, "ours")).toThrow("lacks the marks");
  });

  test("the chart has a bar for each contender, and times as rates", () => {
    const load = line("ours", 1, 4, { bench: "W2", figure: "load p50, 500 turns", unit: "ms" });
    const svg = chart([...LINES, load], "ours");
    expect(svg.match(/<rect x=/g)).toHaveLength(3);
    expect(svg).toContain(">250</text>");
  });
});
