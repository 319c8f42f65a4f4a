/**
 * One provider's limits for one family of models: what they are, learnt from what it answers, and who may call next.
 *
 * G1  A call that would exceed what the provider said is left does not start: its agent waits, without a durable start.
 * G2  What a call reserves is settled with what it used. The estimate is the worst case times what calls used of theirs so far.
 * G3  A refusal for rate or load halves the calls in flight, at most once for those that were under way; each answer adds a part of one.
 * G4  After a 429 none goes out before the time that the provider named, or LIMITS.governorHoldMsMax has passed.
 * G5  While nothing is known of limits and nothing is refused, every call starts at once.
 */
import { NO_USAGE, type Usage } from "../../agent/usage.ts";
import type { Clock, Timer } from "../../base/clock.ts";
import type { AgentId } from "../../base/ids.ts";
import { LIMITS } from "../../base/limits.ts";
import type { Random } from "../../base/random.ts";
import type { RateKind, TurnBound, TurnOutcome } from "../../drivers/driver.ts";
import { Breaker } from "./breaker.ts";
import { Bucket } from "./bucket.ts";
import { FairQueue, type Place } from "./fair-queue.ts";

/** What a call holds from before its start until it is settled. */
export interface Permit {
  readonly governor: Governor;
  readonly bound: TurnBound;
  readonly input: number;
  readonly output: number;
  readonly isProbe: boolean;
  /** Rounds of G3 before it. */
  readonly round: number;
}

export interface Wanted extends Place {
  readonly bound: TurnBound;
}

export interface GovernorParts {
  readonly clock: Clock;
  readonly random: Random;
  /** Hands a permit to an agent that waited. */
  readonly offer: (agent: AgentId, permit: Permit) => void;
}

export interface Governed {
  /** A minute's worth of each rate that is known, and what is left of it. */
  readonly limits: readonly { readonly rate: RateKind; readonly limit: number; readonly left: number }[];
  readonly inFlight: number;
  readonly waiting: number;
  /** Calls that may be in flight at once; null while nothing was refused. */
  readonly callsMax: number | null;
  readonly breaker: "closed" | "open" | "halfOpen";
}

/** Share of the newest call in the running average of what calls use. */
const NEWEST_SHARE = 0.1;

export class Governor {
  readonly #with: GovernorParts;
  readonly #buckets = new Map<RateKind, Bucket>();
  readonly #breaker = new Breaker();
  readonly #queue = new FairQueue<Wanted>();
  /** What calls used of their worst case. */
  #inputShare = 1;
  #outputShare = 1;
  #inFlight = 0;
  #callsMax = Number.POSITIVE_INFINITY;
  #round = 0;
  #heldUntilMs = 0;
  #timer: Timer | undefined;

  constructor(parts: GovernorParts) {
    this.#with = parts;
  }

  /** A permit, if there is room at once and nobody waits. */
  tryEnter(bound: TurnBound): Permit | undefined {
    if (this.#queue.length > 0 || this.#waitMs(bound) > 0) return undefined;
    return this.#permit(bound);
  }

  /** Has the agent wait for its turn, once. */
  wait(wanted: Wanted): void {
    if (this.#queue.has(wanted.agent)) return;
    this.#queue.add(wanted);
    this.#serve();
  }

  /** G2 and what the outcome teaches; without one the call was not made. */
  settle(permit: Permit, outcome?: TurnOutcome): void {
    this.#inFlight -= 1;
    const usage = outcome?.usage ?? NO_USAGE;
    if (this.#buckets.size > 0) this.#giveBack(permit, usage, outcome !== undefined && outcome.outcome !== "withheld");
    if (outcome?.limits) this.#learn(outcome.limits);
    if (outcome?.outcome === "done") this.#measure(permit.bound, usage);
    this.#judge(permit, outcome);
    if (this.#queue.length > 0) this.#serve();
  }

  get figures(): Governed {
    const nowMs = this.#with.clock.monotonic();
    return {
      limits: [...this.#buckets].map(([rate, bucket]) => ({
        rate,
        limit: bucket.limit,
        left: Math.floor(bucket.left(nowMs)),
      })),
      inFlight: this.#inFlight,
      waiting: this.#queue.length,
      callsMax: Number.isFinite(this.#callsMax) ? Math.floor(this.#callsMax) : null,
      breaker: this.#breaker.state(nowMs),
    };
  }

  stop(): void {
    this.#timer?.cancel();
  }

  #permit(bound: TurnBound): Permit {
    this.#inFlight += 1;
    const permit: Permit = {
      governor: this,
      bound,
      ...this.#estimate(bound),
      isProbe: this.#breaker.pass(),
      round: this.#round,
    };
    if (this.#buckets.size > 0) this.#take(1, permit.input, permit.output);
    return permit;
  }

  #estimate({ promptTokensMax, outputTokensMax }: TurnBound): { input: number; output: number } {
    return { input: promptTokensMax * this.#inputShare, output: outputTokensMax * this.#outputShare };
  }

  /** G1, G3, G4: until such a call may start; Infinity while that hangs on one in flight. */
  #waitMs(bound: TurnBound): number {
    if (this.#inFlight >= this.#callsMax) return Number.POSITIVE_INFINITY;
    const nowMs = this.#with.clock.monotonic();
    let waitMs = Math.max(this.#breaker.waitMs(nowMs), this.#heldUntilMs - nowMs);
    if (this.#buckets.size === 0) return waitMs;
    const { input, output } = this.#estimate(bound);
    for (const [kind, bucket] of this.#buckets)
      waitMs = Math.max(waitMs, bucket.waitMs(amountOf(kind, 1, input, output), nowMs));
    return waitMs;
  }

  #serve(): void {
    this.#timer?.cancel();
    this.#timer = undefined;
    for (let first = this.#queue.first(); first; first = this.#queue.first()) {
      const waitMs = this.#waitMs(first.bound);
      if (waitMs > 0) {
        if (Number.isFinite(waitMs)) this.#timer = this.#with.clock.timer(waitMs, () => this.#serve());
        return;
      }
      this.#queue.take(first);
      this.#with.offer(first.agent, this.#permit(first.bound));
    }
  }

  #take(requests: number, input: number, output: number): void {
    const nowMs = this.#with.clock.monotonic();
    for (const [kind, bucket] of this.#buckets) bucket.take(amountOf(kind, requests, input, output), nowMs);
  }

  #giveBack({ input, output }: Permit, usage: Usage, wasMade: boolean): void {
    this.#take(wasMade ? 0 : -1, inputOf(usage) - input, usage.output - output);
  }

  #learn(limits: NonNullable<TurnOutcome["limits"]>): void {
    const nowMs = this.#with.clock.monotonic();
    for (const [name, rate] of Object.entries(limits)) {
      const kind = name as RateKind;
      const bucket = this.#buckets.get(kind);
      if (bucket) bucket.correct(rate, nowMs);
      else this.#buckets.set(kind, new Bucket(rate, nowMs));
    }
  }

  #measure({ promptTokensMax, outputTokensMax }: TurnBound, usage: Usage): void {
    this.#inputShare += NEWEST_SHARE * (shareOf(inputOf(usage), promptTokensMax) - this.#inputShare);
    this.#outputShare += NEWEST_SHARE * (shareOf(usage.output, outputTokensMax) - this.#outputShare);
  }

  #judge({ isProbe, round }: Permit, outcome: TurnOutcome | undefined): void {
    if (!outcome || outcome.outcome === "withheld" || outcome.outcome === "interrupted") {
      this.#breaker.unanswered(isProbe);
      return;
    }
    if (outcome.outcome !== "retryable" || !outcome.putOff) {
      this.#breaker.answered();
      if (Number.isFinite(this.#callsMax)) this.#grow();
      return;
    }
    const nowMs = this.#with.clock.monotonic();
    if (outcome.error.code === "MODEL_RATE_LIMITED") {
      this.#breaker.answered();
      const holdMs = Math.min(outcome.afterMs ?? 0, LIMITS.governorHoldMsMax);
      this.#heldUntilMs = Math.max(this.#heldUntilMs, nowMs + holdMs);
    } else this.#breaker.failed(nowMs, isProbe, this.#with.random.next());
    // G3: those that went out before the last halving say nothing of the calls after it.
    if (round < this.#round) return;
    this.#round += 1;
    this.#callsMax = Math.max(1, Math.floor(Math.min(this.#callsMax, this.#inFlight + 1) / 2));
  }

  #grow(): void {
    this.#callsMax += 1 / this.#callsMax;
    if (this.#callsMax > LIMITS.governorCallsMax) this.#callsMax = Number.POSITIVE_INFINITY;
  }
}

function amountOf(kind: RateKind, requests: number, input: number, output: number): number {
  switch (kind) {
    case "requests":
      return requests;
    case "inputTokens":
      return input;
    case "outputTokens":
      return output;
    case "tokens":
      return input + output;
  }
}

/** What is read from the cache does not count (https://platform.claude.com/docs/en/api/rate-limits). */
function inputOf({ input, cacheWrite }: Usage): number {
  return input + cacheWrite;
}

function shareOf(used: number, max: number): number {
  return max > 0 ? Math.min(1, used / max) : 1;
}
