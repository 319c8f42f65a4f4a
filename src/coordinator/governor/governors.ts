/**
 * The governors of a process: one for each provider and family of models. A process has one account with a provider, so its name
 * stands for the organisation.
 *
 * P1  An agent holds one permit at most; whoever rests holds none.
 * P2  An agent that has waited for LIMITS.governorShownMs is told of, so that it shows.
 */
import { tenantOf } from "../../agent/head.ts";
import type { Head, State } from "../../agent/state.ts";
import type { Clock, Timer } from "../../base/clock.ts";
import type { AgentId } from "../../base/ids.ts";
import { LIMITS } from "../../base/limits.ts";
import type { Random } from "../../base/random.ts";
import type { TurnBound, TurnOutcome } from "../../drivers/driver.ts";
import { type Governed, Governor, type Permit } from "./governor.ts";

export interface GovernorsParts {
  readonly clock: Clock;
  readonly random: Random;
  /** The agent may go on: it holds a permit. */
  readonly wake: (agent: AgentId) => void;
  /** P2. */
  readonly waitsLong: (agent: AgentId) => void;
}

export class Governors {
  readonly #with: GovernorsParts;
  /** By family, and the same by model: the way from one to the other is walked once. */
  readonly #families = new Map<string, Governor>();
  readonly #models = new Map<string, Governor>();
  readonly #permits = new Map<AgentId, Permit>();
  /** P2: for those that wait and are not told of yet. */
  readonly #shown = new Map<AgentId, Timer>();

  constructor(parts: GovernorsParts) {
    this.#with = parts;
  }

  /** True when the agent's next call may start now: it holds a permit then. Does not wait. */
  mayEnter({ head: { agent, execution }, retry }: State, bound: TurnBound): boolean {
    if (this.#permits.has(agent)) return true;
    const permit = this.#of(execution).tryEnter({ bound, isRetry: isAgain(retry) });
    if (permit) this.#permits.set(agent, permit);
    return permit !== undefined;
  }

  /** The same; otherwise the agent waits for its turn, and is woken then. */
  enter(state: State, bound: TurnBound): boolean {
    if (this.mayEnter(state, bound)) return true;
    const { head, retry } = state;
    const { agent, root: tree, level } = head;
    const size = 1 + bound.promptTokensMax + bound.outputTokensMax;
    if (!retry) this.#show(agent);
    this.#of(head.execution).wait({ agent, tree, tenant: tenantOf(head), level, size, bound, isRetry: isAgain(retry) });
    return false;
  }

  /** Settles the agent's call; without an outcome it was not made. Harmless for one that holds no permit. */
  settle(agent: AgentId, outcome?: TurnOutcome): void {
    const permit = this.#permits.get(agent);
    if (!permit) return;
    this.#permits.delete(agent);
    permit.governor.settle(permit, outcome);
  }

  /** Calls for which the provider has room now; Infinity while nothing bounds them. */
  headroom({ provider, model }: Head["execution"]): number {
    const { breaker, callsMax, inFlight } = this.#of({ provider, model }).figures;
    if (breaker !== "closed") return 0;
    return callsMax === null ? Number.POSITIVE_INFINITY : Math.max(0, callsMax - inFlight);
  }

  get figures(): (Governed & { readonly family: string })[] {
    return [...this.#families].map(([family, governor]) => ({ family, ...governor.figures }));
  }

  stop(): void {
    for (const governor of this.#families.values()) governor.stop();
    for (const timer of this.#shown.values()) timer.cancel();
    this.#shown.clear();
  }

  /** P2. */
  #show(agent: AgentId): void {
    if (this.#shown.has(agent)) return;
    const timer = this.#with.clock.timer(LIMITS.governorShownMs, () => {
      this.#shown.delete(agent);
      this.#with.waitsLong(agent);
    });
    this.#shown.set(agent, timer);
  }

  #offer(agent: AgentId, permit: Permit): void {
    this.#shown.get(agent)?.cancel();
    this.#shown.delete(agent);
    this.#permits.set(agent, permit);
    this.#with.wake(agent);
  }

  #of({ provider, model }: Pick<Head["execution"], "provider" | "model">): Governor {
    const name = `${provider}/${model}`;
    const known = this.#models.get(name);
    if (known) return known;
    const family = `${provider}/${familyOf(model)}`;
    const governor = this.#families.get(family) ?? this.#make();
    this.#families.set(family, governor);
    this.#models.set(name, governor);
    return governor;
  }

  #make(): Governor {
    const { clock, random } = this.#with;
    return new Governor({ clock, random, offer: (agent, permit) => this.#offer(agent, permit) });
  }
}

/** True when an attempt at the call failed before. */
function isAgain(retry: State["retry"]): boolean {
  return retry !== null && retry.attempts + retry.putOffs > 0;
}

/** Models that share one limit: those of a name and major version, whatever their minor version and date. */
function familyOf(model: string): string {
  const dated = /[-@](?:\d{8}|\d{4}-\d{2}-\d{2}|latest)$/;
  const undated = model.replace(dated, "");
  return /^claude-[a-z]+-\d+(?=-\d+$)/.exec(undated)?.[0] ?? undated;
}
