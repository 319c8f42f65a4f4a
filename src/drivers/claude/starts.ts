/**
 * Starts of Claude Code, a few at a time: each takes most of a second of a processor, so that twenty at once are all ready later than
 * if they had queued (docs/decisions/claude-driver.md). First come, first served.
 */
export class Starts {
  #free: number;
  readonly #queue = new Set<() => void>();

  constructor(max: number) {
    this.#free = max;
  }

  /** Resolves when it may start; then `leave` is owed. Rejects with the signal's reason when it is aborted before. */
  async enter(signal: AbortSignal): Promise<void> {
    signal.throwIfAborted();
    if (this.#free > 0) {
      this.#free -= 1;
      return;
    }
    const { promise, resolve, reject } = Promise.withResolvers<void>();
    const onAbort = () => {
      this.#queue.delete(resolve);
      reject(signal.reason);
    };
    this.#queue.add(resolve);
    signal.addEventListener("abort", onAbort, { once: true });
    await promise;
    signal.removeEventListener("abort", onAbort);
  }

  leave(): void {
    const [next] = this.#queue;
    if (!next) {
      this.#free += 1;
      return;
    }
    this.#queue.delete(next);
    next();
  }
}
