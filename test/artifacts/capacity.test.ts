/** The forecast against a history whose bytes are known. */
import { expect, test } from "vitest";
import { forecast } from "../../src/artifacts/capacity.ts";
import { ManualClock } from "../../src/base/clock.ts";
import { digestOf } from "../../src/blobs/blobs.ts";
import { MemoryJournal } from "../../src/journal/memory/memory-journal.ts";
import { idOf } from "../conformance/journal-world.ts";
import { HastyClock } from "../support/hasty-clock.ts";

const DAY_MS = 86_400_000;
const MIDNIGHT = Math.floor(1_700_000_000_000 / DAY_MS) * DAY_MS;

function recordOf(day: number, bytes: number, seed: number) {
  const body = JSON.stringify({ digest: digestOf(Buffer.from(`${seed}`)), bytes });
  return { record: { time: MIDNIGHT + day * DAY_MS, type: "artifact.written", body }, bytes: bytes + body.length };
}

test("Y1, Y2: bytes count once, on their first day, by tree; the disk is full when what is free is used up at the pace of the last week", async () => {
  const clock = new HastyClock(MIDNIGHT + 20 * DAY_MS);
  const journal = new MemoryJournal();
  const [old, first, again, other] = [
    recordOf(0, 50_000, 1),
    recordOf(18, 700_000, 2),
    recordOf(19, 700_000, 2),
    recordOf(19, 10_000, 3),
  ];
  const append = (agent: number, ...records: { record: (typeof old)["record"] }[]) =>
    journal.append([{ agent: idOf(agent), expectedSeq: 0, records: records.map(({ record }) => record) }]);
  await append(1, old, first);
  await append(2, again);
  await append(3, other);
  const written = old.bytes + first.bytes + (again.bytes - 700_000) + other.bytes;
  const found = await forecast({
    ...{ journal, clock, storedBytes: written / 2, freeBytes: 1_000_000 },
    rootOf: (agent) => (agent === idOf(2) ? idOf(1) : agent),
  });
  const lately = written - old.bytes;
  const perDay = Math.round(lately / 2 / 7);
  expect(found).toMatchObject({
    writtenBytes: written,
    bytesPerDay: perDay,
    daysUntilFull: Math.floor(1_000_000 / perDay),
  });
  expect(found.days.map(({ bytes }) => bytes)).toEqual([old.bytes, first.bytes, again.bytes - 700_000 + other.bytes]);
  expect(found.trees).toEqual([
    { root: idOf(1), bytes: old.bytes + first.bytes + again.bytes - 700_000, ageMs: DAY_MS },
    { root: idOf(3), bytes: other.bytes, ageMs: DAY_MS },
  ]);
  await journal.close();
});

test("data without records does not grow", async () => {
  const found = await forecast({
    ...{ journal: new MemoryJournal(), clock: new ManualClock(), storedBytes: 4_096, freeBytes: 10 },
    rootOf: (agent) => agent,
  });
  expect(found).toMatchObject({ writtenBytes: 0, bytesPerDay: 0, daysUntilFull: null, days: [], trees: [] });
});
