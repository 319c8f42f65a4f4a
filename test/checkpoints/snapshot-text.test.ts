/** A state as text and back. */
import fc from "fast-check";
import { expect, test } from "vitest";
import { readSnapshotText, snapshotText } from "../../src/checkpoints/snapshot-text.ts";
import type { StoredRecord } from "../../src/journal/journal.ts";
import { AGENT } from "../support/commands.ts";
import { goOn, live, plain, plans } from "../support/journeys.ts";

const recordAt = (seq: number, more: Partial<StoredRecord> = {}): StoredRecord => {
  return {
    agent: AGENT,
    seq,
    position: 7 * seq,
    time: 1_000 + seq,
    type: "turn.ended",
    body: `{"seq":${seq}}`,
    ...more,
  };
};

test("T1: every state of a life is read back as it was, and lives on the same", async () => {
  await fc.assert(
    fc.asyncProperty(plans(), plans({ length: 15 }), fc.nat(), async (plan, { intents }, choice) => {
      const { states } = live(plan);
      const state = states[choice % states.length];
      if (!state) return;
      const record = recordAt(state.head.seq);
      const text = await snapshotText({ state, size: 1_234 }, record);
      const read = await readSnapshotText(text, record);
      expect(read.size).toBe(1_234);
      expect(plain(read.state)).toEqual(plain(state));
      expect(plain(goOn(read.state, intents).state)).toEqual(plain(goOn(state, intents).state));
    }),
    { numRuns: 60 },
  );
});

test("T2: a snapshot of another record is refused, whatever differs", async () => {
  const { state } = live({ mode: "task", speaksFirst: false, intents: [] });
  const record = recordAt(state.head.seq);
  const text = await snapshotText({ state, size: 1 }, record);
  const others = [
    { agent: `${AGENT.slice(0, -1)}z` },
    { seq: record.seq + 1 },
    { position: 1 },
    { time: 1 },
    { type: "other" },
    { body: "{}" },
  ];
  for (const other of others) {
    await expect(readSnapshotText(text, { ...record, ...other })).rejects.toMatchObject({ code: "SNAPSHOT_DAMAGED" });
  }
});

test("T3: a text that is cut, of another format or no JSON is refused", async () => {
  const { state } = live({ mode: "task", speaksFirst: false, intents: [] });
  const record = recordAt(state.head.seq);
  const text = await snapshotText({ state, size: 1 }, record);
  const wrong = ["", "{}", "null", "[]", text.slice(0, -1), text.replace('"format":1', '"format":2'), `${text}\n{`];
  for (const each of wrong) {
    await expect(readSnapshotText(each, record), each.slice(0, 20)).rejects.toMatchObject({ code: "SNAPSHOT_DAMAGED" });
  }
});
