import { execFile } from "node:child_process";
import { promisify } from "node:util";
import { expect, test } from "vitest";

test("the store of blobs is measured empty and filled, at a size that anyone has", async () => {
  const size = ["--blobs", "300", "--gigabytes", "0.002", "--samples", "50", "--stores", "banyan,files"];
  const { stdout } = await promisify(execFile)(process.execPath, ["bench/artifacts.ts", ...size]);
  const figures = stdout
    .trim()
    .split("\n")
    .map((line) => JSON.parse(line));
  expect(figures.map(({ store }) => store)).toEqual(["banyan", "files"]);
  const toEmpty = { p50: expect.any(Number), p99: expect.any(Number), perSecond: expect.any(Number) };
  const figure = { p50Ms: expect.any(Number), p99Ms: expect.any(Number), perSecond: expect.any(Number), toEmpty };
  for (const { small, large, openMs, fill } of figures) {
    expect(small).toEqual({ put: figure, get: figure });
    expect(large).toEqual({ put: figure, get: figure });
    expect(fill.perSecond).toBeGreaterThan(0);
    expect(openMs).toBeLessThan(5_000);
  }
});
