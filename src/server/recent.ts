/**
 * Answers that need a look at every agent, of large fleets: many ask for the same again and again, and one look a moment is enough.
 *
 * A1  Of a fleet that is looked at in one go, every answer is made anew. Of a larger one an answer may be LIMITS.countsMs old.
 * A2  Who asks while an answer is made gets that one.
 * A3  Only answers of that time are kept, LIMITS.countsKeptMax of them at most.
 */
import type { Clock } from "../base/clock.ts";
import { LIMITS } from "../base/limits.ts";
import { SEEN_AT_ONCE } from "./see-all.ts";

interface Kept {
  readonly answer: Promise<unknown>;
  readonly madeMs: number;
}

export class RecentAnswers {
  readonly #clock: Clock;
  /** The oldest first. */
  readonly #kept = new Map<string, Kept>();

  constructor(clock: Clock) {
    this.#clock = clock;
  }

  /** The answer of that key, about so many agents. */
  get<Answer>(key: string, agents: number, make: () => Promise<Answer>): Promise<Answer> {
    if (agents <= SEEN_AT_ONCE) return make();
    const nowMs = this.#clock.monotonic();
    for (const [each, { madeMs }] of this.#kept) {
      if (nowMs - madeMs < LIMITS.countsMs && this.#kept.size < LIMITS.countsKeptMax) break;
      this.#kept.delete(each);
    }
    const known = this.#kept.get(key);
    if (known) return known.answer as Promise<Answer>;
    const answer = make();
    this.#kept.set(key, { answer, madeMs: nowMs });
    // The next one tries anew.
    answer.catch(() => this.#kept.delete(key));
    return answer;
  }
}
