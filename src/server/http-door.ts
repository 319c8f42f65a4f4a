/**
 * Operations of a server, over HTTP: with a token, or in a browser with its session. The client of programs and of the command line asks through it,
 * and so does the dashboard's page; so it needs no Node.
 */
import { BanyanError, ERRORS, type ErrorCode } from "../base/errors.ts";
import { LIMITS } from "../base/limits.ts";
import type { OperationName } from "./contract/operations.ts";
import type { Door } from "./door.ts";

export interface ServerAddress {
  readonly url: string;
  readonly token: string;
}

type Line = { readonly item: unknown } | { readonly end: true } | { readonly error: unknown };

/** One message of live events holds as many as fit, each of them up to a line of the control socket. */
const LINE_LENGTH_MAX = 16 * LIMITS.controlBytesMax;

/** @throws INPUT_INVALID for what is no address */
export function openHttpDoor({ url, token }: ServerAddress): Door {
  if (!URL.canParse(url) || !/^https?:$/.test(new URL(url).protocol)) {
    throw new BanyanError("INPUT_INVALID", "the server's address is no URL of http or https");
  }
  const { origin, protocol, hostname } = new URL(url);
  // A token goes over no network in the clear.
  if (protocol === "http:" && !["localhost", "127.0.0.1", "[::1]"].includes(hostname)) {
    throw new BanyanError("INPUT_INVALID", "a server on another machine is asked by https");
  }
  return doorOf(origin, { authorization: `Bearer ${token}` });
}

/** That of the server from which the page came, with the session that its browser keeps. */
export function openPageDoor(): Door {
  return doorOf("", {});
}

function doorOf(origin: string, identity: Readonly<Record<string, string>>): Door {
  const ask = async (path: string, request: RequestInit, signal?: AbortSignal): Promise<Response> => {
    const response = await fetch(`${origin}/v1/${path}`, {
      ...request,
      headers: { ...identity, "content-type": "application/json" },
      credentials: "same-origin",
      // A redirect would carry the token elsewhere.
      redirect: "error",
      ...(signal && { signal }),
    }).catch((cause) => {
      signal?.throwIfAborted();
      throw new BanyanError("SERVER_UNREACHABLE", `no answer from ${origin || "the server"}`, { cause });
    });
    return answered(response);
  };
  const post = (name: OperationName, input: unknown, signal?: AbortSignal) =>
    ask(name, { method: "POST", body: JSON.stringify(input ?? {}) }, signal);
  const batchesOf = async (name: OperationName, input: unknown, signal?: AbortSignal) => {
    const { follow, ...wanted } = (input ?? {}) as { follow?: boolean };
    if (follow !== true) return itemsIn(linesOf((await post(name, input, signal)).body));
    if (name === "fleet") return eventsIn(linesOf((await ask("fleet", { method: "GET" }, signal)).body));
    const given = Object.entries(wanted).filter(([, value]) => value !== undefined);
    const query = new URLSearchParams(given.map(([field, value]): [string, string] => [field, String(value)]));
    return eventsIn(linesOf((await ask(`events?${query}`, { method: "GET" }, signal)).body));
  };
  return {
    isOpen: true,
    one: async (name, input, signal) => (await post(name, input, signal)).json(),
    async *many(name, input, signal) {
      try {
        yield* await batchesOf(name, input, signal);
      } catch (cause) {
        signal?.throwIfAborted();
        throw cause instanceof BanyanError ? cause : brokenOff(cause);
      }
    },
    close: () => undefined,
  };
}

/** The response, when it is no refusal. @throws what the server says, as if it had happened here */
export async function answered(response: Response): Promise<Response> {
  if (response.ok) return response;
  throw asError(await response.json().catch(() => undefined));
}

/** Whole lines, as they come; empty ones too. @throws CONTENT_TOO_LARGE */
export async function* linesOf(body: ReadableStream<Uint8Array> | null): AsyncGenerator<readonly string[]> {
  const reader = body?.getReader();
  const decoder = new TextDecoder();
  let rest = "";
  try {
    for (let read = await reader?.read(); read && !read.done; read = await reader?.read()) {
      const lines = (rest + decoder.decode(read.value, { stream: true })).split("\n");
      rest = lines.pop() ?? "";
      if (rest.length > LINE_LENGTH_MAX) throw new BanyanError("CONTENT_TOO_LARGE", "the server's answer has no end");
      if (lines.length > 0) yield lines;
    }
    if (rest !== "") yield [rest];
  } finally {
    await reader?.cancel().catch(() => undefined);
  }
}

/** What came in one piece, as one batch. */
async function* itemsIn(pieces: AsyncIterable<readonly string[]>): AsyncGenerator<readonly unknown[]> {
  for await (const lines of pieces) {
    const items: unknown[] = [];
    for (const text of lines) {
      if (text === "") continue;
      const line = JSON.parse(text) as Line;
      if ("item" in line) items.push(line.item);
      else {
        if (items.length > 0) yield items;
        if ("error" in line) throw asError(line.error);
        return;
      }
    }
    if (items.length > 0) yield items;
  }
  throw brokenOff();
}

/** Server-sent events; each message that the server sends has its data on one line. */
async function* eventsIn(pieces: AsyncIterable<readonly string[]>): AsyncGenerator<readonly unknown[]> {
  let type = "";
  for await (const lines of pieces) {
    for (const text of lines) {
      if (text.startsWith("event: ")) type = text.slice("event: ".length);
      if (!text.startsWith("data: ")) continue;
      const data: unknown = JSON.parse(text.slice("data: ".length));
      if (type === "problem") throw asError(data);
      if (type === "end") return;
      yield type === "events" ? (data as readonly unknown[]) : [data];
    }
  }
  throw brokenOff();
}

function brokenOff(cause?: unknown): BanyanError {
  return new BanyanError("SHUTTING_DOWN", "the server broke off its answer", { cause });
}

/** An error of the server, as if it had happened here. */
function asError(problem: unknown): BanyanError {
  const { code = "INTERNAL", detail = "the server gave no reason", agent } = (problem ?? {}) as Record<string, string>;
  return new BanyanError(Object.hasOwn(ERRORS, code) ? (code as ErrorCode) : "INTERNAL", detail, { agent });
}
