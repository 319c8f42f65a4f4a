/**
 * Bringing agents into being. A child's first event and its parent's `child.spawned` are durable in one append, so that
 * neither is ever there without the other.
 *
 * P1  Rights only shrink from parent to child.
 * P2  A spawn repeated for the same call is the same spawn.
 * P3  A whole tree has one tenant.
 */
import type { Command } from "../agent/commands.ts";
import { type Budget, DEFAULT_TENANT, type Execution, type Meta, type Rights, type Sender } from "../agent/events.ts";
import { tenantOf } from "../agent/head.ts";
import { BanyanError } from "../base/errors.ts";
import type { AgentId } from "../base/ids.ts";
import { LIMITS } from "../base/limits.ts";
import { toolsetText } from "../tools/registry.ts";
import { Batch } from "./batch.ts";
import type { Birth } from "./cell.ts";
import type { Places } from "./places.ts";
import type { Roster } from "./roster.ts";
import type { Services } from "./services.ts";
import type { Throttle } from "./throttle/throttle.ts";

/** A message on its way to an agent. */
export interface NewMessage {
  /** Delivered once, however often it is sent. A new one when absent. */
  readonly id?: string | undefined;
  /** Who sends it, as the agent is to know them. */
  readonly from: Sender;
  readonly text: string;
  readonly meta?: Meta | undefined;
}

export interface SpawnSpec {
  readonly name: string;
  readonly execution: Execution;
  readonly instructions: string;
  /** Its first messages; without any it waits for one, unless it speaks first. */
  readonly messages: readonly NewMessage[];
  /** Names of registered tools. */
  readonly tools: readonly string[];
  readonly rights: Rights;
  /** Whose tree it is. Of a root; a child has its parent's. */
  readonly tenant?: string | undefined;
  readonly budget?: Budget | undefined;
  readonly mode?: "task" | "chat" | undefined;
  readonly speaksFirst?: boolean | undefined;
}

export interface SpawningOptions {
  readonly places: Places;
  readonly throttle: Throttle;
  /** Spawns that wait for their turn wait no longer. */
  readonly stopping: AbortSignal;
}

export interface ChildOptions {
  /** Identifies the spawn (P2). */
  readonly key?: string;
  /** Nobody waits for it any more. */
  readonly signal?: AbortSignal;
}

export class Spawning {
  readonly #services: Services;
  readonly #roster: Roster;
  readonly #places: Places;
  readonly #throttle: Throttle;
  readonly #stopping: AbortSignal;
  /** Digests of toolsets that are durable, by their text, and since when that is known. */
  readonly #toolsets = new Map<string, { readonly digest: Promise<string>; readonly sinceMs: number }>();

  constructor(services: Services, roster: Roster, { places, throttle, stopping }: SpawningOptions) {
    this.#services = services;
    this.#roster = roster;
    this.#places = places;
    this.#throttle = throttle;
    this.#stopping = stopping;
  }

  /** @throws NAME_INVALID, TOOL_UNKNOWN, CONTENT_TOO_LARGE, THROTTLED, SHUTTING_DOWN when the runtime stops before it is its turn */
  async root(spec: SpawnSpec): Promise<AgentId> {
    const agent = this.#services.ids();
    await this.#throttle.pass({ agent, tree: agent, level: 0, tenant: tenantOf(spec) }, this.#stopping);
    await this.#roster.found([
      await this.#prepare(agent, spec, { parent: null, root: agent, level: 0, name: spec.name }),
    ]);
    return agent;
  }

  /**
   * Spawns a child, and returns its id and name: the one asked for, or with a number behind it when a sibling has that.
   * @throws AGENT_ENDED, LEVELS_EXCEEDED, BUDGET_EXHAUSTED (agents), TREE_FULL, and what `root` throws
   */
  async child(
    parent: AgentId,
    spec: SpawnSpec,
    { key, signal }: ChildOptions = {},
  ): Promise<{ agent: AgentId; name: string }> {
    const cell = this.#roster.cell(parent);
    const state = await cell.load();
    const known = key === undefined ? undefined : state.children.find(({ callId, cut }) => callId === key && !cut);
    if (known) return { agent: known.agent, name: known.name };
    const agent = this.#services.ids();
    const { name, release } = this.#places.hold({ agent, parent, name: spec.name });
    try {
      const place = { parent, root: state.head.root, level: state.head.level + 1, name };
      const { root: tree, level } = place;
      const either = signal ? AbortSignal.any([signal, this.#stopping]) : this.#stopping;
      await this.#throttle.pass({ agent, tree, level, tenant: tenantOf(state.head) }, either);
      const rights = shrink(state.head.rights, spec.rights);
      const called = key !== undefined && { callId: key };
      const { tenant } = state.head;
      const birth = await this.#prepare(agent, { ...spec, rights, tenant }, { ...place, ...called });
      await cell.dispatch({ do: "spawn", child: agent, name, callId: key }, [birth]);
      return { agent, name };
    } finally {
      release();
    }
  }

  /** The digest under which the definitions of tools are durable. @throws TOOL_UNKNOWN */
  toolset(names: readonly string[]): Promise<string> {
    const { tools, blobs, clock } = this.#services;
    const text = toolsetText(tools.pick(names));
    const known = this.#toolsets.get(text);
    const nowMs = clock.monotonic();
    // A collection may have removed it, if nobody refers to it any more.
    if (known && nowMs - known.sinceMs < LIMITS.blobRememberedMsMax) return known.digest;
    const digest = blobs.put(new TextEncoder().encode(text)).then((stored) => stored.digest);
    this.#toolsets.set(text, { digest, sinceMs: nowMs });
    digest.catch(() => this.#toolsets.delete(text));
    return digest;
  }

  async #prepare(agent: AgentId, spec: SpawnSpec, place: Place): Promise<Birth> {
    const { contents, clock, ids } = this.#services;
    const { execution, tools, rights, tenant = DEFAULT_TENANT, budget, mode = "task", speaksFirst } = spec;
    const commands: Command[] = [
      {
        do: "create",
        ...place,
        execution,
        instructions: await contents.stow(spec.instructions),
        toolset: await this.toolset(tools),
        tools: [...tools],
        mode,
        rights,
        ...(tenant !== DEFAULT_TENANT && { tenant }),
        ...(budget && { budget }),
        ...(speaksFirst && { speaksFirst }),
      },
    ];
    for (const { id = ids(), from, text, meta } of spec.messages) {
      commands.push({ do: "receive", id, from, content: await contents.stow(text), meta });
    }
    const batch = new Batch(agent, { head: undefined, state: undefined }, clock.now());
    for (const command of commands) {
      const events = batch.decide(command);
      if (events instanceof BanyanError) throw events;
    }
    const { head, state, recorded, size } = batch;
    return { cell: this.#roster.unborn(agent), append: batch.append(0), head, isWhole: true, state, recorded, size };
  }
}

interface Place {
  readonly parent: AgentId | null;
  readonly root: AgentId;
  readonly level: number;
  readonly name: string;
  readonly callId?: string;
}

/** P1. */
function shrink(parent: Rights, wanted: Rights): Rights {
  return {
    ...(parent.root !== undefined && { root: insideOf(parent.root, wanted.root) }),
    commands: parent.commands && wanted.commands,
    ...sandboxOf(parent, wanted),
    spawn: parent.spawn && wanted.spawn,
  };
}

function sandboxOf({ sandbox: above }: Rights, { sandbox: wanted }: Rights): Pick<Rights, "sandbox"> {
  if (!above || !wanted) return above || wanted ? { sandbox: above ?? wanted } : {};
  const readable = wanted.readable.filter((folder) => above.readable.includes(folder));
  return { sandbox: { network: above.network && wanted.network, readable } };
}

/** The wanted folder when it lies in the parent's, otherwise the parent's. */
function insideOf(parent: string, wanted: string | undefined): string {
  const inside =
    wanted !== undefined && (wanted === parent || wanted.startsWith(parent.endsWith("/") ? parent : `${parent}/`));
  return inside && !wanted.split("/").includes("..") ? wanted : parent;
}
