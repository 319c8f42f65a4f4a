/**
 * Forks: a new agent whose past is another's up to some event. One short record, whatever the length of that past; the
 * origin runs on and never learns of it.
 *
 * K1  The fork of a subtree is a consistent cut: every member as it was when the forked event became durable, or as it is now.
 * K2  A fork stays where its origin is, under the same holds and budgets, unless it is asked to be a root of its own.
 * K3  What a fork shares is not read to make it. Of an origin in memory it has the state; of one that only waits for a message its head
 *     follows from the origin's; any other is read when it goes on, under a hold not before that is released, and its head says
 *     until then neither what it waits for nor how many children it has.
 */
import { encodeEvent } from "../agent/codec.ts";
import type { AgentEvent, Budget, EventOf, Recorded, Sender } from "../agent/events.ts";
import { evolve, headOfFork, restingHeadOfFork } from "../agent/evolve.ts";
import type { Node } from "../agent/forest-node.ts";
import { tenantOf } from "../agent/head.ts";
import { hasEnded } from "../agent/status.ts";
import { summaryOf } from "../agent/summary.ts";
import { assert } from "../base/assert.ts";
import { BanyanError } from "../base/errors.ts";
import { presentIsOver } from "../base/event-loop.ts";
import type { AgentId } from "../base/ids.ts";
import type { Birth } from "./cell.ts";
import { isEnd } from "./ends.ts";
import { foldAgent, holderOf } from "./fold.ts";
import type { Places } from "./places.ts";
import type { Roster } from "./roster.ts";
import type { Services } from "./services.ts";
import type { Throttle } from "./throttle/throttle.ts";

export interface ForkOptions {
  /**
   * The event to fork at: every message boundary is one, and so is every other event. Now when absent: with the subtree, all that
   * others in it have done since the agent's own newest event is then included.
   */
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

export interface ForkingOptions {
  readonly places: Places;
  readonly throttle: Throttle;
  /** Forks that wait for their turn wait no longer. */
  readonly stopping: AbortSignal;
}

/** Members of a subtree that are looked at before others have their turn. */
const AT_ONCE = 32;

/** Who is forked: the one at the top, and the sequence of each at that moment. */
interface Cut {
  readonly past: Node;
  readonly members: ReadonlyMap<AgentId, number>;
}

/** Where a fork will stand. */
interface Stand {
  readonly agent: AgentId;
  readonly parent: AgentId | null;
  readonly root: AgentId;
  readonly level: number;
  readonly name: string;
  readonly budget: Budget | null;
}

export class Forking {
  readonly #services: Services;
  readonly #roster: Roster;
  readonly #places: Places;
  readonly #throttle: Throttle;
  readonly #stopping: AbortSignal;

  constructor(services: Services, roster: Roster, { places, throttle, stopping }: ForkingOptions) {
    this.#services = services;
    this.#roster = roster;
    this.#places = places;
    this.#stopping = stopping;
    this.#throttle = throttle;
  }

  /**
   * @throws AGENT_NOT_FOUND, CHECKPOINT_NOT_FOUND, PARENT_ENDED, NAME_INVALID, BUDGET_EXHAUSTED (agents), TREE_FULL, THROTTLED,
   * SHUTTING_DOWN when the runtime stops before it is its turn
   */
  async fork(agent: AgentId, options: ForkOptions = {}): Promise<AgentId> {
    const { head } = this.#roster.cell(agent);
    const { past, members } = options.subtree
      ? await this.#cut(agent, options.at)
      : await this.#alone(agent, options.at);
    const node = this.#nodeOf(agent);
    const parent = this.#parentFor(node, options.as);
    const fork = this.#services.ids();
    const { name: wanted = head.name, budget } = options;
    const suffix = options.name === undefined ? "-fork" : undefined;
    const { name, release } = this.#places.hold({ agent: fork, parent, count: members.size, name: wanted, suffix });
    try {
      const { root: tree, level } = head;
      await this.#throttle.pass({ agent: fork, tree, level, tenant: tenantOf(head) }, this.#stopping);
      const stand = { agent: fork, parent, name, ...this.#standing(node, fork, parent, budget) };
      const births = await this.#births(past, stand, members, options);
      if (parent === null) await this.#roster.found(births);
      else await this.#roster.cell(parent).dispatch({ do: "spawn", child: fork, name }, births);
    } finally {
      release();
    }
    return fork;
  }

  /** K2: a fork that becomes a root of its own has the bounds that its origin's whole tree has. */
  #standing({ head }: Node, fork: AgentId, parent: AgentId | null, budget?: Budget) {
    if (parent !== null) return { root: head.root, level: head.level, budget: budget ?? head.budget };
    return { root: fork, level: 0, budget: budget ?? this.#nodeOf(head.root).head.budget };
  }

  #nodeOf(agent: AgentId): Node {
    const node = this.#roster.forest.get(agent);
    if (!node) throw new BanyanError("AGENT_NOT_FOUND", `no agent ${agent}`, { agent });
    return node;
  }

  /** The agent by itself, as it was after its event `at`, or is. */
  async #alone(agent: AgentId, at = this.#roster.cell(agent).head.seq): Promise<Cut> {
    const holder = await holderOf(this.#services.journal, agent, at);
    return { past: this.#nodeOf(holder), members: new Map([[holder, at]]) };
  }

  /** K1: with all below it. */
  async #cut(agent: AgentId, seq: number | undefined): Promise<Cut> {
    const { journal } = this.#services;
    const now = await journal.position();
    const at = seq ?? (await journal.seqAt(agent, now)) ?? this.#roster.cell(agent).head.seq;
    const holder = await holderOf(journal, agent, at);
    // What was below it then was below the agent that it was then, when it is a fork itself.
    const past = this.#nodeOf(holder);
    const position = seq === undefined ? now : await journal.positionOf(holder, at);
    assert(position !== undefined, `event ${at} of ${holder} has a position`);
    return { past, members: await this.#members(past, at, position) };
  }

  /** K1: the agent and those below it that it had then, with the sequence of each at the moment of the fork. */
  async #members(node: Node, at: number, position: number): Promise<Map<AgentId, number>> {
    const { journal } = this.#services;
    const members = new Map<AgentId, number>();
    const add = async ({ agent, children }: Node, seq: number): Promise<void> => {
      members.set(agent, seq);
      if (members.size % AT_ONCE === 0) await presentIsOver();
      if (children.length === 0) return;
      const { state } = await foldAgent(this.#roster.past, agent, seq);
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
    place: Stand,
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
    for (const [index, { child, fork }] of forks.entries()) {
      if ((index + 1) % AT_ONCE === 0) await presentIsOver();
      const { name: childName, budget: childBudget } = child.head;
      const childPlace = {
        agent: fork,
        parent: agent,
        root,
        level: level + 1,
        name: childName,
        budget: childBudget,
      };
      births.push(...(await this.#births(child, childPlace, members, { by: options.by })));
    }
    return births;
  }

  #birth(node: Node, agent: AgentId, forked: EventOf<"agent.forked">, more: readonly AgentEvent[]): Birth {
    const time = this.#services.clock.now();
    const { origin } = forked;
    const recorded = [forked, ...more].map((event, index) => ({ seq: origin.seq + 1 + index, time, event }));
    const known = this.#beginning(node, agent, forked, recorded);
    const head = { ...known.head, seq: origin.seq + recorded.length };
    const records = recorded.map(({ event }) => ({ time, ...encodeEvent(event) }));
    const summary = known.isWhole && summaryOf(head);
    const append = { agent, expectedSeq: origin.seq, origin, records, ...(summary && { summary }) };
    return { ...known, cell: this.#roster.unborn(agent), append, head, recorded };
  }

  /** K3: what is known of the fork before anything is read. */
  #beginning(
    node: Node,
    agent: AgentId,
    forked: EventOf<"agent.forked">,
    recorded: readonly Recorded[],
  ): Pick<Birth, "head" | "isWhole" | "state" | "size" | "covered"> {
    const [first] = recorded;
    assert(first, "a fork has a first event");
    const { origin } = forked;
    const cell = this.#roster.cell(origin.agent);
    let state = cell.loaded?.head.seq === origin.seq ? cell.loaded : undefined;
    if (state) {
      for (const each of recorded) state = evolve(agent, state, each);
      return { head: state.head, isWhole: true, state, size: cell.size, covered: cell.covered };
    }
    const resting = recorded.length === 1 && cell.isWhole && restingHeadOfFork(agent, cell.head, forked, first);
    if (resting) return { head: resting, isWhole: true, state: undefined, size: 0 };
    return { head: headOfFork(agent, node.head, forked, first), isWhole: false, state: undefined, size: 0 };
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
}
