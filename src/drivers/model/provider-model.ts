/**
 * The models that the driver calls, as the AI SDK's provider interface describes them: version 4, and version 3, of
 * which everything that we send and read is a part. See docs/decisions/ai-sdk-provider-interface.md.
 */
import type {
  LanguageModelV3,
  LanguageModelV3FinishReason,
  LanguageModelV3StreamPart,
  LanguageModelV4,
  LanguageModelV4FinishReason,
  LanguageModelV4FunctionTool,
  LanguageModelV4StreamPart,
  LanguageModelV4Usage,
} from "@ai-sdk/provider";
import type { Json } from "../../agent/content.ts";

export type ProviderModel = LanguageModelV4 | LanguageModelV3;
export type StreamPart = LanguageModelV4StreamPart | LanguageModelV3StreamPart;
export type FinishReason = LanguageModelV4FinishReason | LanguageModelV3FinishReason;
export type ProviderUsage = LanguageModelV4Usage;
export type ToolDefinition = LanguageModelV4FunctionTool;

/** Settings for one provider each, by the provider's name; every other provider ignores them. */
export type ProviderOptions = { [provider: string]: { [key: string]: Json } };

interface Part {
  providerOptions?: ProviderOptions;
}
export interface TextPart extends Part {
  type: "text";
  text: string;
}
interface ReasoningPart extends Part {
  type: "reasoning";
  text: string;
}
interface CallPart extends Part {
  type: "tool-call";
  toolCallId: string;
  toolName: string;
  input: Json;
}
interface ResultPart extends Part {
  type: "tool-result";
  toolCallId: string;
  toolName: string;
  output: { type: "text" | "error-text"; value: string };
}
export type SaidPart = TextPart | ReasoningPart | CallPart;

/** The part of the interface's messages that we send; valid in both versions. */
export type PromptMessage = Part &
  (
    | { role: "system"; content: string }
    | { role: "user"; content: TextPart[] }
    | { role: "assistant"; content: SaidPart[] }
    | { role: "tool"; content: ResultPart[] }
  );

export interface ModelRequest {
  prompt: PromptMessage[];
  tools?: ToolDefinition[];
  maxOutputTokens: number;
  temperature?: number;
  headers?: Record<string, string>;
}
