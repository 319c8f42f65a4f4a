/** Files that are read again and again: some stay open, the one used longest ago goes first, and none while it is read. */
import { type FileHandle, open } from "node:fs/promises";

interface Open {
  readonly file: Promise<FileHandle>;
  users: number;
}

export class Handles {
  readonly #max: number;
  readonly #open = new Map<string, Open>();

  constructor(max: number) {
    this.#max = max;
  }

  /** As many bytes as are there, up to `length`. @throws what the file system says */
  async read(path: string, at: number, length: number): Promise<Buffer> {
    const held = this.#take(path);
    try {
      const file = await held.file;
      const bytes = Buffer.allocUnsafeSlow(length);
      let read = 0;
      while (read < length) {
        const { bytesRead } = await file.read(bytes, read, length - read, at + read);
        if (bytesRead === 0) break;
        read += bytesRead;
      }
      return bytes.subarray(0, read);
    } finally {
      held.users -= 1;
      this.#closeUnused();
    }
  }

  /** Of a file that was removed, or is to be. */
  drop(path: string): void {
    const held = this.#open.get(path);
    if (held) this.#forget(path, held);
  }

  async close(): Promise<void> {
    const all = [...this.#open.values()].map(({ file }) => file);
    this.#open.clear();
    await Promise.all(all.map((file) => file.then((opened) => opened.close()).catch(() => undefined)));
  }

  #take(path: string): Open {
    const known = this.#open.get(path);
    const held = known ?? { file: open(path, "r"), users: 0 };
    this.#open.delete(path);
    this.#open.set(path, held);
    held.users += 1;
    if (!known) held.file.catch(() => this.#open.get(path) === held && this.#open.delete(path));
    return held;
  }

  #closeUnused(): void {
    for (const [path, held] of this.#open) {
      if (this.#open.size <= this.#max) return;
      if (held.users === 0) this.#forget(path, held);
    }
  }

  /** Node closes a file when what is read from it now has been read. */
  #forget(path: string, { file }: Open): void {
    this.#open.delete(path);
    file.then((opened) => opened.close()).catch(() => undefined);
  }
}
