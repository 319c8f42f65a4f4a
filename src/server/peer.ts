/**
 * One peer on the control socket: reads its requests, carries them out, writes the answers.
 *
 * R1  Memory is bounded by the peer's speed: a stream is read on only when the peer has taken what was written, and no more
 *     requests are read than may be under way.
 * R2  A peer that is too slow to follow live is told so, with the position to read on from, and holds nothing any more.
 * R3  Whatever a peer sends or leaves undone, it is its own connection alone that suffers.
 */
import type { Socket } from "node:net";
import { asBanyanError, BanyanError } from "../base/errors.ts";
import { LIMITS } from "../base/limits.ts";
import { checkRequest, type Handlers, isMany, perform, type Request } from "./handlers.ts";
import { type FromPeer, LineBuffer, PROTOCOL_VERSION, parseRequest, type RequestId, type ToPeer } from "./protocol.ts";

export interface PeerOptions {
  readonly handlers: Handlers;
  /** Calls back once, when more events have become durable than a reader may lag behind. Returns how to stop that. */
  readonly onBehind: (tell: () => void) => () => void;
}

/** Characters that are written at a time where items are small. */
const CHUNK_LENGTH = 256 * 1024;

export class Peer {
  readonly #socket: Socket;
  readonly #options: PeerOptions;
  readonly #lines = new LineBuffer();
  /** Requests that were read and wait for one under way to end. */
  readonly #pending: string[] = [];
  readonly #running = new Map<RequestId, { readonly abort: AbortController; readonly follows: boolean }>();
  readonly #work = new Set<Promise<void>>();
  /** Streams that wait until the peer has taken what was written. */
  readonly #waiting = new Set<() => void>();
  #halfClosed = false;
  #stopping = false;

  constructor(socket: Socket, options: PeerOptions) {
    this.#socket = socket;
    this.#options = options;
    // A peer that breaks off is no error: `close` follows, and ends what it asked for.
    socket.on("error", () => undefined);
    socket.on("data", (chunk: Buffer) => this.#read(() => this.#lines.push(chunk)));
    socket.on("end", () => this.#ended());
    socket.on("close", () => this.#abort(() => true));
    socket.on("drain", () => {
      for (const wake of this.#waiting) wake();
    });
    this.#send({ banyan: PROTOCOL_VERSION, pid: process.pid });
  }

  /** Ends its streams, waits for its commands, and closes. */
  async stop(): Promise<void> {
    this.#stopping = true;
    this.#abort(() => true);
    await Promise.all(this.#work);
    this.#socket.destroySoon();
  }

  /** Closes at once. */
  drop(): void {
    this.#socket.destroy();
  }

  #read(lines: () => readonly string[]): void {
    try {
      this.#pending.push(...lines());
      this.#takeMore();
    } catch (error) {
      this.#refuse(error);
    }
  }

  /** R1. */
  #takeMore(): void {
    while (this.#work.size < LIMITS.controlRequestsMax) {
      const line = this.#pending.shift();
      if (line === undefined) break;
      this.#take(parseRequest(line));
    }
    if (this.#pending.length > 0) this.#socket.pause();
    else this.#socket.resume();
    if (this.#halfClosed && this.#work.size === 0) this.#socket.end();
  }

  /** R3: who does not speak the protocol is told why, and cut off. */
  #refuse(error: unknown): void {
    this.#send({ id: null, error: asBanyanError(error).toJSON() });
    this.#stopping = true;
    this.#pending.length = 0;
    this.#abort(() => true);
    this.#socket.destroySoon();
  }

  /** It can still read answers, but neither ask nor cancel: what would never end by itself is ended. */
  #ended(): void {
    this.#halfClosed = true;
    this.#read(() => [this.#lines.rest()].filter((line) => line !== ""));
    this.#abort(({ follows }) => follows);
  }

  #take(message: FromPeer): void {
    if (this.#stopping || this.#socket.destroyed) return;
    if ("cancel" in message) {
      this.#running.get(message.cancel)?.abort.abort();
      return;
    }
    const { id, op, input } = message;
    if (this.#running.has(id)) throw new BanyanError("INPUT_INVALID", `request ${JSON.stringify(id)} is under way`);
    const work = this.#serve(id, op, input).finally(() => {
      this.#work.delete(work);
      this.#read(() => []);
    });
    this.#work.add(work);
  }

  async #serve(id: RequestId, op: string, input: unknown): Promise<void> {
    try {
      const request = checkRequest(op, input);
      const abort = new AbortController();
      this.#running.set(id, { abort, follows: follows(request) });
      const answer = perform(this.#options.handlers, request, abort.signal);
      if (!isMany(request.name)) return this.#send({ id, ok: await answer });
      await this.#stream(id, request, answer as AsyncIterable<readonly unknown[]>, abort.signal);
    } catch (error) {
      this.#send({ id, error: asBanyanError(error).toJSON() });
    } finally {
      this.#running.delete(id);
    }
  }

  async #stream(
    id: RequestId,
    request: Request,
    batches: AsyncIterable<readonly unknown[]>,
    signal: AbortSignal,
  ): Promise<void> {
    // The fleet's own feed knows what to do with a slow reader.
    const isLive = follows(request) && request.name === "logs";
    for await (const batch of batches) {
      let texts: string[] = [];
      let length = 0;
      for (const [index, item] of batch.entries()) {
        const text = JSON.stringify(item);
        texts.push(text);
        length += text.length;
        if (length < CHUNK_LENGTH && index < batch.length - 1) continue;
        this.#write(`{"id":${JSON.stringify(id)},"items":[${texts.join(",")}]}`);
        texts = [];
        length = 0;
        if (await this.#isBehind(isLive, signal)) throw behind(item);
      }
      if (signal.aborted) break;
    }
    if (this.#stopping) throw new BanyanError("SHUTTING_DOWN", "the process is stopping");
    this.#send({ id, end: true });
  }

  /** Waits until the peer has taken what was written (R1); true when it lets too much become durable meanwhile (R2). */
  async #isBehind(isLive: boolean, signal: AbortSignal): Promise<boolean> {
    if (!this.#socket.writableNeedDrain || signal.aborted) return false;
    return new Promise((resolve) => {
      const done = (isBehind: boolean) => {
        this.#waiting.delete(wake);
        signal.removeEventListener("abort", wake);
        forget?.();
        resolve(isBehind);
      };
      const wake = () => done(false);
      this.#waiting.add(wake);
      signal.addEventListener("abort", wake);
      const forget = isLive ? this.#options.onBehind(() => done(true)) : undefined;
    });
  }

  #send(message: ToPeer): void {
    this.#write(JSON.stringify(message));
  }

  /** @throws CONTENT_TOO_LARGE */
  #write(line: string): void {
    if (line.length > LIMITS.controlBytesMax || Buffer.byteLength(line) > LIMITS.controlBytesMax) {
      throw new BanyanError("CONTENT_TOO_LARGE", `the answer has more than ${LIMITS.controlBytesMax} bytes`);
    }
    if (this.#socket.writable) this.#socket.write(`${line}\n`);
  }

  #abort(which: (running: { readonly follows: boolean }) => boolean): void {
    for (const running of this.#running.values()) if (which(running)) running.abort.abort();
  }
}

function follows({ input }: Request): boolean {
  return (input as { follow?: boolean }).follow === true;
}

function behind(last: unknown): BanyanError {
  const { position } = last as { position: number };
  return new BanyanError("READER_BEHIND", `too slow to follow live; read on from position ${position}`);
}
