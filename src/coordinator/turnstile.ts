/**
 * Lets so many through in one turn of the event loop, in the order they came; further ones wait for the next. Reading an agent waits for
 * nothing but the disk's cache, so that a thousand of them, each read in its own time, would be one long turn for all others.
 */
import { presentIsOver } from "../base/event-loop.ts";

export class Turnstile {
  readonly #max: number;
  #passed = 0;
  #turns = false;
  readonly #waiting: (() => void)[] = [];
  /** How many of `waiting` have gone through. */
  #gone = 0;

  constructor(max: number) {
    this.#max = max;
  }

  /** Undefined when one may go through at once; otherwise resolves when it is one's turn. */
  pass(): Promise<void> | undefined {
    if (!this.#turns) void this.#turn();
    if (this.#passed < this.#max) {
      this.#passed += 1;
      return undefined;
    }
    return new Promise((resolve) => this.#waiting.push(resolve));
  }

  /** Until nobody waits. */
  async #turn(): Promise<void> {
    this.#turns = true;
    do {
      await presentIsOver();
      this.#passed = 0;
      for (; this.#passed < this.#max && this.#gone < this.#waiting.length; this.#gone += 1) {
        this.#passed += 1;
        this.#waiting[this.#gone]?.();
      }
    } while (this.#gone < this.#waiting.length);
    this.#waiting.length = 0;
    this.#gone = 0;
    this.#turns = false;
  }
}
