/**
 * The upper bound of a prompt in tokens (R4), without a tokenizer.
 *
 * A token of a byte-level BPE stands for one byte or more, and a provider that splits text otherwise falls back to one token
 * a byte. So the UTF-8 bytes of everything that is sent, and an allowance for what the provider puts around it, are a bound, about
 * four times too high for prose. From the first answer on only what was added since is counted in bytes, because the
 * provider has said what the prompt before was.
 */
import type { AssistantPart, Content } from "../../agent/content.ts";
import { preambleOf } from "../../agent/render.ts";
import type { Entry, Message, State } from "../../agent/state.ts";
import { promptTokens, type Usage } from "../../agent/usage.ts";
import { shownResult } from "./prompt.ts";

/** Around a call: Anthropic's system text for tool use has up to 530 tokens (https://docs.claude.com/en/docs/agents-and-tools/tool-use/overview, "Pricing"). */
const CALL_TOKENS = 1_024;
/** Around a message or a part of one: roles, types and ids in the provider's own markup. */
const PART_TOKENS = 64;
/** Around a tool's definition. */
const TOOL_TOKENS = 128;

/** Of a toolset, by its JSON text. Counts a tool's allowance at every key that could be one's name. */
export function toolsTokensMax(text: string): number {
  const tools = text.split('"name"').length - 1;
  return Buffer.byteLength(text) + tools * TOOL_TOKENS;
}

/** Of one conversation, kept up to date as it grows. */
export class PromptBound {
  readonly #fixedTokens: number;
  #counted = 0;
  #lastSeq = 0;
  /** Of the entries counted. */
  #tokens: number;

  constructor(instructions: string, toolsTokens: number) {
    this.#fixedTokens = CALL_TOKENS + Buffer.byteLength(instructions) + toolsTokens;
    this.#tokens = this.#fixedTokens;
  }

  /** Of the next turn over this state, with what waits in its inbox. */
  of({ entries, inbox }: State): number {
    this.#follow(entries);
    return inbox.reduce((sum, message) => sum + messageTokens(message), this.#tokens);
  }

  /** Takes what the prompt of this state was billed as, or bounded by, as what its entries come to. */
  settle({ entries }: State, usage: Usage): void {
    this.#follow(entries);
    const billed = promptTokens(usage);
    if (billed > 0) this.#tokens = billed;
  }

  #follow(entries: State["entries"]): void {
    const continues = this.#counted === 0 || entries.at(this.#counted - 1)?.seq === this.#lastSeq;
    if (!continues || entries.length < this.#counted) {
      this.#counted = 0;
      this.#tokens = this.#fixedTokens;
    }
    for (; this.#counted < entries.length; this.#counted++) {
      const entry = entries.at(this.#counted) as Entry;
      this.#tokens += entryTokens(entry);
      this.#lastSeq = entry.seq;
    }
  }
}

function entryTokens(entry: Entry): number {
  switch (entry.kind) {
    case "user":
      return messageTokens(entry.message);
    case "assistant":
      return entry.parts.reduce((sum, part) => sum + partTokens(part), 2 * PART_TOKENS);
    case "tools": {
      const tokens = (text: string, id: string) => Buffer.byteLength(text) + Buffer.byteLength(id) + PART_TOKENS;
      return entry.results.reduce(
        (sum, { content, callId }) => sum + tokens(shownResult(content), callId),
        PART_TOKENS,
      );
    }
  }
}

function messageTokens(message: Message): number {
  return 2 * PART_TOKENS + bytesOf(message.content) + Buffer.byteLength(preambleOf(message) ?? "");
}

function partTokens(part: AssistantPart): number {
  const options = part.providerOptions ? Buffer.byteLength(JSON.stringify(part.providerOptions)) : 0;
  if (part.type !== "toolCall") return PART_TOKENS + options + bytesOf(part.text);
  const input = "json" in part.input ? Buffer.byteLength(JSON.stringify(part.input.json)) : part.input.text.bytes;
  return PART_TOKENS + options + input + Buffer.byteLength(part.callId) + Buffer.byteLength(part.name);
}

function bytesOf(content: Content): number {
  return typeof content === "string" ? Buffer.byteLength(content) : content.bytes;
}
