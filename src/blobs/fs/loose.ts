/**
 * Blobs as files of their own, as data of earlier versions have them: `XX/YYYY...`, named by their digest. They are read and removed;
 * nothing is added to them.
 */
import { readdir, rm } from "node:fs/promises";
import { LIMITS } from "../../base/limits.ts";
import type { BlobInfo, Digest, Range } from "../blobs.ts";
import { isAbsence } from "./failures.ts";
import { OpenFiles } from "./open-files.ts";
import { digestsIn, placeOf, sizeOf } from "./places.ts";
import { chunksOf } from "./reading.ts";

export class LooseBlobs {
  readonly #folder: string;
  readonly #files = new OpenFiles(LIMITS.blobFilesMax);
  #areThere = true;

  constructor(folder: string) {
    this.#folder = folder;
  }

  /** Looks whether there are any: from then on a folder without them is not asked again. */
  async look(): Promise<void> {
    const names = await readdir(this.#folder).catch((error) => {
      if (isAbsence(error)) return [];
      throw error;
    });
    this.#areThere = names.some((name) => /^[0-9a-f]{2}$/.test(name));
  }

  async sizeOf(digest: Digest): Promise<number | undefined> {
    return this.#areThere ? sizeOf(placeOf(this.#folder, digest)) : undefined;
  }

  /** @throws what the file system says */
  read(digest: Digest, range: Range): AsyncGenerator<Uint8Array> {
    return chunksOf(placeOf(this.#folder, digest).path, range, this.#files);
  }

  async delete(digest: Digest): Promise<void> {
    if (this.#areThere) await rm(placeOf(this.#folder, digest).path, { force: true });
  }

  async *list(): AsyncGenerator<BlobInfo> {
    if (!this.#areThere) return;
    for await (const digest of digestsIn(this.#folder)) {
      const bytes = await sizeOf(placeOf(this.#folder, digest));
      if (bytes !== undefined) yield { digest, bytes };
    }
  }

  async bytes(): Promise<number> {
    let sum = 0;
    for await (const { bytes } of this.list()) sum += bytes;
    return sum;
  }
}
