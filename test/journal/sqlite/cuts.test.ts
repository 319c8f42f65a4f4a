/** The files are cut at every byte of the last three records: what is gone is named, the rest is served, and none of it deleted. */
import { cpSync, existsSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterAll, beforeAll, expect, test } from "vitest";
import type { BanyanError } from "../../../src/base/errors.ts";
import type { StoredRecord } from "../../../src/journal/journal.ts";
import { openSqliteJournal } from "../../../src/journal/sqlite/sqlite-journal.ts";
import { appendOf, idOf, inWorld, orderFrom, readAll } from "../../conformance/journal-world.ts";
import { sqliteWorld } from "./world.ts";

const agents = [1, 2, 3].map(idOf);
const textOf = (number: number) => `record ${number} `.repeat(8);
const LAST = [10, 11, 12];
/** Opening to write takes a thread. */
const WRITTEN_EVERY = 60;

let copies = "";
beforeAll(() => {
  copies = mkdtempSync(join(tmpdir(), "banyan-cuts-"));
});
afterAll(() => rmSync(copies, { recursive: true, force: true }));

test.each(["journal.db-wal", "journal.db"])(
  "1, J1, J5: %s cut at every byte of the last three records",
  { timeout: 120_000 },
  async (name) => {
    const world = await sqliteWorld();
    await inWorld(
      async () => world,
      async () => {
        const journal = await world.open();
        for (let number = 1; number <= 12; number += 1) {
          await journal.append([appendOf(String(agents[number % 3]), Math.ceil(number / 3) - 1, textOf(number))]);
        }
        const all = await orderFrom(journal);
        if (name === "journal.db") await journal.close();
        const sound = join(copies, "sound");
        rmSync(sound, { recursive: true, force: true });
        cpSync(world.folder, sound, { recursive: true, filter: (path) => !path.endsWith("-shm") });
        const bytes = readFileSync(join(sound, name));
        const cut = join(copies, "cut");
        let [cuts, lost] = [0, 0];
        for (const at of bytesOfLast(bytes)) {
          rmSync(cut, { recursive: true, force: true });
          cpSync(sound, cut, { recursive: true });
          writeFileSync(join(cut, name), bytes.subarray(0, at));
          cuts += 1;
          lost += await judge(cut, all).catch((error) => {
            throw new Error(`cut at ${at}: ${error.message}`, { cause: error });
          });
          expect(readFileSync(join(cut, name)).equals(bytes.subarray(0, at)), "nothing is deleted").toBe(true);
          if (cuts % WRITTEN_EVERY === 0) await goOn(cut, all);
        }
        expect(cuts).toBeGreaterThan(LAST.length * textOf(12).length);
        expect(lost).toBe(cuts);
      },
    );
  },
);

/** Places in the file, newest version of each page: the record's text, and some bytes before it. */
function bytesOfLast(bytes: Buffer): Set<number> {
  const places = new Set<number>();
  for (const number of LAST) {
    const at = bytes.lastIndexOf(textOf(number));
    expect(at).toBeGreaterThan(0);
    for (let place = at - 30; place <= at + textOf(number).length; place += 1) places.add(place);
  }
  return places;
}

/** 1 when something is gone, and all that is gone is known to be. */
async function judge(folder: string, all: readonly StoredRecord[]): Promise<number> {
  const opened = await openSqliteJournal({ folder, readOnly: true }).catch((error: BanyanError) => error);
  if (opened instanceof Error) {
    expect(opened.code).toBe("JOURNAL_DAMAGED");
    return 1;
  }
  const { damaged } = await opened.verify();
  const served: StoredRecord[] = [];
  for (const agent of agents) {
    const expected = all.filter((record) => record.agent === agent);
    const records = await readAll(opened, agent).catch((error: BanyanError) => {
      expect(error.code).toBe("JOURNAL_DAMAGED");
      return [];
    });
    expect(records).toEqual(expected.slice(0, records.length));
    served.push(...records);
  }
  await opened.close();
  if (served.length < all.length) expect(damaged.length, "what is gone is named").toBeGreaterThan(0);
  return damaged.length > 0 ? 1 : 0;
}

/** Who opens it to write goes on behind what was promised, or is refused, and is told of the loss for ever. */
async function goOn(folder: string, all: readonly StoredRecord[]): Promise<void> {
  const journal = await openSqliteJournal({ folder }).catch((error: BanyanError) => error);
  if (journal instanceof Error) {
    expect(journal.code).toBe("JOURNAL_DAMAGED");
    return;
  }
  const fresh = idOf(9);
  const refusal = await journal.append([appendOf(fresh, 0, "after")]).catch((error: BanyanError) => error);
  if (refusal) expect(refusal.code).toBe("JOURNAL_DAMAGED");
  else expect((await readAll(journal, fresh))[0]?.position).toBeGreaterThan(all.length);
  expect((await journal.verify()).damaged.length).toBeGreaterThan(0);
  await journal.close();
  expect(existsSync(join(folder, "journal.db"))).toBe(true);
}
