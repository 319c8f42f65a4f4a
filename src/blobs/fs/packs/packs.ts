/**
 * The packs of a folder, and where in them each record stands.
 *
 *     packs/ID.pack   records, appended by one process and never changed; ID is never used again
 *     packs/ID.idx    its index (entries.ts)
 *
 * P1  What is known is derived from the packs alone, whatever of the indexes is lost.
 * P2  A pack is named by its id, and a record by its pack and offset: what takes a record back (`gone`) can mean no other one.
 * P3  One that only reads finds what another process has added, or moved, when it looks for it.
 */
import { hash } from "node:crypto";
import { type FileHandle, open, readdir, readFile, rename, rm, stat, writeFile } from "node:fs/promises";
import { join } from "node:path";
import { syncFolder } from "../../../base/durable-folder.ts";
import { BanyanError } from "../../../base/errors.ts";
import { isId } from "../../../base/ids.ts";
import { LIMITS } from "../../../base/limits.ts";
import { isAbsence } from "../failures.ts";
import { DigestTable, type Place, type Print, printOf, type Role, type Spot } from "./digest-table.ts";
import { decodeEntries, ENTRY_BYTES, Entries, type Entry, entryAt, KIND_AT, OFFSET_AT, STORED_AT } from "./entries.ts";
import { Handles } from "./handles.ts";
import { decodeHeader, HEADER_BYTES, type Header, KIND, NAME_BYTES, PACK_HEAD } from "./record.ts";
import { scanPack } from "./scan.ts";

export interface Pack {
  readonly number: number;
  readonly id: string;
  readonly path: string;
  /** Up to here its records are known. */
  size: number;
  /** Records that its index does not have. */
  tail: Entries;
  /** Its index covers all of it: it grows no more. */
  isSealed: boolean;
}

export interface Found {
  readonly header: Header;
  readonly stored: Buffer;
}

/** Packs whose indexes are read at once. */
const LOADED_AT_ONCE = 8;

export class Packs {
  readonly folder: string;
  readonly table = new DigestTable();
  readonly #handles = new Handles(LIMITS.blobPacksOpenMax);
  readonly #packs: (Pack | undefined)[] = [];
  readonly #byId = new Map<string, Pack>();
  readonly #byKey = new Map<string, Pack>();
  /** Records that were found damaged, whoever wrote them: a put reads them whole before it believes them. */
  readonly #doubted = new Set<string>();
  #refreshing: Promise<void> | undefined;

  constructor(folder: string) {
    this.folder = folder;
  }

  /** Reads what there is. `mend`: indexes that are missing are written, and those without a pack removed. */
  async load({ mend }: { mend: boolean }): Promise<void> {
    const marks: Entry[] = [];
    const names = await namesIn(this.folder);
    const there = new Set(names.filter((name) => name.endsWith(".pack")).map((name) => name.slice(0, -5)));
    for (const [id, pack] of this.#byId) if (!there.has(id)) this.forget(pack);
    const ids = [...there].filter((id) => isId(id) && !this.#byId.get(id)?.isSealed);
    const packs = ids.map((id) => this.#byId.get(id) ?? this.add(id));
    for (let from = 0; from < packs.length; from += LOADED_AT_ONCE) {
      const some = packs.slice(from, from + LOADED_AT_ONCE);
      await Promise.all(some.map((pack) => this.#loadPack(pack, marks, mend)));
    }
    for (const mark of marks) this.#takeBack(mark);
    if (mend) for (const name of names) if (isLeftover(name, there)) await rm(join(this.folder, name), { force: true });
  }

  /** P3: several that look at once look once. */
  refresh(): Promise<void> {
    this.#refreshing ??= this.load({ mend: false }).finally(() => {
      this.#refreshing = undefined;
    });
    return this.#refreshing;
  }

  /** A new one, of which nothing is known yet. */
  add(id: string): Pack {
    const path = join(this.folder, `${id}.pack`);
    const pack = { number: this.#packs.length, id, path, size: 0, tail: new Entries(), isSealed: false };
    this.#packs.push(pack);
    this.#byId.set(id, pack);
    this.#byKey.set(keyOf(id).toString("hex"), pack);
    return pack;
  }

  forget(pack: Pack): void {
    this.#packs[pack.number] = undefined;
    this.#byId.delete(pack.id);
    this.#byKey.delete(keyOf(pack.id).toString("hex"));
    this.#handles.drop(pack.path);
  }

  get(number: number): Pack | undefined {
    return this.#packs[number];
  }

  all(): Pack[] {
    return [...this.#byId.values()];
  }

  find(print: Print, role: Role): Place[] {
    return this.table.find(print, role).filter(({ pack }) => this.#packs[pack] !== undefined);
  }

  /** Of all records of a pack, those included that were taken back. @throws what the file system says */
  async *entriesOf(pack: Pack): AsyncGenerator<Entry> {
    const { tail } = pack;
    const file = await this.#readIndex(pack.id);
    if (file) for (let index = 0; index < file.count; index += 1) yield entryAt(file.bytes, index * ENTRY_BYTES);
    // It may have been sealed meanwhile.
    for (const entry of tail) if (entry.offset >= (file?.covered ?? 0)) yield entry;
  }

  doubt({ pack, offset }: Spot): void {
    this.#doubted.add(`${pack} ${offset}`);
  }

  isDoubted({ pack, offset }: Spot): boolean {
    return this.#doubted.has(`${pack} ${offset}`);
  }

  /** Undefined when no sound header stands there. @throws what the file system says */
  async header({ pack, offset }: Spot): Promise<Header | undefined> {
    return decodeHeader(await this.#handles.read(this.#path(pack), offset, HEADER_BYTES));
  }

  /** The record, as it is stored. @throws BLOB_DAMAGED, what the file system says */
  async read({ pack, offset, storedBytes }: Place): Promise<Found> {
    const path = this.#path(pack);
    const record = await this.#handles.read(path, offset, HEADER_BYTES + storedBytes);
    const header = decodeHeader(record);
    if (!header || HEADER_BYTES + header.storedBytes !== record.length) {
      throw new BanyanError("BLOB_DAMAGED", `no record of ${storedBytes} bytes at ${offset} of ${path}`);
    }
    return { header, stored: record.subarray(HEADER_BYTES) };
  }

  /** Writes what is known of a pack that grows no more. */
  async seal(pack: Pack): Promise<void> {
    const file = await this.#readIndex(pack.id);
    if (file) pack.tail.addFile(file);
    const path = join(this.folder, `${pack.id}.idx`);
    await writeFile(`${path}.new`, pack.tail.encode(pack.size), { mode: 0o600 });
    await rename(`${path}.new`, path);
    pack.tail = new Entries();
    pack.isSealed = true;
  }

  /** Whether the pack is still there that a `gone` record speaks of. */
  knowsOf(gone: Entry): boolean {
    return this.#byKey.has(decodeGone(gone.name).key);
  }

  /** Takes a pack away. Who reads it now reads on. */
  async remove(pack: Pack): Promise<void> {
    this.forget(pack);
    await rm(pack.path, { force: true });
    await rm(join(this.folder, `${pack.id}.idx`), { force: true });
  }

  /** On disk, indexes included. @throws what the file system says */
  async bytes(): Promise<number> {
    let bytes = 0;
    for (const name of await namesIn(this.folder)) {
      const found = await stat(join(this.folder, name)).catch(() => undefined);
      bytes += found?.size ?? 0;
    }
    return bytes;
  }

  close(): Promise<void> {
    return this.#handles.close();
  }

  #path(number: number): string {
    const pack = this.#packs[number];
    if (!pack) throw new BanyanError("BLOB_NOT_FOUND", "the pack was taken away");
    return pack.path;
  }

  async #loadPack(pack: Pack, marks: Entry[], mend: boolean): Promise<void> {
    if (pack.size === 0) await this.#loadIndex(pack, marks);
    const file = await open(pack.path, mend ? "r+" : "r").catch((error) => {
      if (isAbsence(error)) return undefined;
      throw error;
    });
    if (!file) return this.forget(pack);
    try {
      const { size } = await file.stat();
      if (size <= pack.size) return;
      await this.#loadTail(pack, file, size, marks);
      if (mend) await file.datasync();
    } finally {
      await file.close();
    }
    if (mend && pack.tail.count > 0) {
      await syncFolder(this.folder);
      await this.seal(pack);
    }
  }

  async #loadIndex(pack: Pack, marks: Entry[]): Promise<void> {
    const file = await this.#readIndex(pack.id);
    if (!file) return;
    for (let index = 0; index < file.marks; index += 1) marks.push(entryAt(file.bytes, index * ENTRY_BYTES));
    // A million of them are to be there in no time: nothing is made for each but what the table has.
    for (let at = file.marks * ENTRY_BYTES; at < file.bytes.length; at += ENTRY_BYTES) {
      const [offset, storedBytes] = [file.bytes.readUInt32LE(at + OFFSET_AT), file.bytes.readUInt32LE(at + STORED_AT)];
      const place = { pack: pack.number, offset, kind: file.bytes[at + KIND_AT] ?? 0, storedBytes };
      this.table.add({ high: file.bytes.readUInt32BE(at), low: file.bytes.readUInt32BE(at + 4) }, place, 0);
    }
    pack.size = file.covered;
    const { size } = await stat(pack.path);
    pack.isSealed = size === file.covered;
  }

  async #loadTail(pack: Pack, file: FileHandle, size: number, marks: Entry[]): Promise<void> {
    const { end } = await scanPack(file, { from: pack.size, size }, (header, offset) => {
      pack.tail.add(header, offset);
      if (header.kind === KIND.gone) marks.push({ ...header, offset });
      else this.table.add(printOf(header.name), placeOf(pack, header, offset), 0);
    });
    if (end > PACK_HEAD.length) pack.size = end;
  }

  #takeBack({ name }: Entry): void {
    const { print, key, ...spot } = decodeGone(name);
    const pack = this.#byKey.get(key);
    if (pack) this.table.remove(print, { pack: pack.number, ...spot });
  }

  async #readIndex(id: string) {
    try {
      return decodeEntries(await readFile(join(this.folder, `${id}.idx`)));
    } catch (error) {
      if (isAbsence(error)) return undefined;
      throw error;
    }
  }
}

/** Where a record of a pack stands. */
export function placeOf(
  pack: Pack,
  { kind, storedBytes }: Pick<Header, "kind" | "storedBytes">,
  offset: number,
): Place {
  return { pack: pack.number, offset, kind, storedBytes };
}

const KEY_BYTES = 16;

function keyOf(id: string): Buffer {
  return hash("sha256", id, "buffer").subarray(0, KEY_BYTES);
}

/** The name of a record that takes another one back: print (8), key of its pack (16), offset (4), kind (1). */
export function goneName(name: Uint8Array, pack: Pack, { offset, kind }: Spot): Buffer {
  const bytes = Buffer.alloc(NAME_BYTES);
  bytes.set(name.subarray(0, 8));
  bytes.set(keyOf(pack.id), 8);
  bytes.writeUInt32LE(offset, 24);
  bytes[28] = kind;
  return bytes;
}

function decodeGone(name: Uint8Array) {
  const bytes = Buffer.from(name);
  const key = bytes.subarray(8, 8 + KEY_BYTES).toString("hex");
  return { print: printOf(bytes), key, offset: bytes.readUInt32LE(24), kind: bytes[28] ?? 0 };
}

/** Indexes of packs that are no more, and what was not finished. */
function isLeftover(name: string, packs: ReadonlySet<string>): boolean {
  return name.endsWith(".idx") && !packs.has(name.slice(0, -4));
}

async function namesIn(folder: string): Promise<string[]> {
  try {
    return (await readdir(folder)).sort();
  } catch (error) {
    if (isAbsence(error)) return [];
    throw error;
  }
}
