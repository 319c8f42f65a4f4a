import { expect, test } from "vitest";
import type { AgentEvent } from "../../src/agent/events.ts";
import { referencesOf } from "../../src/agent/references.ts";
import { creation, idOf } from "../support/commands.ts";

const digest = (digit: string) => `sha256:${digit.repeat(64)}`;
const reference = (digit: string) => ({ digest: digest(digit), bytes: 9_000, head: "..." });
const from = { kind: "person" as const };

test("texts, toolsets, arguments, results, artifacts and reports are referred to", () => {
  const { do: _, ...created } = creation({ instructions: reference("a"), toolset: digest("b") });
  const events: [AgentEvent, string[]][] = [
    [{ type: "agent.created", ...created }, ["a", "b"]],
    [{ type: "message.received", id: "m", from, content: reference("c") }, ["c"]],
    [{ type: "message.received", id: "m", from, content: `look at ${digest("c")}` }, []],
    [{ type: "tool.ended", callId: "c", outcome: "ok", content: reference("d") }, ["d"]],
    [
      { type: "artifact.written", artifact: { name: "map", digest: digest("e"), bytes: 1, mediaType: "text/plain" } },
      ["e"],
    ],
    [
      {
        type: "child.ended",
        child: idOf(2),
        seq: 4,
        status: "completed",
        output: reference("f"),
        artifacts: [{ name: "map", digest: digest("0"), bytes: 1, mediaType: "text/plain" }],
        costUsd: 0,
      },
      ["f", "0"],
    ],
  ];
  for (const [event, digits] of events) expect([...referencesOf(event)].sort()).toEqual(digits.map(digest).sort());
});

test("what a model or a provider made is no reference, whatever it looks like", () => {
  const call = {
    type: "toolCall" as const,
    callId: "c",
    name: "read",
    input: { json: { digest: digest("a"), toolset: digest("b") } },
  };
  const long = { type: "toolCall" as const, callId: "d", name: "write", input: { text: reference("c") } };
  const said = { type: "text" as const, text: "x", providerOptions: { test: { digest: digest("d") } } };
  const event: AgentEvent = {
    type: "turn.ended",
    turn: 1,
    outcome: "done",
    messageId: idOf(1),
    parts: [call, long, said],
    finish: "toolCalls",
    usage: { input: 0, output: 0, cacheRead: 0, cacheWrite: 0 },
    costUsd: 0,
    meta: { digest: digest("e") },
  };
  expect([...referencesOf(event)]).toEqual([digest("c")]);
});
