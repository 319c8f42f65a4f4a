/**
 * A process with many agents, for another one to measure: opens a folder, listens on its control socket, and has `live` agents work
 * beside those that rest. Driven over IPC by `verbs.ts` and `open.ts`: `node bench/size/serve.ts FOLDER LIVE`.
 */
import { monitorEventLoopDelay } from "node:perf_hooks";
import type { LanguageModelV4 } from "@ai-sdk/provider";
import { z } from "zod";
import { Banyan, defineTool, spawning } from "../../src/index.ts";
import { startControl } from "../../src/server/control-socket.ts";
import { fleet } from "../banyan/fleet.ts";

/** What it tells. */
export type Told =
  | { readonly is: "ready"; readonly sinceStartMs: number; readonly agents: number; readonly rssMb: number }
  | { readonly is: "live"; readonly working: number }
  | {
      readonly is: "lag";
      readonly p99Ms: number;
      readonly maxMs: number;
      readonly rssMb: number;
      readonly heapMb: number;
    };

/** A model call and a tool of the live agents take this long: ten thousand of them make some 300 turns a second. */
const CALL_MS = 30_000;
const CHILDREN = 100;

const [folder = "", liveText = "0"] = process.argv.slice(2);
const live = Number(liveText);
const base = fleet();
let slowed = 0;

/** Tasks as in `fleet.ts`, and `slow`: calls that take CALL_MS, every second one with a tool that takes as long, without end. */
const model: LanguageModelV4 = {
  ...base.model,
  async doStream(options) {
    const text = JSON.stringify(options.prompt.slice(0, 1));
    if (!text.includes("slow")) return base.model.doStream(options);
    slowed += 1;
    // Spread over the first call, so that they do not go in step.
    await pause((CALL_MS * (1 + (slowed % 97))) / 97, options.abortSignal);
    const call = { type: "tool-call" as const, toolCallId: `c${slowed}`, toolName: "tick", input: "{}" };
    const usage = {
      inputTokens: { total: 100, noCache: 100, cacheRead: 0, cacheWrite: 0 },
      outputTokens: { total: 10, text: 10, reasoning: undefined },
    };
    return {
      stream: ReadableStream.from([
        call,
        { type: "finish" as const, finishReason: { unified: "tool-calls" as const, raw: "" }, usage },
      ]),
    };
  },
};

const tick = defineTool({
  name: "tick",
  description: "Takes its time.",
  input: z.strictObject({}),
  onUnknownOutcome: "rerun",
  run: async (_input, { signal }) => {
    await pause(CALL_MS / 10, signal);
    return "ticked";
  },
});

const delay = monitorEventLoopDelay({ resolution: 1 });
delay.enable();
const banyan = await Banyan.open(folder, {
  runningMax: 20_000,
  childrenLiveMax: 200,
  treeLiveMax: 100_000,
  forksPerMinute: 100_000,
  tools: [tick],
});
banyan.register(model);
const control = await startControl(banyan.runtime);
tell({
  is: "ready",
  sinceStartMs: performance.now(),
  agents: banyan.recovery.agents,
  rssMb: megabytes(process.memoryUsage.rss()),
});

process.on("message", (wanted) => {
  if (wanted === "lag") {
    const { rss, heapUsed } = process.memoryUsage();
    tell({
      is: "lag",
      p99Ms: delay.percentile(99) / 1e6,
      maxMs: delay.max / 1e6,
      rssMb: megabytes(rss),
      heapMb: megabytes(heapUsed),
    });
    delay.reset();
  } else if (wanted === "live") void goLive();
  else
    void control
      .stop()
      .then(() => banyan.close())
      .then(() => process.exit(0));
});
process.on("disconnect", () => process.exit(1));

async function goLive(): Promise<void> {
  const root = await banyan.spawn({ name: "live", model, task: "chat", mode: "chat", tools: [spawning(), tick] });
  for (let at = 0; at * CHILDREN < live; at += 1) {
    const middle = await root.spawn({ name: `group-${at}`, task: "chat", mode: "chat", tools: [tick] });
    const born = Array.from({ length: CHILDREN }, (_, place) =>
      middle.spawn({ name: `worker-${place}`, instructions: "slow", task: "slow" }),
    );
    await Promise.all(born);
  }
  while (banyan.runtime.coordinator.load.working < live) await new Promise((resolve) => setImmediate(resolve));
  tell({ is: "live", working: banyan.runtime.coordinator.load.working });
}

function tell(told: Told): void {
  process.send?.(told);
}

function megabytes(bytes: number): number {
  return Math.round(bytes / 1e6);
}

function pause(ms: number, signal: AbortSignal | undefined): Promise<void> {
  return new Promise((resolve, reject) => {
    const timer = setTimeout(resolve, ms);
    signal?.addEventListener("abort", () => {
      clearTimeout(timer);
      reject(signal.reason);
    });
  });
}
