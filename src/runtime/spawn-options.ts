/** What a person says of an agent to spawn, and what the coordinator is told of it. */
import { type Budget, type Execution, NAME_SYNTAX, type Rights, type Sender } from "../agent/events.ts";
import type { Price } from "../agent/usage.ts";
import { BanyanError } from "../base/errors.ts";
import { LIMITS } from "../base/limits.ts";
import type { SpawnSpec } from "../coordinator/spawn.ts";
import type { ProviderModel } from "../drivers/model/model-driver.ts";
import { type Kit, kitOf, rightsTogether } from "../tools/kits.ts";
import type { Tool } from "../tools/tool.ts";
import type { ClaudeAgent } from "./claude.ts";
import type { Runtime } from "./open.ts";

export type { ProviderModel } from "../drivers/model/model-driver.ts";

export interface SpawnOptions {
  /** 1 to 64 letters, digits, dots, dashes and underscores. Default `agent`. */
  readonly name?: string;
  /** Any model of the AI SDK's provider interface; absent: its parent's. */
  readonly model?: ProviderModel;
  /** Claude Code in place of a model: see `claude`. */
  readonly driver?: ClaudeAgent;
  readonly instructions?: string;
  /** Its first message. Without one it waits for `send`. */
  readonly task?: string;
  /** Who gives it the task, as its journal says; by default a person without a name. */
  readonly by?: Sender;
  /** Tools and kits of tools. What a kit allows (a folder, commands) becomes the agent's rights. */
  readonly tools?: readonly (Tool | Kit)[];
  /** Tools, Claude Code's included, whose every call a person must allow with `answer`; children ask for these too. */
  readonly askFirst?: readonly string[];
  /** Whose tree it is, as 1 to 64 letters, digits, dots, dashes and underscores. Of a root; a child has its parent's. Default `default`. */
  readonly tenant?: string;
  /** What stands in its folder is kept whenever its tools have run, so that a rewind can put it back; children's too. */
  readonly keepFiles?: boolean;
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

/** Sees to it that what is to execute an agent is there. @throws DEPENDENCY_MISSING, CONFIG_INVALID */
export function provide(runtime: Runtime, { model, driver }: SpawnOptions): void {
  if (model) registerModel(runtime, model);
  if (driver) runtime.claude.check();
}

/** Lets agents use the model; those that waited for it go on. */
export function registerModel({ driver, coordinator }: Runtime, model: ProviderModel): void {
  // Nobody waits for a model that is here: looking at every agent at every spawn would make fleets quadratic.
  if (driver.register(model)) coordinator.modelsChanged();
}

/**
 * What spawning is to be told; what `options` leaves open is the parent's. Tools that are new are registered.
 * @throws NAME_INVALID, CONFIG_INVALID for a tool whose name is taken, and for a tenant of a child
 */
export function specOf(
  { services }: Runtime,
  options: SpawnOptions,
  execution: Execution,
  parent?: { readonly tools: readonly string[]; readonly rights: Rights },
): SpawnSpec {
  const kits = options.tools?.map(kitOf);
  const tools = kits?.flatMap((kit) => kit.tools);
  for (const tool of tools ?? []) services.tools.register(tool);
  const { name = "agent", tenant } = options;
  mustBeName(name, "not a name");
  if (tenant !== undefined) mustBeName(tenant, "not a tenant");
  if (tenant !== undefined && parent)
    throw new BanyanError("CONFIG_INVALID", "a child has its parent's tenant, and none of its own");
  return {
    name,
    execution,
    instructions: options.instructions ?? "",
    messages: options.task === undefined ? [] : [{ from: options.by ?? { kind: "person" }, text: options.task }],
    tools: tools?.map((tool) => tool.name) ?? parent?.tools ?? [],
    rights: rightsOf(options, kits) ?? parent?.rights ?? NO_RIGHTS,
    tenant,
    budget: options.budget,
    mode: options.mode,
  };
}

function mustBeName(text: string, what: string): void {
  if (text.length <= LIMITS.nameLengthMax && NAME_SYNTAX.test(text)) return;
  throw new BanyanError("NAME_INVALID", `${what}: ${JSON.stringify(text.slice(0, 80))}`);
}

/** What its kits and its driver allow; undefined when it says nothing of either. */
function rightsOf({ driver }: SpawnOptions, kits: readonly Kit[] | undefined): Rights | undefined {
  if (!kits && !driver) return undefined;
  const rights = { ...NO_RIGHTS, ...rightsTogether([driver?.rights ?? {}, ...(kits ?? []).map((kit) => kit.rights)]) };
  if (rights.sandbox && driver?.rights.commands)
    throw new BanyanError("CONFIG_INVALID", "Claude Code's own commands know no sandbox: leave Bash out of its tools");
  return rights;
}

const NO_RIGHTS: Rights = { commands: false, spawn: false };

/** How its calls are made, as the journal keeps it. @throws CONFIG_INVALID for both a model and a driver, or none */
export function executionOf(options: SpawnOptions): Execution {
  const { outputTokensMax = LIMITS.outputTokensDefault, temperature, price, headers, askFirst, keepFiles } = options;
  return {
    ...executorOf(options),
    outputTokensMax,
    ...(temperature !== undefined && { temperature }),
    ...(price && { price }),
    ...(keepFiles && { keepFiles }),
    ...(askFirst && { askFirst: [...askFirst] }),
    ...(headers && { headers: { ...headers } }),
  };
}

function executorOf({
  model,
  driver,
}: SpawnOptions): Pick<Execution, "driver" | "provider" | "model" | "ownTools" | "asksBeyond"> {
  if (driver && model) throw new BanyanError("CONFIG_INVALID", "an agent has a model or a driver, not both");
  if (driver) {
    const asks = driver.asksBeyond && { asksBeyond: true };
    return { driver: "claude", provider: "claude", model: driver.model, ownTools: [...driver.tools], ...asks };
  }
  if (!model) throw new BanyanError("CONFIG_INVALID", "an agent needs a model or a driver");
  return { driver: "model", provider: model.provider, model: model.modelId };
}
