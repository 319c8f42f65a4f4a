/**
 * The roll of a fleet: every agent that a live feed tells of, with its ordinal, and which of them have changed since they were last told.
 *
 * O1  A parent's ordinal is smaller than its children's, and siblings stand in the order of spawning.
 * O2  Every change of an agent is told: the values are those at the moment of telling, so that none is older than its event.
 * O3  Setting or releasing a hold is a change of all below it.
 */
import type { Forest } from "../../agent/forest.ts";
import type { Node } from "../../agent/forest-node.ts";
import { hasEnded, STATUSES } from "../../agent/status.ts";
import { promptTokens } from "../../agent/usage.ts";
import type { AgentId } from "../../base/ids.ts";
import type { AgentColumns, ChangedRows } from "../contract/fleet-frames.ts";

/** Longest text of what is the matter with an agent; the rest is in its detail. */
const PROBLEM_LENGTH_MAX = 200;

export class Roll {
  readonly #forest: Forest;
  readonly #nodes: Node[] = [];
  readonly #ordinals = new Map<AgentId, number>();
  /** Whether an agent had a hold of its own when it was last told. */
  readonly #held: boolean[] = [];
  readonly #models: string[] = [];
  readonly #modelPlaces = new Map<string, number>();
  readonly #changed = new Set<number>();
  /** Not enrolled yet, in the order in which they were heard of. */
  readonly #unborn = new Set<AgentId>();

  /** All trees that live, and of the others the newest, whole, while they are no more than so many agents. */
  constructor(forest: Forest, agentsMax: number) {
    this.#forest = forest;
    const roots = chosen(forest.roots(), agentsMax);
    for (const root of roots) for (const node of forest.subtree(root.agent)) this.#enrol(node);
  }

  get count(): number {
    return this.#nodes.length;
  }

  /** Agents of trees that are left out. */
  get omitted(): number {
    return this.#forest.size - this.#nodes.length - this.#unborn.size;
  }

  get models(): readonly string[] {
    return this.#models;
  }

  /** Something of an agent has become durable. */
  note(agent: AgentId): void {
    const ordinal = this.#ordinals.get(agent);
    if (ordinal === undefined) this.#unborn.add(agent);
    else this.#changed.add(ordinal);
  }

  /** Agents with `from <= ordinal < to`, as they are now. */
  columns(from: number, to: number): AgentColumns {
    const nodes = this.#nodes.slice(from, to);
    return {
      id: nodes.map(({ agent }) => agent),
      parent: nodes.map(({ parent }) => this.#ordinalOf(parent?.agent)),
      name: nodes.map(({ head }) => head.name),
      level: nodes.map(({ head }) => head.level),
      model: nodes.map(({ head }) => this.#modelPlace(head.execution.model)),
      forkOf: nodes.map(({ head }) => this.#ordinalOf(head.origin?.agent)),
      spawnedMs: nodes.map(({ head }) => head.createdTime),
      ...this.#changing(nodes),
    };
  }

  /** O2: what has changed since it was last taken. */
  takeChanges(): { born?: AgentColumns; rows?: ChangedRows } {
    const first = this.#nodes.length;
    const unborn = [...this.#unborn];
    this.#unborn.clear();
    for (const agent of unborn) this.#bear(agent);
    this.#changeBelowHolds();
    const changed = [...this.#changed].filter((ordinal) => ordinal < first);
    this.#changed.clear();
    const nodes = changed.map((ordinal) => this.#nodes[ordinal] as Node);
    return {
      ...(this.#nodes.length > first && { born: this.columns(first, this.#nodes.length) }),
      ...(changed.length > 0 && { rows: { agent: changed, ...this.#changing(nodes) } }),
    };
  }

  #changing(nodes: readonly Node[]): Omit<ChangedRows, "agent"> {
    return {
      status: nodes.map(({ agent }) => STATUSES.indexOf(this.#forest.status(agent))),
      waiting: nodes.map(({ head }) => head.waitingFor ?? ""),
      hold: nodes.map(({ head }) => (head.held ? 1 : 0)),
      endedMs: nodes.map(({ head }) => (hasEnded(head.status) ? head.time : 0)),
      lastMs: nodes.map(({ head }) => head.time),
      turns: nodes.map(({ head }) => head.turns),
      costUsd: nodes.map(({ head }) => head.costUsd),
      tokensIn: nodes.map(({ head }) => promptTokens(head.usage)),
      tokensOut: nodes.map(({ head }) => head.usage.output),
      budgetUsd: nodes.map(({ head }) => head.budget?.costUsd ?? 0),
      problem: nodes.map(problemOf),
    };
  }

  /** O1. A tree that was left out comes in whole when anything of it changes. */
  #bear(agent: AgentId): void {
    if (this.#ordinals.has(agent)) return;
    const path = [...this.#forest.path(agent)].reverse();
    const [root] = path;
    if (!root) return;
    const isTold = this.#ordinals.has(root.agent);
    for (const node of isTold ? path : this.#forest.subtree(root.agent)) {
      if (!this.#ordinals.has(node.agent)) this.#enrol(node);
    }
  }

  #enrol(node: Node): void {
    this.#ordinals.set(node.agent, this.#nodes.length);
    this.#held.push(node.head.held);
    this.#nodes.push(node);
    this.#modelPlace(node.head.execution.model);
  }

  /** O3. */
  #changeBelowHolds(): void {
    for (const ordinal of [...this.#changed]) {
      const node = this.#nodes[ordinal] as Node;
      const { held } = node.head;
      if (held === this.#held[ordinal]) continue;
      this.#held[ordinal] = held;
      for (const { agent } of this.#forest.subtree(node.agent)) this.note(agent);
    }
  }

  #ordinalOf(agent: AgentId | undefined): number {
    return agent === undefined ? -1 : (this.#ordinals.get(agent) ?? -1);
  }

  #modelPlace(model: string): number {
    const known = this.#modelPlaces.get(model);
    if (known !== undefined) return known;
    this.#modelPlaces.set(model, this.#models.length);
    return this.#models.push(model) - 1;
  }
}

function chosen(roots: readonly Node[], agentsMax: number): readonly Node[] {
  const places = roots.map((root, place) => ({ root, place, lives: root.subtree.live > 0 }));
  places.sort((a, b) => Number(b.lives) - Number(a.lives) || b.place - a.place);
  let agents = 0;
  const kept = places.filter(({ root, lives }) => {
    if (!lives && agents + root.subtree.agents > agentsMax) return false;
    agents += root.subtree.agents;
    return true;
  });
  return kept.sort((a, b) => a.place - b.place).map(({ root }) => root);
}

function problemOf({ head: { status, waitingFor, error, activity } }: Node): string {
  if (status === "failed") return (error ? `${error.code}: ${error.message}` : activity).slice(0, PROBLEM_LENGTH_MAX);
  return waitingFor === "approval" ? activity.slice(0, PROBLEM_LENGTH_MAX) : "";
}
