/**
 * Forks: a new agent whose past is another's up to some event. One short record, whatever the length of that past; the
 * origin runs on and never learns of it.
 *
 * K1  The fork of a subtree is a consistent cut: every member as it was when the forked event became durable.
 * K2  A fork stays where its origin is, under the same holds and budgets, unless it is asked to be a root of its own.
 */
import { encodeEvent } from "../agent/codec.ts";
import type { AgentEvent, Budget, EventOf, Sender } from "../agent/events.ts";
import { headOfFork } from "../agent/evolve.ts";
import type { Node } from "../agent/forest.ts";
import { hasEnded } from "../agent/status.ts";
import { assert } from "../base/assert.ts";
import { BanyanError } from "../base/errors.ts";
import type { AgentId } from "../base/ids.ts";
import { LIMITS } from "../base/limits.ts";
import type { Birth } from "./cell.ts";
import { isEnd } from "./ends.ts";
import { foldAgent, holderOf } from "./fold.ts";
import type { Roster } from "./roster.ts";
import type { Services } from "./services.ts";
import { Throttle } from "./throttle.ts";

export interface ForkOptions {
  /** The event to fork at; the newest when absent. Every message boundary is one, and so is every other event. */
  readonly at?: number | undefined;
  /** With all descendants as they were then; otherwise the agent alone, without children. */
  readonly subtree?: boolean | undefined;
  readonly name?: string | undefined;
  /** `sibling` (default where the parent lives): under the origin's parent. `root`: a tree of its own. */
  readonly as?: "sibling" | "root" | undefined;
  readonly budget?: Budget | undefined;
  /** The first message that the fork reads. */
  readonly task?: string | undefined;
  readonly by?: Sender | undefined;
}

/** Where a fork will stand. */
interface Place {
  readonly agent: AgentId;
  readonly parent: AgentId | null;
  readonly root: AgentId;
  readonly level: number;
  readonly name: string;
  readonly budget: Budget | undefined;
}

export class Forking {
  readonly #services: Services;
  readonly #roster: Roster;
  readonly #throttle: Throttle;

  constructor(services: Services, roster: Roster, { perMinute }: { perMinute: number }) {
    this.#services = services;
    this.#roster = roster;
    this.#throttle = new Throttle(services.clock, { perMinute, burst: perMinute });
  }

  /** @throws AGENT_NOT_FOUND, CHECKPOINT_NOT_FOUND, PARENT_ENDED, NAME_INVALID, BUDGET_EXHAUSTED (agents) */
  async fork(agent: AgentId, options: ForkOptions = {}): Promise<AgentId> {
    const { journal, ids } = this.#services;
    const { forest } = this.#roster;
    const { head } = this.#roster.cell(agent);
    const at = options.at ?? head.seq;
    const holder = await holderOf(journal, agent, at);
    const node = forest.get(agent);
    assert(node, `${agent} is in the forest`);
    const members = options.subtree ? await this.#members(node, holder, at) : new Map([[agent, at]]);
    const parent = this.#parentFor(node, options.as);
    if (parent !== null) this.#mayGrow(parent, members.size);
    await this.#throttle.pass(head.root);
    const fork = ids();
    const place: Place = {
      agent: fork,
      parent,
      root: parent === null ? fork : head.root,
      level: parent === null ? 0 : head.level,
      name: this.#freeName(node, parent, options.name),
      budget:
        options.budget ??
        (parent === null ? (forest.get(head.root)?.head.budget ?? undefined) : (head.budget ?? undefined)),
    };
    const births = await this.#births(node, place, members, options);
    if (parent === null) await this.#roster.found(births);
    else await this.#roster.cell(parent).dispatch({ do: "spawn", child: fork, name: place.name }, births);
    return fork;
  }

  /** K1: the agent and those below it that it had then, with the sequence of each at the moment of the fork. */
  async #members(node: Node, holder: AgentId, at: number): Promise<Map<AgentId, number>> {
    const { journal } = this.#services;
    const position = await journal.positionOf(holder, at);
    assert(position !== undefined, `event ${at} of ${holder} has a position`);
    const members = new Map<AgentId, number>();
    const add = async ({ head: { agent }, children }: Node, seq: number): Promise<void> => {
      members.set(agent, seq);
      if (children.length === 0) return;
      const { state } = await foldAgent(journal, agent, seq);
      for (const child of children) {
        const known = state.children.get(child.head.agent);
        const childSeq = known && !known.ended && !known.cut && (await journal.seqAt(child.head.agent, position));
        if (childSeq && !(await this.#wasCutShort(child.head.agent, childSeq))) await add(child, childSeq);
      }
    };
    await add(node, at);
    return members;
  }

  /** What had failed or was cancelled then stays so, though its parent may not have heard of it yet. */
  async #wasCutShort(agent: AgentId, seq: number): Promise<boolean> {
    for await (const [record] of this.#services.journal.read(agent, { from: seq, to: seq })) {
      return record !== undefined && isEnd(record.type) && record.type !== "agent.completed";
    }
    return false;
  }

  /** One birth a member, parents first. */
  async #births(
    node: Node,
    place: Place,
    members: ReadonlyMap<AgentId, number>,
    options: ForkOptions,
  ): Promise<Birth[]> {
    const { journal, ids } = this.#services;
    const seq = members.get(node.head.agent);
    assert(seq !== undefined, "only members are forked");
    const origin = { agent: await holderOf(journal, node.head.agent, seq), seq };
    const forks = node.children.filter(({ head }) => members.has(head.agent)).map((child) => ({ child, fork: ids() }));
    const { agent, parent, root, level, name, budget } = place;
    const forked: EventOf<"agent.forked"> = {
      type: "agent.forked",
      origin,
      parent,
      root,
      level,
      name,
      ...(budget && { budget }),
      children: Object.fromEntries(forks.map(({ child, fork }) => [child.head.agent, fork])),
      by: options.by ?? { kind: "person" },
    };
    const births = [this.#birth(node, agent, forked, await this.#task(options))];
    for (const { child, fork } of forks) {
      const { name: childName, budget: childBudget } = child.head;
      const childPlace = {
        agent: fork,
        parent: agent,
        root,
        level: level + 1,
        name: childName,
        budget: childBudget ?? undefined,
      };
      births.push(...(await this.#births(child, childPlace, members, { by: options.by })));
    }
    return births;
  }

  #birth(node: Node, agent: AgentId, forked: EventOf<"agent.forked">, more: readonly AgentEvent[]): Birth {
    const time = this.#services.clock.now();
    const { origin } = forked;
    const recorded = [forked, ...more].map((event, index) => ({ seq: origin.seq + 1 + index, time, event }));
    const [first] = recorded;
    assert(first, "a fork has a first event");
    const head = { ...headOfFork(agent, node.head, forked, first), seq: origin.seq + recorded.length };
    const records = recorded.map(({ event }) => ({ time, ...encodeEvent(event) }));
    const append = { agent, expectedSeq: origin.seq, origin, records };
    return { cell: this.#roster.unborn(agent), append, head, state: undefined, recorded, size: 0 };
  }

  async #task({ task, by }: ForkOptions): Promise<AgentEvent[]> {
    if (task === undefined) return [];
    const content = await this.#services.contents.stow(task);
    return [{ type: "message.received", id: this.#services.ids(), from: by ?? { kind: "person" }, content }];
  }

  /** K2. */
  #parentFor({ head }: Node, as: "sibling" | "root" | undefined): AgentId | null {
    if (head.parent === null || as === "root") return null;
    const lives = !hasEnded(this.#roster.cell(head.parent).head.status) && !this.#roster.forest.isOrphan(head.parent);
    if (lives) return head.parent;
    if (as === undefined) return null;
    throw new BanyanError("PARENT_ENDED", "the parent has ended, so the fork cannot stand beside its origin", {
      agent: head.agent,
    });
  }

  #mayGrow(parent: AgentId, count: number): void {
    const shortage = this.#roster.forest.mayGrow(parent, count);
    if (shortage) throw new BanyanError(shortage.refused, shortage.why, { agent: parent });
  }

  #freeName({ head }: Node, parent: AgentId | null, wanted?: string): string {
    const siblings = parent === null ? this.#roster.forest.roots() : (this.#roster.forest.get(parent)?.children ?? []);
    const taken = new Set(siblings.map((sibling) => sibling.head.name));
    if (wanted !== undefined && !taken.has(wanted)) return wanted;
    const stem = `${wanted ?? head.name}`.slice(0, LIMITS.nameLengthMax - 12);
    for (let number = 1; ; number++) if (!taken.has(`${stem}-fork-${number}`)) return `${stem}-fork-${number}`;
  }
}
