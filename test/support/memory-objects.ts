/** Objects in memory. `cut` counts down at every write: at 0 the machine dies, before or after the write is there. */
import { BanyanError } from "../../src/base/errors.ts";
import type { Range } from "../../src/blobs/blobs.ts";
import { bytesOf, type Condition, checkKey, type ObjectInfo, type Objects } from "../../src/blobs/objects.ts";

export class MemoryObjects implements Objects {
  readonly all = new Map<string, Buffer>();
  cut = Number.POSITIVE_INFINITY;
  cutAfter = false;
  readonly #versions = new Map<string, number>();

  async put(key: string, bytes: Uint8Array, only?: Condition): Promise<ObjectInfo | undefined> {
    checkKey(key);
    if (only && this.all.has(key)) return undefined;
    this.#write(() => {
      this.all.set(key, Buffer.from(bytes));
      this.#versions.set(key, (this.#versions.get(key) ?? 0) + 1);
    });
    return this.#infoOf(key, bytes);
  }

  async putParts(key: string, parts: AsyncIterable<Uint8Array>): Promise<ObjectInfo> {
    const bytes = await bytesOf(parts);
    await this.put(key, bytes);
    return this.#infoOf(key, bytes);
  }

  async *get(key: string, { from, to }: Range = { from: 0, to: Number.POSITIVE_INFINITY }): AsyncGenerator<Uint8Array> {
    checkKey(key);
    const found = this.all.get(key);
    if (!found) throw new BanyanError("OBJECT_NOT_FOUND", `no object ${key}`);
    if (from < Math.min(to, found.length)) yield found.subarray(from, to);
  }

  async head(key: string): Promise<ObjectInfo | undefined> {
    checkKey(key);
    const found = this.all.get(key);
    return found && this.#infoOf(key, found);
  }

  async delete(key: string): Promise<void> {
    checkKey(key);
    this.#write(() => this.all.delete(key));
  }

  async *list(prefix: string): AsyncGenerator<ObjectInfo> {
    if (prefix !== "") checkKey(prefix.replace(/\/$/, ""));
    for (const key of [...this.all.keys()].toSorted()) {
      const found = this.all.get(key);
      if (found && key.startsWith(prefix)) yield this.#infoOf(key, found);
    }
  }

  #infoOf(key: string, { length }: Uint8Array): ObjectInfo {
    return { key, bytes: length, etag: String(this.#versions.get(key)) };
  }

  #write(work: () => void): void {
    this.cut -= 1;
    if (this.cut === 0 && !this.cutAfter) throw new Error("cut");
    work();
    if (this.cut === 0) throw new Error("cut");
  }
}
