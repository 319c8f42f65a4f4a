/** What a journal counts of its appends. */
import { expect, test } from "vitest";
import { appendOf, idOf } from "../conformance/journal-world.ts";
import { sqliteWorld } from "./sqlite/world.ts";

test("what was acknowledged is counted with its records and bytes; what was refused is not", async () => {
  const world = await sqliteWorld();
  const journal = await world.open();
  expect(journal.appended).toEqual({ appends: 0, records: 0, bytes: 0, waitMs: 0 });
  await Promise.all([
    journal.append([appendOf(idOf(1), 0, "one", "two")]),
    journal.append([{ ...appendOf(idOf(2), 0, "three"), summary: "sum" }]),
  ]);
  await expect(journal.append([appendOf(idOf(1), 7, "late")])).rejects.toMatchObject({ code: "JOURNAL_CONFLICT" });
  const bytes = "onetwothree".length + 3 * "said".length + "sum".length;
  expect(journal.appended).toMatchObject({ appends: 2, records: 3, bytes });
  expect(journal.appended?.waitMs).toBeGreaterThan(0);
  expect((await world.openReadOnly()).appended).toBeUndefined();
  await world.dispose();
});
