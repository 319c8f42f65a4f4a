/** What the simulator has seen, for tests and for the demo's bill. */
import type { WireUsage } from "./answer.ts";

export interface RequestCounters {
  /** Requests to `/v1/messages`, refused ones included. */
  calls: number;
  /** Those that got an answer, whole or damaged. */
  answered: number;
  concurrent: number;
  concurrentMax: number;
  /** Tokens of answers, by class. */
  readonly tokens: { input: number; output: number; cacheRead: number; cacheWrite: number };
  /** By HTTP status. */
  readonly refused: Record<number, number>;
  /** By kind. */
  readonly faults: Record<string, number>;
}

export function newCounters(): RequestCounters {
  return {
    calls: 0,
    answered: 0,
    concurrent: 0,
    concurrentMax: 0,
    tokens: { input: 0, output: 0, cacheRead: 0, cacheWrite: 0 },
    refused: {},
    faults: {},
  };
}

export function countArrival(counters: RequestCounters): void {
  counters.calls++;
  counters.concurrent++;
  counters.concurrentMax = Math.max(counters.concurrentMax, counters.concurrent);
}

export function countAnswer(counters: RequestCounters, usage: WireUsage): void {
  counters.answered++;
  counters.tokens.input += usage.input_tokens;
  counters.tokens.output += usage.output_tokens;
  counters.tokens.cacheRead += usage.cache_read_input_tokens;
  counters.tokens.cacheWrite += usage.cache_creation_input_tokens;
}

export function increment(of: Record<string | number, number>, key: string | number): void {
  of[key] = (of[key] ?? 0) + 1;
}
