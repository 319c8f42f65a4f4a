/**
 * Power cuts: a run of 1,000 operations is traced (power-run.ts, shim.ts); at every boundary of its writes a disk is made that a power
 * cut may leave there (disk-image.ts), opened with the real adapters, and held to what the run had acknowledged.
 */
import { mkdirSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { basename, dirname, join } from "node:path";
import { expect } from "vitest";
import type { BanyanError } from "../../src/base/errors.ts";
import { randomInt, seededRandom } from "../../src/base/random.ts";
import { openFsBlobs } from "../../src/blobs/fs/fs-blobs.ts";
import type { StoredRecord } from "../../src/journal/journal.ts";
import { openSqliteJournal } from "../../src/journal/sqlite/sqlite-journal.ts";
import { appendOf, readAll } from "../conformance/journal-world.ts";
import { DiskImage, type Image } from "./disk-image.ts";
import { MARKS_FILE } from "./power-marks.ts";
import { Promises } from "./power-promises.ts";
import { buildShim, type Change, changesIn, runBehind } from "./shim.ts";

/** Opening to write takes a thread and some syncs: so many boundaries apart. */
const WRITTEN_EVERY = 25;
/** Verifying reads all a second time. */
const VERIFIED_EVERY = 4;
/** Files that say nothing of what was promised: the marks, locks, and SQLite's index of its log, which it makes anew. */
const BESIDE = /\/marks$|\/owner\.lock|-shm$/;

/** Disks that are drawn besides, at boundaries all over the run. */
const SEEDS = Number(process.env.POWER_SEEDS ?? 0);
const SEED = 20_261_123;
/** A cut takes some 30 ms of one core; the machine may have other things to do. */
export const TIMEOUT_MS = 600_000 + SEEDS * 300;

/** Cuts at every second boundary, from the first or the second on. */
export async function powerLossOf(part: 0 | 1): Promise<void> {
  const { boundaries, cuts, written, records, blobs } = await powerLoss({ seed: SEED, part, parts: 2 });
  expect(boundaries).toBeGreaterThan(1_500);
  expect(cuts).toBeGreaterThanOrEqual(Math.floor(boundaries / 2));
  expect(written).toBeGreaterThan(10);
  expect(records).toBeGreaterThan(1_000);
  expect(blobs).toBeGreaterThan(50);
}

interface PowerLoss {
  readonly boundaries: number;
  readonly cuts: number;
  readonly written: number;
  /** Records that were acknowledged at the last boundary, and blobs. */
  readonly records: number;
  readonly blobs: number;
}

/** Cuts at the boundaries `part`, `part + parts`, and so on. @throws at the first broken promise */
async function powerLoss({ seed, part, parts }: { seed: number; part: number; parts: number }): Promise<PowerLoss> {
  const root = mkdtempSync(join(tmpdir(), "banyan-power-"));
  try {
    const folder = join(root, "data");
    const trace = join(root, "trace");
    await runBehind({ shim: buildShim(), program: "power-run.ts", words: [folder, String(seed)], folder, trace });
    const changes = changesIn(readFileSync(trace));
    const boundaries = changes.filter(({ path }) => isBoundary(path)).length;
    const draws = 1 + Math.ceil(SEEDS / boundaries);
    const cutter = new Cutter(folder, join(root, "after"), seed);
    let boundary = 0;
    for (const change of changes) {
      cutter.take(change);
      if (!isBoundary(change.path)) continue;
      boundary += 1;
      if (boundary % parts !== part) continue;
      for (let draw = 0; draw < draws; draw += 1) await cutter.cut(boundary, draw);
    }
    return { boundaries, ...cutter.result };
  } finally {
    rmSync(root, { recursive: true, force: true });
  }
}

function isBoundary(path: string): boolean {
  return !BESIDE.test(path);
}

class Cutter {
  readonly #disk = new DiskImage();
  readonly #promises = new Promises();
  readonly #folder: string;
  readonly #after: string;
  readonly #seed: number;
  #laid = new Map<string, Buffer | undefined>();
  #cuts = 0;
  #written = 0;

  constructor(folder: string, after: string, seed: number) {
    this.#folder = folder;
    this.#after = after;
    this.#seed = seed;
    // The folder's own name is whoever's it is that made the folder above.
    this.#disk.make({ what: "mkdir", path: folder, offset: 0, data: Buffer.alloc(0) });
    this.#disk.make({ what: "sync", path: dirname(folder), offset: 0, data: Buffer.alloc(0) });
  }

  get result() {
    return {
      cuts: this.#cuts,
      written: this.#written,
      records: this.#promises.appended,
      blobs: this.#promises.blobs.size,
    };
  }

  take(change: Change): void {
    const isMark = basename(change.path) === MARKS_FILE;
    if (isMark && change.what === "write") this.#promises.read(change.data.toString());
    else if (isBoundary(change.path)) this.#disk.make(change);
  }

  async cut(boundary: number, draw: number): Promise<void> {
    this.#cuts += 1;
    const random = seededRandom(this.#seed + boundary * 1_000 + draw);
    const image = this.#disk.afterPowerCut(random);
    try {
      this.#lay(image);
      await this.#checkBlobs();
      const served = await this.#readOnly();
      if (!served || randomInt(random, WRITTEN_EVERY) === 0) await this.#goOn(served ?? []);
    } catch (error) {
      throw new Error(`seed ${this.#seed}, boundary ${boundary}, draw ${draw}: ${(error as Error).message}`, {
        cause: error,
      });
    }
  }

  async #checkBlobs(): Promise<void> {
    const blobs = await openFsBlobs({ folder: join(this.#after, "blobs"), readOnly: true });
    try {
      await this.#promises.checkBlobs(blobs, { verify: this.#cuts % VERIFIED_EVERY === 0 });
    } finally {
      await blobs.close();
    }
  }

  /** Undefined when there is no journal that can be read yet, or one that only a writer can mend: before the first commit. */
  async #readOnly(): Promise<readonly StoredRecord[] | undefined> {
    const folder = join(this.#after, "journal");
    const journal = await openSqliteJournal({ folder, readOnly: true }).catch((error: BanyanError) => {
      if (this.#promises.appended === 0) return undefined;
      throw error;
    });
    try {
      return journal && (await this.#promises.checkJournal(journal, { verify: this.#cuts % VERIFIED_EVERY === 0 }));
    } finally {
      await journal?.close();
    }
  }

  /** Opens all to write: what was there is there, and work goes on. */
  async #goOn(served: readonly StoredRecord[]): Promise<void> {
    this.#written += 1;
    const journal = await openSqliteJournal({ folder: join(this.#after, "journal") });
    expect((await this.#promises.checkJournal(journal)).length).toBe(served.length);
    const ends = new Map(served.map(({ agent, seq }) => [agent, seq]));
    await Promise.all([...ends].map(([agent, seq]) => journal.append([appendOf(agent, seq, "after the cut")])));
    for (const agent of ends.keys()) expect((await readAll(journal, agent)).at(-1)?.body).toBe("after the cut");
    expect((await journal.verify()).damaged).toEqual([]);
    await journal.close();
    const blobs = await openFsBlobs({ folder: join(this.#after, "blobs") });
    for (const digest of this.#promises.blobs) expect(await blobs.verify(digest)).toBe(true);
    expect(await blobs.verify((await blobs.put(Buffer.from("after the cut"))).digest)).toBe(true);
    await blobs.close();
    this.#laid.clear();
  }

  /** Makes the disk; what stands there from the last time is left. */
  #lay(image: Image): void {
    const there = this.#laid;
    if (there.size === 0) rmSync(this.#after, { recursive: true, force: true });
    const laid = new Map<string, Buffer | undefined>();
    for (const [path, bytes] of image) laid.set(this.#after + path.slice(this.#folder.length), bytes);
    for (const path of there.keys()) if (!laid.has(path)) rmSync(path, { recursive: true, force: true });
    rmSync(join(this.#after, "journal", "journal.db-shm"), { force: true });
    for (const [path, bytes] of laid) {
      if (bytes === undefined) mkdirSync(path, { recursive: true });
      else if (there.get(path) !== bytes) writeFileSync(path, bytes);
    }
    this.#laid = laid;
  }
}
