/** What someone, or a disk, did to the database behind the journal's back is found, named and not served (J5). */

import { join } from "node:path";
import { DatabaseSync } from "node:sqlite";
import { afterAll, beforeAll, expect, test } from "vitest";
import type { BanyanError } from "../../../src/base/errors.ts";
import type { Journal } from "../../../src/journal/journal.ts";
import { openSqliteJournal } from "../../../src/journal/sqlite/sqlite-journal.ts";
import { appendOf, headsOf, idOf, readAll } from "../../conformance/journal-world.ts";
import { makeSample, type Sample } from "./sample.ts";

let sample: Sample;
beforeAll(async () => {
  sample = await makeSample();
});
afterAll(() => sample.remove());

const HURT = idOf(3);
const of = (seq: number) => `agent = (SELECT n FROM agents WHERE id = '${HURT}') AND seq = ${seq}`;

/** What is done by SQL, the record of HURT that shows it first, and what verify says of which records. */
const CASES: readonly { name: string; sql: string; firstBad: number; named: readonly (number | undefined)[] }[] = [
  { name: "a text is changed", sql: `UPDATE events SET body = 'x' || body WHERE ${of(5)}`, firstBad: 5, named: [5] },
  { name: "a type is changed", sql: `UPDATE events SET type = 'held' WHERE ${of(5)}`, firstBad: 5, named: [5] },
  { name: "a time is changed", sql: `UPDATE events SET time = time + 1 WHERE ${of(5)}`, firstBad: 5, named: [5] },
  { name: "a check value is changed", sql: `UPDATE events SET crc = crc + 1 WHERE ${of(5)}`, firstBad: 5, named: [5] },
  { name: "a record is deleted", sql: `DELETE FROM events WHERE ${of(5)}`, firstBad: 5, named: [undefined, 5] },
  { name: "the first is deleted", sql: `DELETE FROM events WHERE ${of(1)}`, firstBad: 1, named: [undefined, 1] },
  { name: "the newest is deleted", sql: `DELETE FROM events WHERE ${of(50)}`, firstBad: 50, named: [undefined, 50] },
  {
    name: "two texts are exchanged",
    sql: `CREATE TEMP TABLE t AS SELECT seq, body FROM events WHERE ${of(5)} OR ${of(8)};
          UPDATE events SET body = (SELECT body FROM t WHERE t.seq = 13 - events.seq) WHERE ${of(5)} OR ${of(8)}`,
    firstBad: 5,
    named: [5, 8],
  },
  {
    // Which record stood before 6 and 9 nobody can tell any more.
    name: "two records are exchanged",
    sql: `UPDATE events SET seq = 1005 WHERE ${of(5)}; UPDATE events SET seq = 5 WHERE ${of(8)};
          UPDATE events SET seq = 8 WHERE ${of(1005)}`,
    firstBad: 5,
    named: [5, 6, 8, 9],
  },
  {
    name: "two positions are exchanged",
    sql: `UPDATE events SET position = -1 WHERE ${of(5)}; UPDATE events SET position = 25 WHERE ${of(8)};
          UPDATE events SET position = 36 WHERE position = -1`,
    firstBad: 5,
    named: [5, 8],
  },
  {
    name: "a record is duplicated behind the newest",
    sql: `INSERT INTO events SELECT 1000, agent, 51, time, type, body, crc FROM events WHERE ${of(50)}`,
    firstBad: 51,
    named: [undefined, 51, 51],
  },
];

test.each(CASES)("J5: $name", async ({ sql, firstBad, named }) => {
  await tampered(sql, async (journal) => {
    const { served, error } = await untilDamage(journal.read(HURT));
    expect(served).toEqual(sample.records.get(HURT)?.slice(0, firstBad - 1));
    expect(error).toMatchObject({ code: "JOURNAL_DAMAGED", agent: HURT });
    expect(error?.message).toContain(`record ${firstBad} of ${HURT}`);
    for (const agent of sample.agents.filter((each) => each !== HURT)) {
      expect(await readAll(journal, agent)).toEqual(sample.records.get(agent));
    }
    const followed = await untilDamage(journal.follow(0, new AbortController().signal));
    expect(followed.served).toEqual(sample.order.slice(0, followed.served.length));
    expect(followed.error).toMatchObject({ code: "JOURNAL_DAMAGED" });
    const { damaged } = await journal.verify();
    expect(damaged.map(({ seq }) => seq)).toEqual(named);
  });
});

const ROW = `UPDATE agents SET %s WHERE id = '${HURT}'`;
const NOBODY = idOf(99);

/** What is done to what the journal knows of an agent: nothing of the agent is served then. */
const KNOWLEDGE = [
  { name: "its end is moved back", sql: ROW.replace("%s", "seq = seq - 1") },
  { name: "its end is moved on", sql: ROW.replace("%s", "seq = seq + 1") },
  { name: "the check value of its end is changed", sql: ROW.replace("%s", "crc = crc + 1") },
  { name: "its sum is changed", sql: ROW.replace("%s", "sum = sum + 1") },
  { name: "it is said to be a fork", sql: ROW.replace("%s", `origin = '${idOf(1)}', origin_seq = 3`) },
];

test.each(KNOWLEDGE)("J5: $name", async ({ sql }) => {
  await tampered(sql, async (journal) => {
    const refused = { code: "JOURNAL_DAMAGED", agent: HURT };
    await expect(readAll(journal, HURT)).rejects.toMatchObject(refused);
    await expect(journal.head(HURT)).rejects.toMatchObject(refused);
    await expect(journal.positionOf(HURT, 1)).rejects.toMatchObject(refused);
    await expect(journal.seqAt(HURT, 100)).rejects.toMatchObject(refused);
    const heads = await headsOf(journal);
    expect(heads.find(({ agent }) => agent === HURT)?.summary).toBeUndefined();
    expect(heads.filter(({ agent }) => agent !== HURT)).toEqual(sample.heads.filter(({ agent }) => agent !== HURT));
    const { damaged } = await journal.verify();
    expect(damaged).toContainEqual(expect.objectContaining({ agent: HURT, what: expect.stringContaining("damaged") }));
  });
});

test("J5: an agent whose id is changed is missed under the old one and refused under the new", async () => {
  await tampered(ROW.replace("%s", `id = '${NOBODY}'`), async (journal) => {
    await expect(readAll(journal, NOBODY)).rejects.toMatchObject({ code: "JOURNAL_DAMAGED", agent: NOBODY });
    expect((await journal.verify()).damaged).toContainEqual(expect.objectContaining({ agent: NOBODY }));
  });
});

test("J5: an agent whose row is gone is named by its number", async () => {
  await tampered(`DELETE FROM agents WHERE id = '${HURT}'`, async (journal) => {
    const followed = await untilDamage(journal.follow(0, new AbortController().signal));
    expect(followed.served).toHaveLength(4);
    expect(followed.error?.message).toContain("agent number 3");
    const what = "what the journal knew of the agents numbered 3 to 3 is gone";
    expect((await journal.verify()).damaged).toEqual([{ agent: undefined, seq: undefined, what }]);
    expect(await headsOf(journal)).toHaveLength(sample.agents.length - 1);
  });
});

test("J5: a summary that is changed is not served; the records are", async () => {
  const sql = `UPDATE summaries SET text = text || ' ' WHERE n = (SELECT n FROM agents WHERE id = '${HURT}')`;
  await tampered(sql, async (journal) => {
    expect(await journal.head(HURT)).toEqual({ ...sample.heads[2], summary: undefined });
    expect((await headsOf(journal))[2]).toEqual({ ...sample.heads[2], summary: undefined });
    expect(await readAll(journal, HURT)).toEqual(sample.records.get(HURT));
    expect((await journal.verify()).damaged).toEqual([
      { agent: HURT, seq: sample.heads[2]?.summary?.seq, what: "its summary is damaged" },
    ]);
  });
});

test("J5: a fork whose origin is damaged is refused where it begins", async () => {
  const [fork, origin] = [idOf(6), idOf(2)];
  const sql = `DELETE FROM events WHERE seq = 10 AND agent = (SELECT n FROM agents WHERE id = '${origin}')`;
  await tampered(sql, async (journal) => {
    await expect(readAll(journal, fork)).rejects.toMatchObject({ code: "JOURNAL_DAMAGED" });
    expect(await readAll(journal, idOf(7))).toEqual(sample.records.get(idOf(7)));
  });
});

test("J5: nothing is appended to an agent whose end is damaged; others go on, in the same commit too", async () => {
  const folder = sample.copy();
  change(folder, `DELETE FROM events WHERE ${of(50)}`);
  const journal = await openSqliteJournal({ folder });
  const results = await Promise.allSettled([
    journal.append([appendOf(idOf(1), 50, "on")]),
    journal.append([appendOf(HURT, 50, "on")]),
    journal.append([appendOf(HURT, 49, "on")]),
    journal.append([appendOf(idOf(4), 50, "on")]),
  ]);
  expect(results.map((result) => (result.status === "rejected" ? result.reason.code : "appended"))).toEqual([
    "appended",
    "JOURNAL_DAMAGED",
    "JOURNAL_DAMAGED",
    "appended",
  ]);
  await journal.close();
});

async function tampered(sql: string, use: (journal: Journal) => Promise<void>): Promise<void> {
  const folder = sample.copy();
  change(folder, sql);
  const journal = await openSqliteJournal({ folder, readOnly: true });
  try {
    await use(journal);
  } finally {
    await journal.close();
  }
}

function change(folder: string, sql: string): void {
  const database = new DatabaseSync(join(folder, "journal.db"));
  database.exec(sql);
  database.close();
}

async function untilDamage<T>(batches: AsyncIterable<T[]>) {
  const served: T[] = [];
  try {
    for await (const batch of batches) served.push(...batch);
    return { served, error: undefined };
  } catch (error) {
    return { served, error: error as BanyanError };
  }
}
