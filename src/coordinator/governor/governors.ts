/**
 * The governors of a process: one for each provider and family of models. A process has one account with a provider, so its name
 * stands for the organisation.
 *
 * P1  An agent holds one permit at most; whoever rests holds none.
 */
import type { Head } from "../../agent/state.ts";
import type { Clock } from "../../base/clock.ts";
import type { AgentId } from "../../base/ids.ts";
import type { Random } from "../../base/random.ts";
import type { TurnBound, TurnOutcome } from "../../drivers/driver.ts";
import { type Governed, Governor, type Permit } from "./governor.ts";

export class Governors {
  readonly #services: { readonly clock: Clock; readonly random: Random };
  readonly #wake: (agent: AgentId) => void;
  /** By family, and the same by model: the way from one to the other is walked once. */
  readonly #families = new Map<string, Governor>();
  readonly #models = new Map<string, Governor>();
  readonly #permits = new Map<AgentId, Permit>();

  constructor(services: { readonly clock: Clock; readonly random: Random }, wake: (agent: AgentId) => void) {
    this.#services = services;
    this.#wake = wake;
  }

  /** True when the agent's next call may start now: it holds a permit then. Does not wait. */
  mayEnter({ agent, execution }: Head, bound: TurnBound): boolean {
    if (this.#permits.has(agent)) return true;
    const permit = this.#of(execution).tryEnter(bound);
    if (permit) this.#permits.set(agent, permit);
    return permit !== undefined;
  }

  /** The same; otherwise the agent waits for its turn, and is woken then. */
  enter(head: Head, bound: TurnBound): boolean {
    if (this.mayEnter(head, bound)) return true;
    const { agent, root: tree, level } = head;
    const size = 1 + bound.promptTokensMax + bound.outputTokensMax;
    this.#of(head.execution).wait({ agent, tree, level, size, bound });
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
    return new Governor({
      ...this.#services,
      offer: (agent, permit) => {
        this.#permits.set(agent, permit);
        this.#wake(agent);
      },
    });
  }
}

/** Models that share one limit: those of a name and major version, whatever their minor version and date. */
function familyOf(model: string): string {
  const dated = /[-@](?:\d{8}|\d{4}-\d{2}-\d{2}|latest)$/;
  const undated = model.replace(dated, "");
  return /^claude-[a-z]+-\d+(?=-\d+$)/.exec(undated)?.[0] ?? undated;
}
