/**
 * Serving links to artifacts. What agents made is handed over as a file to be kept, never as a page: whatever its type, a browser runs
 * nothing of it.
 *
 * T1  Downloads by links take a bounded part of the server, and one whose reader takes nothing is cut off.
 * T2  Once all links are revoked, downloads under way are cut off; one that is under way when its own time ends goes on.
 * T3  Who has no link that works is a stranger, and bounded as one; who has, is bounded by T1 alone.
 */
import type { ServerResponse } from "node:http";
import { Readable } from "node:stream";
import type { FastifyInstance, FastifyReply, FastifyRequest } from "fastify";
import { BanyanError } from "../base/errors.ts";
import { LIMITS } from "../base/limits.ts";
import type { Digest, Range } from "../blobs/blobs.ts";
import type { Runtime } from "../runtime/open.ts";
import { ArtifactLinks, LINK_PATH } from "./artifact-links.ts";
import type { Guard } from "./http-guard.ts";

export interface LinkOptions {
  readonly runtime: Runtime;
  readonly guard: Guard;
}

const MEDIA_TYPE = /^[\w.+-]{1,80}\/[\w.+-]{1,80}$/;
const RANGE = /^bytes=(\d{0,15})-(\d{0,15})$/;

export function serveLinks(server: FastifyInstance, { runtime, guard }: LinkOptions): void {
  const { blobs, clock, random } = runtime.services;
  const links = new ArtifactLinks(runtime.folder, random);
  let downloads = 0;
  /** T1, T2. */
  async function* pieces(asked: string, of: { digest: Digest; range: Range | undefined }, response: ServerResponse) {
    const began = clock.now();
    downloads += 1;
    try {
      for await (const piece of blobs.get(of.digest, of.range)) {
        links.read(asked, began);
        const late = clock.timer(LIMITS.httpRequestMsMax, () => response.destroy());
        try {
          yield piece;
        } finally {
          late.cancel();
        }
      }
    } finally {
      downloads -= 1;
    }
  }

  /** T3. */
  const linkOf = (asked: string) => {
    try {
      return links.read(asked, clock.now());
    } catch (error) {
      guard.admitStranger();
      throw error;
    }
  };

  const url = `${LINK_PATH}*`;
  server.route({
    method: ["GET", "HEAD"],
    url,
    exposeHeadRoute: false,
    handler: async (request, reply) => {
      const asked = (request.params as { "*": string })["*"];
      const { name, digest, mediaType } = linkOf(asked);
      const size = await blobs.has(digest as Digest);
      if (size === undefined) throw new BanyanError("BLOB_NOT_FOUND", "the bytes of the artifact are gone");
      // What it stands for never changes: its digest is as good a tag as there can be.
      const etag = `"${digest}"`;
      reply.headers({
        etag,
        "content-security-policy": "default-src 'none'; sandbox",
        "content-disposition": `attachment; filename*=UTF-8''${encodeURIComponent(name)}`,
        "accept-ranges": "bytes",
        "cache-control": "private, no-store",
      });
      reply.type(MEDIA_TYPE.test(mediaType) ? mediaType : "application/octet-stream");
      if (isKnown(request, etag)) return reply.code(304).send();
      if (request.method === "HEAD") return reply.header("content-length", size).send();
      const range = rangeOf(request, { size, etag });
      if (range === "outside") return unsatisfied(reply, size);
      if (downloads >= LIMITS.httpLinkStreamsMax) {
        throw new BanyanError("REQUESTS_EXCEEDED", "too many downloads by links are under way");
      }
      if (range) reply.code(206).header("content-range", `bytes ${range.from}-${range.to - 1}/${size}`);
      reply.header("content-length", range ? range.to - range.from : size);
      return reply.send(Readable.from(pieces(asked, { digest: digest as Digest, range }, reply.raw)));
    },
  });
}

/** The asker has these very bytes (RFC 9110, 13.1.2: tags are compared weakly). */
function isKnown({ headers }: FastifyRequest, etag: string): boolean {
  const known = (headers["if-none-match"] ?? "").split(",").map((tag) => tag.trim().replace(/^W\//, ""));
  return known.includes(etag) || known.includes("*");
}

function unsatisfied(reply: FastifyReply, size: number): FastifyReply {
  return reply.code(416).header("content-range", `bytes */${size}`).header("content-length", 0).send();
}

/** One range of bytes; what is asked for in another way, or of other bytes, is answered with the whole (RFC 9110, 13.1.5 and 14.2). */
function rangeOf({ headers }: FastifyRequest, { size, etag }: { size: number; etag: string }) {
  const [, first = "", last = ""] = RANGE.exec(headers.range ?? "") ?? [];
  const condition = headers["if-range"] ?? etag;
  const isNone = first === "" && last === "";
  const isReversed = first !== "" && last !== "" && Number(last) < Number(first);
  if (isNone || isReversed || condition !== etag) return undefined;
  const from = first === "" ? Math.max(0, size - Number(last)) : Number(first);
  const to = first === "" || last === "" ? size : Math.min(size, Number(last) + 1);
  return from < to ? { from, to } : "outside";
}
