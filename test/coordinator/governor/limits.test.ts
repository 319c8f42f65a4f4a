/**
 * A provider that counts exactly, and calls of all sizes from trees of several tenants: whatever they do, and whenever its answers come,
 * none of its limits is exceeded, and nobody starves.
 */
import fc from "fast-check";
import { expect, test } from "vitest";
import type { Usage } from "../../../src/agent/usage.ts";
import { ManualClock } from "../../../src/base/clock.ts";
import type { AgentId } from "../../../src/base/ids.ts";
import { Governor, type Permit, type Wanted } from "../../../src/coordinator/governor/governor.ts";
import type { ProviderLimits, RateKind } from "../../../src/drivers/driver.ts";
import { idOf } from "../../support/commands.ts";

/** One limit as the provider counts it: what flows back by the minute, and what was used beyond it. */
class Meter {
  readonly limit: number;
  #left: number;
  #atMs = 0;

  constructor(limit: number) {
    this.limit = limit;
    this.#left = limit;
  }

  left(nowMs: number): number {
    this.#left = Math.min(this.limit, this.#left + ((nowMs - this.#atMs) * this.limit) / 60_000);
    this.#atMs = nowMs;
    return this.#left;
  }

  use(amount: number, nowMs: number): void {
    this.#left = this.left(nowMs) - amount;
  }
}

const SIZE_MAX = 1_000;
const ROUNDING = 1e-3;

interface Planned {
  readonly tenant: number;
  readonly tree: number;
  readonly level: number;
  readonly size: number;
  readonly lastsMs: number;
  readonly afterMs: number;
}

class Account {
  readonly clock = new ManualClock();
  readonly governor: Governor;
  readonly meters: { readonly [Kind in RateKind]?: Meter };
  readonly #wanted = new Map<AgentId, Planned>();
  /** What each tree was given since it began to wait, by who waits. */
  readonly passed: { readonly planned: Planned; given: Map<string, number> }[] = [];
  served = 0;
  exceeded: string | undefined;
  overtakenMost = 0;

  constructor({ requests, tokens }: { requests: number; tokens: number }) {
    this.meters = {
      requests: new Meter(requests),
      inputTokens: new Meter(tokens),
      outputTokens: new Meter(tokens),
    };
    this.governor = new Governor({
      clock: this.clock,
      random: { next: () => 0.5, bytes: (length) => new Uint8Array(length) },
      offer: (agent, permit) => this.#call(agent, permit),
    });
  }

  ask(number: number, planned: Planned): void {
    const agent = idOf(number) as AgentId;
    const bound = { promptTokensMax: planned.size, outputTokensMax: planned.size };
    this.#wanted.set(agent, planned);
    const permit = this.governor.tryEnter({ bound, isRetry: false });
    if (permit) {
      this.#call(agent, permit);
      return;
    }
    this.passed.push({ planned, given: new Map() });
    const wanted: Wanted = {
      agent,
      tenant: `${planned.tenant}`,
      tree: treeOf(planned) as AgentId,
      level: planned.level,
      size: 1 + 2 * planned.size,
      bound,
      isRetry: false,
    };
    this.governor.wait(wanted);
  }

  #call(agent: AgentId, permit: Permit): void {
    const planned = this.#wanted.get(agent) as Planned;
    const nowMs = this.clock.monotonic();
    const used: [Meter | undefined, number][] = [
      [this.meters.requests, 1],
      [this.meters.inputTokens, planned.size],
      [this.meters.outputTokens, planned.size],
    ];
    for (const [meter, amount] of used) {
      // As long as nobody has been told of a limit, nobody can keep to it.
      if (meter && this.served > 0 && meter.left(nowMs) + ROUNDING < amount)
        this.exceeded ??= `${amount} of ${meter.limit} with ${meter.left(nowMs)} left`;
      meter?.use(amount, nowMs);
    }
    this.#overtake(planned);
    // As of the call; the answer may come in any order.
    const limits = Object.fromEntries(
      Object.entries(this.meters).map(([kind, meter]) => [
        kind,
        { limit: meter.limit, remaining: Math.max(0, Math.floor(meter.left(nowMs))) },
      ]),
    ) as ProviderLimits;
    this.clock.timer(planned.lastsMs, () => {
      this.served += 1;
      const usage: Usage = { input: planned.size, output: planned.size, cacheRead: 0, cacheWrite: 0 };
      this.governor.settle(permit, { outcome: "done", parts: [], finish: "stop", usage, limits });
    });
  }

  /** Notes what a tree was given while another one waited, and that one's own share. */
  #overtake(planned: Planned): void {
    const at = this.passed.findIndex((each) => each.planned === planned);
    if (at >= 0) this.passed.splice(at, 1);
    for (const { planned: waits, given } of this.passed) {
      const tree = treeOf(planned);
      given.set(tree, (given.get(tree) ?? 0) + 1 + 2 * planned.size);
      if (waits.tenant !== planned.tenant) continue;
      const lead = (given.get(tree) ?? 0) - (given.get(treeOf(waits)) ?? 0);
      this.overtakenMost = Math.max(this.overtakenMost, lead);
    }
  }
}

function treeOf({ tenant, tree }: Planned): string {
  return `${tenant}-${tree}`;
}

test("G1, G6: no limit of a provider is exceeded, nobody starves, and all calls are made", () => {
  const planned = fc.record({
    tenant: fc.integer({ min: 0, max: 2 }),
    tree: fc.integer({ min: 0, max: 2 }),
    level: fc.integer({ min: 0, max: 3 }),
    size: fc.integer({ min: 1, max: SIZE_MAX }),
    lastsMs: fc.integer({ min: 1, max: 20_000 }),
    afterMs: fc.integer({ min: 0, max: 500 }),
  });
  const limits = fc.record({
    requests: fc.integer({ min: 5, max: 200 }),
    tokens: fc.integer({ min: SIZE_MAX, max: 50_000 }),
  });
  fc.assert(
    fc.property(limits, fc.array(planned, { minLength: 2, maxLength: 80 }), (told, plans) => {
      const account = new Account(told);
      // The first answer tells the limits.
      const [first, ...others] = plans as [Planned, ...Planned[]];
      account.ask(1, first);
      account.clock.advance(first.lastsMs);
      for (const [number, plan] of others.entries()) {
        account.ask(number + 2, plan);
        account.clock.advance(plan.afterMs);
      }
      for (let waitMs = account.clock.untilNext(); waitMs !== undefined; waitMs = account.clock.untilNext())
        account.clock.advance(waitMs);
      expect(account.exceeded).toBeUndefined();
      expect([account.served, account.governor.figures.waiting]).toEqual([plans.length, 0]);
      // Of two trees of a tenant that wait, none is given more than the other by more than their largest requests.
      expect(account.overtakenMost).toBeLessThanOrEqual(2 * (1 + 2 * SIZE_MAX));
    }),
    { numRuns: 300 },
  );
});

test("G1: calls that were under way when the first answer told the limits count", () => {
  const account = new Account({ requests: 10, tokens: 1_000_000 });
  const plan = { tenant: 0, tree: 0, level: 0, size: 10, lastsMs: 1_000, afterMs: 0 };
  for (let number = 1; number <= 8; number++) account.ask(number, { ...plan, lastsMs: 1_000 * number });
  account.clock.advance(1_000);
  for (let number = 9; number <= 20; number++) account.ask(number, plan);
  for (let waitMs = account.clock.untilNext(); waitMs !== undefined; waitMs = account.clock.untilNext())
    account.clock.advance(waitMs);
  expect([account.exceeded, account.served]).toEqual([undefined, 20]);
});
