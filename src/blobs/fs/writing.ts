/**
 * How a blob comes to stand on disk: a temporary file, its bytes synced, renamed into place, and the folder synced (B1). A file
 * with the right name was therefore whole when it was named.
 */
import { mkdir, open, rename, rm } from "node:fs/promises";
import type { BlobInfo, Digest } from "../blobs.ts";
import { writingDisk } from "./failures.ts";
import { type Place, placeOf, syncFolder } from "./places.ts";

/** Writes a blob's bytes in order and says what they are. */
export type Fill = (write: (chunk: Uint8Array) => Promise<void>) => Promise<Digest>;

export class Writing {
  readonly #root: string;
  /** Folders whose own entry is durable, or becomes so. */
  readonly #folders = new Map<string, Promise<void>>();

  constructor(root: string) {
    this.#root = root;
  }

  /** @throws DISK_FAILED, whatever `fill` throws: nothing was kept */
  async store(temporary: string, fill: Fill): Promise<BlobInfo> {
    let bytes = 0;
    const file = await writingDisk(open(temporary, "wx", 0o600));
    try {
      let digest: Digest;
      try {
        digest = await fill(async (chunk) => {
          await writingDisk(file.writeFile(chunk));
          bytes += chunk.length;
        });
        await writingDisk(file.datasync());
      } finally {
        await file.close();
      }
      await writingDisk(this.#name(temporary, placeOf(this.#root, digest)));
      return { digest, bytes };
    } catch (error) {
      await rm(temporary, { force: true }).catch(() => undefined);
      throw error;
    }
  }

  /** The name of a file that stands there may be younger than the folder's last sync: its writer may have died in between. */
  async keepName({ folder }: Place): Promise<void> {
    await this.#ready(folder);
    await syncFolder(folder);
  }

  async #name(temporary: string, { folder, path }: Place): Promise<void> {
    await this.#ready(folder);
    await rename(temporary, path);
    await syncFolder(folder);
  }

  #ready(folder: string): Promise<void> {
    const known = this.#folders.get(folder);
    if (known) return known;
    const ready = mkdir(folder, { recursive: true, mode: 0o700 }).then(() => syncFolder(this.#root));
    this.#folders.set(folder, ready);
    ready.catch(() => this.#folders.delete(folder));
    return ready;
  }
}
