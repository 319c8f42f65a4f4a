import fc from "fast-check";
import { expect, test } from "vitest";
import type { ProcessPolicy } from "../../src/agent/process-policy.ts";
import { LIMITS } from "../../src/base/limits.ts";
import { Restarts } from "../../src/processes/restart.ts";

const policyOf = (more: Partial<ProcessPolicy> = {}): ProcessPolicy => ({
  restart: "always",
  restartsMax: 3,
  withinMs: 10_000,
  memoryBytesMax: 1_000,
  outputBytesMax: 1_000,
  probes: [],
  ...more,
});

test("R1: who is started again, and who is not", () => {
  const after = (restart: ProcessPolicy["restart"], how: "exited" | "hung" | "stopped" | "lost", code = 0) =>
    new Restarts(policyOf({ restart })).after({ how, code }, 0).do;
  expect(after("never", "exited", 1)).toBe("end");
  expect(after("never", "lost")).toBe("end");
  expect(after("onFailure", "exited", 0)).toBe("end");
  expect(after("onFailure", "exited", 1)).toBe("restart");
  expect(after("onFailure", "hung")).toBe("restart");
  expect(after("always", "exited", 0)).toBe("restart");
  for (const restart of ["never", "onFailure", "always"] as const) expect(after(restart, "stopped")).toBe("end");
});

test("R2, R3: three in a row, each after a longer wait, then no more; and again once that is long ago", () => {
  const restarts = new Restarts(policyOf());
  const end = (nowMs: number) => restarts.after({ how: "exited", code: 1 }, nowMs);
  const min = LIMITS.processBackoffMsMin;
  expect([end(0), end(10), end(20)]).toEqual([1, 2, 4].map((times) => ({ do: "restart", afterMs: min * times })));
  expect(end(30)).toEqual({ do: "giveUp" });
  expect(end(10_005)).toMatchObject({ do: "restart" });
});

const ends = fc.array(
  fc.record({
    gapMs: fc.oneof(fc.nat(500), fc.nat(20_000)),
    how: fc.constantFrom("exited" as const, "signalled" as const, "hung" as const, "overMemory" as const),
    code: fc.nat(2),
  }),
  { maxLength: 80 },
);

test("R2, R3: whatever happens when, no time has more restarts than the policy allows, and no wait is out of bounds", () => {
  fc.assert(
    fc.property(
      ends,
      fc.integer({ min: 1, max: 5 }),
      fc.integer({ min: 1, max: 10_000 }),
      (all, restartsMax, withinMs) => {
        const restarts = new Restarts(policyOf({ restartsMax, withinMs }));
        const times: number[] = [];
        let nowMs = 0;
        for (const { gapMs, how, code } of all) {
          nowMs += gapMs;
          const next = restarts.after({ how, code }, nowMs);
          const recent = times.filter((timeMs) => timeMs > nowMs - withinMs).length;
          expect(next.do).toBe(recent < restartsMax ? "restart" : "giveUp");
          if (next.do !== "restart") continue;
          expect(next.afterMs).toBeGreaterThanOrEqual(LIMITS.processBackoffMsMin);
          expect(next.afterMs).toBeLessThanOrEqual(LIMITS.processBackoffMsMax);
          times.push(nowMs);
        }
      },
    ),
    { numRuns: 300 },
  );
});

test("R4: what ended with the runtime does not count", () => {
  const restarts = new Restarts(policyOf({ restartsMax: 1 }));
  for (let i = 0; i < 10; i++) {
    expect(restarts.after({ how: "lost" }, i)).toEqual({ do: "restart", afterMs: 0 });
  }
  expect(restarts.after({ how: "hung" }, 20).do).toBe("restart");
});
