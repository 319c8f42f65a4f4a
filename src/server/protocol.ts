/**
 * What goes over the control socket: JSON, one object a line, UTF-8.
 *
 *     <- {"banyan":1,"pid":4711}                      once, when connected
 *     -> {"id":1,"op":"tree","input":{"agent":"lead"}}
 *     <- {"id":1,"items":[...]}                       any number of times, for operations that answer with many
 *     <- {"id":1,"end":true}
 *     -> {"id":2,"op":"pause","input":{"agent":"lead"}}
 *     <- {"id":2,"ok":{...}}
 *     <- {"id":3,"error":{"code":"AGENT_NOT_FOUND","message":"...","remedy":"..."}}
 *     -> {"cancel":1}                                 nobody waits for it any more
 *
 * Answers come in any order. An error with the id null is about the connection, which is closed after it.
 *
 * W1  A line is at most LIMITS.controlBytesMax bytes, in both directions.
 */
import { z } from "zod";
import { BanyanError } from "../base/errors.ts";
import { LIMITS } from "../base/limits.ts";

export const PROTOCOL_VERSION = 1;

const requestId = z.union([z.int(), z.string().max(64)]);
export type RequestId = z.infer<typeof requestId>;

const operation = z.strictObject({ id: requestId, op: z.string().max(64), input: z.unknown().optional() });
const cancel = z.strictObject({ cancel: requestId });
export type FromPeer = z.infer<typeof operation> | z.infer<typeof cancel>;

export interface WireError {
  readonly code: string;
  readonly message: string;
  readonly agent?: string | undefined;
  readonly remedy: string;
}

export type ToPeer =
  | { readonly banyan: number; readonly pid: number }
  | { readonly id: RequestId; readonly ok: unknown }
  | { readonly id: RequestId; readonly items: readonly unknown[] }
  | { readonly id: RequestId; readonly end: true }
  | { readonly id: RequestId | null; readonly error: WireError };

/** @throws INPUT_INVALID for what is no request */
export function parseRequest(line: string): FromPeer {
  const message = parseJson(line);
  const isCancel = typeof message === "object" && message !== null && "cancel" in message;
  const parsed = (isCancel ? cancel : operation).safeParse(message);
  if (parsed.success) return parsed.data;
  throw new BanyanError("INPUT_INVALID", `not a request: ${z.prettifyError(parsed.error)}`);
}

/** What the peer at the other end said; it is trusted to speak the protocol, being ours. @throws INPUT_INVALID for no JSON */
export function parseAnswer(line: string): ToPeer {
  return parseJson(line) as ToPeer;
}

function parseJson(line: string): unknown {
  try {
    return JSON.parse(line);
  } catch (cause) {
    throw new BanyanError("INPUT_INVALID", "a line is no JSON", { cause });
  }
}

/** Puts chunks together to lines (W1). */
export class LineBuffer {
  readonly #bytesMax: number;
  #chunks: Buffer[] = [];
  #bytes = 0;

  constructor(bytesMax: number = LIMITS.controlBytesMax) {
    this.#bytesMax = bytesMax;
  }

  /** The lines that the chunk completes; empty ones are left out. @throws CONTENT_TOO_LARGE */
  push(chunk: Buffer): string[] {
    const lines: string[] = [];
    let from = 0;
    for (let end = chunk.indexOf(NEWLINE); end >= 0; end = chunk.indexOf(NEWLINE, from)) {
      this.#add(chunk.subarray(from, end));
      const line = this.rest();
      if (line !== "") lines.push(line);
      from = end + 1;
    }
    this.#add(chunk.subarray(from));
    return lines;
  }

  /** What came after the last line end; and forgets it. */
  rest(): string {
    const text = Buffer.concat(this.#chunks).toString("utf8").trim();
    this.#chunks = [];
    this.#bytes = 0;
    return text;
  }

  #add(piece: Buffer): void {
    if (piece.length === 0) return;
    this.#bytes += piece.length;
    if (this.#bytes > this.#bytesMax) {
      throw new BanyanError("CONTENT_TOO_LARGE", `a line of more than ${this.#bytesMax} bytes`);
    }
    this.#chunks.push(piece);
  }
}

const NEWLINE = 0x0a;
