/**
 * The model of `banyan run`: a real one when there is a key, otherwise the provider simulator with a mind that surveys source
 * trees. The provider's package is loaded only here.
 */
import { BanyanError } from "../../base/errors.ts";
import type { ClaudeAgent } from "../../runtime/claude.ts";
import type { ProviderModel } from "../../runtime/spawn-options.ts";
import type { Simulator } from "../../simulator/simulator.ts";

/** What executes the agents: a model, or Claude Code. */
export type Source = ({ readonly model: ProviderModel } | { readonly driver: ClaudeAgent }) & Provided;

interface Provided extends AsyncDisposable {
  /** Where its answers come from, for people. */
  readonly provider: string;
}

interface Choice {
  readonly model: string;
  readonly environment: Readonly<Record<string, string | undefined>>;
}

/** @throws DEPENDENCY_MISSING */
export async function openModel({ model, environment }: Choice): Promise<Source> {
  const { ANTHROPIC_API_KEY: apiKey, ANTHROPIC_BASE_URL: baseURL } = environment;
  if (apiKey) {
    const provider = baseURL ? `the Messages API at ${new URL(baseURL).host}` : "Anthropic";
    return {
      model: await anthropicModel(model, apiKey, baseURL),
      provider,
      [Symbol.asyncDispose]: async () => undefined,
    };
  }
  const simulator = await startSurvey();
  return {
    model: await anthropicModel(model, "simulated", simulator.url),
    provider: "the provider simulator (set ANTHROPIC_API_KEY for a real model)",
    [Symbol.asyncDispose]: () => simulator.stop(),
  };
}

/** `baseURL` is the server's root, as the official SDK takes it. */
async function anthropicModel(model: string, apiKey: string, baseURL: string | undefined): Promise<ProviderModel> {
  const { createAnthropic } = await import("@ai-sdk/anthropic").catch((cause) => {
    throw new BanyanError("DEPENDENCY_MISSING", "the package @ai-sdk/anthropic is not installed", { cause });
  });
  const root = baseURL?.replace(/\/+$/, "").replace(/\/v1$/, "");
  return createAnthropic({ apiKey, ...(root && { baseURL: `${root}/v1` }) })(model);
}

async function startSurvey(): Promise<Simulator> {
  const [{ startSimulator }, { surveyMind }] = await Promise.all([
    import("../../simulator/simulator.ts"),
    import("../../simulator/survey/survey.ts"),
  ]);
  return startSimulator({ mind: surveyMind() });
}
