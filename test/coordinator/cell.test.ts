/** A cell: the queue of one agent's commands, and the only writer of its journal. */
import { expect, test } from "vitest";
import type { State } from "../../src/agent/state.ts";
import { ManualClock } from "../../src/base/clock.ts";
import { BanyanError } from "../../src/base/errors.ts";
import { LIMITS } from "../../src/base/limits.ts";
import { Batch } from "../../src/coordinator/batch.ts";
import { Roster } from "../../src/coordinator/roster.ts";
import type { Append, Journal } from "../../src/journal/journal.ts";
import { MemoryJournal, MemoryStore } from "../../src/journal/memory/memory-journal.ts";
import { AGENT, creation, PERSON, receive } from "../support/commands.ts";
import { intercept } from "../support/journals.ts";

const hold = { do: "hold", by: PERSON, reason: "" } as const;
const release = { do: "release", by: PERSON } as const;
const cancel = { do: "cancel", by: PERSON, reason: "" } as const;
const checkpoint = (name: string) => ({ do: "nameCheckpoint", name }) as const;

/** An agent with one message, as a process before left it: two events, and nothing of it in memory. */
async function recalled({ commit, around = (journal: Journal) => journal }: Lab = {}) {
  const store = new MemoryStore();
  const batch = new Batch(AGENT, { head: undefined, state: undefined }, 1);
  for (const command of [creation(), receive(1)]) batch.decide(command);
  await new MemoryJournal({ store }).append([batch.append(0)]);
  const journal = around(new MemoryJournal({ store, ...(commit && { commit }) }));
  const roster = new Roster({ past: { journal }, clock: new ManualClock() });
  roster.forest.put(batch.head);
  const cell = roster.cell(batch.agent);
  return { store, cell, types: () => store.order.map(({ type }) => type) };
}

interface Lab {
  readonly commit?: (appends: readonly Append[]) => Promise<void>;
  readonly around?: (journal: Journal) => Journal;
}

test("C1: commands are carried out in the order they came, each against what those before it made", async () => {
  const { cell, types } = await recalled();
  const commands = [hold, hold, checkpoint("here"), cancel, release, hold];
  const outcomes = await Promise.allSettled(commands.map((command) => cell.dispatch(command)));
  expect(outcomes.map(({ status }) => status)).toEqual([...Array(4).fill("fulfilled"), "rejected", "rejected"]);
  expect(types().slice(2)).toEqual(["hold.set", "checkpoint.named", "agent.cancelled"]);
});

test("C1: what queues while an append is under way goes into the next one together", async () => {
  const sizes: number[] = [];
  const { cell } = await recalled({ commit: async ([first]) => void sizes.push(first?.records.length ?? 0) });
  const first = cell.dispatch(hold);
  await Promise.resolve();
  await Promise.all([first, ...Array.from({ length: 20 }, (_, index) => cell.dispatch(checkpoint(`point ${index}`)))]);
  expect(sizes).toEqual([1, 20]);
});

test("C1: what depends on the commands before it sees what they will have made, and may want nothing", async () => {
  const { cell, types } = await recalled();
  const seen: boolean[] = [];
  const onceHeld = (state: State) => {
    seen.push(state.head.held);
    return state.head.held ? checkpoint("held") : undefined;
  };
  const done = await Promise.all([cell.dispatch(onceHeld), cell.dispatch(hold), cell.dispatch(onceHeld)]);
  expect(seen).toEqual([false, true]);
  expect(done.map((events) => events.map(({ type }) => type))).toEqual([[], ["hold.set"], ["checkpoint.named"]]);
  expect(types().slice(2)).toEqual(["hold.set", "checkpoint.named"]);
  const failing = () => {
    throw new BanyanError("INPUT_INVALID", "no");
  };
  const [failed, next] = await Promise.allSettled([cell.dispatch(failing), cell.dispatch(checkpoint("on"))]);
  expect([failed.status, next.status]).toEqual(["rejected", "fulfilled"]);
});

test("C2: a command resolves, and the state moves on, only when its events are durable", async () => {
  const disk = Promise.withResolvers<void>();
  const { cell } = await recalled({ commit: () => disk.promise });
  await cell.load();
  let resolved = false;
  const done = cell.dispatch(hold).then(() => {
    resolved = true;
  });
  await cell.load();
  expect([resolved, cell.head.held, cell.loaded?.head.held]).toEqual([false, false, false]);
  disk.resolve();
  await done;
  expect([resolved, cell.head.held, cell.loaded?.head.held]).toEqual([true, true, true]);
});

test("C3: an append that fails changes nothing, and says why to every command in it", async () => {
  let failure: Error | undefined = new BanyanError("DISK_FAILED", "no space");
  const { cell, types } = await recalled({
    commit: async () => {
      if (failure) throw failure;
    },
  });
  const before = cell.head;
  const outcomes = await Promise.allSettled([cell.dispatch(hold), cell.dispatch(checkpoint("here"))]);
  expect(outcomes).toMatchObject([{ reason: { code: "DISK_FAILED" } }, { reason: { code: "DISK_FAILED" } }]);
  expect([cell.head, (await cell.load()).head, types().length]).toEqual([before, before, 2]);
  failure = undefined;
  await cell.dispatch(hold);
  expect([cell.head.held, (await cell.load()).head]).toEqual([true, cell.head]);
});

test("C3: what one command cannot be is refused to that command alone", async () => {
  const { cell, types } = await recalled();
  const outcomes = await Promise.allSettled([
    cell.dispatch({ ...receive(2), meta: { recording: "x".repeat(LIMITS.recordBytesMax) } }),
    cell.dispatch({ ...receive(3), meta: { recording: "\u20ac".repeat(LIMITS.recordBytesMax / 2) } }),
    cell.dispatch({ ...receive(4), meta: { endless: 1n as never } }),
    cell.dispatch(hold),
  ]);
  expect(outcomes).toMatchObject([
    { reason: { code: "CONTENT_TOO_LARGE" } },
    { reason: { code: "CONTENT_TOO_LARGE" } },
    { reason: { code: "INTERNAL" } },
    { status: "fulfilled" },
  ]);
  expect(types().slice(2)).toEqual(["hold.set"]);
  expect(cell.loaded?.inbox.map(({ id }) => id)).toEqual(["m1"]);
});

test("C4: a hold, a budget, a cancel and a release reach an agent without a read of its conversation", async () => {
  let reads = 0;
  const { cell } = await recalled({ around: (journal) => intercept(journal, { afterRead: async () => void reads++ }) });
  await Promise.all(
    [hold, release, { do: "setBudget", budget: {}, by: PERSON } as const, cancel].map((each) => cell.dispatch(each)),
  );
  expect([cell.head.status, reads]).toEqual(["cancelled", 0]);
});

test("C5: what became durable while the state was being read is in it", async () => {
  const reading = Promise.withResolvers<void>();
  const { cell } = await recalled({ around: (journal) => intercept(journal, { afterRead: () => reading.promise }) });
  const loading = cell.load();
  await cell.dispatch(hold);
  reading.resolve();
  expect((await loading).head).toEqual(cell.head);
  await cell.dispatch(checkpoint("here"));
  expect([cell.head.held, cell.loaded?.head]).toEqual([true, cell.head]);
});

test("C5: what becomes durable after the state was read gets into it, though it needed no state", async () => {
  const disk = Promise.withResolvers<void>();
  const { cell } = await recalled({ commit: () => disk.promise });
  const holding = cell.dispatch(hold);
  expect((await cell.load()).head.held).toBe(false);
  disk.resolve();
  await holding;
  expect([cell.head.held, cell.loaded?.head]).toEqual([true, cell.head]);
});

test("C5: a journal that lost what the head has is no reason to read for ever", async () => {
  const { store, cell } = await recalled();
  await cell.dispatch(hold);
  store.logs.get(AGENT)?.records.pop();
  await expect(cell.load()).rejects.toMatchObject({ code: "INTERNAL" });
});
