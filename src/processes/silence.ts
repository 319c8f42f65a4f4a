/**
 * How long a program has been silent, less the time for which it could say nothing: it, or something that it started, was ready to
 * run and had no core. A machine with ten times the work it can do is no fault of the program's.
 *
 * S1  Time that the system says was spent waiting for a core counts for nothing, from the middle of the limit on.
 * S2  Whoever waits for a core right now is looked at again before it is judged. What runs and says nothing is judged.
 * S3  Silence of SILENT_LIMITS_MAX limits is judged, whatever was waited for.
 */

/** What the system says of one process. */
export interface Sighting {
  /** So far, in nanoseconds: on a core, and ready to run without one. The second grows when it gets one. */
  readonly ranNs: number;
  readonly waitedNs: number;
  /** It is on a core now, or waits for one. */
  readonly isReady: boolean;
}

/** By number: a program, and what it started. Empty where the system does not say. */
export type Sightings = ReadonlyMap<number, Sighting>;

const SILENT_LIMITS_MAX = 10;
const LOOKS_A_LIMIT = 8;
const LOOK_MS_MIN = 10;

export class Silence {
  #limitMs: number;
  /** Of the newest sign of life; what was forgiven of the time since then. */
  #heardMs: number;
  #forgivenMs = 0;
  #looked: { readonly atMs: number; readonly sightings: Sightings } | undefined;
  #isWaiting = false;

  /** In monotonic milliseconds. */
  constructor(nowMs: number, limitMs: number) {
    this.#heardMs = nowMs;
    this.#limitMs = limitMs;
  }

  heard(nowMs: number, limitMs: number): void {
    this.#heardMs = nowMs;
    this.#limitMs = limitMs;
    this.#forgivenMs = 0;
    this.#looked = undefined;
    this.#isWaiting = false;
  }

  /** Time in which nobody could have heard it. */
  forgive(stoodStillMs: number): void {
    this.#heardMs += stoodStillMs;
    if (this.#looked) this.#looked = { ...this.#looked, atMs: this.#looked.atMs + stoodStillMs };
  }

  /** When there is something to look at, or to judge. */
  get dueMs(): number {
    return this.#isWaiting ? this.#nextLookMs : Math.min(this.#overMs, this.#nextLookMs);
  }

  /** S1, S2. Looks when it is time to. */
  look(nowMs: number, sight: () => Sightings): void {
    if (nowMs < this.dueMs) return;
    const before = this.#looked;
    const sightings = sight();
    this.#looked = { atMs: nowMs, sightings };
    this.#isWaiting = false;
    if (!before) return;
    const passedMs = nowMs - before.atMs;
    let waitedMs = 0;
    for (const [pid, now] of sightings) {
      const was = before.sightings.get(pid);
      const stands = now.isReady && (!was || (now.ranNs === was.ranNs && now.waitedNs === was.waitedNs));
      this.#isWaiting ||= stands;
      waitedMs += stands && was?.isReady ? passedMs : Math.max(0, now.waitedNs - (was?.waitedNs ?? 0)) / 1e6;
    }
    this.#forgivenMs += Math.min(waitedMs, passedMs);
  }

  /** How long it was silent and how much of that it waited for a core, in milliseconds, once that is too long. */
  over(nowMs: number): { readonly silentMs: number; readonly waitedMs: number } | undefined {
    const silentMs = nowMs - this.#heardMs;
    const mayWait = silentMs <= SILENT_LIMITS_MAX * this.#limitMs;
    if (mayWait && (this.#isWaiting || silentMs - this.#forgivenMs <= this.#limitMs)) return undefined;
    return { silentMs, waitedMs: this.#forgivenMs };
  }

  get #overMs(): number {
    return this.#heardMs + this.#limitMs + Math.min(this.#forgivenMs, (SILENT_LIMITS_MAX - 1) * this.#limitMs) + 1;
  }

  get #nextLookMs(): number {
    if (!this.#looked) return this.#heardMs + this.#limitMs / 2;
    return this.#looked.atMs + Math.max(LOOK_MS_MIN, this.#limitMs / LOOKS_A_LIMIT);
  }
}
