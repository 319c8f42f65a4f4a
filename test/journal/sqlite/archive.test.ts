/** Bodies that were moved to an archive: what is read is the same, whatever fails on the way (X1, X2, X3). */
import fc from "fast-check";
import { expect, test } from "vitest";
import { BanyanError } from "../../../src/base/errors.ts";
import { randomInt, seededRandom } from "../../../src/base/random.ts";
import type { Journal, StoredRecord } from "../../../src/journal/journal.ts";
import { appendOf, collect, forkOf, headsOf, idOf, orderFrom, readAll } from "../../conformance/journal-world.ts";
import { type ArchivedWorld, archivedWorld, archivingOf, moveOut } from "./archived-world.ts";

const [a, b, c, d] = [idOf(1), idOf(2), idOf(3), idOf(4)] as const;
const LONG = "what was said ".repeat(400);
const FLIPS = Number(process.env.ARCHIVE_FLIPS ?? 300);

/** All that can be asked of the journal about these agents. */
async function allOf(journal: Journal, agents: readonly string[]) {
  const records: StoredRecord[][] = [];
  const places: unknown[] = [];
  for (const agent of agents) {
    const own = await readAll(journal, agent);
    records.push(own, await readAll(journal, agent, { from: 2, to: 3 }));
    for (const { seq, position } of own) {
      places.push(await journal.positionOf(agent, seq), await journal.seqAt(agent, position));
    }
  }
  return {
    ...{ records, places, heads: await headsOf(journal), late: await collect(journal.heads({ after: 3 })) },
    ...{ order: await orderFrom(journal), part: await orderFrom(journal, 4), position: await journal.position() },
    verified: await journal.verify(),
  };
}

async function inArchive(use: (journal: Journal, world: ArchivedWorld) => Promise<void>): Promise<void> {
  const world = await archivedWorld();
  try {
    await use(await world.open(), world);
  } finally {
    await world.dispose();
  }
}

/** Four agents, one of them a fork, whose records stand among each other's. */
async function fill(journal: Journal): Promise<void> {
  await journal.append([appendOf(a, 0, LONG, ""), appendOf(b, 0, LONG)]);
  await journal.append([appendOf(b, 1, "two", LONG)]);
  await journal.append([forkOf(c, { agent: a, seq: 1 }, LONG, "four")]);
  await journal.append([appendOf(d, 0, LONG), appendOf(a, 2, LONG)]);
}

test("X2: what is read is the same before a move, after it, in another process, and after it came back", () =>
  inArchive(async (journal, world) => {
    await fill(journal);
    const agents = [a, b, c, d];
    const before = await allOf(journal, agents);
    expect(await moveOut(journal, a, b)).toBe(1);
    expect(await allOf(journal, agents)).toEqual(before);
    expect(await moveOut(journal, c)).toBe(1);
    expect(await allOf(await world.openReadOnly(), agents)).toEqual(before);
    await journal.close();
    const again = await world.open();
    expect(await allOf(again, agents)).toEqual(before);
    const back = await Array.fromAsync(archivingOf(again).bringBack(a));
    expect(back.map(({ root, records }) => [root, records])).toEqual([[a, 6]]);
    world.archive.parts.delete(`shelf/${back[0]?.key}`);
    expect(await allOf(again, agents)).toEqual(before);
    expect(
      archivingOf(again)
        .parts()
        .map(({ root }) => root),
    ).toEqual([c]);
  }));

test("an agent whose past is away takes appends, and is forked from any record", () =>
  inArchive(async (journal) => {
    await fill(journal);
    await moveOut(journal, a, b, c, d);
    await journal.append([appendOf(a, 3, "on")]);
    await journal.append([forkOf(idOf(5), { agent: a, seq: 2 }, "forked")]);
    await journal.append([forkOf(idOf(6), { agent: a, seq: 4 }, "forked late")]);
    expect((await readAll(journal, a)).map(({ body }) => body)).toEqual([LONG, "", LONG, "on"]);
    expect((await journal.verify()).damaged).toEqual([]);
    // What came since is moved too, and what was moved before is left alone.
    expect(await moveOut(journal, a)).toBe(1);
    expect(await moveOut(journal, a)).toBe(0);
    expect(
      archivingOf(journal)
        .parts(a)
        .map(({ records }) => records),
    ).toEqual([9, 1]);
    expect((await readAll(journal, a)).map(({ body }) => body)).toEqual([LONG, "", LONG, "on"]);
  }));

test("X2: random lives with moves out and back read as those of a journal that never moved anything", {
  timeout: 60_000,
}, async () => {
  const step = fc.record({ what: fc.nat(9), agent: fc.nat(3), from: fc.nat(3), long: fc.boolean() });
  await fc.assert(
    fc.asyncProperty(fc.array(step, { minLength: 4, maxLength: 25 }), async (steps) => {
      const plain = await archivedWorld();
      const moved = await archivedWorld();
      try {
        const journals = { plain: await plain.open(), moved: await moved.open() };
        const ends = new Map<string, number>();
        for (const { what, agent, from, long } of steps) {
          const [id, origin] = [idOf(agent + 1), idOf(from + 1)];
          const text = long ? LONG : "x";
          const seq = ends.get(id);
          const isFork = seq === undefined && what % 2 === 0 && ends.has(origin);
          const append = isFork
            ? forkOf(id, { agent: origin, seq: ends.get(origin) ?? 0 }, text)
            : appendOf(id, seq ?? 0, text, "");
          if (what < 7) {
            ends.set(id, append.expectedSeq + append.records.length);
            for (const journal of Object.values(journals)) await journal.append([append]);
          } else if (seq !== undefined && what < 9) await moveOut(journals.moved, id);
          else await Array.fromAsync(archivingOf(journals.moved).bringBack(id));
        }
        const agents = [...ends.keys()];
        expect(await allOf(journals.moved, agents)).toEqual(await allOf(journals.plain, agents));
      } finally {
        await plain.dispose();
        await moved.dispose();
      }
    }),
    { numRuns: 40 },
  );
});

test("X1: an archive that fails, or does not hold what it was given, moves nothing; the next try does, into the same part", () =>
  inArchive(async (journal, { archive }) => {
    await fill(journal);
    const before = await allOf(journal, [a, b, c, d]);
    for (const failing of ["put", "get"] as const) {
      archive.before = (what) => {
        if (what === failing) throw new BanyanError("STORE_FAILED", "out of reach");
      };
      await expect(moveOut(journal, a, b)).rejects.toMatchObject({ code: "STORE_FAILED" });
    }
    archive.before = (what, key) => {
      if (what === "get") archive.parts.set(`shelf/${key}`, Buffer.from("other bytes"));
    };
    await expect(moveOut(journal, a, b)).rejects.toMatchObject({ code: "JOURNAL_DAMAGED" });
    expect(archivingOf(journal).parts()).toEqual([]);
    archive.before = () => undefined;
    expect(await moveOut(journal, a, b)).toBe(1);
    expect(archive.parts.size).toBe(1);
    expect(await allOf(journal, [a, b, c, d])).toEqual(before);
  }));

test("X2: a part that is missing is damage to the agents whose records it has; what is not in it is served", () =>
  inArchive(async (journal, { archive }) => {
    await fill(journal);
    await moveOut(journal, a);
    await moveOut(journal, b);
    await journal.append([appendOf(a, 3, "on")]);
    const key = archivingOf(journal).parts(a)[0]?.key;
    archive.parts.delete(`shelf/${key}`);
    const damaged = { code: "JOURNAL_DAMAGED", message: expect.stringContaining("is missing from the archive") };
    await expect(readAll(journal, a)).rejects.toMatchObject(damaged);
    await expect(orderFrom(journal)).rejects.toMatchObject(damaged);
    expect((await readAll(journal, a, { from: 4 })).map(({ body }) => body)).toEqual(["on"]);
    expect((await readAll(journal, b)).map(({ body }) => body)).toEqual([LONG, "two", LONG]);
    expect((await journal.verify()).damaged).toEqual([
      { agent: a, seq: 1, what: expect.stringContaining("is missing from the archive") },
    ]);
    // Neither order nor place needs the bodies.
    expect([await journal.position(), await journal.positionOf(a, 2)]).toEqual([10, 2]);
  }));

test("X2: a store that is out of reach is no damage, and is told as what it is", () =>
  inArchive(async (journal, { archive }) => {
    await fill(journal);
    await moveOut(journal, a);
    archive.before = () => {
      throw new BanyanError("STORE_FAILED", "out of reach");
    };
    await expect(readAll(journal, a)).rejects.toMatchObject({ code: "STORE_FAILED" });
    archive.before = () => undefined;
    expect(await readAll(journal, a)).toHaveLength(3);
  }));

test("X2: a record that comes back while its part is read is served", () =>
  inArchive(async (journal, { archive }) => {
    await fill(journal);
    await moveOut(journal, a);
    const gate = Promise.withResolvers<void>();
    const asked = Promise.withResolvers<void>();
    const get = archive.get.bind(archive);
    archive.get = async (place, key) => {
      asked.resolve();
      await gate.promise;
      return get(place, key);
    };
    const reading = readAll(journal, a);
    await asked.promise;
    archive.get = get;
    for await (const { key } of archivingOf(journal).bringBack(a)) archive.parts.delete(`shelf/${key}`);
    gate.resolve();
    expect((await reading).map(({ body }) => body)).toEqual([LONG, "", LONG]);
  }));

test(`X2: of ${FLIPS} flipped bits in a part none changes what is served`, { timeout: 30_000 + FLIPS * 30 }, () =>
  inArchive(async (journal, world) => {
    await fill(journal);
    await moveOut(journal, a, b, c, d);
    await journal.close();
    const [[name, sound] = ["", new Uint8Array()]] = world.archive.parts;
    const random = seededRandom(7);
    for (let flip = 0; flip < FLIPS; flip++) {
      const bytes = Buffer.from(sound);
      const bit = randomInt(random, bytes.length * 8);
      bytes[bit >> 3] = (bytes[bit >> 3] ?? 0) ^ (1 << (bit & 7));
      world.archive.parts.set(name, bytes);
      const reader = await world.openReadOnly();
      await expect(readAll(reader, a), `bit ${bit}`).rejects.toMatchObject({ code: "JOURNAL_DAMAGED" });
      await reader.close();
    }
  }),
);

test("nothing that is damaged is moved", () =>
  inArchive(async (journal, world) => {
    await fill(journal);
    await journal.close();
    const { DatabaseSync } = await import("node:sqlite");
    const database = new DatabaseSync(`${world.folder}/journal.db`);
    database.exec("UPDATE events SET body = 'else' WHERE position = 3");
    database.close();
    const again = await world.open();
    await expect(moveOut(again, a, b)).rejects.toMatchObject({ code: "JOURNAL_DAMAGED" });
    expect([...world.archive.parts.keys(), ...archivingOf(again).parts()]).toEqual([]);
  }));

test("X3: a long past is moved in parts, gives its room back, and is read without fetching a part twice", () =>
  inArchive(async (journal, { archive }) => {
    const texts = Array.from({ length: 60 }, (_, index) => `${index} ${"said ".repeat(20_000)}`);
    for (const [seq, text] of texts.entries()) {
      await journal.append([appendOf(a, seq, text), appendOf(b, seq, "short")]);
    }
    const before = archivingOf(journal).room();
    const parts = await moveOut(journal, a);
    expect(parts).toBeGreaterThan(4);
    const after = archivingOf(journal).room();
    expect(after.freeBytes).toBeGreaterThan(before.bytes * 0.9);
    const fetched: string[] = [];
    archive.before = (what, key) => fetched.push(`${what} ${key}`);
    expect((await readAll(journal, a)).map(({ body }) => body)).toEqual(texts);
    expect(await orderFrom(journal)).toHaveLength(120);
    expect(fetched).toHaveLength(parts);
  }));

test("without an archive at hand, a journal with records in one says so, and serves the rest", () =>
  inArchive(async (journal, { folder }) => {
    await fill(journal);
    await moveOut(journal, a);
    await journal.close();
    const { openSqliteJournal } = await import("../../../src/journal/sqlite/sqlite-journal.ts");
    const bare = await openSqliteJournal({ folder, readOnly: true });
    await expect(readAll(bare, a)).rejects.toMatchObject({ code: "CONFIG_INVALID" });
    expect(await readAll(bare, b)).toHaveLength(3);
    await bare.close();
  }));
