/**
 * Tool definitions exactly as the model was shown them at first, read by the digest that the journal holds. So the prompt stays
 * what it was when the code of a tool, and with it a description, has changed since.
 */
import { z } from "zod";
import { json } from "../../agent/content.ts";
import { BanyanError } from "../../base/errors.ts";
import type { Contents } from "../../blobs/content.ts";
import { toolsTokensMax } from "./bound.ts";
import type { ToolDefinition } from "./provider-model.ts";

export interface Toolset {
  readonly tools: ToolDefinition[];
  /** Upper bound of what they add to a prompt. */
  readonly tokensMax: number;
}

export interface Toolsets {
  /** @throws BLOB_NOT_FOUND, BLOB_DAMAGED, EVENT_INVALID */
  find(digest: string): Promise<Toolset>;
}

/** Sessions of one toolset share its definitions, as long as one of them is open. */
export function createToolsets(contents: Contents): Toolsets {
  const known = new Map<string, WeakRef<Toolset>>();
  return {
    async find(digest) {
      const shared = known.get(digest)?.deref();
      if (shared) return shared;
      const text = await contents.load(digest);
      const toolset = { tools: parse(text, digest), tokensMax: toolsTokensMax(text) };
      for (const [other, reference] of known) if (!reference.deref()) known.delete(other);
      known.set(digest, new WeakRef(toolset));
      return toolset;
    },
  };
}

const definitions = z.array(
  z.looseObject({ name: z.string(), description: z.string().optional(), inputSchema: z.record(z.string(), json) }),
);

/** What zod gives back is not used: it might order keys anew, and every byte counts (R3). */
function parse(text: string, digest: string): ToolDefinition[] {
  let parsed: unknown;
  try {
    parsed = JSON.parse(text);
    definitions.parse(parsed);
  } catch (cause) {
    throw new BanyanError("EVENT_INVALID", `${digest} is no toolset`, { cause });
  }
  return (parsed as Omit<ToolDefinition, "type">[]).map((definition) => ({ type: "function", ...definition }));
}
