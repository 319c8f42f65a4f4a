/**
 * Reads all that is stored again, at a bounded rate, beside agents at work, and mends what is damaged or missing from somewhere else that has it.
 *
 * S1  Every blob of the store is read whole and checked against its digest; every one that an event refers to is looked for.
 * S2  What is mended was read back sound. What cannot be mended is left as it is, and named.
 * S3  It reads no more bytes in a second than it was told, and holds nobody up.
 */
import { decodeEvent } from "../agent/codec.ts";
import { referencesOf } from "../agent/references.ts";
import { type Clock, sleep } from "../base/clock.ts";
import { BanyanError, type ErrorCode } from "../base/errors.ts";
import type { AgentId } from "../base/ids.ts";
import { LIMITS } from "../base/limits.ts";
import { type Blobs, type Digest, isDigest } from "../blobs/blobs.ts";
import { DigestSet } from "../blobs/digest-set.ts";
import type { Journal } from "../journal/journal.ts";

export interface ScrubOptions {
  readonly journal: Journal;
  readonly blobs: Blobs;
  readonly clock: Clock;
  readonly bytesPerSecond?: number | undefined;
  /** Has bytes by digest, unchecked: a backup. @throws BLOB_NOT_FOUND, OBJECT_NOT_FOUND, and whatever keeps it from being read */
  readonly source?: ((digest: Digest) => AsyncIterable<Uint8Array>) | undefined;
  readonly signal?: AbortSignal | undefined;
  /** Told of each that is not sound. */
  readonly onUnsound?: ((unsound: Unsound) => void) | undefined;
}

export interface Unsound {
  readonly digest: Digest;
  readonly what: "damaged" | "missing";
  /** The first agent found whose event refers to it; null when none does. */
  readonly agent: AgentId | null;
  readonly mended: boolean;
}

export interface Scrubbed {
  readonly blobs: number;
  readonly bytes: number;
  readonly damaged: number;
  readonly missing: number;
  readonly mended: number;
  /** The first LIMITS.scrubNamedMax of those that are not sound, or were not. */
  readonly unsound: readonly Unsound[];
}

/** @throws DISK_FAILED, the signal's reason */
export async function scrub(options: ScrubOptions): Promise<Scrubbed> {
  return new Scrub(options).run();
}

const PUTS_MAX = 2;
const ABSENT: ReadonlySet<ErrorCode> = new Set<ErrorCode>(["BLOB_NOT_FOUND", "BLOB_DAMAGED", "OBJECT_NOT_FOUND"]);

class Scrub {
  readonly #options: ScrubOptions;
  readonly #damaged = new Set<Digest>();
  readonly #unsound: Unsound[] = [];
  readonly #startedMs: number;
  #blobs = 0;
  #bytes = 0;
  #missing = 0;
  #mended = 0;

  constructor(options: ScrubOptions) {
    this.#options = options;
    this.#startedMs = options.clock.monotonic();
  }

  async run(): Promise<Scrubbed> {
    for await (const { digest, bytes } of this.#options.blobs.list()) await this.#look(digest, bytes);
    const damaged = this.#damaged.size;
    await this.#lookForReferences();
    for (const digest of this.#damaged) await this.#mend(digest, "damaged", null);
    const [missing, mended, unsound] = [this.#missing, this.#mended, this.#unsound];
    return { blobs: this.#blobs, bytes: this.#bytes, damaged, missing, mended, unsound };
  }

  async #look(digest: Digest, bytes: number): Promise<void> {
    const { blobs, clock, signal, bytesPerSecond = LIMITS.scrubBytesPerSecondDefault } = this.#options;
    // One that was deleted meanwhile is not damaged.
    if (!(await blobs.verify(digest)) && (await blobs.has(digest)) !== undefined) this.#damaged.add(digest);
    this.#blobs += 1;
    this.#bytes += bytes;
    const aheadMs = (this.#bytes / bytesPerSecond) * 1_000 - (clock.monotonic() - this.#startedMs);
    await sleep(clock, Math.max(0, aheadMs), signal);
  }

  /** Of damaged ones, who refers to them; and those that are not there at all. */
  async #lookForReferences(): Promise<void> {
    const { journal, blobs, clock, signal } = this.#options;
    const known = new DigestSet();
    for await (const heads of journal.heads()) {
      for (const { agent, seq } of heads) {
        for await (const batch of journal.read(agent, { to: seq })) {
          for (const { type, body } of batch) {
            if (!body.includes("sha256:")) continue;
            for (const digest of referencesOf(decodeEvent(type, body))) {
              if (!isDigest(digest) || known.has(digest)) continue;
              known.add(digest);
              if (this.#damaged.delete(digest)) await this.#mend(digest, "damaged", agent);
              else if ((await blobs.has(digest)) === undefined) await this.#mend(digest, "missing", agent);
            }
          }
          await sleep(clock, 0, signal);
        }
      }
    }
  }

  /** S2. */
  async #mend(digest: Digest, what: Unsound["what"], agent: AgentId | null): Promise<void> {
    if (what === "missing") this.#missing += 1;
    const mended = await this.#fetch(digest);
    if (mended) this.#mended += 1;
    const unsound = { digest, what, agent, mended };
    if (this.#unsound.length < LIMITS.scrubNamedMax) this.#unsound.push(unsound);
    this.#options.onUnsound?.(unsound);
  }

  async #fetch(digest: Digest): Promise<boolean> {
    const { blobs, source } = this.#options;
    if (!source) return false;
    try {
      // A put may trust a part that was damaged since it was read last; reading it again has told by then.
      for (let tries = 0; tries < PUTS_MAX; tries += 1) {
        const put = await blobs.put(source(digest));
        if (put.digest !== digest) return false;
        if (await blobs.verify(digest)) return true;
      }
      return false;
    } catch (error) {
      if (error instanceof BanyanError && ABSENT.has(error.code)) return false;
      throw error;
    }
  }
}
