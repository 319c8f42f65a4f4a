/**
 * A process to be killed: a lively fleet on a real disk. It tells every acknowledged event by a line on its standard output,
 * `{agent, seq, hash}`, the hash being that of the agent's head after the event, and `{"done":true}` at its end.
 * `node test/e2e/lively-fleet.ts FOLDER`
 */
import { hash } from "node:crypto";
import type { LanguageModelV4, LanguageModelV4StreamPart } from "@ai-sdk/provider";
import { z } from "zod";
import { artifacts, Banyan, defineTool, messaging, spawning } from "../../src/index.ts";

const ROOTS = 3;
const folder = process.argv[2];
if (!folder) throw new Error("which folder?");

const note = defineTool({
  name: "note",
  description: "Notes a line.",
  input: z.strictObject({ line: z.string() }),
  onUnknownOutcome: "rerun",
  run: ({ line }) => `noted: ${line} ${"lorem ipsum ".repeat(40)}`,
});

const tools = [note, artifacts(), messaging(), spawning()];
const model = lively();
const banyan = await Banyan.open(folder, { models: [model], tools: [note], forksPerMinute: 10_000 });
banyan.runtime.coordinator.watch((agent, recorded, head) => {
  const seq = recorded.at(-1)?.seq;
  process.stdout.write(`${JSON.stringify({ agent, seq, hash: hash("sha256", JSON.stringify(head)) })}\n`);
});
process.stdout.write(
  `${JSON.stringify({ opened: banyan.recovery.agents, damaged: banyan.recovery.damaged.length })}\n`,
);
while (banyan.roots().length < ROOTS) await banyan.spawn({ name: "root", model, task: "grow 3", tools });
const first = banyan.roots()[0];
if (first && banyan.roots().length === ROOTS) await first.fork({ subtree: true, task: "go on" });
for (const root of banyan.roots()) await root.result();
process.stdout.write(`${JSON.stringify({ done: true })}\n`);
await banyan.close();

/** Agents that note, spawn, write to each other, keep artifacts, wait and end: what they do follows from their turn. */
function lively(): LanguageModelV4 {
  return {
    specificationVersion: "v4",
    provider: "test",
    modelId: "lively",
    supportedUrls: {},
    doGenerate: () => Promise.reject(new Error("it streams")),
    async doStream({ prompt }) {
      const turn = prompt.filter(({ role }) => role === "assistant").length;
      const depth = Number(/grow (\d)/.exec(JSON.stringify(prompt.find(({ role }) => role === "user")))?.[1] ?? 0);
      const parts = turnOf(turn, depth);
      const unified = parts.some(({ type }) => type === "tool-call") ? "tool-calls" : "stop";
      const usage = {
        inputTokens: { total: 100, noCache: 100, cacheRead: 0, cacheWrite: 0 },
        outputTokens: { total: 10, text: 10, reasoning: undefined },
      };
      return {
        stream: ReadableStream.from([
          ...parts,
          { type: "finish", finishReason: { unified, raw: unified }, usage },
        ] as LanguageModelV4StreamPart[]),
      };
    },
  };
}

function turnOf(turn: number, depth: number): LanguageModelV4StreamPart[] {
  const call = (name: string, input: object, at = 0) => {
    return { type: "tool-call" as const, toolCallId: `${turn}-${at}`, toolName: name, input: JSON.stringify(input) };
  };
  const children = Array.from({ length: depth > 0 ? 3 : 0 }, (_, at) =>
    call("spawn_agent", { name: `child-${at}`, task: `grow ${depth - 1}` }, at),
  );
  switch (turn) {
    case 0:
      return [call("note", { line: "begun" }, 9), ...children];
    case 1:
      return [
        call("note", { line: "a" }),
        call("note", { line: "b" }, 1),
        call("write_artifact", { name: "found.txt", content: "x".repeat(10_000) }, 2),
      ];
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
