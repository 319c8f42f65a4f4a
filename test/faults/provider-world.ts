/**
 * A real runtime on a real disk, whose agents call the provider simulator over real HTTP with the real driver of Anthropic's API. Time
 * goes faster: a minute's wait takes a second or so.
 */
import { mkdtemp, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { createAnthropic } from "@ai-sdk/anthropic";
import type { EventOf, EventType } from "../../src/agent/events.ts";
import { type Clock, systemClock } from "../../src/base/clock.ts";
import { Agent } from "../../src/runtime/agent.ts";
import { openRuntime, type Runtime } from "../../src/runtime/open.ts";
import { executionOf, registerModel, type SpawnOptions, specOf } from "../../src/runtime/spawn-options.ts";
import type { FaultPlan } from "../../src/simulator/faults.ts";
import { blocksOf, type MessagesRequest } from "../../src/simulator/messages-api.ts";
import type { Mind } from "../../src/simulator/mind.ts";
import { type Simulator, startSimulator } from "../../src/simulator/simulator.ts";
import type { Tool } from "../../src/tools/tool.ts";

export interface ProviderWorld extends AsyncDisposable {
  readonly folder: string;
  readonly clock: Clock;
  readonly simulator: Simulator;
  readonly runtime: Runtime;
  spawn(options: SpawnOptions): Promise<Agent>;
  /** Stops the runtime and opens the data again. */
  reopen(): Promise<void>;
}

export interface ProviderWorldOptions {
  readonly mind: Mind;
  readonly faults?: FaultPlan;
  readonly tools?: readonly Tool[];
  /** How much faster time goes, unless there is a clock. */
  readonly times?: number;
  readonly clock?: Clock;
  readonly tokensPerDelta?: number;
}

export async function openProviderWorld({
  mind,
  faults = () => undefined,
  tools = [],
  times = 50,
  clock = fastClock(times),
  tokensPerDelta = 2,
}: ProviderWorldOptions): Promise<ProviderWorld> {
  const folder = await mkdtemp(join(tmpdir(), "banyan-provider-"));
  const simulator = await startSimulator({ mind, faults, clock, pace: { tokensPerDelta } });
  const model = createAnthropic({ apiKey: "k", baseURL: `${simulator.url}/v1` })("claude-sonnet-4-5");
  const open = async () => {
    const runtime = await openRuntime(join(folder, "data"), { clock, tools });
    registerModel(runtime, model);
    return runtime;
  };
  let runtime = await open();
  return {
    folder,
    clock,
    simulator,
    get runtime() {
      return runtime;
    },
    async spawn(options) {
      const own = options.model ?? model;
      registerModel(runtime, own);
      const spec = specOf(runtime, options, executionOf({ model: own, outputTokensMax: 1_000, ...options }));
      return new Agent(runtime, await runtime.coordinator.spawn(spec));
    },
    async reopen() {
      await runtime.stop();
      runtime = await open();
    },
    async [Symbol.asyncDispose]() {
      await runtime.stop();
      await simulator.stop();
      await rm(folder, { recursive: true, force: true });
    },
  };
}

/** The machine's clock, so many times faster. */
export function fastClock(times: number): Clock {
  const real = systemClock();
  const [beganMs, beganAt] = [real.monotonic(), real.now()];
  const elapsedMs = () => (real.monotonic() - beganMs) * times;
  return {
    now: () => Math.floor(beganAt + elapsedMs()),
    monotonic: elapsedMs,
    timer: (delayMs, fire) => real.timer(delayMs / times, fire),
  };
}

/** The text of the first message: an agent's task. */
export function taskOf({ messages: [first] }: MessagesRequest): string {
  return (first ? blocksOf(first) : []).map((block) => (block.type === "text" ? block.text : "")).join("");
}

/** How often the agent has spoken. */
export function saidBefore({ messages }: MessagesRequest): number {
  return messages.filter(({ role }) => role === "assistant").length;
}

/** Its events of one type, oldest first; the agent must have ended. */
export async function eventsOf<Type extends EventType>(agent: Agent, type: Type): Promise<EventOf<Type>[]> {
  const found: EventOf<Type>[] = [];
  for await (const { event } of agent.events()) if (event.type === type) found.push(event as EventOf<Type>);
  return found;
}
