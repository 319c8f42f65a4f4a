/**
 * The HTTP server: every operation of the contract as `POST /v1/NAME`, live events as `GET /v1/events`, the whole fleet as it changes as
 * `GET /v1/fleet`, metrics at `GET /metrics`, and what runs it.
 *
 * H1  It listens on the loopback address, and elsewhere with a certificate alone (listening.ts).
 * H2  Everything but `/health`, `/ready`, the dashboard's own files and links to artifacts needs a token; see http-guard.ts for who is let in.
 * H3  What comes in is checked by the schemas of the contract, and bounded in size, number and time.
 * H4  Errors are problem documents (RFC 9457) from the registry. Neither they nor logs hold a secret, and bugs tell nothing of the inside.
 * H5  After `stop` nothing listens; what was under way has been answered, and followers were told.
 * H6  Whoever commands an agent is in its journal, by the name of the token.
 */
import type { AddressInfo } from "node:net";
import fastify, { type FastifyError, type FastifyInstance, type FastifyReply, type FastifyRequest } from "fastify";
import { asBanyanError, BanyanError, ERRORS } from "../base/errors.ts";
import { LIMITS } from "../base/limits.ts";
import { createRedactor, secretsOf } from "../base/redact.ts";
import type { Runtime } from "../runtime/open.ts";
import type { AccessToken, AccessTokens } from "./access-tokens.ts";
import { BrowserSessions } from "./browser-sessions.ts";
import { isOperation, type OperationName } from "./contract/operations.ts";
import { checkRequest, isMany, perform, type Request } from "./handlers.ts";
import { checkRole, Guard } from "./http-guard.ts";
import { serveLinks } from "./http-links.ts";
import { serveLive } from "./http-live.ts";
import { serveMetrics } from "./http-metrics.ts";
import { servePage } from "./http-page.ts";
import { endSoon, type StreamOptions, writeTaken } from "./http-streams.ts";
import { type Listening, placeOf } from "./listening.ts";
import { openApi } from "./openapi.ts";
import { createOperations } from "./operations.ts";
import { pageFolder, readPage } from "./page-files.ts";
import type { StartTree } from "./verbs.ts";

export interface HttpOptions {
  /** 0 for any that is free. */
  readonly port: number;
  readonly tokens: AccessTokens;
  /** The loopback address without encryption by default. */
  readonly listening?: Listening | undefined;
  /** Folder of the built dashboard; that of this installation by default. */
  readonly page?: string | undefined;
  /** Asked to stop this process; without it `shutdown` is refused. */
  readonly shutDown?: (() => void) | undefined;
  /** Begins trees for tasks; without it `spawn` is refused. */
  readonly startTree?: StartTree | undefined;
  /** Events that a reader may lag behind; LIMITS.followEventsMax by default. */
  readonly followEventsMax?: number | undefined;
}

export interface HttpServer extends AsyncDisposable {
  readonly url: string;
  /** An address that logs a browser in, once, as an admin; for who started the server. Undefined while no admin has a token. */
  loginLink(): string | undefined;
  stop(): Promise<void>;
}

/** What is under way gets this long to end when the server is stopped. */
const STOP_MS_MAX = 1_000;

const HEADERS = {
  "content-security-policy": "default-src 'none'; frame-ancestors 'none'",
  "x-content-type-options": "nosniff",
  "referrer-policy": "no-referrer",
  "cross-origin-resource-policy": "same-origin",
  "cache-control": "no-store",
};

/** Resolves when it listens. @throws INPUT_INVALID when the port is taken */
export async function startHttp(runtime: Runtime, options: HttpOptions): Promise<HttpServer> {
  const { tokens, shutDown, startTree, followEventsMax = LIMITS.followEventsMax } = options;
  const { clock } = runtime.services;
  const redact = createRedactor({ secrets: secretsOf(process.env) });
  const sessions = new BrowserSessions(tokens, { clock, random: runtime.services.random });
  const guard = new Guard(tokens, sessions, clock);
  const stopping = new AbortController();
  let streams = 0;
  const place = placeOf(options.listening ?? {}, clock.now());
  const bounds = { maxHeaderSize: LIMITS.httpHeaderBytesMax };
  const server: FastifyInstance = fastify({
    bodyLimit: LIMITS.controlBytesMax,
    requestTimeout: LIMITS.httpRequestMsMax,
    ...(place.tls ? { https: { ...bounds, ...place.tls } } : { http: bounds }),
    return503OnClosing: true,
    routerOptions: { maxParamLength: 64 },
  });
  server.server.maxConnections = LIMITS.httpConnectionsMax;

  const problem = (error: unknown) => {
    const known = asBanyanError(error);
    const { status } = ERRORS[known.code];
    const detail = known.code === "INTERNAL" ? "The server failed; its own terminal says how." : redact(known.message);
    const { code, agent, remedy, retryable } = known;
    return {
      type: "about:blank",
      title: ERRORS[code].means,
      status,
      detail,
      code,
      remedy,
      retryable,
      ...(agent && { agent }),
    };
  };
  const refuse = (reply: FastifyReply, error: unknown) => {
    const body = problem(error);
    if (body.status === 401) reply.header("www-authenticate", "Bearer");
    return reply.code(body.status).type("application/problem+json").send(JSON.stringify(body));
  };
  const handlersFor = ({ name }: AccessToken) =>
    createOperations(runtime, { by: { kind: "person", id: name }, live: true, shutDown, startTree });

  /** Runs a stream with a signal that is aborted when the reader goes, the server stops or the token ends. */
  const stream = async (reply: FastifyReply, type: string, work: (options: StreamOptions) => Promise<string>) => {
    if (streams >= LIMITS.httpStreamsMax) throw new BanyanError("REQUESTS_EXCEEDED", "too many streams are open");
    const gone = new AbortController();
    const signal = AbortSignal.any([gone.signal, stopping.signal]);
    const { raw } = reply;
    raw.once("close", () => gone.abort());
    streams += 1;
    reply.hijack();
    raw.writeHead(200, { ...HEADERS, "content-type": type });
    raw.flushHeaders();
    try {
      endSoon(raw, clock, await work({ signal }));
    } finally {
      streams -= 1;
    }
  };

  server.addHook("onRequest", async (request, reply) => {
    reply.headers(HEADERS);
    guard.checkOrigin(request.headers);
  });
  server.setErrorHandler((error: FastifyError, _request, reply) => refuse(reply, known(error)));
  server.setNotFoundHandler((_request, reply) => refuse(reply, new BanyanError("INPUT_INVALID", "nothing is there")));
  server.get("/health", async () => ({ ok: true }));
  server.get("/ready", async (_request, reply) =>
    reply.code(stopping.signal.aborted ? 503 : 200).send({ ok: !stopping.signal.aborted }),
  );
  server.get("/v1/openapi.json", async (request) => {
    guard.identify(request);
    return openApi();
  });

  server.post("/v1/:operation", {
    // Before the body is read: a stranger's is not.
    onRequest: async (request) => {
      const who = guard.identify(request);
      const { operation } = request.params as { operation: string };
      checkRole(who, checkName(operation));
      people.set(request, who);
    },
    handler: async (request, reply) => {
      const who = people.get(request) as AccessToken;
      const asked = checkRequest((request.params as { operation: string }).operation, request.body);
      if (!isMany(asked.name)) {
        const gone = new AbortController();
        reply.raw.once("close", () => gone.abort());
        const answer = await perform(handlersFor(who), asked, gone.signal);
        return reply.type("application/json").send(JSON.stringify(answer));
      }
      if (follows(asked))
        throw new BanyanError("INPUT_INVALID", "what goes on is followed at GET /v1/events or GET /v1/fleet");
      const began = await begin(perform(handlersFor(who), asked, stopping.signal) as AsyncIterable<readonly unknown[]>);
      return await stream(reply, "application/x-ndjson", async (options) => {
        try {
          for await (const items of began) {
            await writeTaken(reply.raw, items.map((item) => `${JSON.stringify({ item })}\n`).join(""), options);
            if (options.signal.aborted) break;
          }
          return stopping.signal.aborted ? failed(stoppingError()) : `${JSON.stringify({ end: true })}\n`;
        } catch (error) {
          return failed(error);
        }
      });
    },
  });
  const failed = (error: unknown) => `${JSON.stringify({ error: problem(error) })}\n`;

  await serveMetrics(server, { runtime, guard });
  serveLinks(server, { runtime, guard });
  serveLive(server, { runtime, guard, stream, problem, stopping: stopping.signal, followEventsMax });
  servePage(server, {
    guard,
    sessions,
    files: readPage(options.page ?? pageFolder()),
    isTls: place.scheme === "https",
  });

  const people = new WeakMap<FastifyRequest, AccessToken>();
  await server.listen({ host: place.host, port: options.port }).catch((cause) => {
    const where = `${place.host}, port ${options.port}`;
    throw new BanyanError("INPUT_INVALID", `cannot listen on ${where}: ${cause.message}`, { cause });
  });
  const { port } = server.server.address() as AddressInfo;
  guard.listensAt(port, place);

  let stopped: Promise<void> | undefined;
  const stop = () => {
    stopped ??= (async () => {
      stopping.abort();
      // A reader that takes nothing holds up nobody.
      const late = clock.timer(STOP_MS_MAX, () => server.server.closeAllConnections());
      await server.close();
      late.cancel();
    })();
    return stopped;
  };
  const url = `${place.scheme}://${place.names[0]}:${port}`;
  const loginLink = () => {
    const admin = tokens.list().find((token) => token.role === "admin" && guard.isStillValid(token));
    // Behind the #, which no browser sends and no log has.
    return admin && `${url}/#code=${sessions.makeCode(admin)}`;
  };
  return { url, loginLink, stop, [Symbol.asyncDispose]: stop };
}

function checkName(operation: string): OperationName {
  if (isOperation(operation)) return operation;
  throw new BanyanError("INPUT_INVALID", `no operation ${JSON.stringify(operation)}`);
}

/** Waits for the first batch, so that a refusal comes with its status. */
async function begin<Batch>(batches: AsyncIterable<Batch>): Promise<AsyncIterable<Batch>> {
  const iterator = batches[Symbol.asyncIterator]();
  const first = await iterator.next();
  return (async function* () {
    try {
      for (let got = first; !got.done; got = await iterator.next()) yield got.value;
    } finally {
      await iterator.return?.();
    }
  })();
}

function follows({ input }: Request): boolean {
  return (input as { follow?: boolean }).follow === true;
}

function stoppingError(): BanyanError {
  return new BanyanError("SHUTTING_DOWN", "the server is stopping");
}

/** What Fastify refuses by itself: bodies that are too large, no JSON, of another type. */
function known(error: FastifyError): unknown {
  if (error instanceof BanyanError || error.statusCode === undefined || error.statusCode >= 500) return error;
  const code = error.statusCode === 413 ? "CONTENT_TOO_LARGE" : "INPUT_INVALID";
  return new BanyanError(code, error.message, { cause: error });
}
