/**
 * One provider's limits for one family of models: what they are, learnt from what it answers, and who may call next.
 *
 * G1  A call that would exceed what the provider said is left does not start: its agent waits, without a durable start.
 * G2  What a call reserves is settled with what it used. The estimate is the worst case times what calls used of theirs so far.
 * G3  A refusal for rate or load halves the calls in flight, at most once for those that were under way; each answer adds a part of one.
 * G4  After a 429 none goes out before the time that the provider named, or LIMITS.governorHoldMsMax has passed.
 * G5  While nothing is known of limits and nothing is refused, every call starts at once.
 * G6  Who waits is served in fair order: tenants by tokens, in a tenant its trees, in a tree the deepest agent (`../fairness/`).
 * G7  Calls that are made again go out as the budget of retries allows (`retry-budget.ts`), and keep no other call back.
 */
import { NO_USAGE, type Usage } from "../../agent/usage.ts";
import type { Clock, Timer } from "../../base/clock.ts";
import type { AgentId } from "../../base/ids.ts";
import { LIMITS } from "../../base/limits.ts";
import type { Random } from "../../base/random.ts";
import type { Rate, RateKind, TurnBound, TurnOutcome } from "../../drivers/driver.ts";
import { FairLine, type Request } from "../fairness/fair-line.ts";
import { Breaker } from "./breaker.ts";
import { Bucket } from "./bucket.ts";
import { RetryBudget } from "./retry-budget.ts";

/** What a call holds from before its start until it is settled. */
export interface Permit {
  readonly governor: Governor;
  readonly bound: TurnBound;
  readonly input: number;
  readonly output: number;
  readonly isProbe: boolean;
  readonly isRetry: boolean;
  /** Rounds of G3 before it. */
  readonly round: number;
}

/** A call that is asked for. */
export interface Wish {
  readonly bound: TurnBound;
  /** An earlier attempt at it failed. */
  readonly isRetry: boolean;
}

export interface Wanted extends Request, Wish {}

export interface GovernorParts {
  readonly clock: Clock;
  readonly random: Random;
  /** Hands a permit to an agent that waited. */
  readonly offer: (agent: AgentId, permit: Permit) => void;
}

export interface Governed {
  /** Each rate that is known, and what is left of it. */
  readonly limits: readonly {
    readonly rate: RateKind;
    readonly limit: number;
    readonly left: number;
    /** What the limit is counted in. */
    readonly perMs: number;
  }[];
  readonly inFlight: number;
  readonly waiting: number;
  /** Calls that may be in flight at once; null while nothing was refused. */
  readonly callsMax: number | null;
  readonly breaker: "closed" | "open" | "halfOpen";
  /** Calls that may be made again now. */
  readonly retriesLeft: number;
}

/** Share of the newest call in the running average of what calls use. */
const NEWEST_SHARE = 0.1;

export class Governor {
  readonly #with: GovernorParts;
  readonly #buckets = new Map<RateKind, Bucket>();
  readonly #breaker = new Breaker();
  readonly #queue = new FairLine<Wanted>();
  /** G7: those that wait for the budget, before they wait for room. */
  readonly #retries = new FairLine<Wanted>();
  readonly #budget: RetryBudget;
  /** What calls used of their worst case. */
  #inputShare = 1;
  #outputShare = 1;
  readonly #inFlight = new Set<Permit>();
  #callsMax = Number.POSITIVE_INFINITY;
  #round = 0;
  #heldUntilMs = 0;
  #timer: Timer | undefined;

  constructor(parts: GovernorParts) {
    this.#with = parts;
    this.#budget = new RetryBudget(parts.clock.monotonic());
  }

  /** A permit, if there is room at once and nobody waits. */
  tryEnter(wish: Wish): Permit | undefined {
    if (this.#queue.length > 0 || this.#waitMs(wish.bound) > 0) return undefined;
    if (wish.isRetry && (this.#retries.length > 0 || !this.#budget.spend(this.#with.clock.monotonic())))
      return undefined;
    return this.#permit(wish);
  }

  /** Has the agent wait for its turn, once. */
  wait(wanted: Wanted): void {
    if (this.#queue.has(wanted) || this.#retries.has(wanted)) return;
    (wanted.isRetry ? this.#retries : this.#queue).add(wanted);
    this.#serve();
  }

  /** G2 and what the outcome teaches; without one the call was not made. */
  settle(permit: Permit, outcome?: TurnOutcome): void {
    this.#inFlight.delete(permit);
    const usage = outcome?.usage ?? NO_USAGE;
    if (this.#buckets.size > 0) this.#giveBack(permit, usage, outcome !== undefined && outcome.outcome !== "withheld");
    if (outcome?.limits) this.#learn(outcome.limits);
    if (outcome?.outcome === "done") this.#measure(permit.bound, usage);
    this.#judge(permit, outcome);
    if (this.#waiting > 0) this.#serve();
  }

  get figures(): Governed {
    const nowMs = this.#with.clock.monotonic();
    return {
      limits: [...this.#buckets].map(([rate, bucket]) => ({
        rate,
        limit: bucket.limit,
        left: Math.floor(bucket.left(nowMs)),
        perMs: bucket.perMs,
      })),
      inFlight: this.#inFlight.size,
      waiting: this.#waiting,
      callsMax: Number.isFinite(this.#callsMax) ? Math.floor(this.#callsMax) : null,
      breaker: this.#breaker.state(nowMs),
      retriesLeft: Math.floor(this.#budget.left(nowMs)),
    };
  }

  stop(): void {
    this.#timer?.cancel();
  }

  get #waiting(): number {
    return this.#queue.length + this.#retries.length;
  }

  #permit({ bound, isRetry }: Wish): Permit {
    const permit: Permit = {
      governor: this,
      bound,
      ...this.#estimate(bound),
      isProbe: this.#breaker.pass(),
      isRetry,
      round: this.#round,
    };
    this.#inFlight.add(permit);
    if (this.#buckets.size > 0) this.#take(1, permit.input, permit.output);
    return permit;
  }

  #estimate({ promptTokensMax, outputTokensMax }: TurnBound): { input: number; output: number } {
    return { input: promptTokensMax * this.#inputShare, output: outputTokensMax * this.#outputShare };
  }

  /** G1, G3, G4: until such a call may start; Infinity while that hangs on one in flight. */
  #waitMs(bound: TurnBound): number {
    if (this.#inFlight.size >= this.#callsMax) return Number.POSITIVE_INFINITY;
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
    const nextMs = Math.min(this.#admitRetries(), this.#serveQueue());
    if (Number.isFinite(nextMs)) this.#timer = this.#with.clock.timer(nextMs, () => this.#serve());
  }

  /** G7. Milliseconds until more may be admitted; Infinity when none waits. */
  #admitRetries(): number {
    const nowMs = this.#with.clock.monotonic();
    for (let first = this.#retries.first(); first; first = this.#retries.first()) {
      if (!this.#budget.spend(nowMs)) return this.#budget.waitMs(nowMs);
      this.#retries.take(first);
      this.#queue.add(first);
    }
    return Number.POSITIVE_INFINITY;
  }

  /** G6. Milliseconds until more may go; Infinity when none waits, or that hangs on a call in flight. */
  #serveQueue(): number {
    for (let first = this.#queue.first(); first; first = this.#queue.first()) {
      const waitMs = this.#waitMs(first.bound);
      if (waitMs > 0) return waitMs;
      this.#queue.take(first);
      this.#with.offer(first.agent, this.#permit(first));
    }
    return Number.POSITIVE_INFINITY;
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
      else this.#buckets.set(kind, this.#newBucket(kind, rate, nowMs));
    }
  }

  /** G1: calls under way may have come to the provider after the one that tells of the rate. */
  #newBucket(kind: RateKind, rate: Rate, nowMs: number): Bucket {
    const bucket = new Bucket(rate, nowMs);
    for (const { input, output } of this.#inFlight) bucket.take(amountOf(kind, 1, input, output), nowMs);
    return bucket;
  }

  #measure({ promptTokensMax, outputTokensMax }: TurnBound, usage: Usage): void {
    this.#inputShare += NEWEST_SHARE * (shareOf(inputOf(usage), promptTokensMax) - this.#inputShare);
    this.#outputShare += NEWEST_SHARE * (shareOf(usage.output, outputTokensMax) - this.#outputShare);
  }

  #judge({ isProbe, isRetry, round }: Permit, outcome: TurnOutcome | undefined): void {
    if (isRetry && outcome?.outcome !== "retryable") this.#budget.giveBack();
    if (!outcome || outcome.outcome === "withheld" || outcome.outcome === "interrupted") {
      this.#breaker.unanswered(isProbe);
      return;
    }
    if (!isRetry && outcome.outcome === "done") this.#budget.earn();
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
    this.#callsMax = Math.max(1, Math.floor(Math.min(this.#callsMax, this.#inFlight.size + 1) / 2));
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
