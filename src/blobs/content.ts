/**
 * Texts of messages between memory and the blobs. A text over LIMITS.inlineBytesMax is stored, and what is kept instead is
 * its digest, size and head (`Content` of the agent).
 *
 * C1  What was stowed comes back exactly, whatever characters it has (see wtf8.ts), secrets excepted.
 * C2  What is stowed has no secret of a known form, and none that the redactor was given.
 * C3  A reference is handed out only when its bytes are durable.
 */
import type { Content, ContentReference } from "../agent/content.ts";
import { BanyanError } from "../base/errors.ts";
import { LIMITS } from "../base/limits.ts";
import type { Redact } from "../base/redact.ts";
import type { Blobs, Digest } from "./blobs.ts";
import { createTextCache } from "./text-cache.ts";
import { decodeText, encodeText } from "./wtf8.ts";

export interface Contents {
  /**
   * What stands for a text in an event: the text itself when it is short, at once; otherwise a reference, once it is
   * durable. Redacts. Rejects with CONTENT_TOO_LARGE, DISK_FAILED.
   */
  stow(text: string): Content | Promise<Content>;
  /** The same for a text that was redacted already, or must stay as it is. */
  keep(text: string): Content | Promise<Content>;
  /** Stores a text of any length, as it is. Rejects with CONTENT_TOO_LARGE, DISK_FAILED. */
  store(text: string): Promise<ContentReference>;
  /** The whole text. @throws BLOB_NOT_FOUND, BLOB_DAMAGED */
  fetch(content: Content): Promise<string>;
  /** The text stored under a digest. @throws BLOB_NOT_FOUND, BLOB_DAMAGED */
  load(digest: string): Promise<string>;
  /** What `stow` applies, for texts that go elsewhere. */
  readonly redact: Redact;
}

export function createContents({ blobs, redact }: { blobs: Blobs; redact: Redact }): Contents {
  const cache = createTextCache(LIMITS.textCacheBytesMax);
  const loading = new Map<string, Promise<string>>();

  async function store(text: string): Promise<ContentReference> {
    const encoded = encodeText(text);
    if (encoded.length > LIMITS.contentBytesMax) {
      throw new BanyanError("CONTENT_TOO_LARGE", `a text of ${encoded.length} bytes, over ${LIMITS.contentBytesMax}`);
    }
    const { digest, bytes } = await blobs.put(encoded);
    cache.keep(digest, text);
    return { digest, bytes, head: headOf(encoded) };
  }

  /** Agents that wake together read one toolset once. */
  function load(digest: string): Promise<string> {
    const known = cache.find(digest);
    if (known !== undefined) return Promise.resolve(known);
    const started = loading.get(digest) ?? read(blobs, digest).finally(() => loading.delete(digest));
    loading.set(digest, started);
    return started.then((text) => {
      cache.keep(digest, text);
      return text;
    });
  }

  const keep = (text: string) => (staysInline(text) ? text : store(text));

  return {
    redact,
    store,
    load,
    keep,
    stow: (text) => keep(redact(text)),
    fetch: (content) => (typeof content === "string" ? Promise.resolve(content) : load(content.digest)),
  };
}

/** Counts bytes only where the number of UTF-16 units, each one to three bytes, does not settle it. */
function staysInline(text: string): boolean {
  if (text.length * 3 <= LIMITS.inlineBytesMax) return true;
  return text.length <= LIMITS.inlineBytesMax && Buffer.byteLength(text) <= LIMITS.inlineBytesMax;
}

/** The first LIMITS.headBytesMax bytes, without a character cut in two. A string of its own, which keeps no other alive. */
function headOf(encoded: Buffer): string {
  let end = LIMITS.headBytesMax;
  while (((encoded[end] ?? 0) & 0xc0) === 0x80) end -= 1;
  return decodeText(encoded.subarray(0, end));
}

async function read(blobs: Blobs, digest: string): Promise<string> {
  const chunks: Uint8Array[] = [];
  for await (const chunk of blobs.get(digest as Digest)) chunks.push(chunk);
  return decodeText(Buffer.concat(chunks));
}
