/** Commands as tests write them: the fields that a test is about, and sensible ones for the rest. */
import type { Command } from "../../src/agent/commands.ts";
import type { AssistantPart, Content, ToolCall } from "../../src/agent/content.ts";
import type { EventOf, Sender } from "../../src/agent/events.ts";
import type { Usage } from "../../src/agent/usage.ts";

export const PERSON: Sender = { kind: "person", id: "ada" };
export const START_MS = 1_700_000_000_000;

/** An id that says its number: the same in every run. */
export function idOf(number: number): string {
  return `0${number.toString(8).padStart(25, "0")}`;
}

export const AGENT = idOf(1);

export function creation(more: Partial<EventOf<"agent.created">> = {}): Extract<Command, { do: "create" }> {
  return {
    do: "create",
    parent: null,
    root: AGENT,
    level: 0,
    name: "lead",
    execution: { driver: "model", provider: "test", model: "test-1", outputTokensMax: 1_000 },
    instructions: "Do it well.",
    toolset: `sha256:${"0".repeat(64)}`,
    tools: ["read_file", "spawn", "wait"],
    mode: "task",
    rights: { commands: false, spawn: true },
    ...more,
  };
}

export function receive(number: number, content: Content = `message ${number}`): Extract<Command, { do: "receive" }> {
  return { do: "receive", id: `m${number}`, from: PERSON, content };
}

export function startTurn(reservedUsd = 0.5): Command {
  return { do: "startTurn", covered: false, reservedUsd };
}

export function usageOf(number: number): Usage {
  return { input: number % 97, output: number % 31, cacheRead: number % 211, cacheWrite: number % 13 };
}

export function call(callId: string, name = "read_file", input: ToolCall["input"] = { json: {} }): ToolCall {
  return { type: "toolCall", callId, name, input };
}

/** The model's answer: texts and calls. */
export function answer(...parts: readonly (string | ToolCall)[]): Extract<Command, { do: "endTurn" }> {
  const said = parts.map((part): AssistantPart => (typeof part === "string" ? { type: "text", text: part } : part));
  const finish = said.some(({ type }) => type === "toolCall") ? "toolCalls" : "stop";
  return {
    do: "endTurn",
    outcome: "done",
    messageId: idOf(7),
    parts: said,
    finish,
    usage: usageOf(said.length),
    costUsd: 0.25,
  };
}

export function failTurn(
  more: Partial<Extract<Command, { do: "failTurn" }>> = {},
): Extract<Command, { do: "failTurn" }> {
  const error = { code: "MODEL_GARBLED", message: "broke off" } as const;
  const retryTime = START_MS + 60_000;
  return {
    do: "failTurn",
    error,
    retryable: true,
    putOff: false,
    retryTime,
    usage: usageOf(1),
    costUsd: 0.125,
    ...more,
  };
}

export function endChild(child: string, seq: number, more: Partial<EventOf<"child.ended">> = {}): Command {
  return { do: "endChild", child, seq, status: "completed", output: "done", artifacts: [], costUsd: 0.5, ...more };
}

export function endTool(callId: string, content: Content = "result"): Extract<Command, { do: "endTool" }> {
  return { do: "endTool", callId, outcome: "ok", content };
}

export function rewindTo(to: number): Command {
  return { do: "rewind", to, by: PERSON };
}

/** A program that is started again when it fails, three times in a minute. */
const ARTIFACT = `sha256:${"a".repeat(64)}`;

export function writeArtifact(name: string, bytes: number): Extract<Command, { do: "writeArtifact" }> {
  return { do: "writeArtifact", artifact: { name, digest: ARTIFACT, bytes, mediaType: "text/plain" } };
}

export function linkArtifact(name: string, endTime: number): Extract<Command, { do: "linkArtifact" }> {
  return { do: "linkArtifact", name, digest: ARTIFACT, endTime, by: PERSON };
}

export function startProcess(number: number, name = `p-${number}`): Extract<Command, { do: "startProcess" }> {
  return {
    do: "startProcess",
    id: idOf(2_000 + number),
    name,
    argv: ["serve", "--port", "80"],
    cwd: ".",
    pid: 100 + number,
    startTicks: 7,
    policy: {
      restart: "onFailure",
      restartsMax: 3,
      withinMs: 60_000,
      memoryBytesMax: 1_000_000,
      outputBytesMax: 1_000_000,
      probes: [],
    },
  };
}

export function endProcess(
  id: string,
  more: Partial<Extract<Command, { do: "endProcess" }>> = {},
): Extract<Command, { do: "endProcess" }> {
  return { do: "endProcess", id, how: "exited", code: 0, told: "It ended.", ...more };
}

/** A tree of files, of no more meaning than its number. */
export const treeOf = (number: number) => `sha256:${String(number).repeat(64)}`;

export function saveFiles(number: number, bytes: number): Command {
  return { do: "saveFiles", root: "/work", tree: treeOf(number), files: number, bytes, left: 0, added: [] };
}

export function longText(number: number): Content {
  return { digest: `sha256:${number.toString(16).padStart(64, "0")}`, bytes: 10_000 + number, head: "It begins" };
}
