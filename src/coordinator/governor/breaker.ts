/**
 * Keeps calls back from a provider that is overloaded or out of reach, and lets one through from time to time to see.
 *
 * W1  Open, it lets no call through; half open, one at a time; closed, all.
 * W2  What it keeps back waits, and fails never.
 */
import { LIMITS } from "../../base/limits.ts";

type State =
  | { readonly is: "closed"; readonly failures: number }
  | { readonly is: "open"; readonly untilMs: number; readonly openings: number }
  | { readonly is: "halfOpen"; readonly isProbed: boolean; readonly openings: number };

export class Breaker {
  #state: State = { is: "closed", failures: 0 };

  /** As the clock has it. */
  state(nowMs: number): State["is"] {
    if (this.#state.is === "open" && this.#state.untilMs <= nowMs)
      this.#state = { is: "halfOpen", isProbed: false, openings: this.#state.openings };
    return this.#state.is;
  }

  /** W1: milliseconds until a call may pass; Infinity while that hangs on a call in flight. */
  waitMs(nowMs: number): number {
    this.state(nowMs);
    switch (this.#state.is) {
      case "closed":
        return 0;
      case "open":
        return this.#state.untilMs - nowMs;
      case "halfOpen":
        return this.#state.isProbed ? Number.POSITIVE_INFINITY : 0;
    }
  }

  /** A call passes. True when it is the one that probes. */
  pass(): boolean {
    if (this.#state.is !== "halfOpen") return false;
    this.#state = { ...this.#state, isProbed: true };
    return true;
  }

  /** The provider answered, be it with a refusal of the call. */
  answered(): void {
    if (this.#state.is === "closed" && this.#state.failures === 0) return;
    this.#state = { is: "closed", failures: 0 };
  }

  /** A call came to nothing for want of a provider. `chance`, from 0 to 1, spreads processes that would probe at once. */
  failed(nowMs: number, isProbe: boolean, chance: number): void {
    const state = this.#state;
    if (state.is === "closed" && state.failures + 1 < LIMITS.breakerFailuresMax)
      this.#state = { is: "closed", failures: state.failures + 1 };
    else if (state.is === "closed") this.#open(nowMs, 1, chance);
    else if (state.is === "halfOpen" && isProbe) this.#open(nowMs, state.openings + 1, chance);
  }

  /** The probe ended without a word of the provider's: another one may go. */
  unanswered(isProbe: boolean): void {
    if (isProbe && this.#state.is === "halfOpen") this.#state = { ...this.#state, isProbed: false };
  }

  #open(nowMs: number, openings: number, chance: number): void {
    const mostMs = Math.min(LIMITS.retryMsMax, LIMITS.breakerMsMin * 2 ** (openings - 1));
    this.#state = { is: "open", untilMs: nowMs + Math.ceil(mostMs * (0.5 + chance / 2)), openings };
  }
}
