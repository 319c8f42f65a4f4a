/**
 * Objects in a bucket of an S3-compatible store. A read is a sequence of requests for a range each, which hold no connection in
 * between and are whole or are asked for again (O3, O4).
 */
import { createHash, hash } from "node:crypto";
import { assert } from "../../base/assert.ts";
import { BanyanError } from "../../base/errors.ts";
import { LIMITS } from "../../base/limits.ts";
import type { Range } from "../blobs.ts";
import { type Condition, checkKey, type ObjectInfo, type Objects } from "../objects.ts";
import { codeOf, elementsOf, etagOf, textOf } from "./answers.ts";
import type { S3Answer, S3Requests } from "./requests.ts";

/** What one yields of a window that was read. */
const CHUNK_BYTES = 256 * 1024;
const NO_BUCKET = "NoSuchBucket";

export class S3Objects implements Objects {
  readonly #requests: S3Requests;

  constructor(requests: S3Requests) {
    this.#requests = requests;
  }

  async put(key: string, bytes: Uint8Array, only?: Condition): Promise<ObjectInfo | undefined> {
    checkKey(key);
    const answer = await this.#requests.send({
      method: "PUT",
      key,
      body: bytes,
      headers: { "content-type": "application/octet-stream", ...conditionOf(only) },
      expects: only ? [404, 409, 412] : [],
    });
    if (answer.status < 400) return { key, bytes: bytes.length, etag: etagOf(answer.headers.get("etag")) };
    if (codeOf(text(answer)) === NO_BUCKET) throw absent(key, text(answer));
    return answer.earlier > 0 ? this.#ownOf(key, bytes) : undefined;
  }

  /** An earlier try may have been heard, and only its answer lost: then it is our own bytes that are in the way. */
  async #ownOf(key: string, bytes: Uint8Array): Promise<ObjectInfo | undefined> {
    const there = await this.head(key);
    return there?.bytes === bytes.length && there.etag === hash("md5", bytes) ? there : undefined;
  }

  async putParts(key: string, parts: AsyncIterable<Uint8Array>): Promise<ObjectInfo> {
    checkKey(key);
    const begun = await this.#requests.send({
      method: "POST",
      key,
      query: { uploads: "" },
      headers: { "content-type": "application/octet-stream" },
    });
    const uploadId = textOf(text(begun), "UploadId");
    if (!uploadId) throw new BanyanError("STORE_FAILED", `the object store: no upload was begun for ${key}`);
    try {
      return await this.#upload(key, uploadId, parts);
    } catch (error) {
      // What is left of it costs storage until a rule of the bucket's removes it; the failure itself is what counts.
      await this.#requests.send({ method: "DELETE", key, query: { uploadId }, expects: [404] }).catch(() => undefined);
      throw error;
    }
  }

  async #upload(key: string, uploadId: string, parts: AsyncIterable<Uint8Array>): Promise<ObjectInfo> {
    const etags: string[] = [];
    const whole = createHash("md5");
    let bytes = 0;
    for await (const part of parts) {
      assert(bytes === etags.length * LIMITS.objectPartBytesMax, "all parts but the last have one length");
      if (etags.length === LIMITS.objectPartsMax) {
        throw new BanyanError("CONTENT_TOO_LARGE", `over ${LIMITS.objectPartsMax * LIMITS.objectPartBytesMax} bytes`);
      }
      const query = { partNumber: String(etags.length + 1), uploadId };
      const { headers } = await this.#requests.send({ method: "PUT", key, query, body: part });
      etags.push(etagOf(headers.get("etag")));
      whole.update(hash("md5", part, "buffer"));
      bytes += part.length;
    }
    const list = etags.map((etag, index) => `<Part><PartNumber>${index + 1}</PartNumber><ETag>"${etag}"</ETag></Part>`);
    const ended = await this.#requests.send({
      method: "POST",
      key,
      query: { uploadId },
      headers: { "content-type": "application/xml" },
      body: Buffer.from(`<CompleteMultipartUpload>${list.join("")}</CompleteMultipartUpload>`),
      expects: [404],
    });
    // It answers 200 before it knows, to keep the connection, and may fail within.
    const etag = ended.status === 200 ? textOf(text(ended), "ETag") : undefined;
    if (etag) return { key, bytes, etag: etagOf(etag) };
    const there = ended.earlier > 0 ? await this.head(key) : undefined;
    if (there?.etag === `${whole.digest("hex")}-${etags.length}`) return there;
    throw new BanyanError("STORE_FAILED", `the object store: POST ${key}: ${codeOf(text(ended)) ?? "not completed"}`);
  }

  async *get(key: string, { from, to }: Range = { from: 0, to: Number.MAX_SAFE_INTEGER }): AsyncGenerator<Uint8Array> {
    checkKey(key);
    if (from >= to) {
      if (!(await this.head(key))) throw absent(key);
      return;
    }
    let etag: string | undefined;
    for (let at = from; at < to; at += LIMITS.objectPartBytesMax) {
      const wanted = Math.min(LIMITS.objectPartBytesMax, to - at);
      const answer = await this.#requests.send({
        method: "GET",
        key,
        headers: { range: `bytes=${at}-${at + wanted - 1}`, ...(etag && { "if-match": `"${etag}"` }) },
        expects: [404, 412, 416],
        bytesMax: wanted,
      });
      if (answer.status === 416) return;
      if (answer.status === 404) throw absent(key, text(answer));
      if (answer.status !== 206) throw new BanyanError("STORE_FAILED", `${key} changed while it was read`);
      const total = totalOf(answer, key, at, wanted);
      etag = etagOf(answer.headers.get("etag"));
      const { body } = answer;
      for (let start = 0; start < body.length; start += CHUNK_BYTES) yield body.subarray(start, start + CHUNK_BYTES);
      if (at + body.length >= total) return;
    }
  }

  async head(key: string): Promise<ObjectInfo | undefined> {
    checkKey(key);
    const { status, headers } = await this.#requests.send({ method: "HEAD", key, expects: [404] });
    if (status === 404) return undefined;
    return { key, bytes: Number(headers.get("content-length") ?? 0), etag: etagOf(headers.get("etag")) };
  }

  async delete(key: string): Promise<void> {
    checkKey(key);
    await this.#requests.send({ method: "DELETE", key, expects: [404] });
  }

  async *list(prefix: string): AsyncGenerator<ObjectInfo> {
    if (prefix !== "") checkKey(prefix.replace(/\/$/, ""));
    let next: string | undefined;
    do {
      const query = { "list-type": "2", "encoding-type": "url", prefix, ...(next && { "continuation-token": next }) };
      const page = text(await this.#requests.send({ method: "GET", key: "", query }));
      for (const entry of elementsOf(page, "Contents")) {
        const key = decodeURIComponent(textOf(entry, "Key") ?? "");
        yield { key, bytes: Number(textOf(entry, "Size")), etag: etagOf(textOf(entry, "ETag")) };
      }
      next = textOf(page, "IsTruncated") === "true" ? textOf(page, "NextContinuationToken") : undefined;
    } while (next);
  }
}

function conditionOf(only: Condition | undefined): Record<string, string> {
  return only ? { "if-none-match": "*" } : {};
}

/** Of `bytes 0-99/1234`. A store that does not say it cannot be read from in parts. @throws STORE_FAILED */
function totalOf({ headers, body }: S3Answer, key: string, at: number, wanted: number): number {
  const [, first, last, total] = /^bytes (\d+)-(\d+)\/(\d+)$/.exec(headers.get("content-range") ?? "") ?? [];
  if (total === "0") return 0;
  if (Number(first) === at && Math.min(wanted, Number(last) - at + 1) === body.length) return Number(total);
  throw new BanyanError("STORE_FAILED", `the object store: GET ${key}: a part of another place`);
}

/** A bucket that is not there is no blob that is not there. */
function absent(key: string, answer = ""): BanyanError {
  if (codeOf(answer) === NO_BUCKET) return new BanyanError("STORE_FAILED", "the object store: no such bucket");
  return new BanyanError("OBJECT_NOT_FOUND", `no object ${key}`);
}

function text({ body }: S3Answer): string {
  return Buffer.from(body).toString("utf8");
}
