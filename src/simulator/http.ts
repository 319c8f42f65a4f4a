/** Carries requests from a socket to the provider and its answers back, broken connections included. */
import type { ServerResponse } from "node:http";
import fastify, { type FastifyInstance, type FastifyReply, type FastifyRequest } from "fastify";
import { LIMITS } from "../base/limits.ts";
import { ApiError } from "./api-error.ts";
import type { Provider, ProviderRequest, ProviderResponse } from "./provider.ts";

/** A server that does not listen yet. */
export function httpServer(provider: Provider): FastifyInstance {
  const server = fastify({ bodyLimit: LIMITS.simulatorBodyBytesMax, forceCloseConnections: true });
  // The provider parses bodies itself, so that a broken one gets the API's own error.
  server.removeAllContentTypeParsers();
  server.addContentTypeParser("*", { parseAs: "string" }, (_request, body, done) => done(null, body));
  server.setErrorHandler((error: { code?: string; message: string }, _request, reply) => {
    const tooLarge = error.code === "FST_ERR_CTP_BODY_TOO_LARGE";
    const refusal = tooLarge
      ? new ApiError("request_too_large", "Request exceeds the maximum size")
      : new ApiError("invalid_request_error", error.message);
    reply.code(refusal.status).send(refusal.toBody("req_sim_unread"));
  });
  server.all("/*", (request, reply) => carry(provider, request, reply));
  return server;
}

async function carry(provider: Provider, request: FastifyRequest, reply: FastifyReply): Promise<void> {
  const gone = new AbortController();
  reply.raw.once("close", () => {
    if (!reply.raw.writableFinished) gone.abort();
  });
  let response: ProviderResponse;
  try {
    response = await provider.handle(requestOf(request, gone.signal));
  } catch {
    reply.hijack();
    request.raw.socket.destroy();
    return;
  }
  if (typeof response.body === "string") {
    await reply.code(response.status).headers(response.headers).send(response.body);
    return;
  }
  reply.hijack();
  reply.raw.writeHead(response.status, response.headers);
  try {
    for await (const text of response.body) await write(reply.raw, text);
    reply.raw.end();
  } catch {
    reply.raw.destroy();
  }
}

function requestOf({ method, url, headers, body }: FastifyRequest, signal: AbortSignal): ProviderRequest {
  const single = Object.entries(headers).map(([name, value]) => [name, Array.isArray(value) ? value.join(",") : value]);
  return { method, path: url, headers: Object.fromEntries(single), body: typeof body === "string" ? body : "", signal };
}

/** Resolves when the text has left for the kernel, so that what was written before a cut arrives. */
function write(to: ServerResponse, text: string): Promise<void> {
  return new Promise((resolve, reject) => {
    to.write(text, (error) => (error ? reject(error) : resolve()));
  });
}
