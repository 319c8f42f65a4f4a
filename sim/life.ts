/**
 * The life of one simulated process: it runs, stands still, or is dead. Whatever reaches the process from outside (an
 * answer of the disk, a timer, a word of a model) comes through here.
 *
 * L1  Nothing reaches a dead process, and nothing that it does reaches the world.
 * L2  What comes while it stands still reaches it in order when it wakes.
 */
import type { Clock } from "../src/base/clock.ts";

export class Life {
  readonly number: number;
  #state: "running" | "frozen" | "dead" = "running";
  #held: (() => void)[] = [];
  readonly #timers = new Set<object>();
  /** Calls until it dies, when it is to die at one. */
  #callsLeft: number | undefined;
  readonly #onDeath: (() => void)[] = [];

  constructor(number: number) {
    this.number = number;
  }

  get isRunning(): boolean {
    return this.#state === "running";
  }

  get isDead(): boolean {
    return this.#state === "dead";
  }

  /** Timers that it has set and that have not fired. */
  get timers(): number {
    return this.#timers.size;
  }

  onDeath(tell: () => void): void {
    this.#onDeath.push(tell);
  }

  kill(): void {
    if (this.#state === "dead") return;
    this.#state = "dead";
    this.#held = [];
    this.#timers.clear();
    for (const tell of this.#onDeath) tell();
  }

  killAtCall(calls: number): void {
    this.#callsLeft = calls;
  }

  freeze(): void {
    if (this.#state === "running") this.#state = "frozen";
  }

  thaw(): void {
    if (this.#state !== "frozen") return;
    this.#state = "running";
    const held = this.#held;
    this.#held = [];
    for (const reach of held) this.deliver(reach);
  }

  /** Has something reach the process (L1, L2). */
  deliver(reach: () => void): void {
    if (this.#state === "running") reach();
    else if (this.#state === "frozen") this.#held.push(reach);
  }

  /** Notes a call of the process to the world outside. False when it is dead, and the call must not happen. */
  calls(): boolean {
    if (this.#callsLeft !== undefined && this.#callsLeft-- <= 0) this.kill();
    return this.#state !== "dead";
  }

  /** What the process sees of something outside: it settles only while the process runs. */
  async through<T>(work: () => Promise<T>): Promise<T> {
    if (!this.calls()) return never();
    return new Promise((resolve, reject) => {
      work().then(
        (value) => this.deliver(() => resolve(value)),
        (error: unknown) => this.deliver(() => reject(error)),
      );
    });
  }

  /** The world's clock as this process has it: its timers die with it. */
  clock(of: Clock): Clock {
    return {
      now: () => Math.floor(of.now()),
      monotonic: () => of.monotonic(),
      timer: (delayMs, fire) => {
        const key = {};
        this.#timers.add(key);
        const timer = of.timer(delayMs, () =>
          this.deliver(() => {
            if (this.#timers.delete(key)) fire();
          }),
        );
        if (this.isDead) timer.cancel();
        return {
          cancel: () => {
            this.#timers.delete(key);
            timer.cancel();
          },
        };
      },
    };
  }
}

/** What a dead process waits for. */
export function never<T>(): Promise<T> {
  return new Promise(() => undefined);
}
