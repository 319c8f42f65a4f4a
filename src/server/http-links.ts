/**
 * Serving links to artifacts. What agents made is handed over as a file to be kept, never as a page: whatever its type, a browser runs
 * nothing of it.
 */
import { Readable } from "node:stream";
import type { FastifyInstance, FastifyReply, FastifyRequest } from "fastify";
import { BanyanError } from "../base/errors.ts";
import type { Digest } from "../blobs/blobs.ts";
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
  server.get(`${LINK_PATH}*`, { exposeHeadRoute: false }, async (request, reply) => {
    guard.admitStranger();
    const asked = (request.params as { "*": string })["*"];
    const { name, digest, mediaType } = links.read(asked, clock.now());
    const size = await blobs.has(digest as Digest);
    if (size === undefined) throw new BanyanError("BLOB_NOT_FOUND", "the bytes of the artifact are gone");
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
    return reply.send(Readable.from(blobs.get(digest as Digest, range)));
  });
}

function unsatisfied(reply: FastifyReply, size: number): FastifyReply {
  return reply.code(416).header("content-range", `bytes */${size}`).header("content-length", 0).send();
}

/** One range of bytes; what is asked for in another way is answered with the whole. */
function rangeOf({ headers }: FastifyRequest, size: number): { from: number; to: number } | "outside" | undefined {
  const [, first = "", last = ""] = RANGE.exec(headers.range ?? "") ?? [];
  if (first === "" && last === "") return undefined;
  const from = first === "" ? Math.max(0, size - Number(last)) : Number(first);
  const to = first === "" || last === "" ? size : Math.min(size, Number(last) + 1);
  return from < to ? { from, to } : "outside";
}
