/**
 * Lets so many through in one turn of the event loop; further ones wait for the next. Reading an agent waits for nothing but the disk's
 * cache, so that a thousand of them, each read in its own time, would be one long turn for all others.
 */
import { presentIsOver } from "../base/event-loop.ts";

export class Turnstile {
  readonly #max: number;
  #passed = 0;
  #next: Promise<void> | undefined;

  constructor(max: number) {
    this.#max = max;
  }

  /** Undefined when one may pass at once; otherwise resolves when it is to ask again. */
  pass(): Promise<void> | undefined {
    this.#next ??= presentIsOver().then(() => {
      this.#next = undefined;
      this.#passed = 0;
    });
    if (this.#passed >= this.#max) return this.#next;
    this.#passed += 1;
    return undefined;
  }
}
