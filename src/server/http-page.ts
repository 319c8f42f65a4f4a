/**
 * What a browser needs besides the operations: the dashboard's files, and a way to log in and out.
 *
 * P1  The page is the same for everybody and holds no secret: it is served to strangers, and asks for a token.
 * P2  No script and no style comes from anywhere but here (PAGE_POLICY).
 */
import type { FastifyInstance, FastifyReply, FastifyRequest } from "fastify";
import { z } from "zod";
import { BanyanError } from "../base/errors.ts";
import { LIMITS } from "../base/limits.ts";
import type { BrowserSessions } from "./browser-sessions.ts";
import type { Guard } from "./http-guard.ts";
import { PAGE_POLICY, type PageFile, type PageFiles } from "./page-files.ts";

export interface PageOptions {
  readonly guard: Guard;
  readonly sessions: BrowserSessions;
  readonly files: PageFiles;
  readonly isTls: boolean;
}

const login = z.strictObject({ /** A token, or a code of a link. */ secret: z.string().min(1).max(256) });

const NOT_BUILT = "The dashboard was not built: run `npm run build` in the source folder, and start again.\n";

export function servePage(server: FastifyInstance, { guard, sessions, files, isTls }: PageOptions): void {
  const cookie = (secret: string, seconds: number) =>
    `${guard.cookieName}=${secret}; Path=/; Max-Age=${seconds}; HttpOnly; SameSite=Strict${isTls ? "; Secure" : ""}`;

  server.post("/v1/session", async ({ body }, reply) => {
    guard.admitStranger();
    const asked = login.safeParse(body);
    if (!asked.success) throw new BanyanError("INPUT_INVALID", `session: ${z.prettifyError(asked.error)}`);
    const secret = sessions.begin(asked.data.secret);
    reply.header("set-cookie", cookie(secret, LIMITS.sessionMs / 1_000));
    return whoIs(sessions.find(secret));
  });
  server.get("/v1/session", async (request) => whoIs(guard.identify(request)));
  server.delete("/v1/session", async (request, reply) => {
    guard.identify(request);
    const secret = guard.cookieOf(request.headers);
    if (secret !== undefined) sessions.end(secret);
    reply.header("set-cookie", cookie("", 0));
    return {};
  });
  server.post("/v1/code", async (request) => ({ code: sessions.makeCode(guard.identify(request)) }));

  server.get("/*", async (request, reply) => {
    const file = files.get(pathOf(request)) ?? (wantsPage(request) ? files.get("/") : undefined);
    if (file) return sendFile(request, reply, file);
    if (!wantsPage(request)) throw new BanyanError("INPUT_INVALID", "nothing is there");
    return reply.code(503).type("text/plain; charset=utf-8").send(NOT_BUILT);
  });
}

function whoIs(token: { readonly name: string; readonly role: string } | undefined) {
  return { name: token?.name ?? "", role: token?.role ?? "" };
}

function pathOf({ url }: FastifyRequest): string {
  return url.split("?", 1)[0] ?? "/";
}

/** An address within the page, which the page itself reads. */
function wantsPage(request: FastifyRequest): boolean {
  return !pathOf(request).startsWith("/v1/") && /\btext\/html\b/.test(request.headers.accept ?? "");
}

function sendFile({ headers }: FastifyRequest, reply: FastifyReply, { bytes, type, etag, isLasting }: PageFile) {
  reply.headers({
    "content-security-policy": PAGE_POLICY,
    "cache-control": isLasting ? "public, max-age=31536000, immutable" : "no-cache",
    etag,
  });
  if (headers["if-none-match"] === etag) return reply.code(304).send();
  return reply.type(type).send(bytes);
}
