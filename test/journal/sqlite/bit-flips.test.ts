/** Single bits of the database file are flipped: each is found and named, or does no harm; none changes what is served (J5). */
import { readFileSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { isDeepStrictEqual } from "node:util";
import { afterAll, beforeAll, expect, test } from "vitest";
import { systemClock, type Timer } from "../../../src/base/clock.ts";
import type { BanyanError } from "../../../src/base/errors.ts";
import { randomInt, seededRandom } from "../../../src/base/random.ts";
import type { Journal, JournalHead } from "../../../src/journal/journal.ts";
import { openSqliteJournal } from "../../../src/journal/sqlite/sqlite-journal.ts";
import { appendOf } from "../../conformance/journal-world.ts";
import { makeSample, type Sample } from "./sample.ts";

const FLIPS = Number(process.env.BIT_FLIPS ?? 10_000);
/** One takes some 10 ms of one core. */
const TIMEOUT_MS = 120_000 + FLIPS * 60;
const SEED = 20_260_101;
/** Opening for writing takes a thread, so only some are written to. */
const WRITTEN = 15;

let sample: Sample;
let sound: Buffer;
beforeAll(async () => {
  sample = await makeSample();
  sound = readFileSync(join(sample.folder, "journal.db"));
});
afterAll(() => sample.remove());

test(`J5: of ${FLIPS} flipped bits none changes what is served, and each that hides anything is named`, {
  timeout: TIMEOUT_MS,
}, async () => {
  const random = seededRandom(SEED);
  const folder = sample.copy();
  const seen = { refused: 0, named: 0, harmless: 0, hurtAgents: 0 };
  for (let flip = 0; flip < FLIPS; flip += 1) {
    const bit = randomInt(random, sound.length * 8);
    writeFlipped(folder, bit);
    const outcome = await judge(folder).catch((error) => {
      throw new Error(`bit ${bit} of ${sound.length * 8}: ${(error as Error).message}`, { cause: error });
    });
    seen[outcome.is] += 1;
    seen.hurtAgents += outcome.hurtAgents;
  }
  expect(seen.refused + seen.named + seen.harmless).toBe(FLIPS);
  // Most bits belong to records, and a record to one agent: the others stay whole.
  expect(seen.named).toBeGreaterThan(FLIPS / 2);
  expect(seen.hurtAgents).toBeLessThan(seen.named * 1.5);
});

test(`J5: ${WRITTEN} journals with a flipped bit take appends, or refuse them, and serve nothing wrong`, {
  timeout: 60_000,
}, async () => {
  const random = seededRandom(SEED + 1);
  for (let flip = 0; flip < WRITTEN; flip += 1) {
    const folder = sample.copy();
    writeFlipped(folder, randomInt(random, sound.length * 8));
    const journal = await openOrRefuse(() => openSqliteJournal({ folder }));
    if (!journal) continue;
    for (const { agent, seq } of sample.heads) {
      const error = await journal.append([appendOf(agent, seq, "on")]).catch((refusal) => refusal);
      if (error) expect(["JOURNAL_DAMAGED", "JOURNAL_CONFLICT"]).toContain((error as BanyanError).code);
      const { items } = await served(journal.read(agent));
      const expected = [...(sample.records.get(agent) ?? []).map(({ body }) => body), "on"];
      expect(items.map(({ body }) => body)).toEqual(expected.slice(0, items.length));
    }
    await journal.close();
  }
});

function writeFlipped(folder: string, bit: number): void {
  const bytes = Buffer.from(sound);
  const at = bit >> 3;
  bytes[at] = (bytes[at] ?? 0) ^ (1 << (bit & 7));
  writeFileSync(join(folder, "journal.db"), bytes);
}

type Outcome = { readonly is: "refused" | "named" | "harmless"; readonly hurtAgents: number };

/** @throws when anything that is served differs from what was appended, or is hidden without being named */
async function judge(folder: string): Promise<Outcome> {
  const stop = new AbortController();
  const clock = { ...systemClock(), timer: () => endOfFollow(stop) };
  const journal = await openOrRefuse(() => openSqliteJournal({ folder, readOnly: true, clock }));
  if (!journal) return { is: "refused", hurtAgents: 0 };
  const isNamed = (await journal.verify()).damaged.length > 0;
  let hurtAgents = 0;
  for (const agent of sample.agents) {
    const { items, refusal } = await served(journal.read(agent));
    const expected = sample.records.get(agent) ?? [];
    expect(items).toEqual(expected.slice(0, items.length));
    expect(refusal?.code ?? items.length).toBe(refusal ? "JOURNAL_DAMAGED" : expected.length);
    if (refusal) hurtAgents += 1;
  }
  const followed = await served(journal.follow(0, stop.signal));
  expect(followed.items).toEqual(sample.order.slice(0, followed.items.length));
  expect(followed.refusal?.code ?? followed.items.length).toBe(
    followed.refusal ? "JOURNAL_DAMAGED" : sample.order.length,
  );

  const heads = await served(journal.heads());
  const known = new Map(sample.heads.map((head) => [head.agent, head]));
  const isWrong = (head: JournalHead) => head.summary !== undefined && !isDeepStrictEqual(head, known.get(head.agent));
  expect(heads.items.filter(isWrong)).toEqual([]);
  const isWhole = !heads.refusal && isDeepStrictEqual(heads.items, sample.heads);
  if (hurtAgents > 0 || followed.refusal || !isWhole) expect(isNamed, "what is hidden is named").toBe(true);
  await journal.close();
  return { is: isNamed ? "named" : "harmless", hurtAgents };
}

/** The follower has seen all there is and would wait. */
function endOfFollow(stop: AbortController): Timer {
  queueMicrotask(() => stop.abort());
  return { cancel: () => {} };
}

/** What a damaged journal may say when it is opened. */
async function openOrRefuse(open: () => Promise<Journal>): Promise<Journal | undefined> {
  try {
    return await open();
  } catch (error) {
    expect(["JOURNAL_DAMAGED", "EVENT_INVALID"]).toContain((error as BanyanError).code);
    return undefined;
  }
}

async function served<T>(batches: AsyncIterable<T[]>): Promise<{ items: T[]; refusal: BanyanError | undefined }> {
  const items: T[] = [];
  try {
    for await (const batch of batches) items.push(...batch);
    return { items, refusal: undefined };
  } catch (error) {
    return { items, refusal: error as BanyanError };
  }
}
