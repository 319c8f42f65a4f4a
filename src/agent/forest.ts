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
import type { Head } from "./state.ts";
import { hasEnded, type Status, shownStatus } from "./status.ts";
import { NO_USAGE, type Usage } from "./usage.ts";

export interface Sums {
  readonly agents: number;
  /** Agents that have not ended. */
  readonly live: number;
  readonly turns: number;
  readonly usage: Usage;
  readonly costUsd: number;
  readonly estimatedUsd: number;
  readonly reservedUsd: number;
}

export interface Node {
  readonly head: Head;
  readonly parent: Node | undefined;
  /** In the order of spawning. */
  readonly children: readonly Node[];
  /** Over the agent and all below it, as it is now: to keep, copy it (`copyOf`). */
  readonly subtree: Sums;
}

export interface Shortage {
  readonly refused: Extract<ErrorCode, "BUDGET_EXHAUSTED" | "LEVELS_EXCEEDED">;
  readonly why: string;
  /** The agent whose budget it is. */
  readonly agent: AgentId;
}

type Mutable<T> = { -readonly [Field in keyof T]: T[Field] };
type MutableSums = Mutable<Omit<Sums, "usage">> & { readonly usage: Mutable<Usage> };

interface MutableNode extends Node {
  head: Head;
  parent: MutableNode | undefined;
  children: MutableNode[];
  subtree: MutableSums;
  reservedUsd: number;
}

export class Forest {
  readonly #nodes = new Map<AgentId, MutableNode>();
  readonly #roots: MutableNode[] = [];

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

  /**
   * Fills an empty forest, parents before their children. The sums are made once at the end: a deep tree takes no longer than a
   * wide one.
   */
  plant(): { add(head: Head): void; done(): void } {
    const added: MutableNode[] = [];
    const add = (head: Head) => {
      const node = this.#add(head);
      node.reservedUsd = head.reservedUsd;
      added.push(node);
    };
    const done = () => {
      for (let at = added.length - 1; at >= 0; at--) {
        const node = added[at] as MutableNode;
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
    for (let node = this.#nodes.get(agent); node; node = node.parent) if (node.head.held) return node;
    return undefined;
  }

  /** The status to show: its own, or `held` under a hold. */
  status(agent: AgentId): Status {
    return shownStatus(this.#at(agent).head.status, this.holder(agent) !== undefined);
  }

  /** True when an ancestor has ended, so that the agent must not run. */
  isOrphan(agent: AgentId): boolean {
    for (let node = this.#at(agent).parent; node; node = node.parent) if (hasEnded(node.head.status)) return true;
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

  #at(agent: AgentId): MutableNode {
    const node = this.#nodes.get(agent);
    assert(node, `${agent} is known`);
    return node;
  }

  #add(head: Head): MutableNode {
    const parent = head.parent === null ? undefined : this.#at(head.parent);
    const node: MutableNode = { head, parent, children: NO_CHILDREN, subtree: noSums(), reservedUsd: 0 };
    this.#nodes.set(head.agent, node);
    if (parent) addChild(parent, node);
    else this.#roots.push(node);
    return node;
  }

  #reserved(node: MutableNode, usd: number): void {
    const before = sumsOf(node);
    node.reservedUsd = usd;
    settle(node, before);
  }
}

/** Carries the change of an agent's own sums up to the root (F3). */
function settle(node: MutableNode, before: Sums): void {
  const after = sumsOf(node);
  if (sameSums(before, after)) return;
  for (let each: MutableNode | undefined = node; each; each = each.parent) accumulate(each.subtree, after, before);
}

/**
 * True when the step from one head to the next tells what became of a reservation. One whose call has not started is known
 * here alone, and stands. A call may start and be settled in one append: then only the money shows it.
 */
function saysOfReservation(before: Head, now: Head): boolean {
  const isJournaled = before.reservedUsd > 0 || now.reservedUsd > 0;
  return isJournaled || now.costUsd !== before.costUsd || hasEnded(now.status);
}

function noSums(): MutableSums {
  const usage = { ...NO_USAGE };
  return { agents: 0, live: 0, turns: 0, usage, costUsd: 0, estimatedUsd: 0, reservedUsd: 0 };
}

const NOTHING: Sums = noSums();

/** The sums as they are now. */
export function copyOf(sums: Sums): Sums {
  return { ...sums, usage: { ...sums.usage } };
}

/** Of the many that have none. */
const NO_CHILDREN: MutableNode[] = [];

function addChild(parent: MutableNode, node: MutableNode): void {
  if (parent.children.length === 0) parent.children = [node];
  else parent.children.push(node);
}

function sumsOf({ head, reservedUsd }: MutableNode): Sums {
  const { turns, usage, costUsd, estimatedUsd } = head;
  return { agents: 1, live: hasEnded(head.status) ? 0 : 1, turns, usage, costUsd, estimatedUsd, reservedUsd };
}

function sameSums(a: Sums, b: Sums): boolean {
  return (
    a.agents === b.agents &&
    a.live === b.live &&
    a.turns === b.turns &&
    a.usage === b.usage &&
    a.costUsd === b.costUsd &&
    a.estimatedUsd === b.estimatedUsd &&
    a.reservedUsd === b.reservedUsd
  );
}

/** Changed in place: it happens with every turn, at every ancestor. */
function accumulate(sums: MutableSums, after: Sums, before: Sums): void {
  sums.agents += after.agents - before.agents;
  sums.live += after.live - before.live;
  sums.turns += after.turns - before.turns;
  sums.usage.input += after.usage.input - before.usage.input;
  sums.usage.output += after.usage.output - before.usage.output;
  sums.usage.cacheRead += after.usage.cacheRead - before.usage.cacheRead;
  sums.usage.cacheWrite += after.usage.cacheWrite - before.usage.cacheWrite;
  sums.costUsd = tidy(sums.costUsd + after.costUsd - before.costUsd);
  sums.estimatedUsd = tidy(sums.estimatedUsd + after.estimatedUsd - before.estimatedUsd);
  sums.reservedUsd = tidy(sums.reservedUsd + after.reservedUsd - before.reservedUsd);
}

/** The same into sums that have nothing of it yet, and into those above. */
function addOwn({ head, reservedUsd, subtree }: MutableNode): void {
  subtree.agents += 1;
  if (!hasEnded(head.status)) subtree.live += 1;
  subtree.turns += head.turns;
  addTo(subtree.usage, head.usage);
  subtree.costUsd = tidy(subtree.costUsd + head.costUsd);
  subtree.estimatedUsd = tidy(subtree.estimatedUsd + head.estimatedUsd);
  subtree.reservedUsd = tidy(subtree.reservedUsd + reservedUsd);
}

function addSums(sums: MutableSums, more: Sums): void {
  sums.agents += more.agents;
  sums.live += more.live;
  sums.turns += more.turns;
  addTo(sums.usage, more.usage);
  sums.costUsd += more.costUsd;
  sums.estimatedUsd += more.estimatedUsd;
  sums.reservedUsd += more.reservedUsd;
}

function addTo(usage: Mutable<Usage>, more: Usage): void {
  usage.input += more.input;
  usage.output += more.output;
  usage.cacheRead += more.cacheRead;
  usage.cacheWrite += more.cacheWrite;
}

/** Sums of many small dollars drift in binary; a billionth of a dollar is far below any price. */
function tidy(usd: number): number {
  return Math.round(usd * 1e9) / 1e9;
}
