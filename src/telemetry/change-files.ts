/**
 * The files of status changes in a folder, each of which says from which position of the journal to which nothing is missing in it.
 *
 * W1  A file is written once, or appended to by the one process that began it; what a crash leaves of its last piece is not read.
 * W2  Joining files replaces them by one that covers them all: a crash in between leaves both, and what is covered twice is read once.
 */
import { appendFile, mkdir, readdir, readFile, rename, rm, writeFile } from "node:fs/promises";
import { join } from "node:path";
import type { Random } from "../base/random.ts";
import {
  type Change,
  ChangeWriter,
  type Extent,
  extentOf,
  headerOf,
  isEarlier,
  type Piece,
  piecesIn,
} from "./changes.ts";

export interface ChangeFile extends Extent {
  readonly name: string;
}

/** One that is being written. */
export interface OpenFile {
  readonly name: string;
  /** Up to where nothing is missing in it, and its size. */
  readonly to: number;
  readonly bytes: number;
  append(piece: Piece): Promise<void>;
}

const FILE = /^\d{16}-[0-9a-f]{16}\.changes$/;
const UNFINISHED = /\.new$/;

export class ChangeFiles {
  readonly #folder: string;
  readonly #random: Random;

  constructor(folder: string, random: Random) {
    this.#folder = folder;
    this.#random = random;
  }

  /** In the order of what they cover; what a larger one covers is left out (W2). @throws the system's errors, but for a folder that is not there */
  async list(): Promise<ChangeFile[]> {
    const names = await readdir(this.#folder).catch((error: NodeJS.ErrnoException) => {
      if (error.code === "ENOENT") return [];
      throw error;
    });
    const files: ChangeFile[] = [];
    for (const name of names.filter((each) => FILE.test(each))) {
      const extent = extentOf(await this.#bytesOf(name));
      if (extent) files.push({ name, ...extent });
    }
    files.sort((a, b) => a.from - b.from || b.to - a.to);
    let covered = -1;
    return files.filter(({ to }) => {
      const isNew = to > covered;
      if (isNew) covered = to;
      return isNew;
    });
  }

  async *read({ name }: Pick<ChangeFile, "name">): AsyncGenerator<readonly Change[]> {
    for (const { changes } of piecesIn(await this.#bytesOf(name))) yield changes;
  }

  async begin(from: number): Promise<OpenFile> {
    await mkdir(this.#folder, { recursive: true, mode: 0o700 });
    const name = this.#nameFor(from);
    const path = join(this.#folder, name);
    const writer = new ChangeWriter();
    const header = headerOf(from);
    await writeFile(path, header, { flag: "wx", mode: 0o600 });
    let [to, bytes] = [from, header.length];
    return {
      name,
      get to() {
        return to;
      },
      get bytes() {
        return bytes;
      },
      async append(piece) {
        const written = writer.bytesOf(piece);
        await appendFile(path, written);
        to = piece.position;
        bytes += written.length;
      },
    };
  }

  /** One file in the place of some. */
  async replace(
    files: readonly ChangeFile[],
    { from, to, changes }: { from: number; to: number; changes: AsyncIterable<readonly Change[]> },
  ): Promise<void> {
    await mkdir(this.#folder, { recursive: true, mode: 0o700 });
    const name = this.#nameFor(from);
    const fresh = join(this.#folder, `${name}.new`);
    const writer = new ChangeWriter();
    await writeFile(fresh, headerOf(from), { mode: 0o600 });
    for await (const piece of changes) await appendFile(fresh, writer.bytesOf({ changes: piece, position: from }));
    await appendFile(fresh, writer.bytesOf({ changes: [], position: to }));
    await rename(fresh, join(this.#folder, name));
    for (const old of files) if (old.name !== name) await rm(join(this.#folder, old.name), { force: true });
  }

  /** Removes what a crash left unfinished, and files of an earlier format, of which nobody reads anything (X3). */
  async tidy(): Promise<void> {
    const names = await readdir(this.#folder).catch(() => []);
    for (const name of names) {
      const isRefuse = UNFINISHED.test(name) || (FILE.test(name) && isEarlier(await this.#bytesOf(name)));
      if (isRefuse) await rm(join(this.#folder, name), { force: true });
    }
  }

  #bytesOf(name: string): Promise<Buffer> {
    return readFile(join(this.#folder, name));
  }

  #nameFor(from: number): string {
    return `${String(from).padStart(16, "0")}-${Buffer.from(this.#random.bytes(8)).toString("hex")}.changes`;
  }
}
