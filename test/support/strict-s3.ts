/**
 * A small S3 server that is as strict as the real one and fails when it is told to: it verifies every signature (SigV4, computed here
 * from the specification, not with the client's library) and the hash of every body, honours conditions, bounds parts from below, and
 * can refuse, stay silent, cut the line before or within an answer, or do as asked and lose the answer.
 */
import { createHash, createHmac } from "node:crypto";
import { createServer, type IncomingMessage, type ServerResponse } from "node:http";
import type { AddressInfo } from "node:net";

export type Fault = { status: number; code: string } | "cut" | "truncate" | "silent" | "lose the answer";

const md5 = (bytes: Uint8Array) => createHash("md5").update(bytes).digest();
const sha256 = (bytes: Uint8Array | string) => createHash("sha256").update(bytes).digest("hex");
const MIB = 1024 * 1024;

export class StrictS3 implements AsyncDisposable {
  readonly credentials = {
    accessKeyId: "AKIDTESTTESTTEST",
    secretAccessKey: "a-secret-that-nobody-may-see",
    sessionToken: "tok",
  };
  readonly region = "eu-test-1";
  readonly objects = new Map<string, { bytes: Buffer; etag: string }>();
  readonly uploads = new Map<string, Map<number, { bytes: Buffer; etag: string }>>();
  /** `METHOD key` of all that was signed well. */
  readonly seen: string[] = [];
  /** Asked for every request, the first being 0; what it gives happens to that request. */
  fault: (request: string, index: number) => Fault | undefined = () => undefined;
  readonly #server = createServer((request, response) => void this.#serve(request, response));
  #index = 0;

  async start(): Promise<this> {
    await new Promise<void>((resolve) => this.#server.listen(0, "127.0.0.1", resolve));
    return this;
  }

  get url(): string {
    return `http://127.0.0.1:${(this.#server.address() as AddressInfo).port}/bucket`;
  }

  async [Symbol.asyncDispose](): Promise<void> {
    this.#server.closeAllConnections();
    await new Promise((resolve) => this.#server.close(resolve));
  }

  async #serve(request: IncomingMessage, response: ServerResponse): Promise<void> {
    const url = new URL(request.url ?? "", "http://s3");
    const body = Buffer.concat(await Array.fromAsync(request as AsyncIterable<Buffer>).catch(() => []));
    const key = decodeURIComponent(url.pathname.replace(/^\/bucket\/?/, ""));
    const refused = this.#checkSignature(request, url, body);
    if (refused) return refuse(response, 403, refused);
    const name = `${request.method} ${key}`;
    const fault = this.fault(name, this.#index++);
    this.seen.push(name);
    if (fault === "silent") return;
    if (fault === "cut") return void request.socket.destroy();
    if (typeof fault === "object") return refuse(response, fault.status, fault.code);
    const answer = url.pathname.startsWith("/bucket")
      ? this.#answer(request, url, key, body)
      : error(404, "NoSuchBucket");
    if (fault === "lose the answer") return void request.socket.destroy();
    const { status, headers = {}, bytes = Buffer.alloc(0) } = answer;
    response.writeHead(status, { "content-length": String(bytes.length), ...headers });
    if (fault !== "truncate") return void response.end(request.method === "HEAD" ? undefined : bytes);
    response.write(bytes.subarray(0, bytes.length / 2), () => request.socket.destroy());
  }

  #answer(request: IncomingMessage, url: URL, key: string, body: Buffer): Answer {
    const { searchParams: query } = url;
    const uploadId = query.get("uploadId") ?? "";
    if (request.method === "GET" && key === "") return this.#list(query);
    if (request.method === "POST" && query.has("uploads")) return this.#begin();
    if (uploadId !== "" && !this.uploads.has(uploadId)) return error(404, "NoSuchUpload");
    if (request.method === "PUT" && uploadId !== "")
      return this.#putPart(uploadId, Number(query.get("partNumber")), body);
    if (request.method === "POST") return this.#complete(key, uploadId, body.toString());
    if (request.method === "DELETE" && uploadId !== "") return { status: this.uploads.delete(uploadId) ? 204 : 404 };
    if (request.method === "DELETE") return { status: this.objects.delete(key) ? 204 : 204 };
    if (request.method === "PUT") return this.#put(request, key, body);
    return this.#get(request, key);
  }

  #put({ headers }: IncomingMessage, key: string, bytes: Buffer): Answer {
    const there = this.objects.get(key);
    if (headers["if-none-match"] === "*" && there) return error(412, "PreconditionFailed");
    if (headers["if-match"] && !there) return error(404, "NoSuchKey");
    if (headers["if-match"] && headers["if-match"] !== `"${there?.etag}"`) return error(412, "PreconditionFailed");
    const etag = md5(bytes).toString("hex");
    this.objects.set(key, { bytes, etag });
    return { status: 200, headers: { etag: `"${etag}"` } };
  }

  #get({ method, headers }: IncomingMessage, key: string): Answer {
    const there = this.objects.get(key);
    if (!there) return method === "HEAD" ? { status: 404 } : error(404, "NoSuchKey");
    const { bytes, etag } = there;
    if (headers["if-match"] && headers["if-match"] !== `"${etag}"`) return error(412, "PreconditionFailed");
    const [, from, to] = /^bytes=(\d+)-(\d+)$/.exec(headers.range ?? "") ?? [];
    if (from === undefined) return { status: 200, headers: { etag: `"${etag}"` }, bytes };
    if (Number(from) >= bytes.length) return error(416, "InvalidRange");
    const last = Math.min(Number(to), bytes.length - 1);
    const place = `bytes ${from}-${last}/${bytes.length}`;
    return {
      status: 206,
      headers: { etag: `"${etag}"`, "content-range": place },
      bytes: bytes.subarray(Number(from), last + 1),
    };
  }

  /** Pages of two, so that every list of more has to be continued. */
  #list(query: URLSearchParams): Answer {
    const after = query.get("continuation-token") ?? "";
    const keys = [...this.objects.keys()]
      .filter((key) => key.startsWith(query.get("prefix") ?? "") && key > after)
      .sort();
    const page = keys.slice(0, 2);
    const rows = page.map((key) => {
      const { bytes, etag } = this.objects.get(key) ?? { bytes: Buffer.alloc(0), etag: "" };
      return `<Contents><Key>${key}</Key><ETag>&quot;${etag}&quot;</ETag><Size>${bytes.length}</Size></Contents>`;
    });
    const more = keys.length > 2;
    const next = more ? `<NextContinuationToken>${page.at(-1)}</NextContinuationToken>` : "";
    return xml(200, `<ListBucketResult><IsTruncated>${more}</IsTruncated>${next}${rows.join("")}</ListBucketResult>`);
  }

  #begin(): Answer {
    const id = `upload-${this.#index}`;
    this.uploads.set(id, new Map());
    return xml(200, `<InitiateMultipartUploadResult><UploadId>${id}</UploadId></InitiateMultipartUploadResult>`);
  }

  #putPart(uploadId: string, number: number, bytes: Buffer): Answer {
    const etag = md5(bytes).toString("hex");
    this.uploads.get(uploadId)?.set(number, { bytes, etag });
    return { status: 200, headers: { etag: `"${etag}"` } };
  }

  #complete(key: string, uploadId: string, list: string): Answer {
    const wanted = [...list.matchAll(/<PartNumber>(\d+)<\/PartNumber><ETag>"(\w+)"<\/ETag>/g)];
    const parts = wanted.map(([, number, etag]) => {
      const part = this.uploads.get(uploadId)?.get(Number(number));
      return part?.etag === etag ? part : undefined;
    });
    if (parts.length === 0 || parts.includes(undefined)) return xml(200, "<Error><Code>InvalidPart</Code></Error>");
    const all = parts.filter((part) => part !== undefined);
    if (all.slice(0, -1).some(({ bytes }) => bytes.length < 5 * MIB)) return error(400, "EntityTooSmall");
    const sums = Buffer.concat(all.map(({ bytes }) => md5(bytes)));
    const etag = `${md5(sums).toString("hex")}-${all.length}`;
    this.objects.set(key, { bytes: Buffer.concat(all.map(({ bytes }) => bytes)), etag });
    this.uploads.delete(uploadId);
    return xml(200, `<CompleteMultipartUploadResult><ETag>&quot;${etag}&quot;</ETag></CompleteMultipartUploadResult>`);
  }

  /** https://docs.aws.amazon.com/AmazonS3/latest/API/sig-v4-header-based-auth.html */
  #checkSignature(request: IncomingMessage, url: URL, body: Buffer): string | undefined {
    const { authorization = "", "x-amz-date": time = "", "x-amz-content-sha256": sent } = request.headers;
    const form = /^AWS4-HMAC-SHA256 Credential=(\S+?)\/(\S+), SignedHeaders=(\S+), Signature=(\w+)$/.exec(
      authorization,
    );
    if (!form) return "AccessDenied";
    const [, id, scope = "", names = "", signature] = form;
    if (id !== this.credentials.accessKeyId) return "InvalidAccessKeyId";
    if (request.headers["x-amz-security-token"] !== this.credentials.sessionToken) return "InvalidToken";
    if (sent !== sha256(body)) return "XAmzContentSHA256Mismatch";
    const day = String(time).slice(0, 8);
    if (scope !== `${day}/${this.region}/s3/aws4_request`) return "AuthorizationHeaderMalformed";
    const query = [...url.searchParams].map(([name, value]) => `${encode(name)}=${encode(value)}`).sort();
    const headers = names.split(";").map((name) => `${name}:${String(request.headers[name]).trim()}\n`);
    const canonical = [request.method, url.pathname, query.join("&"), headers.join(""), names, sent].join("\n");
    const key = [day, this.region, "s3", "aws4_request"].reduce<Buffer | string>(
      (secret, part) => createHmac("sha256", secret).update(part).digest(),
      `AWS4${this.credentials.secretAccessKey}`,
    );
    const toSign = ["AWS4-HMAC-SHA256", time, scope, sha256(canonical)].join("\n");
    return createHmac("sha256", key).update(toSign).digest("hex") === signature ? undefined : "SignatureDoesNotMatch";
  }
}

interface Answer {
  readonly status: number;
  readonly headers?: Readonly<Record<string, string>>;
  readonly bytes?: Buffer;
}

function xml(status: number, text: string): Answer {
  return {
    status,
    headers: { "content-type": "application/xml" },
    bytes: Buffer.from(`<?xml version="1.0"?>\n${text}`),
  };
}

/** As real ones do, it tells more than is fit to be shown. */
function error(status: number, code: string): Answer {
  return xml(status, `<Error><Code>${code}</Code><Message>said of a-secret-that-nobody-may-see</Message></Error>`);
}

function refuse(response: ServerResponse, status: number, code: string): void {
  const { bytes, headers } = error(status, code);
  response.writeHead(status, headers).end(bytes);
}

function encode(text: string): string {
  return encodeURIComponent(text).replace(/[!'()*]/g, (c) => `%${c.charCodeAt(0).toString(16).toUpperCase()}`);
}
