/** A tool that tells of its runs, and does as a test says. */
import type { Json } from "../../src/agent/content.ts";
import type { Tool, ToolAnswer, ToolContext, UnknownOutcomePolicy } from "../../src/tools/tool.ts";

export interface Probe extends Tool {
  /** Keys of the calls that ran, in the order they started. */
  readonly runs: string[];
  /** Resolves when it first runs. */
  readonly started: Promise<void>;
  /** Signal of the newest run. */
  signal: AbortSignal | undefined;
}

export interface ProbeOptions {
  /** Default `report`. */
  readonly policy?: UnknownOutcomePolicy;
  /** It never ends, whatever its signal says. */
  readonly stuck?: boolean;
  readonly timeMsMax?: number;
  /** Answers `ok` when absent. */
  readonly run?: (input: Json, context: ToolContext) => Promise<string | ToolAnswer> | string | ToolAnswer;
}

export function probe(name: string, { policy = "report", stuck = false, timeMsMax, run }: ProbeOptions = {}): Probe {
  const { promise: started, resolve } = Promise.withResolvers<void>();
  const tool: Probe = {
    name,
    description: "Does what a test says.",
    inputSchema: { type: "object" },
    onUnknownOutcome: policy,
    ...(timeMsMax !== undefined && { timeMsMax }),
    runs: [],
    started,
    signal: undefined,
    async run(input, context) {
      tool.runs.push(`${context.agent}.${context.callId}`);
      tool.signal = context.signal;
      resolve();
      if (stuck) return new Promise<never>(() => undefined);
      return run ? run(input, context) : "ok";
    },
  };
  return tool;
}
