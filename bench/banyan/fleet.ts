/** What the benches of control share: a model whose agents do what their task says. */
import type { LanguageModelV4, LanguageModelV4StreamPart, LanguageModelV4Usage } from "@ai-sdk/provider";

const usage: LanguageModelV4Usage = {
  inputTokens: { total: 100, noCache: 100, cacheRead: 0, cacheWrite: 0 },
  outputTokens: { total: 10, text: 10, reasoning: undefined },
};

export interface Fleet {
  readonly model: LanguageModelV4;
  /** Times of model calls, in milliseconds of `performance.now()`. */
  readonly calls: number[];
  /** Answers that wait in `hang` calls; call each to let it answer. */
  readonly hanging: Set<() => void>;
}

/**
 * Tasks: `leaf` answers; `hang` answers once it is let; `chain N` spawns one child of `chain N-1` and waits for it; `tree B D`
 * spawns B children of `tree B D-1` and waits for them. `chain 0` and `tree B 0` are a `hang`.
 */
export function fleet(): Fleet {
  const calls: number[] = [];
  const hanging = new Set<() => void>();
  const model: LanguageModelV4 = {
    specificationVersion: "v4",
    provider: "bench",
    modelId: "fleet",
    supportedUrls: {},
    doGenerate: () => Promise.reject(new Error("the bench streams")),
    async doStream({ prompt, abortSignal }) {
      calls.push(performance.now());
      const turns = prompt.filter(({ role }) => role === "assistant").length;
      const task = taskIn(prompt);
      const children = turns === 0 ? childrenOf(task) : [];
      if (children.length > 0) return { stream: streamOf(spawns(children), "tool-calls") };
      if (turns === 1 && childrenOf(task).length > 0)
        return { stream: streamOf([call("wait", "wait_for_agents", {})], "tool-calls") };
      if (turns === 0 && (task === "hang" || task.endsWith(" 0"))) await untilLet(hanging, abortSignal);
      return { stream: streamOf(text("done"), "stop") };
    },
  };
  return { model, calls, hanging };
}

function taskIn(prompt: Parameters<LanguageModelV4["doStream"]>[0]["prompt"]): string {
  for (const message of prompt) {
    const part = message.role === "user" ? message.content[0] : undefined;
    if (part?.type === "text") return part.text;
  }
  return "leaf";
}

function childrenOf(task: string): string[] {
  const [kind, a = "0", b = "0"] = task.split(" ");
  if (kind === "chain" && Number(a) > 0) return [`chain ${Number(a) - 1}`];
  if (kind === "tree" && Number(b) > 0) return Array.from({ length: Number(a) }, () => `tree ${a} ${Number(b) - 1}`);
  return [];
}

function spawns(tasks: readonly string[]): LanguageModelV4StreamPart[] {
  return tasks.map((task, at) => call(`spawn-${at}`, "spawn_agent", { name: `child-${at}`, task }));
}

function call(toolCallId: string, toolName: string, input: object): LanguageModelV4StreamPart {
  return { type: "tool-call", toolCallId, toolName, input: JSON.stringify(input) };
}

function text(delta: string): LanguageModelV4StreamPart[] {
  return [
    { type: "text-start", id: "t" },
    { type: "text-delta", id: "t", delta },
    { type: "text-end", id: "t" },
  ];
}

function streamOf(
  parts: readonly LanguageModelV4StreamPart[],
  unified: "stop" | "tool-calls",
): ReadableStream<LanguageModelV4StreamPart> {
  return new ReadableStream({
    start(controller) {
      for (const part of parts) controller.enqueue(part);
      controller.enqueue({ type: "finish", finishReason: { unified, raw: unified }, usage });
      controller.close();
    },
  });
}

function untilLet(hanging: Set<() => void>, signal: AbortSignal | undefined): Promise<void> {
  return new Promise((resolve, reject) => {
    const go = () => {
      hanging.delete(go);
      resolve();
    };
    hanging.add(go);
    signal?.addEventListener("abort", () => {
      hanging.delete(go);
      reject(signal.reason);
    });
  });
}
