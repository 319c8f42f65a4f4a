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
  const ratio = { p50: expect.any(Number), p99: expect.any(Number), perSecond: expect.any(Number) };
  for (const { ratios, openMs, fill } of figures) {
    expect(ratios.small).toEqual({ put: ratio, get: ratio });
    expect(ratios.large).toEqual({ put: ratio, get: ratio });
    expect(fill.perSecond).toBeGreaterThan(0);
    expect(openMs).toBeLessThan(5_000);
  }
});
