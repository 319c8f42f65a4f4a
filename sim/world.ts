/**
 * What every part of a simulated world shares: its time, its chance, its log, and the place where a broken invariant is told.
 *
 * W1  Nothing in a world happens but through its clock and its dice: one seed, one log.
 */
import { ManualClock, sleep } from "../src/base/clock.ts";
import { type Dice, hashOf, Randoms } from "./randoms.ts";
import type { Fault, Scenario } from "./scenario.ts";

export interface Violation {
  readonly checker: string;
  readonly message: string;
  readonly step: number;
}

export class World {
  readonly scenario: Scenario;
  readonly clock = new ManualClock();
  readonly #randoms: Randoms;
  /** What happened, one line a thing. Kept only when it is to be shown. */
  readonly log: string[] = [];
  readonly #traced: boolean;
  /** How often what happened: `fault crash`, `verb pause`, `event turn.ended`. */
  readonly counts = new Map<string, number>();
  #digest = 0;
  step = 0;
  /** While true faults happen; afterwards the world is left alone to come to rest. */
  isHostile = true;
  violation: Violation | undefined;

  constructor(scenario: Scenario, { traced = false }: { traced?: boolean } = {}) {
    this.scenario = scenario;
    this.#randoms = new Randoms(scenario.seed);
    this.#traced = traced;
  }

  dice(name: string): Dice {
    return this.#randoms.of(name);
  }

  /** Whether the fault happens now. */
  strikes(fault: Fault): boolean {
    const happens = this.dice(`fault ${fault}`).chance(this.scenario.faults[fault]);
    if (!happens || !this.isHostile) return false;
    this.count(`fault ${fault}`);
    return true;
  }

  count(what: string): void {
    this.counts.set(what, (this.counts.get(what) ?? 0) + 1);
  }

  /** Adds a line to the log. */
  note(line: string): void {
    const whole = `${this.step} ${this.clock.monotonic().toFixed(3)} ${line}`;
    this.#digest = hashOf(`${this.#digest} ${whole}`);
    if (this.#traced) this.log.push(whole);
  }

  /** Stands for the whole log. */
  get digest(): string {
    return this.#digest.toString(16).padStart(8, "0");
  }

  /** Tells of a broken invariant; the first one counts. */
  fail(checker: string, message: string): void {
    if (this.violation) return;
    this.violation = { checker, message, step: this.step };
    this.note(`VIOLATION ${checker}: ${message}`);
  }

  sleep(delayMs: number): Promise<void> {
    return delayMs <= 0 ? Promise.resolve() : sleep(this.clock, delayMs);
  }
}
