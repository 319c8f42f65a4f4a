/** A state in parts and back. */
import fc from "fast-check";
import { expect, test } from "vitest";
import { type Folded, readSnapshot, writeSnapshot } from "../../src/checkpoints/snapshot-parts.ts";
import type { Part } from "../../src/checkpoints/snapshots.ts";
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
      const read = await writtenAndRead({ state, size: 1_234 }, record);
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
  const parts = partsOf(await writeSnapshot({ state, size: 1 }, record));
  const others = [
    { agent: `${AGENT.slice(0, -1)}z` },
    { seq: record.seq + 1 },
    { position: 1 },
    { time: 1 },
    { type: "other" },
    { body: "{}" },
  ];
  for (const other of others) {
    expect(() => readSnapshot(parts, { ...record, ...other })).toThrow(DAMAGED);
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
  const read = await writtenAndRead({ state, size: 1 }, record);
  expect(plain(read.state)).toEqual(plain(state));
  expect([...read.state.entries].map((entry) => entry.kind === "user" && entry.message.content)).toEqual(texts);
});

test("T3: too few or too many parts, others, another format or no snapshot at all are refused", async () => {
  const said = { ...receive(1), content: "long ".repeat(100) };
  const state = after(undefined, creation(), said, startTurn(), answer("One."));
  const record = recordAt(state.head.seq);
  const written = await writeSnapshot({ state, size: 1 }, record);
  const [header = Buffer.alloc(0), block = Buffer.alloc(0)] = written;
  const other = Buffer.from(String(header).replace(/"format":\d+/, '"format":999'));
  const wrong = [
    [],
    [header],
    [...written, block],
    [header, Buffer.concat([block, block])],
    [other, block],
    [Buffer.from("{}"), block],
    [Buffer.from("null"), block],
    [block, block],
  ];
  for (let at = 0; at < header.length; at += 1) wrong.push([header.subarray(0, at), block]);
  for (let at = 0; at < block.length; at += 1) wrong.push([header, block.subarray(0, at)]);
  for (const each of wrong) expect(() => readSnapshot(partsOf(each), record)).toThrow(DAMAGED);
});

test("T3: a block that is another one of as many bytes is refused when it is looked at", async () => {
  const said = [1, 2].map((at) => ({ ...receive(at), content: "long ".repeat(100) }));
  const state = after(undefined, creation(), ...said, startTurn());
  const record = recordAt(state.head.seq);
  const [header = Buffer.alloc(0), block = Buffer.alloc(0)] = await writeSnapshot({ state, size: 1 }, record);
  const one = `[[{"kind":"tools","results":[]}],[]]`;
  for (const line of ["[[],[]]", "[[],[500]]", "[]", "", "[[{},{},{}],[500]]", one.padEnd(block.length - 1)]) {
    const another = Buffer.alloc(block.length, `${line}\n`);
    const read = readSnapshot(partsOf([header, another]), record);
    expect(() => read.state.entries.at(0)).toThrow();
    await expect(read.state.entries.unpack()).rejects.toThrow();
  }
});

test("a long conversation is in many blocks, and looking at its end unpacks one of them", async () => {
  const messages = Array.from({ length: 400 }, (_, at) => ({
    ...receive(at),
    content: `${at} `.repeat(4_000 + (at % 7)),
  }));
  const state = after(undefined, creation(), ...messages, startTurn());
  const record = recordAt(state.head.seq);
  const written = await writeSnapshot({ state, size: 1 }, record);
  expect(written.length).toBeGreaterThan(8);
  let unpacked = 0;
  const parts = partsOf(written, () => {
    unpacked += 1;
  });
  const { entries } = readSnapshot(parts, record).state;
  expect([entries.length, unpacked]).toEqual([state.entries.length, 1]);
  expect(entries.at(-1)).toEqual(state.entries.at(-1));
  expect(entries.at(-2)).toEqual(state.entries.at(-2));
  expect(unpacked).toBe(2);
  expect(entries.take(10).at(3)).toEqual(state.entries.at(3));
  expect(unpacked).toBe(3);
  await entries.unpack();
  expect([...entries]).toEqual([...state.entries]);
  expect(unpacked).toBe(written.length);
});

const DAMAGED = expect.objectContaining({ code: "SNAPSHOT_DAMAGED" });

async function writtenAndRead(folded: Folded, record: StoredRecord): Promise<Folded> {
  return readSnapshot(partsOf(await writeSnapshot(folded, record)), record);
}

function partsOf(written: readonly Buffer[], onUnpack?: () => void): Part[] {
  return written.map((bytes) => ({
    bytes: bytes.length,
    unpack() {
      onUnpack?.();
      return bytes;
    },
  }));
}
