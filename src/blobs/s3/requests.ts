/**
 * Requests to an S3-compatible store: signed (SigV4 with the hash of what is sent), bounded in time, tried again where that may help
 * (O5), and their failures in our words (O6).
 */
import { hash } from "node:crypto";
import { AwsV4Signer } from "aws4fetch";
import { type Clock, sleep } from "../../base/clock.ts";
import { BanyanError } from "../../base/errors.ts";
import { LIMITS } from "../../base/limits.ts";
import type { Random } from "../../base/random.ts";
import { OpenFiles } from "../fs/open-files.ts";
import { codeOf } from "./answers.ts";

export interface S3Access {
  /** The bucket's own address, in whichever style: `https://bucket.host` or `https://host/bucket`. */
  readonly url: string;
  /** What the store signs with; `us-east-1` where it has none. */
  readonly region: string;
  readonly credentials: S3Credentials;
}

export interface S3Credentials {
  readonly accessKeyId: string;
  readonly secretAccessKey: string;
  readonly sessionToken?: string | undefined;
}

export interface S3Request {
  readonly method: "GET" | "HEAD" | "PUT" | "POST" | "DELETE";
  /** Empty for the bucket itself. */
  readonly key: string;
  readonly query?: Readonly<Record<string, string>>;
  readonly headers?: Readonly<Record<string, string>>;
  readonly body?: Uint8Array;
  /** Statuses of failures that the caller wants to see. */
  readonly expects?: readonly number[];
  /** What is taken of an answer. */
  readonly bytesMax?: number;
}

export interface S3Answer {
  readonly status: number;
  readonly headers: Headers;
  readonly body: Uint8Array;
  /** Tries that came before, whose outcome nobody knows. */
  readonly earlier: number;
}

/** What a busy store, a proxy before it, or a line in between say. */
const PASSING = new Set([408, 429, 500, 502, 503, 504]);
/** Answers of 400 and 403 that mean a cut or late request. */
const PASSING_CODES = new Set(["RequestTimeout", "SlowDown", "InternalError"]);
const TEXT_BYTES_MAX = 4 * 1024 * 1024;

type Failure = { readonly why: string; readonly cause?: unknown };

export class S3Requests {
  readonly #access: S3Access;
  readonly #base: string;
  readonly #clock: Clock;
  readonly #random: Random;
  /** Each holds a connection. */
  readonly #places = new OpenFiles(LIMITS.objectRequestsMax);
  readonly #signingKeys = new Map<string, ArrayBuffer>();

  /** @throws CONFIG_INVALID */
  constructor(access: S3Access, { clock, random }: { clock: Clock; random: Random }) {
    this.#access = access;
    this.#base = checkedUrl(access.url);
    this.#clock = clock;
    this.#random = random;
  }

  /** @throws STORE_FAILED, STORE_DENIED */
  async send(request: S3Request): Promise<S3Answer> {
    const what = `${request.method} ${request.key || "of the bucket"}`;
    for (let tried = 1; ; tried += 1) {
      const outcome = await this.#places.during(() => this.#try(request, what, tried - 1));
      if (!("why" in outcome)) return outcome;
      if (tried === LIMITS.objectAttemptsMax) {
        const message = `the object store: ${what}: ${outcome.why}, ${tried} times`;
        throw new BanyanError("STORE_FAILED", message, { cause: outcome.cause });
      }
      await sleep(this.#clock, this.#backoffMs(tried));
    }
  }

  /** Doubles, and differs from client to client, so that those a busy store refused together do not come back together. */
  #backoffMs(tried: number): number {
    const most = Math.min(LIMITS.objectRetryMsMax, LIMITS.objectRetryMsMin * 2 ** (tried - 1));
    return most / 2 + (this.#random.next() * most) / 2;
  }

  /** @throws STORE_DENIED, STORE_FAILED: what is no use to try again */
  async #try(request: S3Request, what: string, earlier: number): Promise<S3Answer | Failure> {
    const aborter = new AbortController();
    const timer = this.#clock.timer(LIMITS.objectRequestMsMax, () => aborter.abort());
    try {
      const { url, init } = await this.#signed(request);
      const response = await fetch(url, { ...init, redirect: "manual", signal: aborter.signal });
      const body = await bodyOf(response, request);
      if (!body) return { why: "the answer was cut" };
      const { status, headers } = response;
      if (response.ok || request.expects?.includes(status)) return { status, headers, body, earlier };
      return refusal(what, status, codeOf(Buffer.from(body).toString("latin1")));
    } catch (cause) {
      if (cause instanceof BanyanError) throw cause;
      return { why: aborter.signal.aborted ? `no answer within ${LIMITS.objectRequestMsMax} ms` : lineError(cause) };
    } finally {
      timer.cancel();
    }
  }

  async #signed({ method, key, query = {}, headers = {}, body }: S3Request): Promise<{ url: URL; init: RequestInit }> {
    const url = new URL(key === "" ? this.#base : `${this.#base}/${key}`);
    for (const [name, value] of Object.entries(query)) url.searchParams.set(name, value);
    const { region, credentials } = this.#access;
    const signer = new AwsV4Signer({
      method,
      url: url.href,
      headers: { ...headers, "x-amz-content-sha256": hash("sha256", body ?? "") },
      service: "s3",
      region,
      accessKeyId: credentials.accessKeyId,
      secretAccessKey: credentials.secretAccessKey,
      ...(credentials.sessionToken && { sessionToken: credentials.sessionToken }),
      cache: this.#signingKeys,
      datetime: new Date(this.#clock.now()).toISOString().replace(/[:-]|\.\d{3}/g, ""),
    });
    const signed = await signer.sign();
    return {
      url: signed.url,
      init: { method, headers: signed.headers, body: (body as Uint8Array<ArrayBuffer> | undefined) ?? null },
    };
  }
}

/**
 * An answer's body, up to what was asked for: some servers give more of an object than that. Undefined when it was cut. A part of an
 * empty object is announced in ways that do not fit what follows, so nothing is waited for.
 */
async function bodyOf(response: Response, { method, bytesMax = TEXT_BYTES_MAX }: S3Request) {
  const most = response.ok ? bytesMax : TEXT_BYTES_MAX;
  const chunks: Uint8Array[] = [];
  let length = 0;
  if (response.headers.get("content-range")?.endsWith("/0")) await response.body?.cancel();
  else {
    for await (const chunk of response.body ?? []) {
      chunks.push(chunk);
      length += chunk.length;
      if (length >= most) return Buffer.concat(chunks).subarray(0, most);
    }
    const announced = response.headers.get("content-length");
    if (method !== "HEAD" && announced !== null && Number(announced) !== length) return undefined;
  }
  return Buffer.concat(chunks);
}

/** @throws STORE_DENIED, STORE_FAILED */
function refusal(what: string, status: number, code = ""): Failure {
  const why = `${status}${code && ` ${code}`}`;
  if (PASSING.has(status) || PASSING_CODES.has(code)) return { why };
  const denied = status === 401 || status === 403;
  throw new BanyanError(denied ? "STORE_DENIED" : "STORE_FAILED", `the object store: ${what}: ${why}`);
}

/** `fetch` fails with the cause within: its code says more, and no more than is fit to be seen. */
function lineError(error: unknown): string {
  const { cause } = error as { cause?: { code?: unknown } };
  return typeof cause?.code === "string" && /^\w{1,64}$/.test(cause.code) ? cause.code : "the connection broke";
}

/** @throws CONFIG_INVALID */
function checkedUrl(text: string): string {
  const url = URL.parse(text);
  const isPlain = url && url.username === "" && url.password === "" && url.search === "" && url.hash === "";
  if (isPlain && /^https?:$/.test(url.protocol)) return url.href.replace(/\/+$/, "");
  throw new BanyanError(
    "CONFIG_INVALID",
    "the object store's URL is `https://` and a host, with the bucket, and nothing else",
  );
}
