/** The rate limit by itself: what passes at once, who waits, in which order and for how long at most. */
import { expect, test } from "vitest";
import { ManualClock } from "../../../src/base/clock.ts";
import { LIMITS } from "../../../src/base/limits.ts";
import { Throttle } from "../../../src/coordinator/throttle/throttle.ts";

const settled = async () => {
  for (let turn = 0; turn < 20; turn++) await Promise.resolve();
};

let made = 0;

function world(rates: { treePerMinute?: number; tenantPerMinute?: number }) {
  const clock = new ManualClock();
  const throttle = new Throttle(clock, { what: "forks", ...rates });
  const order: string[] = [];
  /** Asks `count` times at once. */
  const ask = (
    tree: string,
    count = 1,
    { tenant = "default", level = 1, signal }: { tenant?: string; level?: number; signal?: AbortSignal } = {},
  ) =>
    Array.from({ length: count }, () => {
      const passed = throttle.pass({ agent: `${++made}`, tree, tenant, level }, signal) ?? Promise.resolve();
      return passed.then(() => void order.push(level === 1 ? tree : `${tree} ${level}`));
    });
  const pass = async (ms: number) => {
    clock.advance(ms);
    await settled();
  };
  return { clock, throttle, order, ask, pass };
}

test("H1: a minute's worth passes at once, the rest at the rate", async () => {
  const { order, ask, pass, throttle } = world({ treePerMinute: 3 });
  ask("a", 6);
  await pass(0);
  expect(order.length).toBe(3);
  await pass(19_999);
  expect(order.length).toBe(3);
  await pass(1);
  expect(order.length).toBe(4);
  expect(throttle.figures).toMatchObject({ passed: 4, waiting: 2, trees: [{ tree: "a", waiting: 2 }] });
  await pass(40_000);
  expect(order.length).toBe(6);
});

test("without a rate everything passes at once", () => {
  const throttle = new Throttle(new ManualClock(), { what: "spawns" });
  for (let count = 0; count < 1_000; count++)
    expect(throttle.pass({ agent: `${count}`, tree: "a", tenant: "t", level: 0 })).toBeUndefined();
  expect(throttle.figures).toMatchObject({ passed: 1_000, waiting: 0, treePerMinute: null });
});

test("H2: a thousand at once are served in order, and delay no other tree", async () => {
  const { order, ask, pass, throttle } = world({ treePerMinute: 60 });
  const waits = ask("storm", 1_000);
  await pass(0);
  expect(order).toEqual(Array(60).fill("storm"));
  for (let second = 0; second < 30; second++) {
    ask("calm");
    await pass(0);
    expect(order.at(-1)).toBe("calm");
    await pass(1_000);
  }
  for (let second = 0; second < 940; second++) await pass(1_000);
  await Promise.all(waits);
  expect([order.filter((tree) => tree === "storm").length, throttle.figures.waiting]).toEqual([1_000, 0]);
});

test("H2: trees of one tenant share its rate in turns, the deepest agent of a tree first; other tenants have their own", async () => {
  const { order, ask, pass } = world({ tenantPerMinute: 60 });
  ask("first", 60);
  ask("large", 50);
  ask("small", 1, { level: 2 });
  ask("small", 1, { level: 3 });
  ask("other", 2, { tenant: "other" });
  await pass(0);
  expect(order.slice(60)).toEqual(["other", "other"]);
  order.length = 0;
  for (let second = 0; second < 6; second++) await pass(1_000);
  expect(order).toEqual(["large", "small 3", "large", "small 2", "large", "large"]);
});

test("H2: tenants that share a rate of time take turns, whatever the number of their trees", async () => {
  const { order, ask, pass } = world({ treePerMinute: 60, tenantPerMinute: 60 });
  ask("x", 60, { tenant: "many" });
  ask("y", 60, { tenant: "one" });
  await pass(0);
  order.length = 0;
  for (const tree of ["a", "b", "c"]) ask(tree, 5, { tenant: "many" });
  ask("z", 5, { tenant: "one" });
  for (let second = 0; second < 5; second++) await pass(1_000);
  expect(order.filter((tree) => tree === "z").length).toBe(5);
  expect(order.filter((tree) => tree !== "z").length).toBe(5);
});

test("H3: nobody waits for too long, and no more than so many wait", async () => {
  const { ask, pass, throttle } = world({ treePerMinute: 1 });
  const waits = ask("a", 80);
  const outcomes = Promise.allSettled(waits);
  for (let minute = 0; minute <= LIMITS.throttleWaitMsMax / 60_000; minute++) await pass(60_000);
  const settledAll = await outcomes;
  expect(settledAll.filter(({ status }) => status === "fulfilled").length).toBeGreaterThanOrEqual(60);
  for (const each of settledAll)
    if (each.status === "rejected") expect(each.reason).toMatchObject({ code: "THROTTLED" });
  expect(throttle.figures.waiting).toBe(0);
  const many = ask("b", LIMITS.throttleWaitingMax + 2).map((each) =>
    each.catch((error: { code: string }) => error.code),
  );
  expect(await many.at(-1)).toBe("THROTTLED");
  expect(throttle.figures.waiting).toBe(LIMITS.throttleWaitingMax);
});

test("H4: one that gives up leaves nothing behind", async () => {
  const { ask, pass, clock, throttle } = world({ treePerMinute: 1 });
  await Promise.all(ask("a"));
  const abort = new AbortController();
  const [waiting] = ask("a", 1, { signal: abort.signal });
  await pass(1_000);
  expect(clock.pending).toBe(1);
  abort.abort(new Error("no more"));
  await expect(waiting).rejects.toThrow("no more");
  expect([clock.pending, throttle.figures.waiting]).toEqual([0, 0]);
});

test("what went unused is not saved up, and trees of long ago are forgotten", async () => {
  const { ask, pass, order } = world({ treePerMinute: 60 });
  for (let tree = 0; tree < 2_000; tree++) {
    ask(`t${tree}`);
    await pass(1_000);
  }
  order.length = 0;
  ask("t0", 100);
  await pass(0);
  expect(order.length).toBe(60);
});
