/**
 * Room for agents that are about to be born: a name among siblings, and a place in every bound above. It is held from when it is asked
 * for until they are there or given up, so that births under way at once count against each other.
 */
import { NAME_SYNTAX } from "../agent/events.ts";
import type { Forest } from "../agent/forest.ts";
import type { Node } from "../agent/forest-node.ts";
import { BanyanError } from "../base/errors.ts";
import type { AgentId } from "../base/ids.ts";
import { LIMITS } from "../base/limits.ts";

export interface Wanted {
  /** The agent to be born, or the top of those that are. */
  readonly agent: AgentId;
  /** Null for a root: it has no bounds above it. */
  readonly parent: AgentId | null;
  readonly count?: number;
  readonly name: string;
  /** Put between the name and a number, which it gets in any case. Without, it gets one from 2 on when a sibling has the name. */
  readonly suffix?: string | undefined;
}

export interface Place {
  /** The name that was wanted, or with a number behind it when a sibling has that. */
  readonly name: string;
  /** To be called when the agents are there, or will never be. */
  release(): void;
}

interface Held {
  readonly wanted: Wanted;
  readonly name: string;
  readonly path: ReadonlySet<AgentId>;
}

/**
 * The names of siblings, as far as they were looked at: siblings only become more, and names stay, so that the ten-thousandth is
 * named without looking at all others again.
 */
interface Born {
  readonly names: Set<string>;
  /** By suffix and stem, a number below which all are taken. */
  readonly numbers: Map<string, number>;
  seen: number;
}

export interface PlacesBounds {
  /** Levels below the root. */
  readonly levelsMax: number;
  /** Living agents of one tree. */
  readonly treeLiveMax: number;
}

export class Places {
  readonly #forest: Forest;
  readonly #bounds: PlacesBounds;
  readonly #held = new Set<Held>();
  readonly #born = new WeakMap<readonly Node[], Born>();

  constructor(forest: Forest, bounds: PlacesBounds) {
    this.#forest = forest;
    this.#bounds = bounds;
  }

  /** @throws NAME_INVALID, LEVELS_EXCEEDED, TREE_FULL, BUDGET_EXHAUSTED (agents) */
  hold(wanted: Wanted): Place {
    const { agent, parent, count = 1 } = wanted;
    mustBeName(wanted.name, agent);
    const shortage = parent === null ? undefined : this.#forest.mayGrow(parent, count, (above) => this.#unborn(above));
    if (shortage) throw new BanyanError(shortage.refused, shortage.why, { agent: parent ?? agent });
    if (parent !== null) this.#mustFit(parent, count);
    const name = this.#freeName(wanted);
    const path = new Set(parent === null ? [] : [...this.#forest.path(parent)].map(({ head }) => head.agent));
    const held = { wanted, name, path };
    this.#held.add(held);
    return { name, release: () => void this.#held.delete(held) };
  }

  #mustFit(parent: AgentId, count: number): void {
    const { levelsMax, treeLiveMax } = this.#bounds;
    const { head } = this.#forest.get(parent) as Node;
    if (head.level >= levelsMax)
      throw new BanyanError("LEVELS_EXCEEDED", `trees have ${levelsMax} levels here (levelsMax)`, { agent: parent });
    const live = (this.#forest.get(head.root)?.subtree.live ?? 0) + this.#unborn(head.root);
    if (live + count > treeLiveMax) {
      const why = `trees have ${treeLiveMax} living agents here (treeLiveMax), and this one has ${live}`;
      throw new BanyanError("TREE_FULL", why, { agent: parent });
    }
  }

  /** Agents that are on their way into the subtree and not in the forest yet. */
  #unborn(above: AgentId): number {
    let count = 0;
    for (const { wanted, path } of this.#held) {
      if (path.has(above) && !this.#forest.get(wanted.agent)) count += wanted.count ?? 1;
    }
    return count;
  }

  #freeName({ parent, name, suffix = "" }: Wanted): string {
    const born = this.#bornTo(parent);
    const unborn = new Set<string>();
    for (const held of this.#held) if (held.wanted.parent === parent) unborn.add(held.name);
    if (suffix === "" && !born.names.has(name) && !unborn.has(name)) return name;
    const stem = `${name.slice(0, LIMITS.nameLengthMax - suffix.length - NUMBER_LENGTH_MAX)}${suffix}`;
    const key = `${suffix} ${stem}`;
    let number = born.numbers.get(key) ?? (suffix ? 1 : 2);
    while (born.names.has(`${stem}-${number}`)) number += 1;
    born.numbers.set(key, number);
    while (unborn.has(`${stem}-${number}`) || born.names.has(`${stem}-${number}`)) number += 1;
    return `${stem}-${number}`;
  }

  #bornTo(parent: AgentId | null): Born {
    const siblings = parent === null ? this.#forest.roots() : (this.#forest.get(parent)?.children ?? []);
    const born = this.#born.get(siblings) ?? { names: new Set(), numbers: new Map(), seen: 0 };
    this.#born.set(siblings, born);
    for (; born.seen < siblings.length; born.seen++) born.names.add((siblings[born.seen] as Node).head.name);
    return born;
  }
}

/** A dash and the digits of any number of siblings. */
const NUMBER_LENGTH_MAX = 7;

function mustBeName(name: string, agent: AgentId): void {
  if (name.length <= LIMITS.nameLengthMax && NAME_SYNTAX.test(name)) return;
  throw new BanyanError("NAME_INVALID", `not a name: ${JSON.stringify(name.slice(0, 80))}`, { agent });
}
