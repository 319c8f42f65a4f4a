/** Collection against a model: what is referred to stays, whatever happens meanwhile; what is not goes, and its room is given back. */
import { readdirSync, statSync } from "node:fs";
import { join } from "node:path";
import { expect, test } from "vitest";
import { collect } from "../../src/artifacts/collect.ts";
import { LIMITS } from "../../src/base/limits.ts";
import { type Random, randomInt, seededRandom } from "../../src/base/random.ts";
import type { Blobs, Digest } from "../../src/blobs/blobs.ts";
import { openFsBlobs } from "../../src/blobs/fs/fs-blobs.ts";
import { MemoryJournal } from "../../src/journal/memory/memory-journal.ts";
import { fsBlobsWorld } from "../blobs/fs/world.ts";
import { bytesOf, listed, readBlob, streamOf } from "../conformance/blobs-world.ts";
import { appendOf, forkOf, idOf } from "../conformance/journal-world.ts";
import { HastyClock } from "../support/hasty-clock.ts";

/** Random histories; more with COLLECT_SEEDS. */
const SEEDS = Number(process.env.COLLECT_SEEDS ?? 12);
const GRACE_MS = LIMITS.collectGraceMsMin;

const refer = (digest: Digest) => `{"artifact":{"digest":"${digest}"}}`;

interface Scene {
  readonly clock: HastyClock;
  readonly journal: MemoryJournal;
  readonly folder: string;
  open(): Promise<Blobs>;
}

async function inScene(use: (scene: Scene) => Promise<void>): Promise<void> {
  const clock = new HastyClock();
  const world = await fsBlobsWorld(clock);
  const journal = new MemoryJournal();
  try {
    await use({ clock, journal, folder: world.folder, open: () => world.open() });
  } finally {
    await journal.close();
    await world.dispose();
  }
}

test("what nobody refers to goes once its grace is over, and its room is given back; the rest stays", () =>
  inScene(async ({ clock, journal, open, folder }) => {
    const blobs = await open();
    const kept = [bytesOf(1, 10), bytesOf(2, 300_000), bytesOf(3, 900_000)];
    const lost = [bytesOf(4, 20), bytesOf(5, 400_000), Buffer.concat([bytesOf(3, 900_000), bytesOf(6, 600_000)])];
    let seq = 0;
    for (const bytes of kept) {
      const { digest } = await blobs.put(bytes);
      await journal.append([appendOf(idOf(1), seq, refer(digest))]);
      seq += 1;
    }
    for (const bytes of lost) await blobs.put(streamOf(bytes, 10_000));
    expect(await collect({ journal, blobs, clock, graceMs: GRACE_MS })).toMatchObject({ kept: 6, removed: 0 });
    await blobs.close();

    const again = await open();
    const before = bytesIn(folder);
    const planned = await collect({ journal, blobs: again, clock, graceMs: GRACE_MS, dryRun: true });
    expect(planned).toMatchObject({ kept: 3, removed: 3, removedBytes: 1_900_020, bytesBefore: before, referred: 3 });
    expect(bytesIn(folder)).toBe(before);
    const collected = await collect({ journal, blobs: again, clock, graceMs: GRACE_MS });
    expect(collected).toMatchObject({ kept: 3, removed: 3, removedBytes: 1_900_020, bytesBefore: before });
    expect(collected.bytesAfter).toBe(bytesIn(folder));
    expect(collected.bytesAfter).toBeLessThan(1_230_000);
    for (const bytes of kept) expect((await readBlob(again, (await again.put(bytes)).digest)).equals(bytes)).toBe(true);
    expect(await listed(again)).toHaveLength(3);
    await again.close();
    expect(await listed(await open())).toHaveLength(3);
  }));

test("B5: what was put again within the grace stays, and what was put long ago by this very process goes", () =>
  inScene(async ({ clock, journal, open }) => {
    const blobs = await open();
    const [old, again] = [await blobs.put(bytesOf(1, 10)), await blobs.put(bytesOf(2, 300_000))];
    clock.advance(GRACE_MS);
    await blobs.put(bytesOf(2, 300_000));
    clock.advance(GRACE_MS / 2);
    expect(await collect({ journal, blobs, clock, graceMs: GRACE_MS })).toMatchObject({ kept: 1, removed: 1 });
    expect([await blobs.has(old.digest), await blobs.has(again.digest)]).toEqual([undefined, 300_000]);
    expect(await blobs.verify(again.digest)).toBe(true);
  }));

test("a reader in another process finds what was moved", () =>
  inScene(async ({ clock, journal, open, folder }) => {
    const first = await open();
    const { digest } = await first.put(bytesOf(1, 500_000));
    await first.put(bytesOf(2, 500_000));
    await first.close();
    await journal.append([appendOf(idOf(1), 0, refer(digest))]);
    const reader = await openFsBlobs({ folder, readOnly: true });
    expect(await reader.verify(digest)).toBe(true);
    const blobs = await open();
    await collect({ journal, blobs, clock, graceMs: GRACE_MS });
    expect(await reader.verify(digest)).toBe(true);
    expect(await listed(reader)).toHaveLength(1);
    await reader.close();
  }));

test("G3: a journal that cannot be read whole collects nothing; a grace too short, and two at once, are refused", () =>
  inScene(async ({ clock, journal, open }) => {
    const blobs = await open();
    const damaged = Object.assign(new MemoryJournal(), {
      heads: async function* () {
        yield* [];
        throw new Error("damaged");
      },
    });
    await expect(collect({ journal: damaged, blobs, clock })).rejects.toThrow("damaged");
    await expect(collect({ journal, blobs, clock, graceMs: 1_000 })).rejects.toMatchObject({ code: "INPUT_INVALID" });
    const both = await Promise.allSettled([collect({ journal, blobs, clock }), collect({ journal, blobs, clock })]);
    expect(both.map(({ status }) => status).sort()).toEqual(["fulfilled", "rejected"]);
  }));

test.each(Array.from({ length: SEEDS }, (_, seed) => seed))(
  "B5, G1, G2: seed %d: puts, forks, deletes, crashes and collections at once lose nothing that is referred to",
  (seed) => inScene((scene) => new History(scene, seededRandom(seed)).run()),
);

/** Agents refer to some of what they put; others do it while a collection runs. A crash is a store that is left behind as it is. */
class History {
  readonly #scene: Scene;
  readonly #random: Random;
  readonly #contents = Array.from({ length: 24 }, (_, index) => bytesOf(index, [40, 9_000, 300_000][index % 3] ?? 0));
  readonly #referred = new Map<Digest, Buffer>();
  readonly #seqs = new Map<string, number>();
  readonly #busy = new Set<number>();
  #forks = 100;

  constructor(scene: Scene, random: Random) {
    this.#scene = scene;
    this.#random = random;
  }

  async run(): Promise<void> {
    for (let life = 0; life < 5; life += 1) {
      const blobs = await this.#scene.open();
      for (let round = 0; round < 4; round += 1) {
        const { journal, clock } = this.#scene;
        const collecting = collect({ journal, blobs, clock, graceMs: GRACE_MS });
        await Promise.all([collecting, ...Array.from({ length: 6 }, (_, agent) => this.#work(blobs, agent + 1))]);
        await this.#check(blobs);
        clock.advance(GRACE_MS * this.#random.next() * 2);
      }
      if (this.#chance(0.5)) await blobs.close();
    }
    const last = await this.#scene.open();
    await collect({ ...this.#scene, blobs: last, graceMs: GRACE_MS });
    await this.#check(last);
    expect(await listed(last)).toHaveLength(this.#referred.size);
  }

  async #work(blobs: Blobs, number: number): Promise<void> {
    const index = randomInt(this.#random, this.#contents.length);
    const bytes = this.#contents[index] as Buffer;
    const isMine = !this.#busy.has(index);
    if (isMine) this.#busy.add(index);
    const { digest } = await blobs.put(this.#chance(0.5) ? bytes : streamOf(bytes, 7_000));
    // Nobody deletes what another one may be about to refer to.
    if (!isMine) return;
    if (this.#chance(0.3) && !this.#referred.has(digest)) await blobs.delete(digest);
    else if (this.#chance(0.6)) {
      await blobs.put(bytes);
      await this.#append(idOf(number), refer(digest));
      this.#referred.set(digest, bytes);
    }
    this.#busy.delete(index);
  }

  async #append(agent: string, body: string): Promise<void> {
    const { journal } = this.#scene;
    const seq = this.#seqs.get(agent) ?? 0;
    this.#seqs.set(agent, seq + 1);
    if (seq > 0 && this.#chance(0.3)) {
      this.#forks += 1;
      await journal.append([appendOf(agent, seq, "{}"), forkOf(idOf(this.#forks), { agent, seq }, body)]);
    } else await journal.append([appendOf(agent, seq, body)]);
  }

  async #check(blobs: Blobs): Promise<void> {
    for (const [digest, bytes] of this.#referred) expect((await readBlob(blobs, digest)).equals(bytes)).toBe(true);
  }

  #chance(part: number): boolean {
    return this.#random.next() < part;
  }
}

function bytesIn(folder: string): number {
  const packs = join(folder, "packs");
  return readdirSync(packs).reduce((sum, name) => sum + statSync(join(packs, name)).size, 0);
}
