/**
 * The objects port: bytes under a name, in a store that other machines see too. Blobs in a bucket stand on it, and backups.
 *
 * O1  A put that resolved is durable, and whole or absent; what was there before is replaced whole.
 * O2  Under a condition, one of many writers at once wins, and the others are told that they did not.
 * O3  A read that is cut goes on where it stopped, and never mixes two versions of an object.
 * O4  Memory in use does not grow with an object's size.
 * O5  A request that a busy or broken store, or a cut line, left undone is tried again, within bounds of time and number.
 * O6  No message has a secret: neither a key, nor a header, nor the body of an answer.
 */
import { BanyanError } from "../base/errors.ts";
import { LIMITS } from "../base/limits.ts";
import type { Range } from "./blobs.ts";

export interface ObjectInfo {
  readonly key: string;
  readonly bytes: number;
  /** Names this version of the object. */
  readonly etag: string;
}

/** `absent`: only where nothing is. */
export interface Condition {
  readonly absent: true;
}

/**
 * A key has up to 512 letters, digits, `.`, `_`, `-`, in parts parted by `/`. Another is refused with INPUT_INVALID. No key is the
 * beginning of another's path: where `a/b` is, `a` is not.
 *
 * Where STORE_FAILED is named, a store that is a folder has DISK_FAILED.
 */
export interface Objects {
  /**
   * Undefined when the condition does not hold. Writers that compete under a condition write different bytes: that is how one
   * whose answer was lost knows its own.
   * @throws STORE_FAILED, STORE_DENIED
   */
  put(key: string, bytes: Uint8Array, only?: Condition): Promise<ObjectInfo | undefined>;
  /** For what does not fit memory: all parts are `LIMITS.objectPartBytesMax` long but the last. @throws as `put`; what `parts` throws */
  putParts(key: string, parts: AsyncIterable<Uint8Array>): Promise<ObjectInfo>;
  /** The bytes, or those of a range, in chunks that are not empty. @throws OBJECT_NOT_FOUND, STORE_FAILED, STORE_DENIED */
  get(key: string, range?: Range): AsyncIterable<Uint8Array>;
  /** Undefined when it is not there. @throws STORE_FAILED, STORE_DENIED */
  head(key: string): Promise<ObjectInfo | undefined>;
  /** Harmless when it is not there. @throws STORE_FAILED, STORE_DENIED */
  delete(key: string): Promise<void>;
  /** In the order of the keys. `prefix` is empty or ends with `/`. @throws STORE_FAILED, STORE_DENIED */
  list(prefix: string): AsyncIterable<ObjectInfo>;
}

const KEY_SYNTAX = /^(?=.{1,512}$)[\w-][\w.-]*(?:\/[\w-][\w.-]*)*$/;

/** @throws INPUT_INVALID */
export function checkKey(key: string): void {
  if (KEY_SYNTAX.test(key)) return;
  throw new BanyanError("INPUT_INVALID", `not an object's key: ${JSON.stringify(key.slice(0, 80))}`);
}

/** Puts a stream of any length, in one piece when it fits one. @throws as `put`; what `content` throws */
export async function putStream(
  objects: Objects,
  key: string,
  content: AsyncIterable<Uint8Array>,
): Promise<ObjectInfo | undefined> {
  const parts = partsOf(content);
  const first = await parts.next();
  if (first.done) return objects.put(key, new Uint8Array());
  const second = await parts.next();
  if (second.done) return objects.put(key, first.value);
  return objects.putParts(
    key,
    (async function* () {
      yield first.value;
      yield second.value;
      yield* parts;
    })(),
  );
}

/** The same bytes in pieces of one length, the last one but shorter (O4). */
async function* partsOf(content: AsyncIterable<Uint8Array>): AsyncGenerator<Uint8Array> {
  const wanted = LIMITS.objectPartBytesMax;
  let waiting: Uint8Array[] = [];
  let bytes = 0;
  for await (const chunk of content) {
    for (let at = 0; at < chunk.length; ) {
      const piece = chunk.subarray(at, at + wanted - bytes);
      waiting.push(piece);
      at += piece.length;
      bytes += piece.length;
      if (bytes < wanted) continue;
      yield Buffer.concat(waiting);
      [waiting, bytes] = [[], 0];
    }
  }
  if (bytes > 0) yield Buffer.concat(waiting);
}

/** All of an object that fits memory. @throws as `get` */
export async function bytesOf(content: AsyncIterable<Uint8Array>): Promise<Buffer> {
  return Buffer.concat(await Array.fromAsync(content));
}
