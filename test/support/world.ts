/**
 * A coordinator over stores in memory. A `World` is what outlives a process: the journal, the blobs, the time. Each `open` is a
 * process on it; opening another makes the first one stale, as a crash would.
 */

import { decodeEvent } from "../../src/agent/codec.ts";
import type { EventOf, EventType, Recorded } from "../../src/agent/events.ts";
import type { Head, State } from "../../src/agent/state.ts";
import { ManualClock, systemClock } from "../../src/base/clock.ts";
import { presentIsOver } from "../../src/base/event-loop.ts";
import { type AgentId, createIds } from "../../src/base/ids.ts";
import { seededRandom } from "../../src/base/random.ts";
import type { Blobs, Digest } from "../../src/blobs/blobs.ts";
import { createContents } from "../../src/blobs/content.ts";
import { MemoryBlobs } from "../../src/blobs/memory/memory-blobs.ts";
import { MemorySnapshots, type SnapshotStore } from "../../src/checkpoints/memory/memory-snapshots.ts";
import type { WorkTrees } from "../../src/checkpoints/work-trees.ts";
import { Coordinator, type CoordinatorOptions } from "../../src/coordinator/coordinator.ts";
import { history } from "../../src/coordinator/fold.ts";
import type { Recovery } from "../../src/coordinator/recovery.ts";
import type { Services } from "../../src/coordinator/services.ts";
import type { SpawnSpec } from "../../src/coordinator/spawn.ts";
import type { Driver } from "../../src/drivers/driver.ts";
import { createModelDriver, type ModelDriver, type ProviderModel } from "../../src/drivers/model/model-driver.ts";
import type { Append, Journal } from "../../src/journal/journal.ts";
import { MemoryJournal, MemoryStore } from "../../src/journal/memory/memory-journal.ts";
import type { Launch } from "../../src/processes/launch.ts";
import { builtInTools } from "../../src/tools/kits.ts";
import { toolRegistry } from "../../src/tools/registry.ts";
import type { Tool } from "../../src/tools/tool.ts";

export interface OpenOptions extends CoordinatorOptions {
  readonly models?: readonly ProviderModel[];
  readonly tools?: readonly Tool[];
  /** Called before every append: it may hold it up, or fail it. */
  readonly commit?: (appends: readonly Append[]) => Promise<void>;
  /** Stands between the coordinator and the journal. */
  readonly around?: (journal: Journal) => Journal;
  readonly work?: boolean;
  /** Stands between the coordinator and the driver. */
  readonly aroundDriver?: (driver: Driver) => Driver;
  /** Without it there are no background processes. */
  readonly launch?: Launch;
  /** Without it no files of agents' folders are kept. */
  readonly workTrees?: (blobs: Blobs) => WorkTrees;
}

export class World {
  readonly store = new MemoryStore();
  readonly blobs = new Map<Digest, Uint8Array>();
  readonly snapshots: SnapshotStore = new Map();
  readonly clock = new ManualClock();
  readonly #random = seededRandom(7);

  async open(options: OpenOptions = {}): Promise<Life> {
    const { models = [], tools = [], commit, work = true, launch, workTrees, ...rest } = options;
    const { around = (journal) => journal, aroundDriver = (own) => own, ...more } = rest;
    const journal = around(new MemoryJournal({ store: this.store, ...(commit && { commit }) }));
    const blobs = new MemoryBlobs(this.blobs);
    const contents = createContents({ blobs, redact: (text) => text });
    const { clock } = this;
    const random = this.#random;
    const driver = createModelDriver({ contents, clock, models });
    const registry = toolRegistry([...builtInTools(), ...tools]);
    const ids = createIds({ clock, random });
    const snapshots = new MemorySnapshots(this.snapshots);
    const stores = { journal, blobs, contents, snapshots, workTrees: workTrees?.(blobs) };
    const services = { ...stores, driver: aroundDriver(driver), tools: registry, clock, random, ids, launch };
    const faults: { agent: AgentId; error: unknown }[] = [];
    const coordinator = new Coordinator(services, {
      onFault: (agent, error) => faults.push({ agent, error }),
      ...more,
    });
    const recovery = await coordinator.start({ work });
    return new Life({ services, coordinator, driver, recovery, faults });
  }
}

interface LifeParts {
  readonly services: Services;
  readonly coordinator: Coordinator;
  readonly driver: ModelDriver;
  readonly recovery: Recovery;
  readonly faults: readonly { readonly agent: AgentId; readonly error: unknown }[];
}

/** One process, as a test sees it. */
export class Life {
  readonly services: Services;
  readonly coordinator: Coordinator;
  readonly driver: ModelDriver;
  readonly recovery: Recovery;
  /** What ended an agent's loop and was nobody's answer. */
  readonly faults: LifeParts["faults"];

  constructor({ services, coordinator, driver, recovery, faults }: LifeParts) {
    this.services = services;
    this.coordinator = coordinator;
    this.driver = driver;
    this.recovery = recovery;
    this.faults = faults;
  }

  get control() {
    return this.coordinator.control;
  }

  /** Spawns a root that plays the part of its name: see `cast`. */
  spawn(name: string, more: Partial<SpawnSpec> & { task?: string } = {}): Promise<AgentId> {
    return this.coordinator.spawn(specOf(name, more));
  }

  spawnChild(parent: AgentId, name: string, more: Partial<SpawnSpec> & { task?: string } = {}): Promise<AgentId> {
    return this.coordinator.spawnChild(parent, specOf(name, more));
  }

  head(agent: AgentId): Head {
    const node = this.coordinator.forest.get(agent);
    if (!node) throw new Error(`no agent ${agent}`);
    return node.head;
  }

  status(agent: AgentId): string {
    return this.coordinator.forest.status(agent);
  }

  state(agent: AgentId): Promise<State> {
    return this.coordinator.state(agent);
  }

  /** The agent at a path of names from a root, such as `lead/left`. */
  at(path: string): AgentId {
    const [first, ...rest] = path.split("/");
    let node = this.coordinator.forest.roots().findLast(({ head }) => head.name === first);
    for (const name of rest) node = node?.children.find(({ head }) => head.name === name);
    if (!node) throw new Error(`no agent ${path}`);
    return node.head.agent;
  }

  /** Its own events and those it inherited, oldest first. */
  async events(agent: AgentId): Promise<Recorded[]> {
    const events: Recorded[] = [];
    for await (const batch of history(this.services.journal, agent)) {
      for (const { seq, time, type, body } of batch) events.push({ seq, time, event: decodeEvent(type, body) });
    }
    return events;
  }

  async types(agent: AgentId): Promise<EventType[]> {
    return (await this.events(agent)).map(({ event }) => event.type);
  }

  /** Its events of one type. */
  async all<Type extends EventType>(agent: AgentId, type: Type): Promise<EventOf<Type>[]> {
    const events = (await this.events(agent)).map(({ event }) => event);
    return events.filter((event): event is EventOf<Type> & typeof event => event.type === type);
  }

  /** Resolves once `holds`, which is asked after every commit. */
  until(holds: () => boolean): Promise<void> {
    return new Promise((resolve) => {
      if (holds()) return resolve();
      const stop = this.coordinator.watch(() => {
        if (!holds()) return;
        stop();
        resolve();
      });
    });
  }

  /** Resolves when the agent is of the status. */
  became(agent: AgentId, status: string): Promise<void> {
    return this.until(() => this.status(agent) === status);
  }

  /** Its answer, or its failure as `CODE: why`, once it has ended. */
  async outcome(agent: AgentId): Promise<string> {
    const { status, error } = await this.coordinator.ended(agent);
    if (error) return `${status} ${error.code}: ${error.message}`;
    if (status !== "completed") return status;
    return this.services.contents.fetch((await this.coordinator.output(agent)) ?? "");
  }

  stop(): Promise<void> {
    return this.coordinator.stop();
  }
}

function specOf(name: string, { task, ...more }: Partial<SpawnSpec> & { task?: string }): SpawnSpec {
  return {
    name,
    execution: { driver: "model", provider: "test", model: "cast", outputTokensMax: 100 },
    instructions: name,
    messages: [{ from: { kind: "person" }, text: task ?? "go" }],
    tools: builtInTools().map((tool) => tool.name),
    rights: { commands: false, spawn: true },
    ...more,
  };
}

/**
 * Resolves when everything that can happen by itself has happened. All of a world is in memory, so that whatever is under way
 * goes on within this turn of the event loop; two turns without a commit mean rest.
 */
export async function quiet({ store }: World): Promise<void> {
  for (let still = 0, before = -1; still < 2; before = store.order.length) {
    await new Promise<void>((resolve) => systemClock().timer(0, resolve));
    // On a busy machine a timer is due at every turn of the event loop, and what is under way may take several.
    for (let turn = 0; turn < 10; turn++) await presentIsOver();
    still = store.order.length === before ? still + 1 : 0;
  }
}
