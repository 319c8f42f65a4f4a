/** Tasks that `banyan up` takes from others: what `banyan run` in another terminal asks for. */
import { parseId } from "../../base/ids.ts";
import type { Banyan } from "../../runtime/banyan.ts";
import type { Settings } from "../../runtime/settings.ts";
import type { StartTree } from "../../server/verbs.ts";
import { claudeCode } from "./claude-code.ts";
import { DEFAULT_INSTRUCTIONS } from "./instructions.ts";
import { startJob } from "./job.ts";
import { openModel, type Source } from "./model.ts";

interface Host {
  readonly banyan: Banyan;
  readonly settings: Settings;
  readonly environment: Readonly<Record<string, string | undefined>>;
  /** Models that were opened for a task, to be closed with the process. */
  readonly opened: AsyncDisposableStack;
}

/** `own` is the model that the process was started with. */
export function takeTasks(own: Source, { banyan, settings, environment, opened }: Host): StartTree {
  const models = new Map([[settings.model, Promise.resolve(own)]]);
  const modelFor = (model: string) => {
    const known = models.get(model);
    if (known) return known;
    const opening = openModel({ model, environment }).then((source) => opened.use(source));
    models.set(model, opening);
    // One that cannot be had is tried again when it is asked for again.
    opening.catch(() => models.delete(model));
    return opening;
  };
  return async ({ model = settings.model, driver = "model", dir, allowCommands = false, ...asked }, by) => {
    const source = driver === "model" ? await modelFor(model) : claudeCode({ model, environment, dir, allowCommands });
    const { tree, resumed } = await startJob(banyan, {
      ...{ task: asked.task, dir, source, allowCommands, budget: asked.budget, tenant: asked.tenant },
      outputTokensMax: asked.outputTokensMax ?? settings.outputTokensMax,
      instructions: asked.instructions ?? DEFAULT_INSTRUCTIONS,
      keepFiles: asked.keepFiles ?? false,
      by,
    });
    if ("model" in source) banyan.register(source.model);
    return { agent: parseId(tree.id), resumed, provider: source.provider };
  };
}
