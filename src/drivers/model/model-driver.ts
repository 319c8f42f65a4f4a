/**
 * The `model` driver: turns of any model that speaks the AI SDK's provider interface. It calls once and says what came of
 * it; whether to try again, what it may cost and what is durable is the coordinator's business.
 */
import type { Execution } from "../../agent/events.ts";
import type { State } from "../../agent/state.ts";
import type { Clock } from "../../base/clock.ts";
import { BanyanError } from "../../base/errors.ts";
import type { Contents } from "../../blobs/content.ts";
import type { Driver, Session } from "../driver.ts";
import type { ProviderModel } from "./provider-model.ts";
import { ModelSession } from "./session.ts";
import { createToolsets } from "./toolset.ts";

export type { ProviderModel } from "./provider-model.ts";

export interface ModelDriver extends Driver {
  /**
   * Makes a model known by its provider and name; one registered again replaces the first, for sessions opened from then
   * on. False when it was known already. @throws CONFIG_INVALID when it speaks an older version of the interface
   */
  register(model: ProviderModel): boolean;
}

export interface ModelDriverOptions {
  readonly contents: Contents;
  readonly clock: Clock;
  readonly models?: readonly ProviderModel[];
}

export function createModelDriver({ contents, clock, models = [] }: ModelDriverOptions): ModelDriver {
  const registry = new Map<string, ProviderModel>();
  const toolsets = createToolsets(contents);
  const nameOf = ({ provider, model }: Execution) => `${provider}/${model}`;

  const driver: ModelDriver = {
    register(model) {
      const { specificationVersion, provider, modelId } = model;
      if (!["v3", "v4"].includes(specificationVersion)) {
        const message = `${provider}/${modelId} speaks version ${specificationVersion} of the provider interface; v3 or v4 is needed`;
        throw new BanyanError("CONFIG_INVALID", message);
      }
      const name = `${provider}/${modelId}`;
      const isNew = !registry.has(name);
      registry.set(name, model);
      return isNew;
    },
    missing(execution) {
      if (registry.has(nameOf(execution))) return undefined;
      return `no model ${nameOf(execution)} is registered (${[...registry.keys()].join(", ") || "none is"})`;
    },
    async open(state: State): Promise<Session> {
      const { execution, agent } = state.head;
      const model = registry.get(nameOf(execution));
      if (!model) throw new BanyanError("MODEL_UNRESOLVED", driver.missing(execution) ?? "", { agent });
      const [toolset, instructions] = await Promise.all([
        toolsets.find(state.toolset),
        contents.fetch(state.instructions),
        // All of it goes into the prompt.
        state.entries.unpack(),
      ]);
      return new ModelSession({ model, contents, clock, toolset, instructions, state });
    },
  };
  for (const model of models) driver.register(model);
  return driver;
}
