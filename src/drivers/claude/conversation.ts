/**
 * The conversation in the forms that Claude Code takes it in: an answer as the stream of the Messages API, and a past as the transcript
 * of a session.
 */
import type { PromptMessage } from "../model/provider-model.ts";
import { toModelName } from "./mcp-tools.ts";
import type { TranscriptEntry } from "./sdk.ts";
import { AGENT_TOOL } from "./subagents.ts";

export type AssistantMessage = Extract<PromptMessage, { role: "assistant" }>;
export type ToolMessage = Extract<PromptMessage, { role: "tool" }>;

type Block = { type: string } & Record<string, unknown>;

/** As the Messages API takes it. */
export interface ApiMessage {
  readonly role: "user" | "assistant";
  readonly content: readonly Block[];
}

/** True for a tool of Claude Code's own, and false for one that Banyan runs. */
export type IsOwn = (tool: string) => boolean;

/**
 * Claude Code runs calls one after the other. Its own stand first, so that none of them waits for an agent that it asked for, and those
 * for no call that Banyan runs, whose result it is given last.
 */
function inOrder<T extends { readonly toolName: string }>(calls: readonly T[], isOwn: IsOwn): T[] {
  const rankOf = ({ toolName }: T) => (!isOwn(toolName) ? 2 : toolName === AGENT_TOOL ? 1 : 0);
  return calls.toSorted((one, other) => rankOf(one) - rankOf(other));
}

function blocksOf({ content }: AssistantMessage, isOwn: IsOwn): Block[] {
  const calls = content.filter((part) => part.type === "tool-call");
  const said: Block[] = content.flatMap((part): Block[] => {
    if (part.type === "text") return [{ type: "text", text: part.text }];
    if (part.type === "tool-call") return [];
    const { signature, redactedData } = part.providerOptions?.anthropic ?? {};
    if (redactedData !== undefined) return [{ type: "redacted_thinking", data: redactedData }];
    return signature === undefined ? [] : [{ type: "thinking", thinking: part.text, signature }];
  });
  return [
    ...said,
    ...inOrder(calls, isOwn).map(({ toolCallId: id, toolName, input }) => ({
      type: "tool_use",
      id,
      name: isOwn(toolName) ? toolName : toModelName(toolName),
      input,
    })),
  ];
}

export interface StreamOptions {
  readonly model: string;
  readonly isOwn: IsOwn;
  readonly uuid: () => string;
}

/** The message as its stream would have been. Its id is new: Claude Code takes messages of one id for parts of one message. */
export function eventsOf(message: AssistantMessage, { model, isOwn, uuid }: StreamOptions): string {
  const blocks = blocksOf(message, isOwn);
  const events: Block[] = [
    {
      type: "message_start",
      message: {
        id: `msg_${uuid()}`,
        type: "message",
        role: "assistant",
        model,
        content: [],
        ...UNFINISHED,
        usage: NO_USAGE,
      },
    },
    ...blocks.flatMap((block, index) => [
      { type: "content_block_start", index, content_block: { ...block, ...EMPTY[block.type] } },
      ...deltasOf(block).map((delta) => ({ type: "content_block_delta", index, delta })),
      { type: "content_block_stop", index },
    ]),
    {
      type: "message_delta",
      delta: {
        stop_reason: blocks.some(({ type }) => type === "tool_use") ? "tool_use" : "end_turn",
        stop_sequence: null,
      },
      usage: { output_tokens: 0 },
    },
    { type: "message_stop" },
  ];
  return events.map((event) => `event: ${event.type}\ndata: ${JSON.stringify(event)}\n\n`).join("");
}

const UNFINISHED = { stop_reason: null, stop_sequence: null };
const NO_USAGE = { input_tokens: 0, output_tokens: 0 };
const EMPTY: Readonly<Record<string, object>> = {
  text: { text: "" },
  thinking: { thinking: "", signature: "" },
  tool_use: { input: {} },
};

function deltasOf(block: Block): object[] {
  switch (block.type) {
    case "text":
      return [{ type: "text_delta", text: block.text }];
    case "thinking":
      return [
        { type: "thinking_delta", thinking: block.thinking },
        { type: "signature_delta", signature: block.signature },
      ];
    case "tool_use":
      return [{ type: "input_json_delta", partial_json: JSON.stringify(block.input) }];
    default:
      return [];
  }
}

export interface TranscriptOptions {
  readonly sessionId: string;
  readonly cwd: string;
  readonly model: string;
  /** ISO 8601. */
  readonly time: string;
  readonly isOwn: IsOwn;
  readonly uuid: () => string;
}

/** A session that had this conversation. */
export function transcriptOf(messages: readonly PromptMessage[], options: TranscriptOptions): TranscriptEntry[] {
  const { sessionId, cwd, time, uuid } = options;
  let parentUuid: string | null = null;
  return messages.map((message) => {
    const entry: TranscriptEntry = {
      parentUuid,
      isSidechain: false,
      type: message.role === "assistant" ? "assistant" : "user",
      message: entryMessage(message, options),
      uuid: uuid(),
      timestamp: time,
      userType: "external",
      cwd,
      sessionId,
      version: "1",
    };
    parentUuid = entry.uuid;
    return entry;
  });
}

function entryMessage(message: PromptMessage, { model, isOwn, uuid }: TranscriptOptions): object {
  const said = apiMessage(message, isOwn);
  if (said.role === "user") return said;
  const calls = said.content.some(({ type }) => type === "tool_use");
  const ended = { stop_reason: calls ? "tool_use" : "end_turn", stop_sequence: null, usage: NO_USAGE };
  return { id: `msg_${uuid()}`, type: "message", model, ...said, ...ended };
}

export function apiMessage(message: PromptMessage, isOwn: IsOwn): ApiMessage {
  switch (message.role) {
    case "assistant":
      return { role: "assistant", content: blocksOf(message, isOwn) };
    case "tool":
      return { role: "user", content: resultsOf(message, isOwn) };
    case "user":
      return { role: "user", content: message.content.map(({ text }) => ({ type: "text", text })) };
    case "system":
      return { role: "user", content: [{ type: "text", text: message.content }] };
  }
}

/** In the order and the form in which Claude Code writes them itself. */
function resultsOf({ content }: ToolMessage, isOwn: IsOwn): Block[] {
  return inOrder(content, isOwn).map(({ toolCallId, toolName, output }) => {
    const isError = output.type === "error-text";
    const text = [{ type: "text", text: output.value }];
    const isListed = toolName === AGENT_TOOL || toolName.startsWith("mcp__");
    if (isListed && !isError) return { type: "tool_result", tool_use_id: toolCallId, content: text };
    return {
      type: "tool_result",
      tool_use_id: toolCallId,
      content: isOwn(toolName) ? output.value : text,
      ...((isError || isOwn(toolName)) && { is_error: isError }),
    };
  });
}
