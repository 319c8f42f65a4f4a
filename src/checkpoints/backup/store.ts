/**
 * Where a backup stands among objects, and who may write it.
 *
 *     backup.json          what it is of, and for which key it is encrypted
 *     owners/000001.json   claims: whoever made the newest one writes, from the segment that it names on
 *     journal/000001/000000000001.seg   segments, by the claim under which they were written
 *     base/000002/DIGEST.json           what a claim stands on in place of older segments: parts, each of several segments or one
 *     base/000002/DIGEST.seg            such a part, by the claim for which it was made
 *     blobs/XX/YYYY...     blobs by their digest
 *
 * G1  One writes at a time: a claim is created, never replaced. Segments that a writer adds after a newer claim begins are no part of
 *     the backup, and it stops as soon as it sees that claim.
 * G2  A segment is added when all blobs that it refers to are there.
 * G3  A base counts from the claim on that names it, and that one is made when all of it is there. What does not count by then never
 *     does again: claims are only added.
 */
import { createHash } from "node:crypto";
import { z } from "zod";
import { BanyanError } from "../../base/errors.ts";
import { type Blobs, type Digest, isDigest } from "../../blobs/blobs.ts";
import { bytesOf, type ObjectInfo, type Objects, putStream } from "../../blobs/objects.ts";
import { type Base, readBase, writeBase } from "./base.ts";
import { openSeal, type Seal, type SealKeys } from "./seal.ts";
import { readSegment, type Segment, writeSegment } from "./segment.ts";

const about = z.strictObject({ format: z.literal(1), created: z.int(), recipient: z.string().nullable() });

/** What else a crash or a person left there is passed over. */
const CLAIM_KEY = /^owners\/\d{6}\.json$/;
const SEGMENT_KEY = /^journal\/\d{6}\/\d{12}\.seg$/;

/** What may be outdated; 1 is the claim that it belongs to. */
const OWNED_KEY = /^(?:journal|base)\/(\d{6})\/(?:\d{12}\.seg|[0-9a-f]{64}\.(?:seg|json))$/;

const claim = z.strictObject({
  owner: z.int().positive(),
  time: z.int(),
  /** The number of its first segment. */
  begins: z.int().positive(),
  /** Digest of the segment before that. */
  previous: z.string().nullable(),
  /** The digest of the base that stands for all segments before that. */
  base: z
    .string()
    .regex(/^[0-9a-f]{64}$/)
    .optional(),
});
export type Claim = z.infer<typeof claim>;

/** A segment as the store lists it, or a part of a base, under the number of the newest segment that it stands for. */
export interface SegmentName {
  readonly name: string;
  readonly owner: number;
  readonly number: number;
  readonly bytes: number;
  /** Of a part: the digest of its text, and that of the newest segment, which the next one names. */
  readonly part?: { readonly digest: string; readonly closes: string } | undefined;
}

export class BackupStore {
  readonly #objects: Objects;
  readonly #seal: Seal;

  private constructor(objects: Objects, seal: Seal) {
    this.#objects = objects;
    this.#seal = seal;
  }

  /** Begins a backup, or opens one. @throws INPUT_INVALID when it is encrypted for another key, or not at all */
  static async open(objects: Objects, keys: SealKeys, created?: number): Promise<BackupStore> {
    const seal = await openSeal(keys);
    if (created !== undefined) {
      const text = JSON.stringify({ format: 1, created, recipient: seal.recipient });
      await objects.put("backup.json", Buffer.from(text), { absent: true });
    }
    const bytes = await bytesOf(objects.get("backup.json")).catch((cause) => {
      if ((cause as BanyanError).code !== "OBJECT_NOT_FOUND") throw cause;
      throw new BanyanError("DATA_NOT_FOUND", "there is no backup", { cause });
    });
    const { recipient } = about.parse(JSON.parse(bytes.toString("utf8")));
    if (recipient !== null && seal.recipient === null)
      throw new BanyanError(
        "INPUT_INVALID",
        `the backup is encrypted for ${recipient}: give that key, or its secret one`,
      );
    if (recipient !== seal.recipient)
      throw new BanyanError("INPUT_INVALID", `the backup is encrypted for ${recipient ?? "no key"}, not for this one`);
    return new BackupStore(objects, seal);
  }

  get recipient(): string | null {
    return this.#seal.recipient;
  }

  get canRead(): boolean {
    return this.#seal.canOpen;
  }

  /** Oldest first. */
  async claims(): Promise<Claim[]> {
    const claims: Claim[] = [];
    for await (const { key } of this.#objects.list("owners/")) {
      if (!CLAIM_KEY.test(key)) continue;
      const bytes = await bytesOf(this.#objects.get(key));
      claims.push(claim.parse(JSON.parse(bytes.toString("utf8"))));
    }
    return claims;
  }

  /** Takes the backup over. False when someone else just did (G1). */
  async claim(mine: Claim): Promise<boolean> {
    const bytes = Buffer.from(JSON.stringify(mine));
    return (await this.#objects.put(`owners/${padded(mine.owner, 6)}.json`, bytes, { absent: true })) !== undefined;
  }

  /** Adds a segment, and returns its digest. @throws DATA_IN_USE when there is one of that number */
  async add(place: Parameters<typeof writeSegment>[0], records: Parameters<typeof writeSegment>[1]): Promise<string> {
    const { bytes, digest } = await writeSegment(place, records);
    const sealed = await bytesOf(this.#seal.close(once(bytes)));
    if (await this.#objects.put(nameOf(place.owner, place.number), sealed, { absent: true })) return digest;
    const there = await this.read({ name: nameOf(place.owner, place.number) });
    // The very one, from before a crash.
    if (there.digest === digest) return digest;
    throw new BanyanError("DATA_IN_USE", `segment ${place.number} of the backup was written by another process`);
  }

  /** Those that are part of the backup, in order (G1, G3). @throws BLOB_DAMAGED when one is missing */
  async segments(): Promise<SegmentName[]> {
    const claims = await this.claims();
    const from = claims.findLastIndex(({ base }) => base !== undefined);
    const found = await this.#partsAt(claims, from);
    for (const [index, { owner, begins }] of claims.entries()) {
      if (index < from) continue;
      const end = endAt(claims, index);
      let next = begins;
      for await (const { key: name, bytes } of this.#objects.list(`journal/${padded(owner, 6)}/`)) {
        if (!SEGMENT_KEY.test(name)) continue;
        const number = Number.parseInt(name.slice(name.lastIndexOf("/") + 1), 10);
        if (number >= end) break;
        if (number !== next) throw new BanyanError("BLOB_DAMAGED", `segment ${next} of the backup is missing`);
        found.push({ name, owner, number, bytes });
        next += 1;
      }
      if (Number.isFinite(end) && next < end)
        throw new BanyanError("BLOB_DAMAGED", `segment ${next} of the backup is missing`);
    }
    return found;
  }

  /** The parts of the base that a claim names, as far as later claims go on with them. */
  async #partsAt(claims: readonly Claim[], index: number): Promise<SegmentName[]> {
    const { owner, begins, base } = claims[index] ?? {};
    if (owner === undefined || base === undefined) return [];
    const { parts } = readBase(await bytesOf(this.#objects.get(baseKey(owner, base, "json"))), base);
    const end = Math.min(begins ?? 0, endAt(claims, index));
    const found = parts
      .filter(({ number }) => number < end)
      .map(({ digest, closes, ...name }) => ({ ...name, part: { digest, closes } }));
    if ((found.at(-1)?.number ?? 0) !== end - 1)
      throw new BanyanError("BLOB_DAMAGED", `the base of the backup does not reach segment ${end - 1}`);
    return found;
  }

  /** A part of a base to come. It is read again before it is told to be there. @throws BLOB_DAMAGED */
  async addPart(
    owner: number,
    place: Parameters<typeof writeSegment>[0],
    records: Parameters<typeof writeSegment>[1],
    closes: string,
  ): Promise<SegmentName> {
    const { bytes, digest } = await writeSegment(place, records);
    const name = baseKey(owner, digest, "seg");
    const sealed = await bytesOf(this.#seal.close(once(bytes)));
    await this.#objects.put(name, sealed);
    const part = {
      name,
      ...{ owner: place.owner, number: place.number, bytes: sealed.length, part: { digest, closes } },
    };
    await this.read(part);
    return part;
  }

  /** Returns its digest, for a claim. */
  async addBase(owner: number, base: Base): Promise<string> {
    const { bytes, digest } = writeBase(base);
    await this.#objects.put(baseKey(owner, digest, "json"), bytes);
    return digest;
  }

  /** What no longer counts, and never will again (G3); and the bytes of all segments and bases. */
  async outdated(): Promise<{ outdated: ObjectInfo[]; bytes: number }> {
    const claims = await this.claims();
    const owner = claims.at(-1)?.owner ?? 0;
    const counted = new Set((await this.segments()).map(({ name }) => name));
    const stands = claims.findLast(({ base }) => base !== undefined);
    if (stands?.base) counted.add(baseKey(stands.owner, stands.base, "json"));
    const outdated: ObjectInfo[] = [];
    let bytes = 0;
    for (const prefix of ["journal/", "base/"]) {
      for await (const object of this.#objects.list(prefix)) {
        const [, of] = OWNED_KEY.exec(object.key) ?? [];
        if (of === undefined) continue;
        bytes += object.bytes;
        // The newest owner may be adding segments, and the next may be making its base.
        const isOver = prefix === "base/" ? Number(of) <= owner : Number(of) < owner;
        if (isOver && !counted.has(object.key)) outdated.push(object);
      }
    }
    return { outdated, bytes };
  }

  async remove(key: string): Promise<void> {
    await this.#objects.delete(key);
  }

  /** @throws BLOB_DAMAGED */
  async read({ name, part }: Pick<SegmentName, "name" | "part">): Promise<Segment> {
    const segment = await readSegment(await bytesOf(this.#seal.open(this.#objects.get(name))), name);
    if (!part) return segment;
    if (segment.digest !== part.digest)
      throw new BanyanError("BLOB_DAMAGED", `${name} of the backup is not the part that its base names`);
    return { ...segment, digest: part.closes };
  }

  async putBlob(blobs: Blobs, digest: Digest): Promise<void> {
    await putStream(this.#objects, placeOf(digest), this.#seal.close(blobs.get(digest)));
  }

  /** The bytes as they come: whoever keeps them checks them against the digest. @throws OBJECT_NOT_FOUND, BLOB_DAMAGED */
  getBlob(digest: Digest): AsyncIterable<Uint8Array> {
    return this.#seal.open(this.#objects.get(placeOf(digest)));
  }

  /** True when its bytes are there and match the digest. */
  async verifyBlob(digest: Digest): Promise<boolean> {
    try {
      const sum = createHash("sha256");
      for await (const piece of this.getBlob(digest)) sum.update(piece);
      return `sha256:${sum.digest("hex")}` === digest;
    } catch (error) {
      if (error instanceof BanyanError && (error.code === "BLOB_DAMAGED" || error.code === "OBJECT_NOT_FOUND"))
        return false;
      throw error;
    }
  }

  async blobs(): Promise<Set<string>> {
    const digests = new Set<string>();
    for await (const { key } of this.#objects.list("blobs/")) {
      const digest = `sha256:${key.slice(key.lastIndexOf("/") + 1)}`;
      if (isDigest(digest)) digests.add(digest);
    }
    return digests;
  }
}

/** The number from which on segments of a claim do not count: that of any later one. */
function endAt(claims: readonly Claim[], index: number): number {
  return Math.min(Number.POSITIVE_INFINITY, ...claims.slice(index + 1).map(({ begins }) => begins));
}

function baseKey(owner: number, digest: string, ending: "json" | "seg"): string {
  return `base/${padded(owner, 6)}/${digest}.${ending}`;
}

function nameOf(owner: number, number: number): string {
  return `journal/${padded(owner, 6)}/${padded(number, 12)}.seg`;
}

function placeOf(digest: Digest): string {
  const hex = digest.slice("sha256:".length);
  return `blobs/${hex.slice(0, 2)}/${hex}`;
}

function padded(number: number, digits: number): string {
  return String(number).padStart(digits, "0");
}

async function* once(bytes: Uint8Array): AsyncGenerator<Uint8Array> {
  yield bytes;
}
