/** Who works when there is more to do than slots: trees take turns, children wait for places, waiting costs nothing. */
import fc from "fast-check";
import { expect, test } from "vitest";
import { LIMITS } from "../../src/base/limits.ts";
import { Slots } from "../../src/coordinator/slots.ts";
import { asks, cast } from "../support/cast.ts";
import { handFed, partsOf } from "../support/models.ts";
import { quiet, World } from "../support/world.ts";

const spawn = (name: string, part = name) => ["spawn_agent", { name, task: "go", instructions: part }] as const;

test("S1: no more than the limit are out, and every one that is given back goes to one who asked", async () => {
  await fc.assert(
    fc.asyncProperty(
      fc.integer({ min: 1, max: 5 }),
      fc.array(fc.record({ tree: fc.constantFrom("a", "b", "c"), level: fc.nat(3) }), { maxLength: 40 }),
      async (max, asked) => {
        const slots = new Slots(max);
        let out = 0;
        let granted = 0;
        const take = () => {
          out += 1;
          granted += 1;
          expect(out).toBeLessThanOrEqual(max);
        };
        const waits = asked.map(({ tree, level }) => {
          const wait = slots.acquire(tree, level);
          if (!wait) take();
          return wait?.then(take);
        });
        while (out > 0) {
          out -= 1;
          slots.release();
          await Promise.resolve();
          await Promise.resolve();
        }
        await Promise.all(waits);
        expect([granted, slots.taken, slots.waiting]).toEqual([asked.length, 0, 0]);
      },
    ),
  );
});

test("S2: a tree that asks is served before a large one is served twice more, its deepest first", async () => {
  const slots = new Slots(1);
  void slots.acquire("large", 0);
  const order: string[] = [];
  for (let index = 0; index < 100; index++) void slots.acquire("large", 1)?.then(() => order.push("large"));
  for (const level of [0, 2, 1]) void slots.acquire("small", level)?.then(() => order.push(`small ${level}`));
  for (let time = 0; time < 8; time++) {
    slots.release();
    await Promise.resolve();
  }
  expect(order).toEqual(["large", "small 2", "large", "small 1", "large", "small 0", "large", "large"]);
});

test("a chain of thirty levels completes with a single slot: who waits for children holds none", async () => {
  const world = new World();
  const model = cast({
    link: ({ said, news }) => {
      const left = Number(/(\d+)/.exec(news.join(""))?.[1] ?? 0);
      if (said === 0 && left === 0) return "bottom";
      if (said === 0) return asks(["spawn_agent", { name: "link", task: `${left - 1} to go`, instructions: "link" }]);
      return said === 1 ? asks(["wait_for_agents"]) : "up";
    },
  });
  const life = await world.open({ models: [model], runningMax: 1 });
  let most = 0;
  life.coordinator.watch(() => {
    most = Math.max(most, life.coordinator.load.working);
  });
  const root = await life.spawn("link", { task: "30 to go" });
  expect(await life.outcome(root)).toBe("up");
  expect([life.coordinator.forest.size, most]).toEqual([31, 1]);
});

test("of two hundred children four work at a time, in the order they were spawned, and all complete", async () => {
  const world = new World();
  const feeds: ReturnType<typeof handFed>[] = [];
  const names = Array.from({ length: 200 }, (_, index) => `c${index}`);
  const started: string[] = [];
  const model = cast({
    lead: [asks(...names.map((name) => spawn(name, "child"))), asks(["wait_for_agents"]), "all done"],
    child: () => {
      const feed = handFed();
      feeds.push(feed);
      return feed.stream;
    },
  });
  const life = await world.open({ models: [model], childrenLiveMax: 4 });
  life.coordinator.watch((agent, recorded) => {
    if (recorded.some(({ event }) => event.type === "turn.started")) started.push(life.head(agent).name);
  });
  const lead = await life.spawn("lead");
  for (let done = 0; done < 200; ) {
    await quiet(world);
    expect(feeds.length).toBeLessThanOrEqual(4);
    expect(feeds.length).toBeGreaterThan(0);
    for (const { feed, close } of feeds.splice(0)) {
      feed(...partsOf("done"));
      close();
      done += 1;
    }
  }
  expect(await life.outcome(lead)).toBe("all done");
  expect(started.filter((name) => name !== "lead")).toEqual(names);
});

test("a small tree is not starved by a large one that was there first", async () => {
  const world = new World();
  let calls = 0;
  const model = cast({
    busy: ({ said }) => (said < 50 ? asks(["list_agents"]) : "done"),
    small: () => `call ${calls}`,
  });
  const life = await world.open({ models: [model], runningMax: 2 });
  life.coordinator.watch((_, recorded) => {
    calls += recorded.filter(({ event }) => event.type === "turn.started").length;
  });
  const lead = await life.spawn("busy", { messages: [], mode: "chat" });
  await Promise.all(Array.from({ length: 40 }, () => life.spawnChild(lead, "busy")));
  const before = calls;
  const output = await life.outcome(await life.spawn("small"));
  expect(Number(output.split(" ")[1]) - before).toBeLessThan(3 * 51);
  await quiet(world);
  expect(life.coordinator.load).toEqual({ working: 0, waiting: 0 });
});

test("L2: an agent that rests holds no slot, no session and no timer, and a long conversation not even in memory", async () => {
  const world = new World();
  const model = cast({ chat: ["ready", "ready again"] });
  const life = await world.open({ models: [model], runningMax: 1 });
  const long = "x".repeat(LIMITS.inlineBytesMax - 1);
  const from = { kind: "person" } as const;
  const messages = Array.from({ length: 4 }, () => ({ from, text: long }));
  const chats = await Promise.all(Array.from({ length: 3 }, () => life.spawn("chat", { mode: "chat", messages })));
  await quiet(world);
  expect(chats.map((chat) => life.status(chat))).toEqual(["waiting", "waiting", "waiting"]);
  expect([life.coordinator.load, world.clock.pending]).toEqual([{ working: 0, waiting: 0 }, 0]);
  await life.control.send(chats[0] ?? "", "again");
  await quiet(world);
  expect(life.head(chats[0] ?? "").turns).toBe(2);
});
