/** When snapshots are taken, and how many are kept. */
import { expect, test } from "vitest";
import type { State } from "../../src/agent/state.ts";
import { LIMITS } from "../../src/base/limits.ts";
import { MemorySnapshots } from "../../src/checkpoints/memory/memory-snapshots.ts";
import { type Covered, Snapshotter, type SnapshotterOptions } from "../../src/checkpoints/snapshotter.ts";
import { MemoryJournal } from "../../src/journal/memory/memory-journal.ts";
import { AGENT, creation, receive } from "../support/commands.ts";
import { goOn } from "../support/journeys.ts";

async function lab(more: Partial<SnapshotterOptions> = {}) {
  const journal = new MemoryJournal();
  const { recorded, states } = goOn(undefined, [creation(), ...Array.from({ length: 5 }, (_, at) => receive(at))]);
  const records = recorded.map(({ time, event: { type } }) => ({ time, type, body: "{}" }));
  await journal.append([{ agent: AGENT, expectedSeq: 0, records }]);
  const snapshots = new MemorySnapshots();
  const faults: unknown[] = [];
  const options = {
    journal,
    snapshots,
    tailMin: 1_000,
    onFault: (_: string, error: unknown) => faults.push(error),
    ...more,
  };
  return { journal, snapshots, faults, states, snapshotter: new Snapshotter(options) };
}

test("N1: one is due when enough was folded since the last: what is written stays a multiple of the history", async () => {
  const { snapshotter, states } = await lab();
  let [covered, written] = [undefined as Covered | undefined, 0];
  for (let size = 0; size <= 1_000_000; size += 500) {
    const state = at(states, size / 500, 0);
    if (!snapshotter.isDue(state, size, covered)) continue;
    expect(size - (covered?.size ?? 0)).toBeGreaterThanOrEqual(Math.max(1_000, size / 8));
    covered = { size, seq: state.head.seq, time: 0 };
    written += size;
  }
  expect(1_000_000 - (covered?.size ?? 0)).toBeLessThan(1_000_000 / 7);
  expect(written).toBeLessThan(1_000_000 * 9);
});

test("N1: one is due after many small events, and after a long time, when they are a share of all", async () => {
  const { snapshotter, states } = await lab({ tailMin: 128 * 1024 });
  const { snapshotEventsMin: many, snapshotAgeMs: longMs, snapshotAgedTailMin: some } = LIMITS;
  const young = at(states, many - 1, 0);
  expect(snapshotter.isDue(young, 60_000, undefined)).toBe(false);
  expect(snapshotter.isDue(at(states, many, 0), 60_000, undefined)).toBe(true);
  expect(snapshotter.isDue(at(states, 20, longMs), some, undefined)).toBe(true);
  expect(snapshotter.isDue(at(states, 20, longMs), some - 1, undefined)).toBe(false);
  expect(snapshotter.isDue(at(states, 20, longMs - 1), some, undefined)).toBe(false);
  // A small part of a long history is not worth writing all of it again.
  const covered = { size: 1_000_000, seq: 100_000, time: 0 };
  expect(snapshotter.isDue(at(states, 100_000 + 2 * many, 2 * longMs), 1_060_000, covered)).toBe(false);
});

/** A state at that event, so long after the agent was made. */
function at([state]: readonly State[], seq: number, ageMs: number): State {
  if (!state) throw new Error("no state");
  return { ...state, head: { ...state.head, seq, time: state.head.createdTime + ageMs } };
}

test("N2: the two newest are kept; of states that come while one is written, the newest is next", async () => {
  const { snapshotter, snapshots, states } = await lab();
  for (const state of states) {
    snapshotter.take(state, 10);
    await snapshotter.idle();
  }
  expect(await snapshots.list(AGENT)).toEqual(
    states
      .map(({ head }) => head.seq)
      .slice(-2)
      .reverse(),
  );
  const fast = await lab();
  for (const state of fast.states) fast.snapshotter.take(state, 10);
  await fast.snapshotter.idle();
  expect(await fast.snapshots.list(AGENT)).toEqual([6, 1]);
});

test("a snapshot that cannot be kept is told of, and the next one is tried", async () => {
  const { snapshotter, snapshots, faults, states } = await lab();
  const keep = snapshots.keep.bind(snapshots);
  snapshots.keep = () => Promise.reject(new Error("no space"));
  snapshotter.take(states[0] as never, 10);
  await snapshotter.idle();
  snapshots.keep = keep;
  snapshotter.take(states.at(-1) as never, 10);
  await snapshotter.idle();
  expect([faults.length, (await snapshots.list(AGENT)).length]).toEqual([1, 1]);
});

test("none is taken of a state that the journal does not have, nor after the stop, nor of one that is too large", async () => {
  const { snapshotter, snapshots, states } = await lab();
  const [state] = states as [(typeof states)[number]];
  snapshotter.take({ ...state, head: { ...state.head, seq: 99 } }, 10);
  snapshotter.take({ ...state, head: { ...state.head, agent: AGENT } }, Number.MAX_SAFE_INTEGER);
  await snapshotter.stop();
  snapshotter.take(state, 10);
  await snapshotter.idle();
  expect(await snapshots.list(AGENT)).toEqual([]);
});
