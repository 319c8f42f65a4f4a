/**
 * Operations of another process, through its control socket. Answers of one item share a connection; each stream has its own,
 * so that a slow reader of one holds back nothing else, and is itself held back by its own socket alone.
 */
import { connect, type Socket } from "node:net";
import type { Clock } from "../base/clock.ts";
import { BanyanError, ERRORS, type ErrorCode } from "../base/errors.ts";
import { LIMITS } from "../base/limits.ts";
import type { Door } from "./door.ts";
import { LineBuffer, PROTOCOL_VERSION, parseAnswer, type ToPeer, type WireError } from "./protocol.ts";

/**
 * Resolves to undefined when nobody listens there.
 * @throws DATA_IN_USE when the process speaks another version of the protocol, or stands still
 */
export async function openLiveDoor(path: string, clock: Clock): Promise<Door | undefined> {
  const link = await openLink(path, clock);
  if (!link) return undefined;
  const waiting = new Map<number, Waiting>();
  let ids = 0;
  void receive(link.messages, waiting)
    .catch(asGone)
    .then((error) => {
      link.socket.destroy();
      for (const { reject } of waiting.values()) reject(error ?? asGone());
      waiting.clear();
    });
  return {
    get isOpen() {
      return link.socket.writable;
    },
    one(op, input, signal) {
      const id = ++ids;
      return new Promise((resolve, reject) => {
        if (signal?.aborted) return reject(signal.reason);
        if (!link.socket.writable) return reject(asGone());
        const onAbort = () => {
          waiting.delete(id);
          say(link.socket, { cancel: id });
          reject(signal?.reason);
        };
        signal?.addEventListener("abort", onAbort, { once: true });
        const forget = () => signal?.removeEventListener("abort", onAbort);
        waiting.set(id, { resolve, reject, forget });
        say(link.socket, { id, op, input });
      });
    },
    many: (op, input, signal) => stream(path, { clock, request: { id: 0, op, input }, signal }),
    close: () => link.socket.destroy(),
  };
}

interface Waiting {
  readonly resolve: (answer: unknown) => void;
  readonly reject: (error: unknown) => void;
  readonly forget: () => void;
}

interface Link {
  readonly socket: Socket;
  readonly messages: AsyncGenerator<ToPeer>;
}

async function receive(
  messages: AsyncIterable<ToPeer>,
  waiting: Map<number, Waiting>,
): Promise<BanyanError | undefined> {
  for await (const message of messages) {
    if ("error" in message && message.id === null) return asError(message.error);
    const request = "id" in message ? waiting.get(Number(message.id)) : undefined;
    if (!request || !("id" in message)) continue;
    waiting.delete(Number(message.id));
    request.forget();
    if ("ok" in message) request.resolve(message.ok);
    else if ("error" in message) request.reject(asError(message.error));
  }
  return undefined;
}

/** One stream on a connection of its own, which is closed when its reader stops reading. */
async function* stream(
  path: string,
  { clock, request, signal }: { clock: Clock; request: object; signal: AbortSignal | undefined },
): AsyncGenerator<readonly unknown[]> {
  signal?.throwIfAborted();
  const link = await openLink(path, clock);
  if (!link) throw asGone();
  const abort = () => link.socket.destroy();
  signal?.addEventListener("abort", abort, { once: true });
  say(link.socket, request);
  try {
    for await (const message of link.messages) {
      if ("items" in message) yield message.items;
      else if ("error" in message) throw asError(message.error);
      else if ("end" in message) return;
    }
    throw asGone();
  } catch (error) {
    signal?.throwIfAborted();
    throw error instanceof BanyanError ? error : asGone(error);
  } finally {
    signal?.removeEventListener("abort", abort);
    link.socket.destroy();
  }
}

async function openLink(path: string, clock: Clock): Promise<Link | undefined> {
  const socket = connect(path);
  const isThere = await new Promise<boolean>((resolve) => {
    socket.once("connect", () => resolve(true));
    socket.once("error", () => resolve(false));
  });
  if (!isThere) return undefined;
  const messages = read(socket);
  // The system accepts connections for a process that stands still.
  let isSilent = false;
  const silence = clock.timer(LIMITS.controlHelloMsMax, () => {
    isSilent = true;
    socket.destroy();
  });
  const hello = await messages.next().catch(() => undefined);
  silence.cancel();
  if (isSilent) {
    const forS = LIMITS.controlHelloMsMax / 1_000;
    throw new BanyanError("DATA_IN_USE", `the process that runs on this data has said nothing for ${forS} s`);
  }
  if (!hello || hello.done) return undefined;
  if ("banyan" in hello.value && hello.value.banyan === PROTOCOL_VERSION) return { socket, messages };
  socket.destroy();
  throw new BanyanError("DATA_IN_USE", "the process that runs on this data is of another version of Banyan");
}

async function* read(socket: Socket): AsyncGenerator<ToPeer> {
  const lines = new LineBuffer();
  for await (const chunk of socket) for (const line of lines.push(chunk)) yield parseAnswer(line);
}

function say(socket: Socket, message: object): void {
  if (socket.writable) socket.write(`${JSON.stringify(message)}\n`);
}

/** An error of the other process, as if it had happened here. */
function asError({ code, message, agent }: WireError): BanyanError {
  return new BanyanError(Object.hasOwn(ERRORS, code) ? (code as ErrorCode) : "INTERNAL", message, { agent });
}

function asGone(cause?: unknown): BanyanError {
  return new BanyanError("SHUTTING_DOWN", "the process closed the connection before it answered", { cause });
}
