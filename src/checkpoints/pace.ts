/** Lets others have the event loop every few milliseconds, while many bytes are gone through. */
import { presentIsOver } from "../base/event-loop.ts";

/** About 10 ms. */
const PACE_BYTES = 4 * 1024 * 1024;

export class Pace {
  #bytes = 0;

  /** To be told of each piece. */
  async done(bytes: number): Promise<void> {
    this.#bytes += bytes;
    if (this.#bytes < PACE_BYTES) return;
    this.#bytes = 0;
    await presentIsOver();
  }
}
