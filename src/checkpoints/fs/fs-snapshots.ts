/**
 * Snapshots as files, a folder an agent: `XX/ID/SEQ.zst`, XX being the last two characters of the id. Compressed, with the
 * compressor's own checksum over the text (S1); written beside and renamed into place (S2), never synced.
 */
import { mkdir, readdir, readFile, rename, rm, writeFile } from "node:fs/promises";
import { join } from "node:path";
import { promisify } from "node:util";
import { constants, zstdCompress, zstdDecompress } from "node:zlib";
import { BanyanError } from "../../base/errors.ts";
import { type AgentId, parseId } from "../../base/ids.ts";
import { LIMITS } from "../../base/limits.ts";
import type { Snapshots } from "../snapshots.ts";

const compress = promisify(zstdCompress);
const decompress = promisify(zstdDecompress);
const FILE = /^\d{1,16}\.zst$/;
const params = { [constants.ZSTD_c_checksumFlag]: 1, [constants.ZSTD_c_compressionLevel]: 3 };

/** In `folder`, which is made when something is kept. */
export function openFsSnapshots({ folder }: { folder: string }): Snapshots {
  return new FsSnapshots(folder);
}

class FsSnapshots implements Snapshots {
  readonly #folder: string;
  #writes = 0;

  constructor(folder: string) {
    this.#folder = folder;
  }

  async keep(agent: AgentId, seq: number, text: string): Promise<void> {
    const path = this.#pathOf(agent, seq);
    this.#writes += 1;
    const temporary = `${path}.${process.pid}-${this.#writes}`;
    try {
      await mkdir(this.#folderOf(agent), { recursive: true, mode: 0o700 });
      await writeFile(temporary, await compress(text, { params }), { mode: 0o600 });
      await rename(temporary, path);
    } catch (cause) {
      await rm(temporary, { force: true }).catch(() => undefined);
      const { message } = cause as Error;
      throw new BanyanError("DISK_FAILED", `a snapshot could not be written: ${message}`, { agent, cause });
    }
  }

  async list(agent: AgentId): Promise<number[]> {
    const names = await readdir(this.#folderOf(agent)).catch(() => []);
    return names
      .filter((name) => FILE.test(name))
      .map((name) => Number.parseInt(name, 10))
      .sort((a, b) => b - a);
  }

  async read(agent: AgentId, seq: number): Promise<string> {
    try {
      const bytes = await readFile(this.#pathOf(agent, seq));
      const text = await decompress(bytes, { maxOutputLength: LIMITS.snapshotBytesMax });
      return text.toString("utf8");
    } catch (cause) {
      const { message } = cause as Error;
      throw new BanyanError("SNAPSHOT_DAMAGED", `snapshot ${seq} of ${agent}: ${message}`, { agent, cause });
    }
  }

  async delete(agent: AgentId, seq: number): Promise<void> {
    await rm(this.#pathOf(agent, seq), { force: true });
  }

  #folderOf(agent: AgentId): string {
    return join(this.#folder, parseId(agent).slice(-2), agent);
  }

  #pathOf(agent: AgentId, seq: number): string {
    return join(this.#folderOf(agent), `${seq}.zst`);
  }
}
