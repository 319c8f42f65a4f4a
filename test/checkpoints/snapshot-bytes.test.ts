/** A state as bytes and back. */
import fc from "fast-check";
import { expect, test } from "vitest";
import { readSnapshot, writeSnapshot } from "../../src/checkpoints/snapshot-bytes.ts";
import type { StoredRecord } from "../../src/journal/journal.ts";
import { AGENT, answer, creation, receive, startTurn } from "../support/commands.ts";
import { after, goOn, live, plain, plans } from "../support/journeys.ts";

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
      const bytes = await writeSnapshot({ state, size: 1_234 }, record);
      const read = await readSnapshot(bytes, record);
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
  const bytes = await writeSnapshot({ state, size: 1 }, record);
  const others = [
    { agent: `${AGENT.slice(0, -1)}z` },
    { seq: record.seq + 1 },
    { position: 1 },
    { time: 1 },
    { type: "other" },
    { body: "{}" },
  ];
  for (const other of others) {
    await expect(readSnapshot(bytes, { ...record, ...other })).rejects.toMatchObject({ code: "SNAPSHOT_DAMAGED" });
  }
});

test("T1: long texts come back as they were, whatever they are made of", async () => {
  const texts = [
    "a".repeat(200),
    'ä漢\u0000\n"'.repeat(60),
    `${"x".repeat(130)}\ud800`,
    `\ufeff${"y".repeat(200)}`,
    "short",
    "",
  ];
  const state = after(undefined, creation(), ...texts.map((content, at) => ({ ...receive(at), content })), startTurn());
  const record = recordAt(state.head.seq);
  const read = await readSnapshot(await writeSnapshot({ state, size: 1 }, record), record);
  expect(plain(read.state)).toEqual(plain(state));
  expect([...read.state.entries].map((entry) => entry.kind === "user" && entry.message.content)).toEqual(texts);
});

test("T3: what is cut anywhere, longer, of another format or no snapshot at all is refused", async () => {
  const said = { ...receive(1), content: "long ".repeat(100) };
  const state = after(undefined, creation(), said, startTurn(), answer("One."));
  const record = recordAt(state.head.seq);
  const bytes = await writeSnapshot({ state, size: 1 }, record);
  const other = Buffer.from(bytes.toString("latin1").replace(/"format":\d+/, '"format":999'), "latin1");
  const wrong: Buffer[] = [
    Buffer.from("{}\n"),
    Buffer.from("null\n"),
    other,
    Buffer.concat([bytes, Buffer.from("[[],[]]")]),
  ];
  for (let at = 0; at < bytes.length; at += 1) wrong.push(bytes.subarray(0, at));
  for (const each of wrong)
    await expect(readSnapshot(each, record)).rejects.toMatchObject({ code: "SNAPSHOT_DAMAGED" });
});
