/**
 * A rate limit that puts off instead of refusing, for each tree and for each tenant.
 *
 * H1  What conforms passes at once, if nobody waits who conforms as well.
 * H2  What waits is served in fair order (`../fairness/`): a tree that asks for a thousand at once delays no other tree.
 * H3  Nobody waits for longer than LIMITS.throttleWaitMsMax, and no more wait than LIMITS.throttleWaitingMax: they are told so.
 * H4  A wait ends with its signal, and leaves nothing behind.
 */
import type { Clock, Timer } from "../../base/clock.ts";
import { BanyanError } from "../../base/errors.ts";
import { LIMITS } from "../../base/limits.ts";
import { FairLine, type Request } from "../fairness/fair-line.ts";
import { Gcra } from "./gcra.ts";

export interface ThrottleOptions {
  /** What is throttled, as people know it: `forks`. */
  readonly what: string;
  /** Unbounded when absent. */
  readonly treePerMinute?: number | undefined;
  readonly tenantPerMinute?: number | undefined;
}

export interface ThrottleFigures {
  readonly treePerMinute: number | null;
  readonly tenantPerMinute: number | null;
  readonly passed: number;
  readonly waiting: number;
  /** Those that were told that it takes too long. */
  readonly refused: number;
  /** The trees with the most that wait. */
  readonly trees: readonly { readonly tenant: string; readonly tree: string; readonly waiting: number }[];
}

interface Waiting extends Request {
  readonly sinceMs: number;
  readonly pass: () => void;
  readonly refuse: (error: unknown) => void;
}

/** Trees that the figures name. */
const TREES_SHOWN = 10;

export class Throttle {
  readonly #clock: Clock;
  readonly #what: string;
  readonly #tree: Gcra | undefined;
  readonly #tenant: Gcra | undefined;
  readonly #line = new FairLine<Waiting>();
  /** In the order they came. */
  readonly #waiting = new Set<Waiting>();
  #timer: Timer | undefined;
  #passed = 0;
  #refused = 0;

  constructor(clock: Clock, { what, treePerMinute, tenantPerMinute }: ThrottleOptions) {
    this.#clock = clock;
    this.#what = what;
    this.#tree = treePerMinute === undefined ? undefined : new Gcra(treePerMinute);
    this.#tenant = tenantPerMinute === undefined ? undefined : new Gcra(tenantPerMinute);
  }

  /** Resolves when it is the request's turn; undefined: at once. Rejects with THROTTLED (H3), or the signal's reason. */
  pass(request: Omit<Request, "size">, signal?: AbortSignal): Promise<void> | undefined {
    const nowMs = this.#clock.monotonic();
    // H1: where somebody waits, fairness decides.
    if (this.#line.length === 0 && this.#conforms(request, nowMs)) {
      this.#note(request, nowMs);
      return undefined;
    }
    if (this.#line.length >= LIMITS.throttleWaitingMax)
      return Promise.reject(this.#refusal(`${this.#line.length} wait already`));
    return new Promise((resolve, reject) => {
      if (signal?.aborted) return reject(signal.reason);
      const onAbort = () => {
        this.#leave(waiting);
        this.#line.drop(waiting);
        reject(signal?.reason);
        this.#serve();
      };
      const done = (end: () => void) => () => {
        signal?.removeEventListener("abort", onAbort);
        end();
      };
      const refuse = (error: unknown) => done(() => reject(error))();
      const waiting: Waiting = { ...request, size: 1, sinceMs: nowMs, pass: done(resolve), refuse };
      this.#waiting.add(waiting);
      this.#line.add(waiting);
      signal?.addEventListener("abort", onAbort, { once: true });
      this.#serve();
    });
  }

  get figures(): ThrottleFigures {
    const trees = this.#line.trees.sort((a, b) => b.waiting - a.waiting).slice(0, TREES_SHOWN);
    return {
      treePerMinute: this.#tree?.perMinute ?? null,
      tenantPerMinute: this.#tenant?.perMinute ?? null,
      passed: this.#passed,
      waiting: this.#line.length,
      refused: this.#refused,
      trees,
    };
  }

  #conforms({ tree, tenant }: Pick<Request, "tree" | "tenant">, nowMs: number): boolean {
    return !this.#tree?.waitMs(tree, nowMs) && !this.#tenant?.waitMs(tenant, nowMs);
  }

  #note({ tree, tenant }: Pick<Request, "tree" | "tenant">, nowMs: number): void {
    this.#tree?.pass(tree, nowMs);
    this.#tenant?.pass(tenant, nowMs);
    this.#passed += 1;
  }

  /** H2. */
  #serve(): void {
    this.#timer?.cancel();
    this.#timer = undefined;
    const nowMs = this.#clock.monotonic();
    const isFree = (limit: Gcra | undefined) => (key: string) => !limit?.waitMs(key, nowMs);
    for (;;) {
      const next = this.#line.first(isFree(this.#tenant), isFree(this.#tree));
      if (!next) break;
      this.#line.take(next);
      this.#leave(next);
      this.#note(next, nowMs);
      next.pass();
    }
    this.#refuseOld(nowMs);
    if (this.#line.length > 0) this.#timer = this.#clock.timer(this.#nextMs(nowMs), () => this.#serve());
  }

  /** H3. */
  #refuseOld(nowMs: number): void {
    for (const waiting of this.#waiting) {
      if (nowMs - waiting.sinceMs < LIMITS.throttleWaitMsMax) return;
      this.#leave(waiting);
      this.#line.drop(waiting);
      waiting.refuse(this.#refusal(`its turn did not come in ${LIMITS.throttleWaitMsMax / 60_000} minutes`));
    }
  }

  #refusal(why: string): BanyanError {
    this.#refused += 1;
    return new BanyanError("THROTTLED", `too many ${this.#what} were asked for: ${why}`);
  }

  #leave(waiting: Waiting): void {
    this.#waiting.delete(waiting);
  }

  /** Until one that waits conforms, or has waited for too long. */
  #nextMs(nowMs: number): number {
    const [oldest] = this.#waiting;
    let nextMs = (oldest?.sinceMs ?? nowMs) + LIMITS.throttleWaitMsMax - nowMs;
    for (const { tree, tenant } of this.#line.trees) {
      const waitMs = Math.max(this.#tree?.waitMs(tree, nowMs) ?? 0, this.#tenant?.waitMs(tenant, nowMs) ?? 0);
      nextMs = Math.min(nextMs, waitMs);
    }
    return Math.max(0, nextMs);
  }
}
