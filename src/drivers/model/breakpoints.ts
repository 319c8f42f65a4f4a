/**
 * Where the provider may cache the prompt: after tools and instructions, which agents share; after the last message, for
 * the turn to come; and where the last turn's prompt ended, because a provider looks back only some blocks from a mark (20 at
 * Anthropic) and one turn may add more. At most 3 of the 4 marks that Anthropic allows. The marks move and nothing else does
 * (R3): Anthropic leaves them out of what it compares.
 *
 * The mark is Anthropic's, which Vertex, OpenRouter and other gateways to its models read too. Others ignore it, so it is
 * set for all. Source: https://docs.claude.com/en/docs/build-with-claude/prompt-caching.
 */
import type { PromptMessage, ProviderOptions, ToolDefinition } from "./provider-model.ts";

const MARK: ProviderOptions = { anthropic: { cacheControl: { type: "ephemeral" } } };

/** The whole prompt with its marks; `instructions` may be blank. Copies the messages that it marks. */
export function withBreakpoints(instructions: string, messages: readonly PromptMessage[]): PromptMessage[] {
  const system: PromptMessage = { role: "system", content: instructions, providerOptions: MARK };
  // `concat` copies at the speed of memory; spreading behind another item asks an iterator for each message.
  const front: PromptMessage[] = hasInstructions(instructions) ? [system] : [];
  const prompt = front.concat(messages);
  const answer = prompt.findLastIndex(({ role }) => role === "assistant");
  for (const at of [answer - 1, prompt.length - 1]) {
    const message = prompt[at];
    if (message) prompt[at] = { ...message, providerOptions: MARK };
  }
  return prompt;
}

/** Without instructions to carry it, the last tool has the first mark. */
export function withToolBreakpoint(instructions: string, tools: ToolDefinition[]): ToolDefinition[] {
  const last = tools.at(-1);
  if (!last || hasInstructions(instructions)) return tools;
  return [...tools.slice(0, -1), { ...last, providerOptions: MARK }];
}

/** A blank text would be refused. */
function hasInstructions(instructions: string): boolean {
  return /\S/.test(instructions);
}
