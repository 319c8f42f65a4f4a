/** Which restore points are kept. */
import fc from "fast-check";
import { expect, test } from "vitest";
import { KEEP_DEFAULT, type KeepPolicy, keptBy } from "../../src/checkpoints/keep-policy.ts";

const NOTHING: KeepPolicy = { last: 0, hourly: 0, daily: 0, weekly: 0, monthly: 0, withinMs: 0 };
const at = (text: string) => Date.parse(`${text}Z`);
const NOW = at("2026-11-23T12:00:00");

test("the newest ones, and the newest of each hour, day, week and month are kept", () => {
  const times = [
    "2026-09-30T23:59:59",
    "2026-10-01T00:00:00",
    "2026-10-31T10:00:00",
    "2026-11-15T23:59:59",
    "2026-11-16T00:00:00",
    "2026-11-22T09:00:00",
    "2026-11-22T10:15:00",
    "2026-11-22T10:45:00",
    "2026-11-23T11:00:00",
  ].map(at);
  const kept = (policy: Partial<KeepPolicy>) =>
    keptBy(times, { ...NOTHING, ...policy }, NOW).flatMap((reasons, index) => (reasons.length > 0 ? [index] : []));
  expect(kept({ last: 2 })).toEqual([7, 8]);
  expect(kept({ hourly: 3 })).toEqual([5, 7, 8]);
  expect(kept({ daily: 2 })).toEqual([7, 8]);
  // Weeks begin on Mondays: the 15th is a Sunday, the 16th and the 23rd are Mondays.
  expect(kept({ weekly: 3 })).toEqual([3, 7, 8]);
  expect(kept({ monthly: 3 })).toEqual([0, 2, 8]);
  expect(kept({ withinMs: 26 * 3_600_000 })).toEqual([6, 7, 8]);
  expect(kept({})).toEqual([]);
});

const times = fc.array(fc.integer({ min: 0, max: NOW }), { maxLength: 60 });
const policies = fc.record({
  last: fc.nat(5),
  hourly: fc.nat(5),
  daily: fc.nat(5),
  weekly: fc.nat(5),
  monthly: fc.nat(5),
  withinMs: fc.nat(NOW),
});

test("R1: a policy that keeps more keeps all that one that keeps less does", () => {
  fc.assert(
    fc.property(
      times,
      policies,
      fc.constantFrom("last", "hourly", "daily", "weekly", "monthly", "withinMs"),
      (all, policy, rule) => {
        const less = keptBy(all, policy, NOW);
        const more = keptBy(all, { ...policy, [rule]: policy[rule] + 1 }, NOW);
        for (const [index, reasons] of less.entries()) expect(more[index]).toEqual(expect.arrayContaining(reasons));
      },
    ),
  );
});

test("R2: applied again to what it kept, a policy keeps all of it", () => {
  fc.assert(
    fc.property(times, policies, (all, policy) => {
      const kept = (list: readonly number[]) => {
        const reasons = keptBy(list, policy, NOW);
        return list.filter((_, index) => (reasons[index]?.length ?? 0) > 0);
      };
      expect(kept(kept(all))).toEqual(kept(all));
    }),
  );
});

test("by default the newest is kept", () => {
  expect(keptBy([1, 2, 3], KEEP_DEFAULT, NOW)[2]).toContain("last");
});
