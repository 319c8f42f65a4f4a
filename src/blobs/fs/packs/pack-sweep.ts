/**
 * Removes from packs what nobody refers to, and gives the room back, while others put and read.
 *
 * V1  What is decided about a record, and its removal from the table, happen in one turn of the event loop, so no put comes in between. What was
 *     touched since `since` stays.
 * V2  A chunk stays while a list that stays names it, or one may that is still being made: `since` is before the oldest stream.
 * V3  A record is moved by writing it into a new pack, syncing that, and only then forgetting where it stood. Cut short, it stands twice, and
 *     the next sweep leaves one of them.
 * V4  No turn at the event loop is longer than LIMITS.collectBusyMsMax, and moving is held to LIMITS.collectBytesPerSecondMax.
 */
import { crc32 } from "node:zlib";
import { type Clock, sleep } from "../../../base/clock.ts";
import { BanyanError } from "../../../base/errors.ts";
import { LIMITS } from "../../../base/limits.ts";
import type { Digest } from "../../blobs.ts";
import { DigestSet } from "../../digest-set.ts";
import { bytesOf, chunksIn, named } from "./content.ts";
import { type Place, type Print, printOf, type Role } from "./digest-table.ts";
import type { Entry } from "./entries.ts";
import type { ChunkName } from "./list-of-chunks.ts";
import type { PackWriter } from "./pack-writer.ts";
import { type Found, goneName, type Pack, type Packs, placeOf } from "./packs.ts";
import { KIND, recordBytes } from "./record.ts";

export interface PackSweepOptions {
  readonly packs: Packs;
  /** Writes the records that say what is gone. */
  readonly writer: PackWriter;
  /** Writes what is moved. */
  readonly mover: PackWriter;
  readonly clock: Clock;
  readonly keeps: (digest: Digest) => boolean;
  /** In seconds of the table. */
  readonly since: number;
  readonly dryRun: boolean;
  readonly signal: AbortSignal;
}

export interface PacksSwept {
  kept: number;
  removed: number;
  removedBytes: number;
  /** Of records, in packs, that are of no use any more. */
  freedBytes: number;
}

/** A pack is written anew when so much of it is of no use, or when it is so small and there are others to join. */
const DEAD_SHARE_MIN = 0.2;
const SMALL_BYTES = LIMITS.blobPackBytesMax / 8;
/** Moved records are synced together; few, so that others' syncs do not wait for them. */
const SYNC_BYTES = 2 * 1024 * 1024;

/** @throws what the file system says, DISK_FAILED, the signal's reason */
export async function sweepPacks(options: PackSweepOptions): Promise<PacksSwept> {
  return new PackSweep(options).run();
}

class PackSweep {
  readonly #options: PackSweepOptions;
  readonly #pieces = new DigestSet();
  /** A list is damaged, and nobody knows which chunks it names. */
  #keepsPieces = false;
  readonly #swept: PacksSwept = { kept: 0, removed: 0, removedBytes: 0, freedBytes: 0 };
  readonly #dead = new Map<Pack, number>();
  #busySinceMs: number;

  constructor(options: PackSweepOptions) {
    this.#options = options;
    this.#busySinceMs = options.clock.monotonic();
  }

  async run(): Promise<PacksSwept> {
    const { packs, writer, mover } = this.#options;
    const before = packs.all().filter((pack) => pack !== writer.pack);
    const active = writer.pack;
    for (const pack of packs.all()) await this.#noteChunks(pack);
    const worn: Pack[] = [];
    for (const pack of before) if (await this.#removeFrom(pack)) worn.push(pack);
    if (active) await this.#removeFrom(active);
    if (this.#options.dryRun) return this.#swept;
    const sealed = worn.filter((pack) => pack !== active);
    // One small pack alone would only be copied.
    if (sealed.length > 1 || sealed.some((pack) => pack.size >= SMALL_BYTES || this.#isWorn(pack))) {
      for (const pack of sealed) await this.#move(pack);
    }
    await mover.close();
    return this.#swept;
  }

  #isWorn(pack: Pack): boolean {
    return (this.#dead.get(pack) ?? 0) >= pack.size * DEAD_SHARE_MIN;
  }

  /** V2. */
  async #noteChunks(pack: Pack): Promise<void> {
    const { packs } = this.#options;
    for await (const entry of packs.entriesOf(pack)) {
      await this.#pause();
      if (entry.kind !== KIND.list) continue;
      const place = placeOf(pack, entry, entry.offset);
      if (!packs.table.has(printOf(entry.name), place) || !this.#stays(entry, place)) continue;
      const found = await packs.read(place).catch(damagedOnly);
      const chunks = found && soundChunks(found);
      this.#keepsPieces ||= chunks === undefined;
      for (const { name } of chunks ?? []) {
        const { high, low } = printOf(name);
        this.#pieces.addPrint(high, low);
      }
    }
  }

  /** Whether the pack is to be written anew. */
  async #removeFrom(pack: Pack): Promise<boolean> {
    const { packs, dryRun, writer } = this.#options;
    let deadBytes = 0;
    const gone: { name: Buffer; place: Place }[] = [];
    for await (const entry of packs.entriesOf(pack)) {
      await this.#pause();
      const { kind, name, offset, storedBytes, bytes } = entry;
      if (kind === KIND.gone) {
        if (!packs.knowsOf(entry)) deadBytes += recordBytes(0);
        continue;
      }
      const print = printOf(name);
      const place = placeOf(pack, entry, offset);
      const isDouble = await this.#standsTwice(entry, print, place);
      // V1: nothing is waited for from here on.
      const isThere = packs.table.has(print, place);
      const goes = isThere && (isDouble || !this.#stays(entry, place));
      if (goes && !dryRun) {
        packs.table.remove(print, place);
        gone.push({ name: Buffer.from(name), place });
      }
      if (!isThere || goes) deadBytes += recordBytes(storedBytes);
      if (goes) this.#swept.freedBytes += recordBytes(storedBytes);
      if (kind === KIND.chunk || isDouble || !isThere) continue;
      if (goes) {
        this.#swept.removed += 1;
        this.#swept.removedBytes += bytes;
      } else this.#swept.kept += 1;
    }
    this.#dead.set(pack, deadBytes);
    const isWorn = this.#isWorn(pack) || pack.size < SMALL_BYTES;
    if (isWorn && pack !== writer.pack) return true;
    const marks = gone.map(({ name, place }) => {
      return { kind: KIND.gone, codec: 0, name: goneName(name, pack, place), stored: new Uint8Array(), bytes: 0 };
    });
    await Promise.all(marks.map((mark) => writer.append(mark, { isDurable: false })));
    return false;
  }

  #stays({ kind, name }: Entry, place: Place): boolean {
    const { packs, keeps, since } = this.#options;
    const print = printOf(name);
    if ((packs.table.touchedAt(print, place) ?? 0) >= since) return true;
    if (kind === KIND.chunk) return this.#keepsPieces || this.#pieces.hasPrint(print.high, print.low);
    return keeps(`sha256:${Buffer.from(name).toString("hex")}`);
  }

  /** V3: an earlier sweep was cut short. True when another record of the name is found before this one, and is sound. */
  async #standsTwice({ kind, name }: Entry, print: Print, place: Place): Promise<boolean> {
    const { packs } = this.#options;
    const role: Role = kind === KIND.chunk ? "piece" : "whole";
    const places = packs.find(print, role);
    if (places.length < 2 || isSame(places[0], place)) return false;
    const whole = Uint8Array.from(name);
    const [first] = await named(packs, whole, role);
    if (!first || isSame(first.place, place)) return false;
    try {
      const found = await packs.read(first.place);
      if (found.header.kind === KIND.list) chunksIn(found);
      else await bytesOf(found, whole);
      return true;
    } catch {
      return false;
    }
  }

  /** V3. A pack with a record that cannot be read stays: it can be mended from a backup, or looked into. */
  async #move(pack: Pack): Promise<void> {
    const { packs, mover, clock, signal } = this.#options;
    const moved: { print: Print; from: Place; to: Place }[] = [];
    let isWhole = true;
    let unsyncedBytes = 0;
    let movedBytes = 0;
    const startedMs = clock.monotonic();
    for await (const entry of packs.entriesOf(pack)) {
      await this.#pause();
      if (entry.kind === KIND.gone) {
        const mark = { kind: entry.kind, codec: 0, name: Buffer.from(entry.name), stored: new Uint8Array(), bytes: 0 };
        if (packs.knowsOf(entry)) await mover.append(mark, { isDurable: false });
        continue;
      }
      const print = printOf(entry.name);
      const from = placeOf(pack, entry, entry.offset);
      const touched = packs.table.touchedAt(print, from);
      if (touched === undefined) continue;
      const found = await packs.read(from).catch(damagedOnly);
      if (!found || crc32(found.stored) !== found.header.crc) {
        isWhole = false;
        continue;
      }
      const { kind, codec, bytes, name } = found.header;
      const bytesOfRecord = recordBytes(found.stored.length);
      unsyncedBytes += bytesOfRecord;
      movedBytes += bytesOfRecord;
      const isDurable = unsyncedBytes >= SYNC_BYTES;
      if (isDurable) unsyncedBytes = 0;
      const { failures } = mover;
      const to = await mover.append({ kind, codec, name, stored: found.stored, bytes, touched }, { isDurable });
      if (failures !== mover.failures)
        throw new BanyanError("DISK_FAILED", "what was moved was lost to a failure of the disk");
      // Somebody has deleted it meanwhile.
      if (!packs.table.has(print, from)) packs.table.remove(print, to);
      else moved.push({ print, from, to });
      const aheadMs = (movedBytes / LIMITS.collectBytesPerSecondMax) * 1_000 - (clock.monotonic() - startedMs);
      if (aheadMs > 10) await sleep(clock, aheadMs, signal);
    }
    await mover.sync();
    for (const { print, from, to } of moved) {
      // A put may have found either of them.
      const touched = Math.max(packs.table.touchedAt(print, from) ?? 0, packs.table.touchedAt(print, to) ?? 0);
      if (!packs.table.remove(print, from)) packs.table.remove(print, to);
      else packs.table.touch(print, to, touched);
      await this.#pause();
    }
    if (isWhole) await packs.remove(pack);
  }

  /** V4. */
  async #pause(): Promise<void> {
    const { clock, signal } = this.#options;
    if (clock.monotonic() - this.#busySinceMs < LIMITS.collectBusyMsMax) return;
    await sleep(clock, 0, signal);
    this.#busySinceMs = clock.monotonic();
  }
}

/** Undefined when the list is damaged. */
function soundChunks(list: Found): ChunkName[] | undefined {
  try {
    return chunksIn(list);
  } catch (error) {
    return damagedOnly(error);
  }
}

function damagedOnly(error: unknown): undefined {
  if (error instanceof BanyanError && error.code === "BLOB_DAMAGED") return undefined;
  throw error;
}

function isSame(one: Place | undefined, other: Place): boolean {
  return one?.pack === other.pack && one.offset === other.offset;
}
