/** A scrub finds all that is not sound, mends what somebody else has, and keeps to its rate. */
import { readFileSync, writeFileSync } from "node:fs";
import { expect, test } from "vitest";
import { scrub } from "../../src/artifacts/scrub.ts";
import { ManualClock, systemClock } from "../../src/base/clock.ts";
import { type Random, randomInt, seededRandom } from "../../src/base/random.ts";
import type { Digest } from "../../src/blobs/blobs.ts";
import { KIND } from "../../src/blobs/fs/packs/record.ts";
import { MemoryBlobs } from "../../src/blobs/memory/memory-blobs.ts";
import { MemoryJournal } from "../../src/journal/memory/memory-journal.ts";
import { fsBlobsWorld, recordsIn } from "../blobs/fs/world.ts";
import { bytesOf } from "../conformance/blobs-world.ts";
import { appendOf, idOf } from "../conformance/journal-world.ts";

/** Bit flips; more with BLOB_HARMS. */
const HARMS = Number(process.env.BLOB_HARMS ?? 40);

const written = (digest: Digest, bytes: number) => ({
  type: "artifact.written",
  body: JSON.stringify({ artifact: { name: "a", digest, bytes, mediaType: "text/plain" } }),
});

/** Harms to one store: all that was mended stays in its pack, which is begun anew when it is full. */
const OF_ONE = 500;

test("S1, S2: every flipped bit is found, also in bytes that this process wrote, and mended from where it is known", {
  timeout: 30_000 + HARMS * 300,
}, async () => {
  const random = seededRandom(3);
  for (let left = HARMS; left > 0; left -= OF_ONE) await harmOne(Math.min(left, OF_ONE), random);
});

async function harmOne(harms: number, random: Random): Promise<void> {
  const world = await fsBlobsWorld();
  const journal = new MemoryJournal();
  const clock = systemClock();
  const backup = new Map<Digest, Uint8Array>();
  const source = new MemoryBlobs(backup);
  try {
    const blobs = await world.open();
    const contents = [bytesOf(1, 60), bytesOf(2, 20_000), bytesOf(3, 500_000)];
    let seq = 0;
    for (const bytes of contents) {
      const { digest } = await blobs.put(bytes);
      await source.put(bytes);
      const [append] = [appendOf(idOf(1), seq, "{}")];
      await journal.append([{ ...append, records: [{ time: 1, ...written(digest, bytes.length) }] }]);
      seq += 1;
    }
    const options = { journal, blobs, clock, bytesPerSecond: 1e12 };
    expect(await scrub(options)).toMatchObject({ blobs: 3, bytes: 520_060, damaged: 0, missing: 0, unsound: [] });
    for (let harm = 0; harm < harms; harm += 1) {
      const [pack = ""] = world.packs();
      // Those that were mended stand behind those that were not.
      const newest = new Map(recordsIn(pack).map((record) => [`${record.name} ${record.kind}`, record]));
      const records = [...newest.values()].filter(({ kind }) => kind !== KIND.gone);
      const { offset, bytes } = records[randomInt(random, records.length)] as (typeof records)[number];
      const file = readFileSync(pack);
      const at = offset + randomInt(random, bytes);
      file[at] = (file[at] ?? 0) ^ (1 << randomInt(random, 8));
      writeFileSync(pack, file);
      const found = await scrub({ ...options, source: harm % 2 === 0 ? undefined : (digest) => source.get(digest) });
      const isFirstLook = harm % 2 === 0;
      if (isFirstLook) expect(found.damaged + found.missing).toBeGreaterThan(0);
      else expect(found.mended).toBe(found.damaged + found.missing);
      if (!isFirstLook) expect(await scrub(options)).toMatchObject({ damaged: 0, missing: 0 });
    }
  } finally {
    await journal.close();
    await world.dispose();
  }
}

test("S2: a blob is mended of which the list of chunks and a chunk are damaged at once", async () => {
  const world = await fsBlobsWorld();
  const [journal, source] = [new MemoryJournal(), new MemoryBlobs()];
  try {
    const blobs = await world.open();
    const content = bytesOf(3, 500_000);
    const { digest } = await blobs.put(content);
    await source.put(content);
    await journal.append([
      { ...appendOf(idOf(1), 0, "{}"), records: [{ time: 1, ...written(digest, content.length) }] },
    ]);
    const options = { journal, blobs, clock: systemClock(), bytesPerSecond: 1e12 };
    const [pack = ""] = world.packs();
    const file = readFileSync(pack);
    for (const kind of [KIND.list, KIND.chunk]) {
      const { offset = 0, bytes = 0 } = recordsIn(pack).find((record) => record.kind === kind) ?? {};
      const at = kind === KIND.list ? offset : offset + bytes - 1;
      file[at] = (file[at] ?? 0) ^ 1;
    }
    writeFileSync(pack, file);
    expect(await scrub({ ...options, source: (wanted) => source.get(wanted) })).toMatchObject({ mended: 1 });
    expect(await scrub(options)).toMatchObject({ damaged: 0, missing: 0 });
  } finally {
    await journal.close();
    await world.dispose();
  }
});

test("S1: what is missing is named with the agent that refers to it; a mend that has other bytes is none", async () => {
  const blobs = new MemoryBlobs();
  const journal = new MemoryJournal();
  const { digest } = await new MemoryBlobs().put(bytesOf(1, 10));
  await journal.append([{ ...appendOf(idOf(7), 0, "{}"), records: [{ time: 1, ...written(digest, 10) }] }]);
  const options = { journal, blobs, clock: systemClock() };
  const wrong = async function* () {
    yield bytesOf(2, 10);
  };
  const missing = { digest, what: "missing", agent: idOf(7), mended: false };
  expect(await scrub(options)).toMatchObject({ missing: 1, mended: 0, unsound: [missing] });
  expect(await scrub({ ...options, source: wrong })).toMatchObject({ missing: 1, mended: 0 });
  await journal.close();
});

test("S3: it keeps to its rate", async () => {
  const blobs = new MemoryBlobs();
  for (let index = 0; index < 10; index += 1) await blobs.put(bytesOf(index, 1_000));
  const clock = new ManualClock();
  const scrubbing = scrub({ journal: new MemoryJournal(), blobs, clock, bytesPerSecond: 1_000 });
  let isOver = false;
  const over = scrubbing.then(() => {
    isOver = true;
  });
  while (!isOver) {
    await new Promise<void>((resolve) => process.nextTick(resolve));
    if (clock.pending > 0) clock.advance(100);
  }
  await over;
  expect(clock.monotonic()).toBeGreaterThanOrEqual(10_000);
  expect(clock.monotonic()).toBeLessThan(11_000);
});
