/**
 * Snapshots as files, a folder an agent: `XX/ID/SEQ.zst`, XX being the last two characters of the id. Compressed, with the
 * compressor's own checksum (S1); written beside and renamed into place (S2), never synced.
 *
 * `heads` beside these folders has the heads of all agents, not compressed: it is read before anything else can be done.
 *
 * Reading is done at once, as the journal is read: each step that waited for another thread would wait for a whole turn of a busy
 * event loop, ten of them for one agent.
 */
import { readdirSync, readFileSync } from "node:fs";
import { mkdir, rename, rm, writeFile } from "node:fs/promises";
import { dirname, join } from "node:path";
import { promisify } from "node:util";
import { constants, zstdCompress, zstdDecompressSync } from "node:zlib";
import { BanyanError } from "../../base/errors.ts";
import { type AgentId, parseId } from "../../base/ids.ts";
import { LIMITS } from "../../base/limits.ts";
import type { Snapshots } from "../snapshots.ts";

const compress = promisify(zstdCompress);
const HEADS_FILE = "heads";
const FILE = /^\d{1,16}\.zst$/;
const params = { [constants.ZSTD_c_checksumFlag]: 1, [constants.ZSTD_c_compressionLevel]: 3 };
/**
 * What is decompressed at a time. The decompressor keeps its last chunk until the next collection of old objects, and brings that about
 * by what it keeps: so a chunk is a small part of a snapshot, and all of it is put together in a buffer that is soon free again.
 */
const CHUNK_BYTES = 64 * 1024;

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

  async keep(agent: AgentId, seq: number, bytes: Buffer): Promise<void> {
    const path = this.#pathOf(agent, seq);
    try {
      await this.#write(path, await compress(bytes, { params }));
    } catch (cause) {
      const { message } = cause as Error;
      throw new BanyanError("DISK_FAILED", `a snapshot could not be written: ${message}`, { agent, cause });
    }
  }

  async keepHeads(bytes: Buffer): Promise<void> {
    try {
      await this.#write(join(this.#folder, HEADS_FILE), bytes);
    } catch (cause) {
      const { message } = cause as Error;
      throw new BanyanError("DISK_FAILED", `the heads of all agents could not be written: ${message}`, { cause });
    }
  }

  async readHeads(): Promise<Buffer | undefined> {
    try {
      return readFileSync(join(this.#folder, HEADS_FILE));
    } catch {
      return undefined;
    }
  }

  async list(agent: AgentId): Promise<number[]> {
    return this.#names(agent)
      .filter((name) => FILE.test(name))
      .map((name) => Number.parseInt(name, 10))
      .sort((a, b) => b - a);
  }

  async read(agent: AgentId, seq: number): Promise<Buffer> {
    try {
      const bytes = readFileSync(this.#pathOf(agent, seq));
      return zstdDecompressSync(bytes, { chunkSize: CHUNK_BYTES, maxOutputLength: LIMITS.snapshotBytesMax });
    } catch (cause) {
      const { message } = cause as Error;
      throw new BanyanError("SNAPSHOT_DAMAGED", `snapshot ${seq} of ${agent}: ${message}`, { agent, cause });
    }
  }

  async delete(agent: AgentId, seq: number): Promise<void> {
    await rm(this.#pathOf(agent, seq), { force: true });
  }

  /** S2. */
  async #write(path: string, bytes: Uint8Array): Promise<void> {
    this.#writes += 1;
    const temporary = `${path}.${process.pid}-${this.#writes}`;
    try {
      await mkdir(dirname(path), { recursive: true, mode: 0o700 });
      await writeFile(temporary, bytes, { mode: 0o600 });
      await rename(temporary, path);
    } catch (error) {
      await rm(temporary, { force: true }).catch(() => undefined);
      throw error;
    }
  }

  #names(agent: AgentId): string[] {
    try {
      return readdirSync(this.#folderOf(agent));
    } catch {
      return [];
    }
  }

  #folderOf(agent: AgentId): string {
    return join(this.#folder, parseId(agent).slice(-2), agent);
  }

  #pathOf(agent: AgentId, seq: number): string {
    return join(this.#folderOf(agent), `${seq}.zst`);
  }
}
