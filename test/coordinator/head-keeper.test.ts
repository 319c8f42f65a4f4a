/** Opening a fleet whose heads were kept in one piece: the same as from every agent's summary, and reading less. */
import { expect, test } from "vitest";
import type { AgentId } from "../../src/base/ids.ts";
import type { Journal } from "../../src/journal/journal.ts";
import { asks, cast } from "../support/cast.ts";
import { intercept } from "../support/journals.ts";
import { type Life, quiet, World } from "../support/world.ts";

const headsKeptMin = 3;
const model = () =>
  cast({
    lead: [
      asks(["spawn_agent", { name: "a", task: "go", instructions: "worker" }]),
      "all are on their way",
      "and more",
    ],
    worker: () => "done",
    chat: () => "ready",
  });

/** A lead with a child, and chats beside it, all at rest. */
async function lived() {
  const world = new World();
  const life = await world.open({ models: [model()], headsKeptMin });
  const lead = await life.spawn("lead", { tools: ["spawn_agent"], mode: "chat" });
  const chats = [await life.spawn("chat", { mode: "chat" }), await life.spawn("chat", { mode: "chat" })];
  await quiet(world);
  await life.became(lead, "waiting");
  await quiet(world);
  return { world, life, lead, chats };
}

const standing = (life: Life) =>
  [...life.coordinator.forest.nodes()].map(({ head, subtree }) => ({ ...head, output: null, subtree }));

/** How many heads a process reads from its journal when it opens. */
function counted() {
  const counts = { heads: 0 };
  const around = (journal: Journal) => {
    const inner = intercept(journal, {});
    inner.heads = async function* (options) {
      for await (const batch of journal.heads(options)) {
        counts.heads += batch.length;
        yield batch;
      }
    };
    return inner;
  };
  return { counts, around };
}

test("O1: what was kept at the end serves the next process: every agent as it was, and no summary read", async () => {
  const { world, life, lead } = await lived();
  const before = standing(life);
  await life.stop();
  const { counts, around } = counted();
  const again = await world.open({ models: [model()], headsKeptMin, around });
  expect([counts.heads, again.recovery.agents]).toEqual([0, before.length]);
  expect(standing(again)).toEqual(before);
  await again.control.send(lead, "Go on.");
  await quiet(world);
  expect((await again.state(lead)).entries.length).toBeGreaterThan(3);
  expect([life.faults, again.faults]).toEqual([[], []]);
});

test("O1: after a crash what changed since is read, and nothing else; agents that are new are there", async () => {
  const { world, life, chats } = await lived();
  await life.stop();
  const crashed = await world.open({ models: [model()], headsKeptMin });
  await crashed.control.send(chats[0] as AgentId, "And now?");
  const fresh = await crashed.spawn("chat", { mode: "chat" });
  await quiet(world);
  const before = standing(crashed);
  const { counts, around } = counted();
  const again = await world.open({ models: [model()], headsKeptMin, around });
  expect(counts.heads).toBe(2);
  expect(standing(again)).toEqual(before);
  expect(again.head(fresh)).toMatchObject({ status: "waiting", turns: 1 });
});

test("a fork whose past was not read is not known in full, and is read at the next opening", async () => {
  const { world, life, lead } = await lived();
  await life.control.pause(lead);
  await quiet(world);
  await life.stop();
  const held = await world.open({ models: [model()], headsKeptMin });
  const fork = await held.coordinator.fork(lead, { as: "root" });
  await held.control.pause(fork);
  await quiet(world);
  await held.stop();
  const again = await world.open({ models: [model()], headsKeptMin });
  const { state } = { state: await again.state(fork) };
  expect({ ...again.head(fork), output: null }).toEqual({ ...state.head, output: null });
});

test("N1: a process that another one has taken over from keeps none", async () => {
  const { world, life, lead } = await lived();
  const next = await world.open({ models: [model()], headsKeptMin });
  await next.control.pause(lead);
  await quiet(world);
  await life.stop();
  const { counts, around } = counted();
  const again = await world.open({ models: [model()], headsKeptMin, around });
  expect([again.head(lead).held, standing(again)]).toEqual([true, standing(next)]);
  expect(counts.heads).toBeGreaterThan(0);
});

test("N2: with a damaged agent heads are not kept: it is named at every opening", async () => {
  const { world, life, chats } = await lived();
  world.snapshots.clear();
  const [chat = ""] = chats;
  await life.control.send(chat, "Once more.");
  await quiet(world);
  const log = world.store.logs.get(chat);
  const last = log?.records.at(-1);
  if (!log || !last) throw new Error("the chat has records");
  log.records[log.records.length - 1] = { ...last, type: "no.such.event" };
  log.summary = undefined;
  for (const _ of [1, 2]) {
    const again = await world.open({ models: [model()], headsKeptMin });
    expect(again.recovery.damaged).toMatchObject([{ agent: chat }]);
    await again.stop();
  }
});

test("a small fleet keeps none", async () => {
  const world = new World();
  const life = await world.open({ models: [model()], headsKeptMin: 100 });
  await life.spawn("chat", { mode: "chat" });
  await quiet(world);
  await life.stop();
  expect([...world.snapshots.keys()]).toEqual([]);
});
