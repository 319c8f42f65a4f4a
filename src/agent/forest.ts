/**
 * The index of all agents: the heads, linked to trees, with what each subtree holds and spends. It answers, in time
 * proportional to the depth, what no agent can answer alone.
 *
 * F1  A hold covers the agent it is set on and all below it, those not yet born included.
 * F2  A subtree never spends more than its budget: a call reserves its worst case at every ancestor before it starts,
 *     and settles after. What is spent and reserved together never exceeds a budget in force when it was reserved.
 * F3  The sums of a subtree equal the sums over its agents.
 */
import { assert } from "../base/assert.ts";
import type { ErrorCode } from "../base/errors.ts";
import type { AgentId } from "../base/ids.ts";
import { LIMITS } from "../base/limits.ts";
import { type Node, Twig } from "./forest-node.ts";
import type { HeadColumns } from "./head-columns.ts";
import type { Head } from "./state.ts";
import { hasEnded, type Status, shownStatus } from "./status.ts";
import { accumulate, addSums, addTo, NOTHING, SumColumns, type Sums, sameSums, tidy } from "./sums.ts";

export interface Shortage {
  readonly refused: Extract<ErrorCode, "BUDGET_EXHAUSTED" | "LEVELS_EXCEEDED">;
  readonly why: string;
  /** The agent whose budget it is. */
  readonly agent: AgentId;
}

export class Forest {
  readonly #nodes = new Map<AgentId, Twig>();
  readonly #roots: Twig[] = [];

  get size(): number {
    return this.#nodes.size;
  }

  get(agent: AgentId): Node | undefined {
    return this.#nodes.get(agent);
  }

  roots(): readonly Node[] {
    return this.#roots;
  }

  nodes(): Iterable<Node> {
    return this.#nodes.values();
  }

  /** Adds an agent, or replaces its head. A parent must be added before its children. */
  put(head: Head): void {
    const known = this.#nodes.get(head.agent);
    const before = known ? sumsOf(known) : NOTHING;
    const node = known ?? this.#add(head);
    if (saysOfReservation(node.head, head)) node.reservedUsd = head.reservedUsd;
    node.head = head;
    settle(node, before);
  }

  /** Fills an empty forest with all that the columns hold. */
  plantColumns(columns: HeadColumns): void {
    const nodes: Twig[] = [];
    const bed = { columns, sums: new SumColumns(columns) };
    for (let at = 0; at < columns.count; at += 1) {
      const place = columns.parent(at);
      const parent = place === undefined ? undefined : nodes[place];
      nodes.push(this.#link(Twig.planted(bed, at, parent)));
    }
  }

  /**
   * Fills an empty forest, parents before their children. The sums are made once at the end: a deep tree takes no longer than a
   * wide one.
   */
  plant(): { add(head: Head): void; done(): void } {
    const added: Twig[] = [];
    const add = (head: Head) => {
      const node = this.#add(head);
      node.reservedUsd = head.reservedUsd;
      added.push(node);
    };
    const done = () => {
      for (let at = added.length - 1; at >= 0; at--) {
        const node = added[at] as Twig;
        addOwn(node);
        if (node.parent) addSums(node.parent.subtree, node.subtree);
      }
    };
    return { add, done };
  }

  /** The agent, then its ancestors up to the root. */
  *path(agent: AgentId): Generator<Node> {
    for (let node = this.#nodes.get(agent); node; node = node.parent) yield node;
  }

  /** The agent and all below it, parents before children, in the order of spawning. */
  *subtree(agent: AgentId): Generator<Node> {
    const stack: Node[] = [this.#at(agent)];
    for (let node = stack.pop(); node; node = stack.pop()) {
      yield node;
      for (let i = node.children.length - 1; i >= 0; i--) stack.push(node.children[i] as Node);
    }
  }

  /** The nearest agent whose hold covers this one, or undefined (F1). */
  holder(agent: AgentId): Node | undefined {
    for (let node = this.#nodes.get(agent); node; node = node.parent) if (node.brief.held) return node;
    return undefined;
  }

  /** The status to show: its own, or `held` under a hold. */
  status(agent: AgentId): Status {
    return shownStatus(this.#at(agent).brief.status, this.holder(agent) !== undefined);
  }

  /** True when an ancestor has ended, so that the agent must not run. */
  isOrphan(agent: AgentId): boolean {
    for (let node = this.#at(agent).parent; node; node = node.parent) if (hasEnded(node.brief.status)) return true;
    return false;
  }

  /** Reserves `usd` for the agent's next call, at itself and every ancestor, or says whose budget does not allow it (F2). */
  reserve(agent: AgentId, usd: number): Shortage | undefined {
    const node = this.#at(agent);
    assert(node.reservedUsd === 0, `${agent} has one call at a time`);
    for (const { head, subtree } of this.path(agent)) {
      const limitUsd = head.budget?.costUsd;
      if (limitUsd === undefined) continue;
      const leftUsd = tidy(limitUsd - subtree.costUsd - subtree.reservedUsd);
      if (usd > leftUsd) {
        const why = `the next call may cost $${usd.toFixed(6)}, and $${Math.max(0, leftUsd).toFixed(6)} of the $${limitUsd} of ${head.name} are left`;
        return { refused: "BUDGET_EXHAUSTED", why, agent: head.agent };
      }
    }
    this.#reserved(node, usd);
    return undefined;
  }

  /** Gives back a reservation whose call did not start. */
  release(agent: AgentId): void {
    const node = this.#at(agent);
    this.#reserved(node, node.head.reservedUsd);
  }

  /** Money reserved for calls in flight at or below the agent, besides its own. */
  reservedBeside(agent: AgentId, holder: AgentId): number {
    return this.#at(holder).subtree.reservedUsd - this.#at(agent).reservedUsd;
  }

  /**
   * Says why the agent may not have `count` more descendants one level below it, or undefined. `unborn` tells of agents that are on
   * their way into a subtree.
   */
  mayGrow(agent: AgentId, count = 1, unborn: (above: AgentId) => number = () => 0): Shortage | undefined {
    const level = this.#at(agent).head.level + 1;
    for (const { head, subtree, parent } of this.path(agent)) {
      const levels = Math.min(head.budget?.levels ?? Number.POSITIVE_INFINITY, LIMITS.levelsMax - head.level);
      if (level - head.level > levels) {
        return {
          refused: "LEVELS_EXCEEDED",
          why: `${head.name} may have ${levels} levels below it`,
          agent: head.agent,
        };
      }
      const agents = Math.min(
        head.budget?.agents ?? Number.POSITIVE_INFINITY,
        parent ? Number.POSITIVE_INFINITY : LIMITS.treeAgentsMax,
      );
      if (subtree.agents + unborn(head.agent) + count > agents) {
        return {
          refused: "BUDGET_EXHAUSTED",
          why: `${head.name} may have ${agents} agents, itself included`,
          agent: head.agent,
        };
      }
    }
    return undefined;
  }

  #at(agent: AgentId): Twig {
    const node = this.#nodes.get(agent);
    assert(node, `${agent} is known`);
    return node;
  }

  #add(head: Head): Twig {
    const parent = head.parent === null ? undefined : this.#at(head.parent);
    return this.#link(Twig.of(head, parent));
  }

  #link(node: Twig): Twig {
    this.#nodes.set(node.agent, node);
    if (node.parent) addChild(node.parent, node);
    else this.#roots.push(node);
    return node;
  }

  #reserved(node: Twig, usd: number): void {
    const before = sumsOf(node);
    node.reservedUsd = usd;
    settle(node, before);
  }
}

/** Carries the change of an agent's own sums up to the root (F3). */
function settle(node: Twig, before: Sums): void {
  const after = sumsOf(node);
  if (sameSums(before, after)) return;
  for (let each: Twig | undefined = node; each; each = each.parent) accumulate(each.subtree, after, before);
}

/**
 * True when the step from one head to the next tells what became of a reservation. One whose call has not started is known
 * here alone, and stands. A call may start and be settled in one append: then only the money shows it.
 */
function saysOfReservation(before: Head, now: Head): boolean {
  const isJournaled = before.reservedUsd > 0 || now.reservedUsd > 0;
  return isJournaled || now.costUsd !== before.costUsd || hasEnded(now.status);
}

function addChild(parent: Twig, node: Twig): void {
  if (parent.children.length === 0) parent.children = [node];
  else parent.children.push(node);
}

function sumsOf({ head, reservedUsd }: Twig): Sums {
  const { turns, usage, costUsd, estimatedUsd } = head;
  return { agents: 1, live: hasEnded(head.status) ? 0 : 1, turns, usage, costUsd, estimatedUsd, reservedUsd };
}

/** The same into sums that have nothing of it yet, and into those above. */
function addOwn({ head, reservedUsd, subtree }: Twig): void {
  subtree.agents += 1;
  if (!hasEnded(head.status)) subtree.live += 1;
  subtree.turns += head.turns;
  addTo(subtree.usage, head.usage);
  subtree.costUsd = tidy(subtree.costUsd + head.costUsd);
  subtree.estimatedUsd = tidy(subtree.estimatedUsd + head.estimatedUsd);
  subtree.reservedUsd = tidy(subtree.reservedUsd + reservedUsd);
}
