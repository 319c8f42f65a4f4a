/**
 * Appends records to a pack of this process's own. Those that wait go to the disk together and are synced together.
 *
 * W1  An append that is to be durable resolves when it is: its bytes and the pack's name are synced, and all that was appended before.
 * W2  After a write or a sync that failed, the pack is given up: nothing is ever synced a second time. Whatever was not synced by then,
 *     and whatever waits, is refused, and no record of it is found.
 * W3  A pack that is full is synced before the next one begins.
 */
import { type FileHandle, mkdir, open } from "node:fs/promises";
import { dirname, join } from "node:path";
import { crc32 } from "node:zlib";
import type { Clock } from "../../../base/clock.ts";
import { syncFolder } from "../../../base/durable-folder.ts";
import { BanyanError } from "../../../base/errors.ts";
import type { IdSource } from "../../../base/ids.ts";
import { LIMITS } from "../../../base/limits.ts";
import { writingDisk } from "../failures.ts";
import { type Place, type Print, printOf } from "./digest-table.ts";
import { type Pack, type Packs, placeOf } from "./packs.ts";
import { encodeHeader, type Header, KIND, type Kind, PACK_HEAD, paddingFor, recordBytes } from "./record.ts";

export interface NewRecord {
  readonly kind: Kind;
  readonly codec: number;
  readonly name: Uint8Array;
  readonly stored: Uint8Array;
  readonly bytes: number;
  /** As in the table; now when it is not said. */
  readonly touched?: number;
}

interface Wanted {
  /** Absent where what was appended before is to be durable. */
  readonly record?: NewRecord;
  readonly isDurable: boolean;
  readonly resolve: (place: Place) => void;
  readonly reject: (error: unknown) => void;
}

interface Active {
  readonly pack: Pack;
  readonly file: FileHandle;
  /** What is synced. */
  syncedBytes: number;
  /** Records behind it. */
  unsynced: { print: Print; place: Place }[];
}

export interface PackWriterOptions {
  readonly packs: Packs;
  readonly ids: IdSource;
  readonly clock: Clock;
  /** What the table notes of a record that is written now. */
  readonly touched: () => number;
}

export class PackWriter {
  readonly #options: PackWriterOptions;
  readonly #queue: Wanted[] = [];
  #active: Active | undefined;
  #running: Promise<void> | undefined;
  #isFolderReady = false;
  #failures = 0;
  readonly #staging = Buffer.allocUnsafeSlow(STAGING_BYTES);

  constructor(options: PackWriterOptions) {
    this.#options = options;
  }

  /** Grows with each failure: what was appended before, and not synced, is lost then (W2). */
  get failures(): number {
    return this.#failures;
  }

  /** The pack that is written now. */
  get pack(): Pack | undefined {
    return this.#active?.pack;
  }

  /** @throws DISK_FAILED */
  append(record: NewRecord, { isDurable }: { isDurable: boolean }): Promise<Place> {
    return new Promise((resolve, reject) => {
      this.#queue.push({ record, isDurable, resolve, reject });
      this.#running ??= this.#run();
    });
  }

  /** Makes durable what was appended. @throws DISK_FAILED */
  async sync(): Promise<void> {
    if (!this.#active && !this.#running) return;
    await new Promise<unknown>((resolve, reject) => {
      this.#queue.push({ isDurable: true, resolve, reject });
      this.#running ??= this.#run();
    });
  }

  /** Waits for what was appended, and seals the pack. @throws DISK_FAILED */
  async close(): Promise<void> {
    while (this.#running) await this.#running;
    await this.#seal();
  }

  async #run(): Promise<void> {
    // What is asked for in this turn of the event loop goes together.
    await Promise.resolve();
    while (this.#queue.length > 0) {
      const batch = this.#take();
      try {
        const places = await writingDisk(this.#write(batch));
        for (const [index, { resolve }] of batch.entries()) resolve(places[index] as Place);
      } catch (error) {
        const refused = [...batch, ...this.#queue.splice(0)];
        await this.#giveUp();
        for (const { reject } of refused) reject(error);
      }
    }
    this.#running = undefined;
  }

  /** As many as are written together. */
  #take(): Wanted[] {
    let bytes = 0;
    const over = this.#queue.findIndex(({ record }, index) => {
      bytes += recordBytes(record?.stored.length ?? 0);
      return index > 0 && (bytes > LIMITS.blobBatchBytesMax || index >= LIMITS.blobBatchRecordsMax);
    });
    return this.#queue.splice(0, over < 0 ? this.#queue.length : over);
  }

  async #write(batch: readonly Wanted[]): Promise<Place[]> {
    if (this.#active && this.#active.pack.size >= LIMITS.blobPackBytesMax) await this.#seal();
    this.#active ??= await this.#begin();
    const active = this.#active;
    const { pack, file } = active;
    const time = Math.floor(this.#options.clock.now() / 1_000);
    const pieces: Uint8Array[] = [];
    const made: { header: Header; offset: number }[] = [];
    let at = pack.size;
    for (const { record = NOTHING } of batch) {
      const { kind, codec, name, stored, bytes } = record;
      const header = { kind, codec, name, bytes, storedBytes: stored.length, crc: crc32(stored), time };
      made.push({ header, offset: at });
      if (record === NOTHING) continue;
      pieces.push(encodeHeader(header), stored, paddingFor(stored.length));
      at += recordBytes(stored.length);
    }
    await writeAll(file, this.#together(pieces, at - pack.size), pack.size);
    const isDurable = batch.some((wanted) => wanted.isDurable);
    if (isDurable && at > active.syncedBytes) await file.datasync();
    if (isDurable) {
      active.syncedBytes = at;
      active.unsynced = [];
    }
    pack.size = at;
    const touched = this.#options.touched();
    return made.map(({ header, offset }, index) => {
      const place = placeOf(pack, header, offset);
      if (header.name === NOTHING.name) return place;
      pack.tail.add(header, offset);
      if (header.kind === KIND.gone) return place;
      const print = printOf(header.name);
      this.#options.packs.table.add(print, place, batch[index]?.record?.touched ?? touched);
      if (!isDurable) active.unsynced.push({ print, place });
      return place;
    });
  }

  /** Small pieces are copied to where they lie side by side, in memory that is used again; large ones are written from where they are. */
  #together(pieces: readonly Uint8Array[], bytes: number): readonly Uint8Array[] {
    if (bytes > this.#staging.length) return pieces;
    let at = 0;
    for (const piece of pieces) {
      this.#staging.set(piece, at);
      at += piece.length;
    }
    return [this.#staging.subarray(0, at)];
  }

  async #begin(): Promise<Active> {
    const { packs, ids } = this.#options;
    if (!this.#isFolderReady) {
      await mkdir(packs.folder, { recursive: true, mode: 0o700 });
      await syncFolder(dirname(packs.folder));
    }
    this.#isFolderReady = true;
    const id = ids();
    const file = await open(join(packs.folder, `${id}.pack`), "wx", 0o600);
    try {
      await writeAll(file, [PACK_HEAD], 0);
      await syncFolder(packs.folder);
    } catch (error) {
      await file.close().catch(() => undefined);
      throw error;
    }
    const pack = packs.add(id);
    pack.size = PACK_HEAD.length;
    return { pack, file, syncedBytes: PACK_HEAD.length, unsynced: [] };
  }

  /** W3. */
  async #seal(): Promise<void> {
    const active = this.#active;
    if (!active) return;
    const { pack, file } = active;
    try {
      if (active.unsynced.length > 0 || pack.size > active.syncedBytes) await writingDisk(file.datasync());
    } catch (error) {
      await this.#giveUp();
      throw error;
    }
    this.#active = undefined;
    await file.close().catch(() => undefined);
    // The index is derived: without it the next process reads the pack.
    await this.#options.packs.seal(pack).catch(() => undefined);
  }

  /** W2. What the pack has behind the last sync is cut off, if the disk lets us. */
  async #giveUp(): Promise<void> {
    this.#failures += 1;
    const active = this.#active;
    if (!active) return;
    this.#active = undefined;
    const { pack, file } = active;
    for (const { print, place } of active.unsynced) this.#options.packs.table.remove(print, place);
    pack.tail.cut(active.syncedBytes);
    pack.size = active.syncedBytes;
    await file.truncate(active.syncedBytes).catch(() => undefined);
    await file.close().catch(() => undefined);
  }
}

const STAGING_BYTES = 256 * 1024;

const NOTHING: NewRecord = { kind: KIND.gone, codec: 0, name: new Uint8Array(), stored: new Uint8Array(), bytes: 0 };

/** @throws DISK_FAILED when the disk takes nothing more */
async function writeAll(file: FileHandle, pieces: readonly Uint8Array[], position: number): Promise<void> {
  let left = pieces.filter(({ length }) => length > 0);
  for (let at = position; left.length > 0; ) {
    const { bytesWritten } = await file.writev(left, at);
    if (bytesWritten === 0) throw new BanyanError("DISK_FAILED", "the disk took nothing of a write");
    at += bytesWritten;
    left = behind(left, bytesWritten);
  }
}

/** What is left of pieces when so many bytes of them are written. */
function behind(pieces: readonly Uint8Array[], bytes: number): Uint8Array[] {
  let skip = bytes;
  return pieces.flatMap((piece) => {
    const taken = Math.min(skip, piece.length);
    skip -= taken;
    return taken < piece.length ? [piece.subarray(taken)] : [];
  });
}
