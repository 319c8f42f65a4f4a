/** What of a program's silence counts. */
import { expect, test } from "vitest";
import { type Sighting, type Sightings, Silence } from "../../src/processes/silence.ts";

const LIMIT_MS = 400;

/** One process that is seen at each look; answers when it was judged, in milliseconds of silence. */
function judgedAt(sightAt: (nowMs: number) => Sighting | undefined, endMs = 20 * LIMIT_MS) {
  const silence = new Silence(0, LIMIT_MS);
  let looks = 0;
  for (let nowMs = 0; nowMs <= endMs; nowMs++) {
    if (nowMs < silence.dueMs) continue;
    silence.look(nowMs, () => {
      looks++;
      const seen = sightAt(nowMs);
      return new Map(seen ? [[1, seen]] : []);
    });
    const over = silence.over(nowMs);
    if (over) return { ...over, looks };
  }
  return undefined;
}

test("S2: what sleeps, or runs and says nothing, is judged when its limit is over", () => {
  expect(judgedAt(() => undefined)).toMatchObject({ silentMs: 401, waitedMs: 0 });
  expect(judgedAt(() => ({ ranNs: 1, waitedNs: 1, isReady: false }))).toMatchObject({ silentMs: 401, waitedMs: 0 });
  expect(judgedAt((nowMs) => ({ ranNs: nowMs * 1e6, waitedNs: 0, isReady: true }))).toMatchObject({ silentMs: 401 });
});

test("S1: half a core takes twice as long to be judged, from the middle of the limit on", () => {
  const half = (nowMs: number) => ({ ranNs: nowMs * 5e5, waitedNs: nowMs * 5e5, isReady: true });
  const over = judgedAt(half);
  expect(over?.silentMs).toBeGreaterThanOrEqual(550);
  expect(over?.silentMs).toBeLessThanOrEqual(650);
});

test("S2: whoever waits is judged only once it has had a core, and time to say something", () => {
  const until = 1_500;
  const over = judgedAt((nowMs) =>
    nowMs < until ? { ranNs: 1, waitedNs: 1, isReady: true } : { ranNs: 1_000, waitedNs: until * 1e6, isReady: false },
  );
  expect(over?.silentMs).toBeGreaterThan(until);
  expect(over?.silentMs).toBeLessThan(until + LIMIT_MS);
});

test("S3: ten limits of silence are judged, whatever was waited for", () => {
  expect(judgedAt(() => ({ ranNs: 1, waitedNs: 1, isReady: true }))?.silentMs).toBe(10 * LIMIT_MS + 50);
  // Another process at each look, none of which has been seen before.
  let pid = 0;
  const silence = new Silence(0, LIMIT_MS);
  const sight = (): Sightings => new Map([[pid++, { ranNs: 0, waitedNs: 0, isReady: true }]]);
  let nowMs = 0;
  for (; nowMs < 20 * LIMIT_MS && !silence.over(nowMs); nowMs++) silence.look(nowMs, sight);
  expect(nowMs).toBe(10 * LIMIT_MS + 1);
});

test("nothing is looked at in the first half, and eight times a limit after", () => {
  expect(judgedAt(() => ({ ranNs: 1, waitedNs: 1, isReady: false }))?.looks).toBeLessThanOrEqual(6);
});
