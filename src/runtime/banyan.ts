/** The library's front door: a folder of agents, opened. */
import { resolve } from "node:path";
import { type Budget, type Execution, NAME_SYNTAX, type Rights } from "../agent/events.ts";
import type { Node } from "../agent/forest.ts";
import type { Price } from "../agent/usage.ts";
import { BanyanError } from "../base/errors.ts";
import { type AgentId, isId } from "../base/ids.ts";
import { LIMITS } from "../base/limits.ts";
import type { Digest } from "../blobs/blobs.ts";
import type { CoordinatorOptions } from "../coordinator/coordinator.ts";
import type { Recovery } from "../coordinator/recovery.ts";
import type { SpawnSpec } from "../coordinator/spawn.ts";
import type { ProviderModel } from "../drivers/model/model-driver.ts";
import { type Kit, kitOf } from "../tools/kits.ts";
import type { Tool } from "../tools/tool.ts";
import { Agent } from "./agent.ts";
import { openRuntime, type Runtime } from "./open.ts";

export interface BanyanOptions extends CoordinatorOptions {
  /** Models that agents of an earlier process may need to go on. Spawning with a model registers it too. */
  readonly models?: readonly ProviderModel[];
  /** Custom tools that agents of an earlier process may need. Spawning with a tool registers it too. */
  readonly tools?: readonly (Tool | Kit)[];
}

export interface SpawnOptions {
  /** 1 to 64 letters, digits, dots, dashes and underscores. Default `agent`. */
  readonly name?: string;
  /** Any model of the AI SDK's provider interface; absent: its parent's. */
  readonly model?: ProviderModel;
  readonly instructions?: string;
  /** Its first message. Without one it waits for `send`. */
  readonly task?: string;
  /** Tools and kits of tools. What a kit allows (a folder, commands) becomes the agent's rights. */
  readonly tools?: readonly (Tool | Kit)[];
  /** Binds the whole subtree. Money is reserved before each call, so it is never overshot. */
  readonly budget?: Budget;
  /** `task` (default): it completes with its final answer. `chat`: it then waits for the next message. */
  readonly mode?: "task" | "chat";
  /** Most tokens of one answer. Default LIMITS.outputTokensDefault. */
  readonly outputTokensMax?: number;
  readonly temperature?: number;
  /** US dollars a million tokens, for a model that the price list does not know. */
  readonly price?: Price;
  /** Extra headers of every call. Journaled: never a secret. */
  readonly headers?: Readonly<Record<string, string>>;
}

export class Banyan {
  readonly #runtime: Runtime;

  private constructor(runtime: Runtime) {
    this.#runtime = runtime;
  }

  /**
   * Opens the agents in `folder`, making it when it is not there. Everything that was running goes on where it was, as
   * soon as its model is registered.
   * @throws DATA_IN_USE, DISK_FAILED
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
    this.#runtime.driver.register(model);
    this.#runtime.coordinator.modelsChanged();
  }

  /** Starts a tree. @throws NAME_INVALID, INPUT_INVALID */
  async spawn(options: SpawnOptions & { model: ProviderModel }): Promise<Agent> {
    this.register(options.model);
    const { coordinator } = this.#runtime;
    return this.#agent(await coordinator.spawn(this.specOf(options, executionOf(options.model, options))));
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

  /** @internal What spawning under `parent` is to be told; a root when there is none. */
  specOf(
    options: SpawnOptions,
    execution: Execution,
    parent?: { tools: readonly string[]; rights: Rights },
  ): SpawnSpec {
    const kits = options.tools?.map(kitOf);
    const tools = kits?.flatMap((kit) => kit.tools);
    for (const tool of tools ?? []) this.#runtime.services.tools.register(tool);
    const name = options.name ?? "agent";
    if (name.length > LIMITS.nameLengthMax || !NAME_SYNTAX.test(name)) {
      throw new BanyanError("NAME_INVALID", `not a name: ${JSON.stringify(name.slice(0, 80))}`);
    }
    return {
      name,
      execution,
      instructions: options.instructions ?? "",
      messages: options.task === undefined ? [] : [{ from: { kind: "person" }, text: options.task }],
      tools: tools?.map((tool) => tool.name) ?? parent?.tools ?? [],
      rights: kits
        ? Object.assign({ commands: false, spawn: false }, ...kits.map((kit) => kit.rights))
        : (parent?.rights ?? NO_RIGHTS),
      budget: options.budget,
      mode: options.mode,
    };
  }

  #agent(id: AgentId): Agent {
    return new Agent(this, id);
  }
}

const NO_RIGHTS: Rights = { commands: false, spawn: false };

/** How a model's calls are made, as the journal keeps it. */
export function executionOf(model: ProviderModel, options: SpawnOptions): Execution {
  const { outputTokensMax = LIMITS.outputTokensDefault, temperature, price, headers } = options;
  return {
    driver: "model",
    provider: model.provider,
    model: model.modelId,
    outputTokensMax,
    ...(temperature !== undefined && { temperature }),
    ...(price && { price }),
    ...(headers && { headers: { ...headers } }),
  };
}
