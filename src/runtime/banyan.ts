/** The library's front door: a folder of agents, opened. */
import { resolve } from "node:path";
import type { Node } from "../agent/forest-node.ts";
import { BanyanError } from "../base/errors.ts";
import { type AgentId, isId } from "../base/ids.ts";
import type { Digest } from "../blobs/blobs.ts";
import type { CoordinatorOptions } from "../coordinator/coordinator.ts";
import type { Recovery } from "../coordinator/recovery.ts";
import type { ClaudeOptions } from "../drivers/claude/claude-driver.ts";
import type { ProviderModel } from "../drivers/model/model-driver.ts";
import { type Kit, kitOf } from "../tools/kits.ts";
import type { Tool } from "../tools/tool.ts";
import { Agent } from "./agent.ts";
import type { Bucket } from "./blob-store.ts";
import type { ClaudeAgent } from "./claude.ts";
import { openRuntime, type Runtime } from "./open.ts";
import { executionOf, provide, registerModel, type SpawnOptions, specOf } from "./spawn-options.ts";

export interface BanyanOptions extends CoordinatorOptions {
  /** Models that agents of an earlier process may need to go on. Spawning with a model registers it too. */
  readonly models?: readonly ProviderModel[];
  /** Custom tools that agents of an earlier process may need. Spawning with a tool registers it too. */
  readonly tools?: readonly (Tool | Kit)[];
  /** For agents of Claude Code: where the provider is, and the key. */
  readonly claude?: ClaudeOptions;
  /** An S3-compatible store for the blobs of new data; without it they are in the folder. The keys are the environment's. */
  readonly bucket?: Bucket | undefined;
}

export class Banyan {
  readonly #runtime: Runtime;

  private constructor(runtime: Runtime) {
    this.#runtime = runtime;
  }

  /**
   * Opens the agents in `folder`, making it when it is not there. Everything that was running goes on where it was, as
   * soon as its model is registered.
   * @throws DATA_IN_USE, DISK_FAILED; CONFIG_INVALID, STORE_DENIED, STORE_FAILED (bucket)
   */
  static async open(folder: string, { models = [], tools = [], ...options }: BanyanOptions = {}): Promise<Banyan> {
    const custom = tools.flatMap((each) => kitOf(each).tools);
    const runtime = await openRuntime(resolve(folder), { ...options, tools: custom });
    const banyan = new Banyan(runtime);
    for (const model of models) banyan.register(model);
    return banyan;
  }

  /** What opening found: how many agents, and which could not be read. */
  get recovery(): Recovery {
    return this.#runtime.recovery;
  }

  /** Lets agents use the model; those that waited for it go on. */
  register(model: ProviderModel): void {
    registerModel(this.#runtime, model);
  }

  /** Starts a tree. @throws NAME_INVALID, INPUT_INVALID; DEPENDENCY_MISSING, CONFIG_INVALID for a driver that cannot run here */
  async spawn(options: SpawnOptions & ({ model: ProviderModel } | { driver: ClaudeAgent })): Promise<Agent> {
    provide(this.#runtime, options);
    const { coordinator } = this.#runtime;
    return this.#agent(await coordinator.spawn(specOf(this.#runtime, options, executionOf(options))));
  }

  /** The agent of that id, or the newest root of that name. @throws AGENT_NOT_FOUND */
  agent(idOrName: string): Agent {
    const { forest } = this.#runtime.coordinator;
    const node = isId(idOrName) ? forest.get(idOrName) : forest.roots().findLast(({ head }) => head.name === idOrName);
    if (!node) throw new BanyanError("AGENT_NOT_FOUND", `no agent ${JSON.stringify(idOrName.slice(0, 80))}`);
    return this.#agent(node.head.agent);
  }

  /** The roots of all trees, in the order they were spawned. */
  roots(): Agent[] {
    return this.#runtime.coordinator.forest.roots().map((node: Node) => this.#agent(node.head.agent));
  }

  /** The bytes of an artifact. @throws BLOB_NOT_FOUND, BLOB_DAMAGED */
  read(digest: Digest): AsyncIterable<Uint8Array> {
    return this.#runtime.services.blobs.get(digest);
  }

  /** For the parts of Banyan that show and steer agents: the coordinator and its services. */
  get runtime(): Runtime {
    return this.#runtime;
  }

  /** Stops all work and closes the data; what was in flight goes on when it is opened again. Twice is harmless. */
  close(): Promise<void> {
    return this.#runtime.stop();
  }

  [Symbol.asyncDispose](): Promise<void> {
    return this.close();
  }

  #agent(id: AgentId): Agent {
    return new Agent(this.#runtime, id);
  }
}
