/** One run of a trace through the coordinator, on a clock that jumps from one thing that happens to the next. */
import type { LanguageModelV4, LanguageModelV4StreamPart } from "@ai-sdk/provider";
import { ManualClock, sleep } from "../../src/base/clock.ts";
import { presentIsOver } from "../../src/base/event-loop.ts";
import { createIds } from "../../src/base/ids.ts";
import { seededRandom } from "../../src/base/random.ts";
import { createContents } from "../../src/blobs/content.ts";
import { MemoryBlobs } from "../../src/blobs/memory/memory-blobs.ts";
import { MemorySnapshots } from "../../src/checkpoints/memory/memory-snapshots.ts";
import { Coordinator } from "../../src/coordinator/coordinator.ts";
import type { PoolOptions } from "../../src/coordinator/pool/pool.ts";
import { createModelDriver } from "../../src/drivers/model/model-driver.ts";
import { MemoryJournal, MemoryStore } from "../../src/journal/memory/memory-journal.ts";
import { toolRegistry } from "../../src/tools/registry.ts";
import { slowStart } from "./slow-start.ts";
import type { Arrival } from "./trace.ts";

/** As measured for sessions of Claude Code (docs/decisions/claude-driver.md). */
const START_MS = 600;
const MEMORY_BYTES = 171 * 1024 ** 2;
/** A provider's time to the first token, and for each further one. */
const FIRST_MS = 500;
const TOKEN_MS = 20;
/** Before the first of the trace one agent comes, so that a pool of a fixed size is full when it begins. */
const LEAD_MS = 60_000;

export interface PoolRun {
  readonly agents: number;
  /** Part of the agents that had a session at once. */
  readonly hitRatio: number;
  /** From the spawn of an agent to a session that has started. */
  readonly waitMs: readonly number[];
  /** Sessions that are ready or on their way to it: averaged over time, and at most. */
  readonly poolMean: number;
  readonly poolMost: number;
}

export async function runTrace(trace: readonly Arrival[], options: PoolOptions): Promise<PoolRun> {
  const clock = new ManualClock();
  const waits: number[] = [];
  const spawned = new Map<string, number>();
  const coordinator = open(clock, options, (agent) => waits.push(clock.monotonic() - (spawned.get(agent) ?? 0)));
  await coordinator.start();
  const spawn = async (tokens: number) => {
    const startMs = clock.monotonic();
    spawned.set(await coordinator.spawn(specOf(tokens)), startMs);
  };
  let [area, most, seenMs] = [0, 0, 0];
  const look = () => {
    const { ready, warming } = coordinator.pool;
    const nowMs = clock.monotonic();
    area += (ready + warming) * (nowMs - seenMs);
    seenMs = nowMs;
    most = Math.max(most, ready + warming);
  };
  const until = async (atMs: number) => {
    while (clock.monotonic() < atMs) {
      await presentIsOver();
      look();
      clock.advance(Math.min(atMs - clock.monotonic(), clock.untilNext() ?? Number.POSITIVE_INFINITY));
    }
    await presentIsOver();
  };
  await spawn(1);
  await until(LEAD_MS);
  [area, seenMs] = [0, clock.monotonic()];
  for (const { atMs, tokens } of trace) {
    await until(LEAD_MS + atMs);
    await spawn(tokens);
  }
  const spanMs = seenMs - LEAD_MS;
  const poolMean = area / Math.max(1, spanMs);
  while (waits.length <= trace.length) await until(clock.monotonic() + 1_000);
  const { ready, parked } = coordinator.pool.claims;
  await coordinator.stop();
  return {
    agents: trace.length,
    hitRatio: (ready + parked) / (trace.length + 1),
    waitMs: waits,
    poolMean,
    poolMost: most,
  };
}

function open(clock: ManualClock, pool: PoolOptions, ready: (agent: string) => void): Coordinator {
  const random = seededRandom(1);
  const blobs = new MemoryBlobs(new Map());
  const contents = createContents({ blobs, redact: (text) => text });
  const models = createModelDriver({ contents, clock, models: [answering(clock)] });
  const driver = slowStart(models, { clock, startMs: START_MS, memoryBytes: MEMORY_BYTES, ready });
  const stores = { journal: new MemoryJournal({ store: new MemoryStore() }), blobs, contents };
  const snapshots = new MemorySnapshots(new Map());
  const services = {
    ...stores,
    snapshots,
    driver,
    tools: toolRegistry([]),
    clock,
    random,
    ids: createIds({ clock, random }),
  };
  const memoryBytesMax = Number.MAX_SAFE_INTEGER;
  return new Coordinator(services, { runningMax: 10_000, pool: { memoryBytesMax, ...pool } });
}

function specOf(tokens: number) {
  return {
    name: "agent",
    execution: { driver: "model" as const, provider: "bench", model: "trace", outputTokensMax: 4_096 },
    instructions: "Answer.",
    messages: [{ from: { kind: "person" as const }, text: String(tokens) }],
    tools: [],
    rights: { commands: false, spawn: false },
  };
}

/** Answers with as many tokens as it is told to, in the time that these take. */
function answering(clock: ManualClock): LanguageModelV4 {
  return {
    specificationVersion: "v4",
    provider: "bench",
    modelId: "trace",
    supportedUrls: {},
    doGenerate: () => Promise.reject(new Error("only streams are measured")),
    async doStream({ prompt }) {
      const last = prompt.findLast(({ role }) => role === "user");
      const [part] = last?.role === "user" ? last.content : [];
      const tokens = Number(part?.type === "text" ? part.text : 0);
      await sleep(clock, FIRST_MS + tokens * TOKEN_MS);
      const inputTokens = { total: 100, noCache: 100, cacheRead: 0, cacheWrite: 0 };
      const usage = { inputTokens, outputTokens: { total: tokens, text: tokens, reasoning: undefined } };
      const parts: LanguageModelV4StreamPart[] = [
        { type: "text-start", id: "t" },
        { type: "text-delta", id: "t", delta: "done" },
        { type: "text-end", id: "t" },
        { type: "finish", finishReason: { unified: "stop", raw: "stop" }, usage },
      ];
      return { stream: ReadableStream.from(parts) as ReadableStream<LanguageModelV4StreamPart> };
    },
  };
}
