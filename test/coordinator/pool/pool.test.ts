/** The pool by itself: who gets a session, who waits, and what is closed when. */
import fc from "fast-check";
import { expect, test } from "vitest";
import { LIMITS } from "../../../src/base/limits.ts";
import type { Session } from "../../../src/drivers/driver.ts";
import { Bath, settled, stateOf } from "../../support/pools.ts";

const [a, b, c, d] = [1, 2, 3, 4].map((number) => stateOf(number)) as [
  ReturnType<typeof stateOf>,
  ReturnType<typeof stateOf>,
  ReturnType<typeof stateOf>,
  ReturnType<typeof stateOf>,
];

test("an agent that comes back finds the session that it left", async () => {
  const { driver, pool, ...bath } = new Bath();
  void bath;
  const first = await pool.claim(a);
  pool.leave(a.head.agent, { waits: true });
  expect(pool.figures).toMatchObject({ parked: 1, claimed: 0 });
  expect(await pool.claim(a)).toBe(first);
  expect(pool.figures).toMatchObject({ parked: 0, claimed: 1, claims: { cold: 1, parked: 1 }, hitRatio: 0.5 });
  await pool.stop();
  expect(driver.running).toEqual([]);
});

test("P1: a claim over the bound closes the session that has been unused for longest, and waits for its memory", async () => {
  const bath = new Bath({ memoryBytesMax: 250 });
  for (const state of [a, b]) {
    expect(await bath.work(state)).toBeDefined();
    bath.rest(state);
    await bath.pass(10);
  }
  expect(await bath.claim(c)).toBeUndefined();
  await settled();
  expect(bath.driver.running.map(({ agent }) => agent)).toEqual([b.head.agent]);
  expect(bath.woken).toEqual([c.head.agent]);
  expect(await bath.claim(c)).toBeDefined();
  expect(bath.pool.figures).toMatchObject({ memoryBytes: 200, evictions: { memory: 1 } });
});

test("P5: no claim closes the session of an agent that works", async () => {
  const bath = new Bath({ memoryBytesMax: 250 });
  await bath.work(a);
  await bath.work(b);
  expect(await bath.claim(c)).toBeUndefined();
  await bath.pass(60_000);
  expect(bath.driver.running.length).toBe(2);
  expect(bath.woken).toEqual([]);
  await bath.pool.end(a.head.agent);
  expect(bath.woken).toEqual([c.head.agent]);
});

test("P3: trees take turns, the deepest agent of each first", async () => {
  const bath = new Bath({ memoryBytesMax: 100 });
  const busy = stateOf(99, { tree: 9 });
  await bath.work(busy);
  const large = [1, 2, 3, 4].map((number) => stateOf(number, { tree: 7 }));
  const small = [stateOf(5, { tree: 8, level: 1 }), stateOf(6, { tree: 8, level: 3 })];
  for (const state of [...large, ...small]) expect(await bath.claim(state)).toBeUndefined();
  const order: string[] = [];
  let last = busy;
  for (let turn = 0; turn < 6; turn++) {
    await bath.pool.end(last.head.agent);
    const [next] = bath.woken.splice(0);
    last = [...large, ...small].find(({ head }) => head.agent === next) as typeof busy;
    order.push(small.includes(last) ? `small ${last.head.level}` : "large");
    expect(await bath.work(last)).toBeDefined();
  }
  expect(order).toEqual(["large", "small 3", "large", "small 1", "large", "large"]);
});

test("no more start at once than may, and agents that were told to come start without a further wait", async () => {
  const bath = new Bath({ startsMax: 2 });
  const states = Array.from({ length: 8 }, (_, index) => stateOf(index + 1));
  const signal = new AbortController().signal;
  const come = async (state: (typeof states)[number]) => {
    const session = await bath.claim(state);
    void session?.turn(state, { signal }).catch(() => undefined);
    return session !== undefined;
  };
  const came = await Promise.all(states.map(come));
  expect(came).toEqual([true, true, false, false, false, false, false, false]);
  for (let round = 0; round < 4; round++) {
    await bath.pass(600);
    for (const agent of bath.woken.splice(0)) await come(states.find(({ head }) => head.agent === agent) ?? a);
  }
  expect(bath.driver.running.length).toBe(8);
  expect(bath.driver.startingMost).toBe(2);
});

test("a session that must start again does not wait for agents that were called and have not come", async () => {
  const bath = new Bath({ startsMax: 1 });
  const session = (await bath.work(a)) as Session;
  expect(await bath.claim(b)).toBeDefined();
  // The start is set aside for b now; a's process has died.
  for (const one of bath.driver.all) one.isClosed = true;
  const turn = session.turn(a, { signal: new AbortController().signal }).catch(() => undefined);
  await settled();
  expect(bath.driver.starting).toBe(1);
  await bath.pass(600);
  await turn;
  expect(bath.driver.running.map(({ agent }) => agent)).toEqual([a.head.agent]);
});

test("who has waited for as long as may be is told so, and others go on", async () => {
  const bath = new Bath({ memoryBytesMax: 100, waitMsMax: 5_000 });
  await bath.work(a);
  expect(await bath.claim(b)).toBeUndefined();
  await bath.pass(5_000 + LIMITS.poolTickMs);
  expect(bath.woken).toContain(b.head.agent);
  await expect(bath.claim(b)).rejects.toMatchObject({ code: "POOL_EXHAUSTED", agent: b.head.agent });
  expect(bath.types()).toContain("exhausted");
  expect(bath.pool.figures.waiting).toBe(0);
});

test("a session that can never fit is refused at once", async () => {
  const bath = new Bath({ memoryBytesMax: 99 });
  await expect(bath.claim(a)).rejects.toMatchObject({ code: "CONFIG_INVALID" });
});

test("what nobody has used for long is closed, and so is what is old, but not while it is in use", async () => {
  const bath = new Bath();
  for (const state of [a, b]) await bath.work(state);
  bath.rest(a);
  await bath.pass(LIMITS.poolIdleMsMax + LIMITS.poolTickMs);
  expect(bath.driver.running.map(({ agent }) => agent)).toEqual([b.head.agent]);
  await bath.pass(LIMITS.poolAgeMsMax);
  expect(bath.driver.running.length).toBe(1);
  bath.rest(b);
  await bath.pass(LIMITS.poolTickMs);
  expect(bath.driver.running).toEqual([]);
  expect(bath.pool.figures.evictions).toEqual({ idle: 1, age: 1 });
  await bath.pass(LIMITS.poolIdleMsMax + LIMITS.poolTickMs);
  expect(bath.clock.pending).toBe(0);
});

test("a session whose profile has changed, or that is not well, is closed, and another one serves", async () => {
  let key = "before";
  let isWell = true;
  const bath = new Bath({ keyOf: () => key, healthy: () => isWell });
  const first = await bath.work(a);
  bath.rest(a);
  key = "after";
  const second = await bath.work(a);
  expect(second).not.toBe(first);
  bath.rest(a);
  isWell = false;
  expect(await bath.claim(a)).not.toBe(second);
  expect(bath.pool.figures.evictions).toEqual({ changed: 1, unhealthy: 1 });
});

test("a session that never says whether it is well is not", async () => {
  const bath = new Bath({ healthy: () => new Promise(() => undefined) });
  const first = await bath.work(a);
  bath.rest(a);
  const second = bath.claim(a);
  await bath.pass(LIMITS.poolHealthMsMax);
  expect(await second).toBeDefined();
  expect(await second).not.toBe(first);
});

test("sessions are charged with what they were measured to take, and others are closed for it", async () => {
  let bytes = 100;
  const bath = new Bath({ memoryBytesMax: 400, measured: () => bytes });
  for (const state of [a, b, c]) await bath.work(state);
  for (const state of [a, b]) bath.rest(state);
  bytes = 180;
  await bath.pass(LIMITS.poolMeasureMs + LIMITS.poolTickMs);
  expect(bath.pool.figures).toMatchObject({ memoryBytes: 360, claimed: 1, parked: 1, evictions: { memory: 1 } });
  expect(await bath.claim(d)).toBeUndefined();
  await settled();
  expect(bath.pool.figures).toMatchObject({ memoryBytes: 360, parked: 0, claimed: 2 });
});

test("no session begins when the machine itself has no memory for it", async () => {
  let free = LIMITS.poolSpareBytesMin + 150;
  const bath = new Bath({ memoryBytesFree: () => free });
  expect(await bath.work(a)).toBeDefined();
  free -= 100;
  expect(await bath.claim(b)).toBeUndefined();
  bath.rest(a);
  await settled();
  expect(bath.driver.running).toEqual([]);
  free += 100;
  await bath.pass(LIMITS.poolTickMs);
  expect(bath.woken).toEqual([b.head.agent]);
});

test("a session that cannot be opened gives back what was set aside for it", async () => {
  let isBroken = true;
  const beforeOpen = () => {
    if (isBroken) throw new Error("no such folder");
  };
  const bath = new Bath({ startsMax: 1, memoryBytesMax: 100, beforeOpen });
  await expect(bath.claim(a)).rejects.toThrow("no such folder");
  isBroken = false;
  expect(await bath.claim(b)).toBeDefined();
});

test("an agent that is held while it waits stands in nobody's way", async () => {
  const bath = new Bath({ memoryBytesMax: 100 });
  await bath.work(a);
  for (const state of [b, c]) expect(await bath.claim(state)).toBeUndefined();
  bath.pool.leave(b.head.agent, { waits: false });
  await bath.pool.end(a.head.agent);
  expect(bath.woken).toEqual([c.head.agent]);
  // It was called, and does not come.
  bath.pool.leave(c.head.agent, { waits: false });
  expect(bath.pool.figures).toMatchObject({ memoryBytes: 0, waiting: 0, claimed: 0 });
});

test("a closed pool has nothing left, and one that closes badly says so", async () => {
  const bath = new Bath();
  const session = (await bath.claim(a)) as Session;
  session.close = () => Promise.reject(new Error("it does not die"));
  await bath.claim(b);
  await bath.pool.stop();
  expect(bath.pool.figures).toMatchObject({ memoryBytes: 0, evictions: { stopped: 2 } });
  expect(bath.events.some((event) => event.type === "evicted" && event.message === "it does not die")).toBe(true);
  expect(bath.clock.pending).toBe(0);
});

/** A session is closed in the moment in which its start comes to its end. */
const CLOSED_AS_IT_STARTS = [
  { agent: 1, do: "work" },
  { agent: 4, do: "work" },
  { agent: 3, do: "work" },
  { agent: 4, do: "rest" },
  { agent: 2, do: "work" },
  { agent: 1, do: "work" },
] as { agent: number; do: "work" | "rest" | "end" | "wait" }[];

test("P1, P4: whatever agents do, memory stays within the bound, starts within theirs, and nobody is forgotten", async () => {
  const step = fc.record({
    agent: fc.integer({ min: 1, max: 12 }),
    do: fc.constantFrom("work", "rest", "end", "wait"),
  });
  await fc.assert(
    fc.asyncProperty(fc.array(step, { maxLength: 60 }), async (steps) => {
      const bath = new Bath({ memoryBytesMax: 350, startsMax: 2, startMs: 50 });
      const states = new Map(
        Array.from({ length: 12 }, (_, index) => [index + 1, stateOf(index + 1, { tree: index % 3 })] as const),
      );
      const wanting = new Set<number>();
      const turns = new Map<number, { stop: AbortController; over: Promise<unknown> }>();
      /** An agent's turn is over before it rests, ends, or takes another one. */
      const endTurn = async (agent: number) => {
        const turn = turns.get(agent);
        turn?.stop.abort(new Error("the turn was stopped"));
        await turn?.over;
        turns.delete(agent);
      };
      const claim = async (agent: number) => {
        const state = states.get(agent) as ReturnType<typeof stateOf>;
        const session = await bath.claim(state);
        if (!session) return void wanting.add(agent);
        wanting.delete(agent);
        const stop = new AbortController();
        turns.set(agent, { stop, over: session.turn(state, { signal: stop.signal }).catch(() => undefined) });
      };
      const busy = new Set<number>();
      for (const { agent, do: what } of steps) {
        const state = states.get(agent) as ReturnType<typeof stateOf>;
        if (what === "work" && !busy.has(agent)) {
          busy.add(agent);
          await claim(agent);
        } else if (what === "rest" && !wanting.has(agent)) {
          busy.delete(agent);
          await endTurn(agent);
          bath.rest(state);
        } else if (what === "end") {
          busy.delete(agent);
          wanting.delete(agent);
          await endTurn(agent);
          await bath.pool.end(state.head.agent);
        } else await bath.pass(100);
        for (const called of bath.woken.splice(0)) {
          const [number] = [...states].find(([, { head }]) => head.agent === called) ?? [];
          if (number !== undefined && wanting.has(number)) await claim(number);
          else bath.pool.leave(called, { waits: false });
        }
        expect(bath.pool.figures.memoryBytes).toBeLessThanOrEqual(350);
        expect(bath.driver.running.length * 100).toBeLessThanOrEqual(350);
        expect(bath.driver.startingMost).toBeLessThanOrEqual(2);
      }
      // All others end: whoever waits is served.
      for (const agent of busy) if (!wanting.has(agent)) await bath.pool.end((states.get(agent) ?? a).head.agent);
      for (let round = 0; wanting.size > 0 && round < 30; round++) {
        for (const called of bath.woken.splice(0)) {
          const [number] = [...states].find(([, { head }]) => head.agent === called) ?? [];
          if (number === undefined || !wanting.has(number)) continue;
          await claim(number);
          if (!wanting.has(number)) await bath.pool.end(called);
        }
        await bath.pass(100);
      }
      expect([...wanting]).toEqual([]);
      await bath.pool.stop();
      expect(bath.driver.running).toEqual([]);
    }),
    { numRuns: 200, examples: [[CLOSED_AS_IT_STARTS]] },
  );
});
