/** What a journal counts of its appends. */
import { expect, test } from "vitest";
import { appendOf, idOf } from "../conformance/journal-world.ts";
import { sqliteWorld } from "./sqlite/world.ts";

test("what was acknowledged is counted with its records and bytes; what was refused is not", async () => {
  const world = await sqliteWorld();
  const journal = await world.open();
  expect(journal.appended?.soFar).toEqual({ appends: 0, records: 0, bytes: 0 });
  const waits: number[] = [];
  const forget = journal.appended?.watch((waitMs) => waits.push(waitMs));
  await Promise.all([
    journal.append([appendOf(idOf(1), 0, "one", "two")]),
    journal.append([{ ...appendOf(idOf(2), 0, "three"), summary: "sum" }]),
  ]);
  await expect(journal.append([appendOf(idOf(1), 7, "late")])).rejects.toMatchObject({ code: "JOURNAL_CONFLICT" });
  const bytes = "onetwothree".length + 3 * "said".length + "sum".length;
  expect(journal.appended?.soFar).toEqual({ appends: 2, records: 3, bytes });
  expect(waits.map((waitMs) => waitMs > 0)).toEqual([true, true]);
  forget?.();
  await journal.append([appendOf(idOf(3), 0, "x")]);
  expect(waits).toHaveLength(2);
  expect((await world.openReadOnly()).appended).toBeUndefined();
  await world.dispose();
});
