/**
 * The form of a Messages API request, as far as the simulator looks at it. Unknown fields are let through, as clients
 * send beta ones; block types that it does not know but the API does are counted and otherwise left alone.
 */
import { z } from "zod";
import { type ApiError, invalid } from "./api-error.ts";

const cacheControl = z.object({ type: z.literal("ephemeral"), ttl: z.enum(["5m", "1h"]).optional() }).nullish();

const textBlock = z.object({ type: z.literal("text"), text: z.string(), cache_control: cacheControl });
const resultBlock = z.looseObject({ type: z.string(), text: z.string().optional() });
const toolName = z.string().regex(/^[a-zA-Z0-9_-]{1,128}$/);
const toolUseId = z.string().regex(/^[a-zA-Z0-9_-]+$/);
const opaque = <const Type extends string>(type: Type) =>
  z.looseObject({ type: z.literal(type), cache_control: cacheControl });

const block = z.discriminatedUnion("type", [
  textBlock,
  z.object({
    type: z.literal("tool_use"),
    id: toolUseId,
    name: toolName,
    input: z.record(z.string(), z.unknown()),
    cache_control: cacheControl,
  }),
  z.object({
    type: z.literal("tool_result"),
    tool_use_id: toolUseId,
    content: z.union([z.string(), z.array(resultBlock)]).optional(),
    is_error: z.boolean().optional(),
    cache_control: cacheControl,
  }),
  z.object({ type: z.literal("thinking"), thinking: z.string(), signature: z.string() }),
  opaque("redacted_thinking"),
  opaque("image"),
  opaque("document"),
  opaque("search_result"),
  opaque("server_tool_use"),
  opaque("web_search_tool_result"),
  opaque("web_fetch_tool_result"),
  opaque("code_execution_tool_result"),
  opaque("tool_search_tool_result"),
  opaque("tool_reference"),
  opaque("mcp_tool_use"),
  opaque("mcp_tool_result"),
  opaque("container_upload"),
  opaque("compaction"),
  opaque("tool_addition"),
  opaque("tool_removal"),
]);

const message = z.object({
  role: z.enum(["user", "assistant", "system"]),
  content: z.union([z.string(), z.array(block)]),
});

const tool = z.looseObject({
  type: z.string().optional(),
  name: toolName,
  description: z.string().optional(),
  input_schema: z.looseObject({ type: z.literal("object") }).optional(),
  cache_control: cacheControl,
});

const prompt = {
  model: z.string().min(1),
  messages: z.array(message).min(1),
  system: z.union([z.string(), z.array(textBlock)]).optional(),
  tools: z.array(tool).optional(),
  tool_choice: z.looseObject({ type: z.string() }).optional(),
  thinking: z.looseObject({ type: z.string() }).optional(),
  cache_control: cacheControl,
};

const countRequest = z.object(prompt);
const messagesRequest = z.object({
  ...prompt,
  max_tokens: z.int().min(1),
  stream: z.boolean().optional(),
  metadata: z.object({ user_id: z.string().nullish() }).nullish(),
});

export type Block = z.infer<typeof block>;
export type BlockOf<Type extends Block["type"]> = Extract<Block, { type: Type }>;
export type Message = z.infer<typeof message>;
export type CacheControl = z.infer<typeof cacheControl>;
/** What a prompt is made of, with or without a wish for an answer. */
export type PromptRequest = z.infer<typeof countRequest>;
export type MessagesRequest = z.infer<typeof messagesRequest>;

/** @throws ApiError 400 that names the first wrong field */
export function parseMessagesRequest(value: unknown): MessagesRequest {
  const parsed = messagesRequest.safeParse(value);
  if (!parsed.success) throw asApiError(parsed.error.issues);
  return parsed.data;
}

/** @throws ApiError 400 that names the first wrong field */
export function parseCountRequest(value: unknown): PromptRequest {
  const parsed = countRequest.safeParse(value);
  if (!parsed.success) throw asApiError(parsed.error.issues);
  return parsed.data;
}

/** A message's content as blocks; a string is one text block. */
export function blocksOf(of: Message): readonly Block[] {
  return typeof of.content === "string" ? [{ type: "text", text: of.content }] : of.content;
}

/** The text of a tool result, its text blocks joined. */
export function resultText(of: BlockOf<"tool_result">): string {
  if (typeof of.content === "string") return of.content;
  return (of.content ?? []).map((each) => each.text ?? "").join("");
}

function asApiError(issues: readonly z.core.$ZodIssue[]): ApiError {
  const { path, message: says } = deepest(issues);
  const where = path.join(".") || "body";
  return invalid(`${where}: ${says.endsWith("received undefined") ? "Field required" : says}`);
}

/** The issue that got furthest into the input: of a union's branches, the one that was meant. */
function deepest(issues: readonly z.core.$ZodIssue[]): { path: PropertyKey[]; message: string } {
  let best = { path: [] as PropertyKey[], message: "Invalid input" };
  for (const issue of issues) {
    let found = { path: issue.path, message: issue.message };
    if (issue.code === "invalid_union") {
      const inner = deepest(issue.errors.flat());
      if (inner.path.length > 0) found = { path: [...issue.path, ...inner.path], message: inner.message };
    }
    if (best.path.length < found.path.length || best.message === "Invalid input") best = found;
  }
  return best;
}
