/**
 * The prompt cache, by the documented rules (https://platform.claude.com/docs/en/build-with-claude/prompt-caching).
 *
 * K1  An entry is a prefix that ended at a breakpoint of an earlier request: same key, same model, same bytes.
 * K2  A breakpoint reads the longest entry among the 20 blocks that end with it; the longest over all breakpoints counts.
 * K3  What lies between the entry read and the last breakpoint is written; the rest is plain input.
 * K4  A prefix below the model's minimum is neither read nor written.
 * K5  An entry lives 5 minutes or 1 hour from its last use, and exists once its response has begun.
 */
import type { Clock } from "../base/clock.ts";
import { LIMITS } from "../base/limits.ts";
import { cacheableTokensMin } from "./models.ts";
import type { Lifetime, Prompt } from "./prompt.ts";

const LOOKBACK_BLOCKS = 20;
const LIFETIME_MS: Readonly<Record<Lifetime, number>> = { "5m": 5 * 60_000, "1h": 60 * 60_000 };

/** Prompt tokens by what they cost. */
export interface PromptUsage {
  readonly input: number;
  readonly cacheRead: number;
  readonly cacheWrite5m: number;
  readonly cacheWrite1h: number;
}

interface Entry {
  readonly lifetime: Lifetime;
  endsMs: number;
}

export class PromptCache {
  readonly #clock: Clock;
  readonly #entriesMax: number;
  /** In order of use, the least recently used first. */
  readonly #entries = new Map<string, Entry>();

  constructor(clock: Clock, entriesMax: number = LIMITS.simulatorCacheEntriesMax) {
    this.#clock = clock;
    this.#entriesMax = entriesMax;
  }

  get size(): number {
    return this.#entries.size;
  }

  /** What a request pays for its prompt. `begin` is to be called when its response begins (K5). */
  look(prompt: Prompt, model: string): { usage: PromptUsage; begin: () => void } {
    const tokensMin = cacheableTokensMin(model);
    const { blocks, tokens } = prompt;
    const breakpoints: number[] = [];
    blocks.forEach(({ lifetime, tokensUpTo }, at) => {
      if (lifetime && tokensUpTo >= tokensMin) breakpoints.push(at);
    });
    const read = this.#longest(prompt, breakpoints, tokensMin);
    const upTo = (at: number | undefined) => (at === undefined ? 0 : (blocks[at]?.tokensUpTo ?? 0));
    const lastLong = breakpoints.findLast((at) => blocks[at]?.lifetime === "1h");
    const cacheRead = upTo(read);
    const longEnd = Math.max(cacheRead, upTo(lastLong));
    const writeEnd = Math.max(longEnd, upTo(breakpoints.at(-1)));
    return {
      usage: {
        input: tokens - writeEnd,
        cacheRead,
        cacheWrite5m: writeEnd - longEnd,
        cacheWrite1h: longEnd - cacheRead,
      },
      begin: () => {
        const used = read === undefined ? breakpoints : [read, ...breakpoints];
        for (const at of used) this.#use(blocks[at]?.hash, blocks[at]?.lifetime);
      },
    };
  }

  #longest({ blocks }: Prompt, breakpoints: readonly number[], tokensMin: number): number | undefined {
    for (const breakpoint of breakpoints.toReversed()) {
      const first = Math.max(0, breakpoint - LOOKBACK_BLOCKS + 1);
      for (let at = breakpoint; at >= first; at--) {
        const block = blocks[at];
        if (block && block.tokensUpTo >= tokensMin && this.#alive(block.hash)) return at;
      }
    }
    return undefined;
  }

  #alive(hash: string): boolean {
    const entry = this.#entries.get(hash);
    return entry !== undefined && entry.endsMs > this.#clock.now();
  }

  /** Refreshes a living entry with the lifetime it was written with, or writes it anew. */
  #use(hash: string | undefined, written: Lifetime | undefined): void {
    if (hash === undefined) return;
    const lifetime = this.#alive(hash) ? this.#entries.get(hash)?.lifetime : written;
    if (!lifetime) return;
    this.#entries.delete(hash);
    this.#entries.set(hash, { lifetime, endsMs: this.#clock.now() + LIFETIME_MS[lifetime] });
    if (this.#entries.size <= this.#entriesMax) return;
    for (const oldest of this.#entries.keys()) {
      this.#entries.delete(oldest);
      return;
    }
  }
}
