/** What the blobs' conformance suites share: a store that can be opened again and harmed, and short ways to fill and read it. */
import { randomInt, seededRandom } from "../../src/base/random.ts";
import type { BlobInfo, Blobs, Digest, Range } from "../../src/blobs/blobs.ts";

/** One store, in the adapter under test. */
export interface BlobsWorld {
  open(): Promise<Blobs>;
  /** Changes the bytes that are stored, behind the adapter's back. */
  harm(digest: Digest, change: (bytes: Buffer) => Uint8Array): Promise<void>;
  /** Closes what is open and removes the store. */
  dispose(): Promise<void>;
}

export type MakeBlobsWorld = () => Promise<BlobsWorld>;

export async function inBlobsWorld(make: MakeBlobsWorld, use: (world: BlobsWorld) => Promise<void>): Promise<void> {
  const world = await make();
  try {
    await use(world);
  } finally {
    await world.dispose();
  }
}

/** Runs with a store that is empty. */
export function withBlobs(make: MakeBlobsWorld, use: (blobs: Blobs, world: BlobsWorld) => Promise<void>) {
  return () => inBlobsWorld(make, async (world) => use(await world.open(), world));
}

/** Bytes that say their seed. */
export function bytesOf(seed: number, length: number): Buffer {
  const random = seededRandom(seed);
  const bytes = Buffer.alloc(length);
  for (let at = 0; at + 4 <= length; at += 4) bytes.writeUInt32LE(randomInt(random, 2 ** 32), at);
  return bytes;
}

export async function* streamOf(bytes: Uint8Array, chunkBytes: number): AsyncGenerator<Uint8Array> {
  for (let at = 0; at < bytes.length; at += chunkBytes) yield bytes.subarray(at, at + chunkBytes);
}

/** @throws what the read throws, and on an empty chunk */
export async function readBlob(blobs: Blobs, digest: Digest, range?: Range): Promise<Buffer> {
  const chunks: Uint8Array[] = [];
  for await (const chunk of blobs.get(digest, range)) {
    if (chunk.length === 0) throw new Error("an empty chunk");
    chunks.push(chunk);
  }
  return Buffer.concat(chunks);
}

/** What a read hands over before it fails, if it does. */
export async function readUntilFailure(blobs: Blobs, digest: Digest): Promise<{ bytes: number; code: unknown }> {
  let bytes = 0;
  try {
    for await (const chunk of blobs.get(digest)) bytes += chunk.length;
    return { bytes, code: undefined };
  } catch (error) {
    return { bytes, code: (error as { code?: unknown }).code };
  }
}

export async function listed(blobs: Blobs): Promise<BlobInfo[]> {
  const all = await Array.fromAsync(blobs.list());
  return all.sort((one, other) => (one.digest < other.digest ? -1 : 1));
}
