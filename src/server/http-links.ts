/**
 * Serving links to artifacts. What agents made is handed over as a file to be kept, never as a page: whatever its type, a browser runs
 * nothing of it.
 *
 * T1  Downloads by links take a bounded part of the server, and one whose reader takes nothing is cut off.
 * T2  Once all links are revoked, downloads under way are cut off; one that is under way when its own time ends goes on.
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

  server.get(`${LINK_PATH}*`, { exposeHeadRoute: false }, async (request, reply) => {
    guard.admitStranger();
    const asked = (request.params as { "*": string })["*"];
    const { name, digest, mediaType } = links.read(asked, clock.now());
    const size = await blobs.has(digest as Digest);
    if (size === undefined) throw new BanyanError("BLOB_NOT_FOUND", "the bytes of the artifact are gone");
    if (downloads >= LIMITS.httpLinkStreamsMax) {
      throw new BanyanError("REQUESTS_EXCEEDED", "too many downloads by links are under way");
    }
    const range = rangeOf(request, size);
    reply.headers({
      "content-security-policy": "default-src 'none'; sandbox",
      "content-disposition": `attachment; filename*=UTF-8''${encodeURIComponent(name)}`,
      "accept-ranges": "bytes",
      "cache-control": "private, no-store",
    });
    reply.type(MEDIA_TYPE.test(mediaType) ? mediaType : "application/octet-stream");
    if (range === "outside") return unsatisfied(reply, size);
    if (range) reply.code(206).header("content-range", `bytes ${range.from}-${range.to - 1}/${size}`);
    reply.header("content-length", range ? range.to - range.from : size);
    return reply.send(Readable.from(pieces(asked, { digest: digest as Digest, range }, reply.raw)));
  });
}

function unsatisfied(reply: FastifyReply, size: number): FastifyReply {
  return reply.code(416).header("content-range", `bytes */${size}`).header("content-length", 0).send();
}

/** One range of bytes; what is asked for in another way is answered with the whole. */
function rangeOf({ headers }: FastifyRequest, size: number): Range | "outside" | undefined {
  const [, first = "", last = ""] = RANGE.exec(headers.range ?? "") ?? [];
  if (first === "" && last === "") return undefined;
  const from = first === "" ? Math.max(0, size - Number(last)) : Number(first);
  const to = first === "" || last === "" ? size : Math.min(size, Number(last) + 1);
  return from < to ? { from, to } : "outside";
}
