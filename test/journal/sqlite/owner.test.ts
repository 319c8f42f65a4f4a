/** One owner, whom readers do not trouble, and files for their owner alone. */
import { execFileSync } from "node:child_process";
import { readdirSync, statSync } from "node:fs";
import { join } from "node:path";
import { expect, test } from "vitest";
import { openSqliteJournal } from "../../../src/journal/sqlite/sqlite-journal.ts";
import { appendOf, bodies, idOf, inWorld } from "../../conformance/journal-world.ts";
import { type SqliteWorld, sqliteWorld } from "./world.ts";

const a = idOf(1);

const inFolder = (use: (world: SqliteWorld) => Promise<void>) => async () => {
  const world = await sqliteWorld();
  await inWorld(
    async () => world,
    () => use(world),
  );
};

/** Opens the journal in another process and prints what came of it. */
function elsewhere(folder: string): string {
  const module = new URL("../../../src/journal/sqlite/sqlite-journal.ts", import.meta.url).href;
  const program = `
    const { openSqliteJournal } = await import(${JSON.stringify(module)});
    const [folder] = process.argv.slice(1);
    const refusal = await openSqliteJournal({ folder }).then((journal) => journal.close(), (error) => error);
    const reader = await openSqliteJournal({ folder, readOnly: true });
    console.log(JSON.stringify({ code: refusal?.code, message: refusal?.message, position: await reader.position() }));
    await reader.close();`;
  return execFileSync(process.execPath, ["--input-type=module", "-e", program, folder], { encoding: "utf8" });
}

test(
  "2, J2: a second opener is refused with the owner's process id, in this process and from another, which may read",
  inFolder(async ({ folder, open }) => {
    const journal = await open();
    await journal.append([appendOf(a, 0, "1", "2")]);
    const owned = { code: "DATA_IN_USE", message: `process ${process.pid} runs on the data in ${folder}` };
    await expect(openSqliteJournal({ folder })).rejects.toMatchObject(owned);
    expect(JSON.parse(elsewhere(folder))).toEqual({ ...owned, position: 2 });
    await journal.append([appendOf(a, 2, "3")]);
    await journal.close();
    expect(JSON.parse(elsewhere(folder))).toEqual({ position: 3 });
  }),
);

test(
  "J1: a reader beside a writer sees what was acknowledged, and writes nothing",
  inFolder(async ({ open, openReadOnly }) => {
    const journal = await open();
    await journal.append([appendOf(a, 0, "1")]);
    const reader = await openReadOnly();
    expect(reader.epoch).toBe(0);
    for (let seq = 1; seq < 30; seq += 1) {
      await journal.append([appendOf(a, seq, `${seq + 1}`)]);
      expect(await bodies(reader, a)).toHaveLength(seq + 1);
    }
    await expect(reader.append([appendOf(a, 30, "31")])).rejects.toMatchObject({ code: "SHUTTING_DOWN" });
    expect((await reader.verify()).damaged).toEqual([]);
    await journal.close();
    expect(await bodies(reader, a)).toHaveLength(30);
  }),
);

test(
  "the folder has mode 0700 and its files 0600, while it is open and afterwards",
  inFolder(async ({ folder, open }) => {
    const modes = () => readdirSync(folder).map((name) => [name, statSync(join(folder, name)).mode & 0o777]);
    const journal = await open();
    await journal.append([appendOf(a, 0, "1")]);
    expect(modes().map(([name]) => name)).toEqual(expect.arrayContaining(["journal.db", "journal.db-wal", "witness"]));
    for (const [name, mode] of modes()) expect([name, mode]).toEqual([name, 0o600]);
    await journal.close();
    for (const [name, mode] of modes()) expect([name, mode]).toEqual([name, 0o600]);
    // The folder of this world was there before the journal.
    const made = join(folder, "made");
    await (await openSqliteJournal({ folder: made })).close();
    expect(statSync(made).mode & 0o777).toBe(0o700);
  }),
);
