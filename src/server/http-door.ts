/** Operations of a server, over HTTP with a token. */
import { BanyanError, ERRORS, type ErrorCode } from "../base/errors.ts";
import { LIMITS } from "../base/limits.ts";
import type { OperationName } from "./contract/operations.ts";
import type { Door } from "./door.ts";
import { LineBuffer } from "./protocol.ts";

export interface ServerAddress {
  readonly url: string;
  readonly token: string;
}

type Line = { readonly item: unknown } | { readonly end: true } | { readonly error: unknown };

/** One message of live events: what came in a tenth of a second. */
const MESSAGE_BYTES_MAX = 16 * LIMITS.controlBytesMax;

/** @throws INPUT_INVALID for what is no address */
export function openHttpDoor({ url, token }: ServerAddress): Door {
  if (!URL.canParse(url) || !/^https?:$/.test(new URL(url).protocol)) {
    throw new BanyanError("INPUT_INVALID", "the server's address is no URL of http or https");
  }
  const { origin: root, protocol, hostname } = new URL(url);
  // A token goes over no network in the clear.
  if (protocol === "http:" && !["localhost", "127.0.0.1", "[::1]"].includes(hostname)) {
    throw new BanyanError("INPUT_INVALID", "a server on another machine is asked by https");
  }
  const ask = async (path: string, request: RequestInit, signal?: AbortSignal): Promise<Response> => {
    const response = await fetch(`${root}/v1/${path}`, {
      ...request,
      headers: { authorization: `Bearer ${token}`, "content-type": "application/json" },
      // A redirect would carry the token elsewhere.
      redirect: "error",
      ...(signal && { signal }),
    }).catch((cause) => {
      signal?.throwIfAborted();
      throw new BanyanError("SERVER_UNREACHABLE", `no answer from ${root}`, { cause });
    });
    if (!response.ok) throw asError(await response.json().catch(() => undefined));
    return response;
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

/** What came in one piece, as one batch. */
async function* itemsIn(pieces: AsyncIterable<readonly string[]>): AsyncGenerator<readonly unknown[]> {
  for await (const lines of pieces) {
    const items: unknown[] = [];
    for (const text of lines) {
      const line = JSON.parse(text) as Line;
      if ("item" in line) items.push(line.item);
      else {
        if (items.length > 0) yield items;
        if ("error" in line) throw asError(line.error);
        return;
      }
    }
    yield items;
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

async function* linesOf(body: AsyncIterable<Uint8Array> | null): AsyncGenerator<readonly string[]> {
  // A message holds as many events as fit, each of them up to a line of the control socket.
  const lines = new LineBuffer(MESSAGE_BYTES_MAX);
  for await (const chunk of body ?? []) {
    const whole = lines.push(Buffer.from(chunk));
    if (whole.length > 0) yield whole;
  }
}

function brokenOff(cause?: unknown): BanyanError {
  return new BanyanError("SHUTTING_DOWN", "the server broke off its answer", { cause });
}

/** An error of the server, as if it had happened here. */
function asError(problem: unknown): BanyanError {
  const { code = "INTERNAL", detail = "the server gave no reason", agent } = (problem ?? {}) as Record<string, string>;
  return new BanyanError(Object.hasOwn(ERRORS, code) ? (code as ErrorCode) : "INTERNAL", detail, { agent });
}
