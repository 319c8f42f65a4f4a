/**
 * Snapshots as files, a folder an agent: `XX/ID/SEQ.snapshot`, XX being the last two characters of the id. A line of JSON with the bytes of each
 * part, plain and packed, the parts, each compressed by itself, and the CRC-32 of all that (S1); written beside and renamed into
 * place (S2), never synced.
 *
 * `heads` beside these folders has the heads of all agents, not compressed: it is read before anything else can be done.
 *
 * Reading is done at once, as the journal is read: each step that waited for another thread would wait for a whole turn of a busy
 * event loop, ten of them for one agent.
 */
import { readdirSync, readFileSync } from "node:fs";
import { mkdir, readdir, rename, rm, writeFile } from "node:fs/promises";
import { basename, dirname, join } from "node:path";
import { promisify } from "node:util";
import { constants, crc32, zstdCompress, zstdDecompressSync } from "node:zlib";
import { BanyanError } from "../../base/errors.ts";
import { type AgentId, parseId } from "../../base/ids.ts";
import { LIMITS } from "../../base/limits.ts";
import type { Part, Snapshots } from "../snapshots.ts";

const compress = promisify(zstdCompress);
const HEADS_FILE = "heads";
const FILE = /^\d{1,16}\.snapshot$/;
const params = { [constants.ZSTD_c_compressionLevel]: 3 };
/**
 * What is decompressed at a time. The decompressor keeps its last chunk until the next collection of old objects, and brings that about
 * by what it keeps: so a chunk is a small part of a snapshot, and all of it is put together in a buffer that is soon free again.
 */
const CHUNK_BYTES = 64 * 1024;
const CRC_BYTES = 4;
const NEWLINE = 0x0a;

/** In `folder`, which is made when something is kept. */
export function openFsSnapshots({ folder }: { folder: string }): Snapshots {
  return new FsSnapshots(folder);
}

class FsSnapshots implements Snapshots {
  readonly #folder: string;
  /** Names of files that are being written. */
  readonly #writing = new Set<string>();
  #writes = 0;

  constructor(folder: string) {
    this.#folder = folder;
  }

  async keep(agent: AgentId, seq: number, parts: readonly Buffer[]): Promise<void> {
    const path = this.#pathOf(agent, seq);
    try {
      await this.#write(path, await fileOf(parts));
    } catch (cause) {
      const { message } = cause as Error;
      throw new BanyanError("DISK_FAILED", `a snapshot could not be written: ${message}`, { agent, cause });
    }
    await this.#tidy(agent).catch(() => undefined);
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

  async read(agent: AgentId, seq: number): Promise<Part[]> {
    try {
      return partsOf(readFileSync(this.#pathOf(agent, seq)));
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
    this.#writing.add(basename(temporary));
    try {
      await mkdir(dirname(path), { recursive: true, mode: 0o700 });
      await writeFile(temporary, bytes, { mode: 0o600 });
      await rename(temporary, path);
    } catch (error) {
      await rm(temporary, { force: true }).catch(() => undefined);
      throw error;
    } finally {
      this.#writing.delete(basename(temporary));
    }
  }

  /** Removes what crashes have left, and snapshots of earlier versions; what cannot be removed is tried again with the next. */
  async #tidy(agent: AgentId): Promise<void> {
    const folder = this.#folderOf(agent);
    for (const name of await readdir(folder)) {
      if (!FILE.test(name) && !this.#writing.has(name)) await rm(join(folder, name), { force: true });
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
    return join(this.#folderOf(agent), `${seq}.snapshot`);
  }
}

async function fileOf(parts: readonly Buffer[]): Promise<Buffer> {
  const packed: Buffer[] = [];
  for (const part of parts) packed.push(await compress(part, { params }));
  const sizes = packed.map((bytes, index) => [parts[index]?.length, bytes.length]);
  const whole = Buffer.concat([Buffer.from(`${JSON.stringify(sizes)}\n`), ...packed, Buffer.alloc(CRC_BYTES)]);
  whole.writeUInt32LE(crc32(whole.subarray(0, -CRC_BYTES)), whole.length - CRC_BYTES);
  return whole;
}

/** @throws RangeError */
function partsOf(file: Buffer): Part[] {
  const all = file.subarray(0, -CRC_BYTES);
  if (file.length < CRC_BYTES || crc32(all) !== file.readUInt32LE(all.length))
    throw new RangeError("its check value is wrong");
  let at = all.indexOf(NEWLINE) + 1;
  const sizes: [bytes: number, packed: number][] = JSON.parse(all.toString("utf8", 0, at));
  if (sizes.reduce((sum, [bytes]) => sum + bytes, 0) > LIMITS.snapshotBytesMax) throw new RangeError("it is too large");
  return sizes.map(([bytes, packedBytes]) => {
    const packed = all.subarray(at, at + packedBytes);
    at += packedBytes;
    return {
      bytes,
      unpack: () => zstdDecompressSync(packed, { chunkSize: CHUNK_BYTES, maxOutputLength: Math.max(1, bytes) }),
    };
  });
}
