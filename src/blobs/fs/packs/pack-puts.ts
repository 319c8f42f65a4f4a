/**
 * Putting into packs. Bytes that stand there are not written again, once they were found sound: this process wrote them, or has read them.
 *
 * U1  What is put, or put again, is noted in the table before anything is waited for: a sweep that looks later leaves it alone.
 * U2  A list is written when all its chunks are, and refused when one of them was lost to a failure of the disk meanwhile.
 * U3  A record that is not sound is taken back, and written anew.
 */
import { createHash } from "node:crypto";
import { BanyanError } from "../../../base/errors.ts";
import { LIMITS } from "../../../base/limits.ts";
import type { BlobInfo, Digest } from "../../blobs.ts";
import { cutIntoChunks } from "./chunks.ts";
import { bytesOf, chunksIn } from "./content.ts";
import { type Place, printOf, type Role } from "./digest-table.ts";
import { type ChunkName, encodeChunks } from "./list-of-chunks.ts";
import type { PackWriter } from "./pack-writer.ts";
import { pack } from "./packing.ts";
import { goneName, type Packs } from "./packs.ts";
import { KIND, type Kind, nameOf } from "./record.ts";

export interface PackPutsOptions {
  readonly packs: Packs;
  readonly writer: PackWriter;
  /** Seconds of this process's clock, from 1. */
  readonly touched: () => number;
}

interface Wanted {
  readonly kind: Kind;
  readonly name: Buffer;
  readonly bytes: number;
  /** What is stored when it does not stand there. */
  readonly content: Uint8Array;
}

export class PackPuts {
  readonly #options: PackPutsOptions;
  /** When streams began that are under way. */
  readonly #streams = new Set<{ readonly sinceSeconds: number }>();

  constructor(options: PackPutsOptions) {
    this.#options = options;
  }

  /** When the oldest stream began whose chunks no list names yet; undefined when there is none. */
  get oldestStream(): number | undefined {
    const all = [...this.#streams].map(({ sinceSeconds }) => sinceSeconds);
    return all.length > 0 ? Math.min(...all) : undefined;
  }

  /** A blob that is kept in one piece. @throws DISK_FAILED */
  async whole(name: Buffer, content: Uint8Array): Promise<void> {
    await this.#put({ kind: KIND.blob, name, bytes: content.length, content }, true);
  }

  /** A blob that is kept in chunks. @throws DISK_FAILED, CONTENT_TOO_LARGE, what the stream throws */
  async chunked(content: AsyncIterable<Uint8Array>): Promise<BlobInfo> {
    const { writer, touched } = this.#options;
    const { failures } = writer;
    const stream = { sinceSeconds: touched() };
    this.#streams.add(stream);
    try {
      const digest = createHash("sha256");
      const chunks: ChunkName[] = [];
      let bytes = 0;
      for await (const chunk of cutIntoChunks(content)) {
        digest.update(chunk);
        const name = nameOf(chunk);
        if (chunks.length >= LIMITS.blobChunksMax)
          throw new BanyanError("CONTENT_TOO_LARGE", `a stream of over ${bytes} bytes`);
        await this.#put({ kind: KIND.chunk, name, bytes: chunk.length, content: chunk }, false);
        chunks.push({ name, bytes: chunk.length });
        bytes += chunk.length;
      }
      const name = digest.digest();
      await this.#put({ kind: KIND.list, name, bytes, content: encodeChunks(chunks) }, true, failures);
      return { digest: `sha256:${name.toString("hex")}` as Digest, bytes };
    } finally {
      this.#streams.delete(stream);
    }
  }

  async #put(wanted: Wanted, isDurable: boolean, failures?: number): Promise<void> {
    const { writer } = this.#options;
    const role: Role = wanted.kind === KIND.chunk ? "piece" : "whole";
    const unsound: Place[] = [];
    for (const place of this.#options.packs.find(printOf(wanted.name), role)) {
      const stands = await this.#stands(place, wanted);
      if (stands === "sound") return this.#keep(wanted, failures);
      if (stands === "unsound") unsound.push(place);
    }
    const { codec, stored } =
      wanted.kind === KIND.list ? { codec: 0, stored: wanted.content } : await pack(wanted.content);
    this.#check(failures);
    const { kind, name, bytes } = wanted;
    await Promise.all([
      ...unsound.map((place) => this.takeBack(name, place, isDurable)),
      writer.append({ kind, codec, name, stored, bytes }, { isDurable }),
    ]);
  }

  /** What stands there is as durable as what it is made of. */
  async #keep({ kind }: Wanted, failures: number | undefined): Promise<void> {
    this.#check(failures);
    if (kind === KIND.list) await this.#options.writer.sync();
  }

  /** U2. */
  #check(failures: number | undefined): void {
    if (failures === undefined || failures === this.#options.writer.failures) return;
    throw new BanyanError(
      "DISK_FAILED",
      "the blobs could not be written: chunks of the stream were lost to a failure of the disk",
    );
  }

  /** Takes a record out of the table, and notes it in the packs. @throws DISK_FAILED */
  async takeBack(name: Uint8Array, place: Place, isDurable: boolean): Promise<void> {
    const { packs, writer } = this.#options;
    const its = packs.get(place.pack);
    if (!packs.table.remove(printOf(name), place) || !its) return;
    const gone = { kind: KIND.gone, codec: 0, name: goneName(name, its, place), stored: new Uint8Array(), bytes: 0 };
    await writer.append(gone, { isDurable });
  }

  /** U1. `other`: it is another name, or was taken away meanwhile. */
  async #stands(place: Place, wanted: Wanted): Promise<"sound" | "unsound" | "other"> {
    const { packs, touched } = this.#options;
    const print = printOf(wanted.name);
    const before = packs.table.touchedAt(print, place);
    packs.table.touch(print, place, touched());
    const verdict = await this.#judge(
      place,
      wanted,
      before !== undefined && before > 0 && !packs.isDoubted(place),
    ).catch(() => "unsound" as const);
    if (verdict === "other" || !packs.table.has(print, place)) {
      if (before !== undefined) packs.table.touch(print, place, before);
      return "other";
    }
    return verdict;
  }

  async #judge(place: Place, { kind, name, bytes, content }: Wanted, isTrusted: boolean) {
    const { packs } = this.#options;
    const header = await packs.header(place);
    if (!header) return "unsound";
    if (!isSame(header.name, name)) return "other";
    if (header.bytes !== bytes || header.kind !== kind) return "unsound";
    if (isTrusted) return "sound";
    const found = await packs.read(place);
    if (kind !== KIND.list) await bytesOf(found, name);
    else if (!encodeChunks(chunksIn(found)).equals(content)) return "unsound";
    return "sound";
  }
}

function isSame(one: Uint8Array, other: Uint8Array): boolean {
  return Buffer.compare(one, other) === 0;
}
