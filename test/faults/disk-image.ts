/**
 * What a disk may hold after a power cut, given the changes that were made before it (shim.ts).
 *
 * D1  What was synced is there: a file's bytes after its own sync, a name after its folder's.
 * D2  Of what was not synced any part may be there, in sectors of 512 bytes, in any order; bytes between them are zeros.
 * D3  Names that were made, changed or taken away without a sync of their folder may be as they were.
 */
import { dirname } from "node:path";
import { type Random, randomInt } from "../../src/base/random.ts";
import type { Change } from "./shim.ts";

const SECTOR_BYTES = 512;

type Unsynced = { readonly at: number; readonly data: Buffer } | { readonly length: number };

interface File {
  /** What was synced. Replaced, never changed. */
  bytes: Buffer;
  unsynced: Unsynced[];
}

/** A name's new meaning; none when it was taken away. */
interface Naming {
  readonly folder: string;
  readonly path: string;
  readonly means: File | "folder" | undefined;
}

/** Bytes of the files by path; a folder has none. */
export type Image = ReadonlyMap<string, Buffer | undefined>;

/** How much of what was not synced is there. */
const MOODS = ["nothing", "everything", "the first", "some", "sectors"] as const;

export class DiskImage {
  /** As the process saw it. */
  readonly #seen = new Map<string, File | "folder">();
  readonly #synced = new Map<string, File | "folder">();
  #namings: Naming[] = [];

  make({ what, path, offset, data }: Change): void {
    const known = this.#seen.get(path);
    const file = known === "folder" ? undefined : known;
    if (what === "create") this.#name(path, { bytes: Buffer.alloc(0), unsynced: [] });
    else if (what === "mkdir") this.#name(path, "folder");
    else if (what === "unlink") this.#name(path, undefined);
    else if (what === "rename") {
      this.#name(data.toString(), known);
      this.#name(path, undefined);
    } else if (what === "write") file?.unsynced.push({ at: offset, data });
    else if (what === "truncate") file?.unsynced.push({ length: offset });
    else if (file) {
      file.bytes = applied(file, () => true);
      file.unsynced = [];
    } else this.#syncFolder(path);
  }

  /** One disk that the power cut may leave, by chance. */
  afterPowerCut(random: Random): Image {
    const mood = MOODS[randomInt(random, MOODS.length)] ?? "some";
    const keeps = keeper(mood, random);
    const names = new Map(this.#synced);
    for (const naming of this.#namings) if (keeps()) become(names, naming);
    const image = new Map<string, Buffer | undefined>();
    const inOrder = [...names].sort(([one], [other]) => (one < other ? -1 : 1));
    for (const [path, means] of inOrder) {
      if (image.size > 0 && !image.has(dirname(path))) continue;
      if (means === "folder") image.set(path, undefined);
      else image.set(path, means.unsynced.length === 0 ? means.bytes : applied(means, keeps, mood === "sectors"));
    }
    return image;
  }

  #name(path: string, means: File | "folder" | undefined): void {
    const naming = { folder: dirname(path), path, means };
    become(this.#seen, naming);
    this.#namings.push(naming);
  }

  #syncFolder(folder: string): void {
    for (const naming of this.#namings) if (naming.folder === folder) become(this.#synced, naming);
    this.#namings = this.#namings.filter((naming) => naming.folder !== folder);
  }
}

function become(names: Map<string, File | "folder">, { path, means }: Naming): void {
  if (means) names.set(path, means);
  else names.delete(path);
}

function keeper(mood: (typeof MOODS)[number], random: Random): () => boolean {
  if (mood === "nothing") return () => false;
  if (mood === "everything") return () => true;
  if (mood !== "the first") return () => randomInt(random, 2) === 0;
  let left = randomInt(random, 20);
  return () => {
    left -= 1;
    return left >= 0;
  };
}

/** The file's bytes with those unsynced changes that are kept, whole or by sectors. */
function applied({ bytes, unsynced }: File, keeps: () => boolean, bySectors = false): Buffer {
  const room = Math.max(bytes.length, ...unsynced.map((each) => ("data" in each ? each.at + each.data.length : 0)));
  const result = Buffer.alloc(room);
  bytes.copy(result);
  let length = bytes.length;
  const write = (at: number, data: Buffer) => {
    data.copy(result, at);
    length = Math.max(length, at + data.length);
  };
  for (const change of unsynced) {
    if ("length" in change) {
      if (!keeps()) continue;
      result.fill(0, change.length);
      length = change.length;
    } else if (!bySectors) {
      if (keeps()) write(change.at, change.data);
    } else for (const [at, data] of sectorsOf(change)) if (keeps()) write(at, data);
  }
  return result.subarray(0, length);
}

function* sectorsOf({ at, data }: { at: number; data: Buffer }): Generator<[number, Buffer]> {
  for (let from = 0; from < data.length; ) {
    const to = Math.min(data.length, from + SECTOR_BYTES - ((at + from) % SECTOR_BYTES));
    yield [at + from, data.subarray(from, to)];
    from = to;
  }
}
