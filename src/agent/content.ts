/**
 * What messages are made of. A text over LIMITS.inlineBytesMax lives in the blobs, and the event holds a reference:
 * digest, size and head. Whoever shows a reference decides whether it needs the whole (a prompt's own messages do)
 * or the head (a tool result does).
 */
import { z } from "zod";
import { LIMITS } from "../base/limits.ts";

export const contentReference = z.strictObject({
  digest: z.string().regex(/^sha256:[0-9a-f]{64}$/),
  bytes: z.int().positive(),
  head: z.string().max(LIMITS.headBytesMax),
});
export type ContentReference = z.infer<typeof contentReference>;

export const content = z.union([z.string(), contentReference]);
/** A text as it is, or a reference to one that is long. */
export type Content = z.infer<typeof content>;

export const json: z.ZodType<Json> = z.json();
export type Json = string | number | boolean | null | Json[] | { [key: string]: Json };

/** Provider metadata that must go back with the part it came with, such as the signature of a reasoning block. */
const providerOptions = z.record(z.string(), z.record(z.string(), json));

export const assistantPart = z.discriminatedUnion("type", [
  z.strictObject({ type: z.literal("text"), text: content, providerOptions: providerOptions.optional() }),
  z.strictObject({ type: z.literal("reasoning"), text: content, providerOptions: providerOptions.optional() }),
  z.strictObject({
    type: z.literal("toolCall"),
    callId: z.string().min(1).max(256),
    name: z.string().min(1).max(256),
    /** The arguments. Long ones are a reference to their JSON text. */
    input: z.union([z.strictObject({ json }), z.strictObject({ text: contentReference })]),
    providerOptions: providerOptions.optional(),
  }),
]);
/** One part of what a model said. */
export type AssistantPart = z.infer<typeof assistantPart>;
export type ToolCall = Extract<AssistantPart, { type: "toolCall" }>;

/** The calls among the parts, in the order the model made them. */
export function callsOf(parts: readonly AssistantPart[]): ToolCall[] {
  return parts.filter((part) => part.type === "toolCall");
}

/** What can be shown of a content without reading blobs. */
export function headOf(text: Content): string {
  return typeof text === "string" ? text : text.head;
}
