/** How fast an answer is played: when its first token comes, and how long each one takes. */
import { type Clock, sleep } from "../base/clock.ts";
import { ConnectionCut } from "./api-error.ts";
import type { Fault } from "./faults.ts";
import type { Reply } from "./mind.ts";
import type { StreamEvent } from "./stream.ts";

export interface Pace {
  /** Milliseconds until the first token; 0 by default. */
  readonly firstTokenMs?: number;
  /** By default as many as the machine can. */
  readonly tokensPerSecond?: number;
  /** Tokens in one stream event: by default 1 where time passes, else 32, which costs both sides less. */
  readonly tokensPerDelta?: number;
}

export interface Timing {
  readonly firstTokenMs: number;
  readonly tokenMs: number;
  readonly tokensPerDelta: number;
}

const TOKENS_PER_DELTA_AT_ONCE = 32;

/** A slow fault goes before the mind's own time, and that before the pace. */
export function timingOf(reply: Reply, tokens: number, pace: Pace, fault: Fault | undefined): Timing {
  let firstTokenMs = pace.firstTokenMs ?? 0;
  let tokenMs = pace.tokensPerSecond === undefined ? 0 : 1_000 / pace.tokensPerSecond;
  if (fault?.kind === "slow") {
    firstTokenMs = fault.firstTokenMs ?? 0;
    tokenMs = fault.tokenMs ?? 0;
  } else if (reply.durationMs !== undefined) {
    tokenMs = reply.durationMs / (tokens + 1);
    firstTokenMs = tokenMs;
  }
  const atOnce = firstTokenMs === 0 && tokenMs === 0;
  return { firstTokenMs, tokenMs, tokensPerDelta: pace.tokensPerDelta ?? (atOnce ? TOKENS_PER_DELTA_AT_ONCE : 1) };
}

/**
 * Plays events in their time, those that are due together as one text. Late timers are made up for. `begin` is called before
 * the first byte. Rejects with the signal's reason when it is aborted, and with ConnectionCut where an event says so.
 */
export async function* played(
  events: Iterable<StreamEvent>,
  { firstTokenMs, tokenMs }: Timing,
  { clock, signal, begin }: { clock: Clock; signal: AbortSignal; begin: () => void },
): AsyncGenerator<string> {
  let dueMs = clock.monotonic() + firstTokenMs;
  if (firstTokenMs > 0) await sleep(clock, firstTokenMs, signal);
  begin();
  let ready = "";
  let broken = false;
  for (const { text, tokens, cut } of events) {
    dueMs += tokens * tokenMs;
    const waitMs = dueMs - clock.monotonic();
    if (waitMs > 0) {
      if (ready !== "") yield ready;
      ready = "";
      await sleep(clock, waitMs, signal);
    }
    ready += text;
    broken = cut === true;
    if (broken) break;
  }
  if (ready !== "") yield ready;
  if (broken) throw new ConnectionCut();
}
