/** What the agents of the lively fleet say and do: they note, spawn, write to each other, keep artifacts, wait and end. */
import { hash } from "node:crypto";
import type { LanguageModelV4, LanguageModelV4StreamPart } from "@ai-sdk/provider";
import { z } from "zod";
import type { Head } from "../../src/agent/state.ts";
import { type Clock, sleep } from "../../src/base/clock.ts";
import { type Random, randomInt, seededRandom } from "../../src/base/random.ts";
import { artifacts, defineTool, messaging, spawning, type Tool } from "../../src/index.ts";

/** Of a head without its output, which a head that was read from a summary has not. */
export function hashOf(head: Head): string {
  return hash("sha256", JSON.stringify({ ...head, output: null }));
}

/** One custom tool of each policy. `onRun` is told of every run of those that are not declared safe to repeat. */
export function livelyTools(clock: Clock, onRun: (call: string) => void) {
  const note = (name: string, onUnknownOutcome: Tool["onUnknownOutcome"]) =>
    defineTool({
      name,
      description: "Notes a line.",
      input: z.strictObject({ line: z.string() }),
      onUnknownOutcome,
      run: async ({ line }, { agent, callId }) => {
        if (onUnknownOutcome !== "rerun") onRun(`${agent} ${callId}`);
        await sleep(clock, line.length % 4);
        // Some results go to the blobs, some stay in the event.
        return `noted: ${line} ${"lorem ipsum ".repeat(line.length % 2 === 0 ? 1_000 : 40)}`;
      },
    });
  const own = [note("note_rerun", "rerun"), note("note_report", "report"), note("note_ask", "ask")];
  return { own, kits: [...own, artifacts(), messaging(), spawning()] };
}

/** It streams in a few milliseconds. What it says follows from the turn; the ids of its calls are never the same twice. */
export function livelyModel(seed: number, clock: Clock): LanguageModelV4 {
  const random = seededRandom(seed + 0x5eed);
  let calls = 0;
  return {
    specificationVersion: "v4",
    provider: "test",
    modelId: "lively",
    supportedUrls: {},
    doGenerate: () => Promise.reject(new Error("it streams")),
    async doStream({ prompt, abortSignal }) {
      const turn = prompt.filter(({ role }) => role === "assistant").length;
      const depth = Number(/grow (\d)/.exec(JSON.stringify(prompt.find(({ role }) => role === "user")))?.[1] ?? 0);
      const parts = turnOf(turn, { depth, random, id: () => `call-${seed}-${++calls}` });
      const unified = parts.some(({ type }) => type === "tool-call") ? "tool-calls" : "stop";
      const usage = {
        inputTokens: { total: 100, noCache: 100, cacheRead: 0, cacheWrite: 0 },
        outputTokens: { total: 10, text: 10, reasoning: undefined },
      };
      await sleep(clock, random.next() * 4, abortSignal);
      return {
        stream: ReadableStream.from([
          ...parts,
          { type: "finish", finishReason: { unified, raw: unified }, usage },
        ] as LanguageModelV4StreamPart[]),
      };
    },
  };
}

interface Saying {
  readonly depth: number;
  readonly random: Random;
  readonly id: () => string;
}

function turnOf(turn: number, { depth, random, id }: Saying): LanguageModelV4StreamPart[] {
  const call = (name: string, input: object) => {
    return { type: "tool-call" as const, toolCallId: id(), toolName: name, input: JSON.stringify(input) };
  };
  const note = (policy: string) => call(`note_${policy}`, { line: "x".repeat(1 + randomInt(random, 8)) });
  const children = Array.from({ length: depth > 0 ? 3 : 0 }, (_, at) =>
    call("spawn_agent", { name: `child-${at}`, task: `grow ${depth - 1}` }),
  );
  switch (turn) {
    case 0:
      return [note("report"), ...children];
    case 1: {
      const content = `${randomInt(random, 1e9)} `.repeat(1_200);
      return [note("rerun"), note("report"), note("ask"), call("write_artifact", { name: "found.txt", content })];
    }
    case 2:
      return depth > 0
        ? [call("wait_for_agents", {})]
        : [call("send_message", { to: "parent", message: "still here" })];
    default:
      return [
        { type: "text-start", id: "t" },
        { type: "text-delta", id: "t", delta: "done" },
        { type: "text-end", id: "t" },
      ];
  }
}
