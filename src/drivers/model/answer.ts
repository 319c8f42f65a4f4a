/**
 * What a model has said so far in one call: the parts of its stream put together, in the order in which they began.
 * Tools that the provider runs itself are not among those we give it; should it report one, it is left out, because its
 * result could not be sent back.
 */
import type { ProviderOptions, ProviderUsage, StreamPart } from "./provider-model.ts";

export type Block = {
  id: string;
  metadata: ProviderOptions | undefined;
} & ({ kind: "text" | "reasoning"; text: string } | { kind: "call"; name: string; input: string });
type Kind = "text" | "reasoning";

export class Answer {
  readonly blocks: Block[] = [];
  /** The model that answers, once the provider has named it. */
  model: string | undefined;
  /** What the provider said of the prompt's tokens before the answer began. */
  promptUsage: ProviderUsage["inputTokens"] | undefined;
  /** UTF-16 units that arrived, the inputs of calls included. */
  length = 0;
  /** UTF-8 bytes of calls' inputs that arrived. */
  inputBytes = 0;

  /** Takes in the next part of the stream; those that add nothing to what is said are let go. */
  hear(part: StreamPart, onDelta: ((text: string) => void) | undefined): void {
    switch (part.type) {
      case "text-delta":
        this.#open("text", part.id, part.providerMetadata).text += part.delta;
        this.length += part.delta.length;
        if (part.delta !== "") onDelta?.(part.delta);
        return;
      case "reasoning-delta":
        this.#open("reasoning", part.id, part.providerMetadata).text += part.delta;
        this.length += part.delta.length;
        return;
      case "text-start":
        this.blocks.push({ kind: "text", id: part.id, text: "", metadata: plain(part.providerMetadata) });
        return;
      case "reasoning-start":
        this.blocks.push({ kind: "reasoning", id: part.id, text: "", metadata: plain(part.providerMetadata) });
        return;
      case "text-end":
        if (part.providerMetadata) this.#open("text", part.id, part.providerMetadata);
        return;
      case "reasoning-end":
        if (part.providerMetadata) this.#open("reasoning", part.id, part.providerMetadata);
        return;
      case "tool-input-delta":
        this.length += part.delta.length;
        this.inputBytes += Buffer.byteLength(part.delta);
        return;
      case "tool-call": {
        const { toolCallId: id, toolName: name, input, providerExecuted, providerMetadata } = part;
        if (!providerExecuted) this.blocks.push({ kind: "call", id, name, input, metadata: plain(providerMetadata) });
        return;
      }
      case "response-metadata":
        this.model = part.modelId ?? this.model;
        return;
      case "custom":
        if (part.kind === "anthropic.message_start")
          this.promptUsage = anthropicPrompt(part.providerMetadata?.anthropic);
    }
  }

  /** The provider has begun to answer. */
  get wasHeard(): boolean {
    return this.length > 0 || this.blocks.length > 0 || this.promptUsage !== undefined;
  }

  /** Nothing of it can be seen yet, though the model may have been thinking for long. */
  get isHidden(): boolean {
    return !this.blocks.some((block) => block.kind === "call" || block.text !== "") && this.inputBytes === 0;
  }

  /** The block that a part belongs to, almost always the newest. A provider may omit the start. */
  #open(kind: Kind, id: string, metadata: StreamMetadata): { text: string } {
    for (let at = this.blocks.length - 1; at >= 0; at--) {
      const block = this.blocks[at] as Block;
      if (block.kind !== kind || block.id !== id) continue;
      if (metadata) block.metadata = { ...block.metadata, ...merged(block.metadata, metadata) };
      return block;
    }
    const block = { kind, id, text: "", metadata: plain(metadata) };
    this.blocks.push(block);
    return block;
  }
}

type StreamMetadata = Extract<StreamPart, { type: "text-delta" }>["providerMetadata"];

/** Only what JSON can carry, since it is journaled; nothing when nothing is left. */
function plain(metadata: StreamMetadata): ProviderOptions | undefined {
  if (!metadata) return undefined;
  const entries = Object.entries(JSON.parse(JSON.stringify(metadata)) as ProviderOptions);
  const objects = entries.filter(
    ([, value]) => value !== null && typeof value === "object" && Object.keys(value).length > 0,
  );
  return objects.length > 0 ? Object.fromEntries(objects) : undefined;
}

/** Start, deltas and end may each bring some of a provider's metadata: a signature comes last. */
function merged(known: ProviderOptions | undefined, more: StreamMetadata): ProviderOptions {
  const added = plain(more) ?? {};
  return Object.fromEntries(Object.entries(added).map(([name, value]) => [name, { ...known?.[name], ...value }]));
}

/** Anthropic counts the prompt before the answer begins, which makes the price of an answer cut short exact on that side. */
function anthropicPrompt(metadata: Record<string, unknown> | undefined): ProviderUsage["inputTokens"] | undefined {
  const usage = metadata?.usage as Record<string, number | undefined> | undefined;
  if (typeof usage?.input_tokens !== "number") return undefined;
  const { input_tokens: noCache, cache_read_input_tokens: cacheRead, cache_creation_input_tokens: cacheWrite } = usage;
  return { total: undefined, noCache, cacheRead, cacheWrite };
}
