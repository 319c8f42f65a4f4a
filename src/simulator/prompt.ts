/**
 * A request as the cache sees it: a chain of blocks in the order tools, system, messages. Each block has the hash of
 * everything up to and including it, so that equal prefixes have equal hashes, and the tokens up to and including it.
 * A cache mark is not part of the content: moving it does not change a hash.
 */
import { hash } from "node:crypto";
import { invalid } from "./api-error.ts";
import { type Block, blocksOf, type CacheControl, type PromptRequest } from "./messages-api.ts";
import { countTokens, IMAGE_TOKENS } from "./tokens.ts";

export type Lifetime = "5m" | "1h";

export interface PromptBlock {
  readonly hash: string;
  readonly tokensUpTo: number;
  /** Set where a cache breakpoint is. */
  readonly lifetime: Lifetime | undefined;
}

export interface Prompt {
  readonly blocks: readonly PromptBlock[];
  readonly tokens: number;
  /** Of the whole prompt; the same request has the same one. */
  readonly digest: string;
}

const BREAKPOINTS_MAX = 4;

/** `owner` separates the caches of API keys. @throws ApiError 400 for cache marks that the API refuses */
export function flatten(request: PromptRequest, owner: string): Prompt {
  const chain = new Chain(`${owner}\n${request.model}`);
  request.tools?.forEach((tool, at) => {
    const { cache_control: mark, ...rest } = tool;
    chain.add(`tools.${at}`, "tool", JSON.stringify(rest), mark);
  });
  if (typeof request.system === "string") chain.add("system", "system", request.system, undefined);
  else {
    request.system?.forEach((block, at) => {
      chain.add(`system.${at}`, "system", block.text, block.cache_control);
    });
  }
  // A changed choice of tools or way of thinking loses the messages' cache, and keeps that of tools and system.
  chain.mix(JSON.stringify([request.tool_choice, request.thinking]));
  request.messages.forEach((message, index) => {
    blocksOf(message).forEach((block, at) => {
      addBlock(chain, `messages.${index}.content.${at}`, message.role, block);
    });
  });
  return chain.end(request.cache_control);
}

function addBlock(chain: Chain, where: string, role: string, block: Block): void {
  const mark = "cache_control" in block ? (block.cache_control as CacheControl) : undefined;
  const { kind, text, ...more } = contentOf(block);
  chain.add(where, `${role} ${kind}`, text, mark, more);
}

function contentOf(block: Block): { kind: string; text: string; cacheable?: boolean; tokens?: number } {
  switch (block.type) {
    case "text":
      return { kind: "text", text: block.text };
    case "tool_use":
      return { kind: block.id, text: `${block.name} ${JSON.stringify(block.input)}` };
    case "tool_result": {
      const text = typeof block.content === "string" ? block.content : JSON.stringify(block.content ?? "");
      return { kind: `${block.tool_use_id} ${block.is_error === true}`, text };
    }
    case "thinking":
      return { kind: "thinking", text: block.thinking, cacheable: false };
    case "image":
      return { kind: "image", text: JSON.stringify(unmarked(block)), tokens: IMAGE_TOKENS };
    default:
      return { kind: block.type, text: JSON.stringify(unmarked(block)) };
  }
}

function unmarked({ cache_control: _, ...rest }: { cache_control?: unknown }): object {
  return rest;
}

class Chain {
  #hash: string;
  #tokens = 0;
  #marks = 0;
  #lastLifetime: Lifetime | undefined;
  #lastCacheable = -1;
  readonly #blocks: { hash: string; tokensUpTo: number; lifetime: Lifetime | undefined }[] = [];

  constructor(seed: string) {
    this.#hash = seed;
  }

  /** Makes everything from here on depend on `text`, which is no block. */
  mix(text: string): void {
    this.#hash = hash("sha256", `${this.#hash}\n${text}`);
  }

  add(
    where: string,
    kind: string,
    text: string,
    mark: CacheControl,
    { cacheable = true, tokens = countTokens(text) }: { cacheable?: boolean; tokens?: number } = {},
  ): void {
    this.mix(`${kind}\n${text}`);
    this.#tokens += tokens;
    const lifetime = mark ? this.#checkMark(where, mark, text) : undefined;
    if (cacheable && tokens > 0) this.#lastCacheable = this.#blocks.length;
    this.#blocks.push({ hash: this.#hash, tokensUpTo: this.#tokens, lifetime });
  }

  /** `automatic`: the request's own mark, which goes to its last block that can be cached. */
  end(automatic: CacheControl): Prompt {
    const last = this.#blocks[this.#lastCacheable];
    if (automatic && last && !last.lifetime) last.lifetime = this.#checkMark("cache_control", automatic, "all");
    return { blocks: this.#blocks, tokens: this.#tokens, digest: this.#hash };
  }

  #checkMark(where: string, mark: NonNullable<CacheControl>, text: string): Lifetime {
    const lifetime = mark.ttl ?? "5m";
    if (text === "") throw invalid(`${where}.cache_control: cache_control cannot be set for empty text blocks`);
    if (++this.#marks > BREAKPOINTS_MAX) {
      throw invalid(`A maximum of ${BREAKPOINTS_MAX} blocks with cache_control may be provided. Found ${this.#marks}.`);
    }
    if (lifetime === "1h" && this.#lastLifetime === "5m") {
      throw invalid(
        `${where}.cache_control.ttl: a ttl='1h' cache_control block must not come after a ttl='5m' cache_control block. Note that blocks are processed in the following order: \`tools\`, \`system\`, \`messages\`.`,
      );
    }
    this.#lastLifetime = lifetime;
    return lifetime;
  }
}
