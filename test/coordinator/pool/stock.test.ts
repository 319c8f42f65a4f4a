/** Ready sessions: who gets them, how many there are, and what they never stand in the way of. */
import { expect, test } from "vitest";
import { LIMITS } from "../../../src/base/limits.ts";
import { Bath, settled, stateOf } from "../../support/pools.ts";

/** Claims now and then until the profile is known to be asked for. */
async function warmedUp(options: ConstructorParameters<typeof Bath>[0] = {}, claims = 10): Promise<Bath> {
  const bath = new Bath({ ready: undefined, ...options });
  for (let number = 100; number < 100 + claims; number++) {
    const state = stateOf(number);
    await bath.work(state);
    await bath.pool.end(state.head.agent);
    await bath.pass(500);
  }
  await bath.pass(2_000);
  return bath;
}

test("a single claim has nothing warmed up; claims that go on have", async () => {
  const once = await warmedUp({}, 1);
  expect(once.pool.figures).toMatchObject({ ready: 0, target: 0 });
  const { pool } = await warmedUp();
  expect(pool.figures.target).toBeGreaterThan(1);
  expect(pool.figures.ready).toBe(pool.figures.target);
});

test("an agent whose profile has a ready session waits for nothing, and another is warmed in its place", async () => {
  const bath = await warmedUp();
  const { ready, claims } = bath.pool.figures;
  const before = bath.driver.all.length;
  const state = stateOf(1);
  expect(await bath.claim(state)).toBeDefined();
  expect(bath.pool.figures).toMatchObject({ ready: ready - 1, claims: { ready: claims.ready + 1 } });
  await bath.pass(700);
  expect(bath.pool.figures.ready).toBeGreaterThanOrEqual(ready);
  expect(bath.driver.all.length).toBeGreaterThan(before);
  const events = bath.types();
  for (const type of ["warming", "ready", "claimed", "target"]) expect(events).toContain(type);
});

test("P4: no tenant gets a session that was warmed for another, nor an agent of another profile or with a past", async () => {
  const bath = await warmedUp({
    keyOf: ({ head }) => head.name.replace(/\d+/, ""),
    takesWarm: ({ head }) => head.turns === 0,
  });
  const { ready } = bath.pool.figures;
  expect(ready).toBeGreaterThan(1);
  const other = stateOf(1, { tenant: "other" });
  const past = stateOf(2);
  for (const state of [other, { ...past, head: { ...past.head, turns: 3 } }]) {
    expect(await bath.claim(state)).toBeDefined();
    expect(bath.pool.figures.ready).toBe(ready);
  }
  expect(bath.pool.figures.claims.cold).toBeGreaterThanOrEqual(2);
});

test("a ready session that is not well is closed when it is to be used, and another one serves", async () => {
  const sick = new Set<number>();
  const bath = await warmedUp({ healthy: ({ number }) => !sick.has(number) });
  const [first] = bath.driver.running;
  sick.add(first?.number ?? -1);
  expect(await bath.claim(stateOf(1))).toBeDefined();
  await settled();
  expect(first?.isClosed).toBe(true);
  expect(bath.pool.figures.evictions.unhealthy).toBe(1);
});

test("T1: what is kept warm never keeps an agent from a session", async () => {
  const bath = await warmedUp({ memoryBytesMax: 300, startsMax: 1, takesWarm: ({ head }) => head.level === 1 });
  expect(bath.pool.figures.ready).toBe(3);
  const past = [1, 2].map((number) => stateOf(number, { level: 2 }));
  for (const state of past) {
    if (await bath.claim(state)) continue;
    await settled();
    expect(bath.woken.splice(0)).toContain(state.head.agent);
    expect(await bath.claim(state)).toBeDefined();
    bath.rest(state);
  }
  await bath.pass(5_000);
  // One of the three is ready again at the most: the two that agents have stay.
  expect(bath.pool.figures).toMatchObject({ parked: 2, ready: 1, memoryBytes: 300 });
});

test("T2: what cannot be warmed is tried less and less often", async () => {
  let tries = 0;
  let isBroken = false;
  const beforeWarm = () => {
    tries += 1;
    if (isBroken) throw new Error("the folder is gone");
  };
  const bath = await warmedUp({ beforeWarm });
  isBroken = true;
  tries = 0;
  for (let number = 1; number < 9; number++) {
    await bath.claim(stateOf(number));
    bath.rest(stateOf(number));
  }
  await bath.pass(60_000);
  expect(tries).toBeGreaterThan(3);
  expect(tries).toBeLessThan(20);
  expect(bath.events.some((event) => event.type === "warmFailed" && event.message === "the folder is gone")).toBe(true);
  expect(bath.driver.starting).toBe(0);
});

test("when nobody asks any more, all ready sessions go", async () => {
  const bath = await warmedUp();
  await bath.pass(LIMITS.poolIdleMsMax + 2 * LIMITS.poolTickMs);
  expect(bath.driver.running).toEqual([]);
  expect(bath.pool.figures).toMatchObject({ ready: 0, target: 0, memoryBytes: 0 });
  expect(bath.clock.pending).toBe(0);
});

test("as many are ready as was asked for, where that was", async () => {
  const bath = await warmedUp({ ready: 4 }, 1);
  expect(bath.pool.figures).toMatchObject({ ready: 4, target: 4 });
});

test("a pool that stops leaves nothing behind, what is getting warm included", async () => {
  const bath = await warmedUp();
  await bath.claim(stateOf(1));
  await settled();
  expect(bath.driver.starting).toBe(1);
  const stopped = bath.pool.stop();
  await bath.pass(1_000);
  await stopped;
  expect([bath.driver.running, bath.driver.starting, bath.clock.pending]).toEqual([[], 0, 0]);
});
