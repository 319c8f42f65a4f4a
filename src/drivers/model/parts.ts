/**
 * From what a model said to what is journaled: long texts stowed, secrets taken out, calls read.
 */
import type { AssistantPart, Content, Json } from "../../agent/content.ts";
import { LIMITS } from "../../base/limits.ts";
import type { Contents } from "../../blobs/content.ts";
import type { Block } from "./answer.ts";

export type Parts = { readonly parts: AssistantPart[] } | { readonly garbled: string };

/** Of one answer all that stays inline, so that its event is a record even if JSON escapes every character in six. */
const INLINE_BYTES_MAX = LIMITS.recordBytesMax / 8;
const NAME_LENGTH_MAX = 256;

/** The parts in order, or why there is no sense in them. Rejects with DISK_FAILED. */
export async function partsOf(blocks: readonly Block[], contents: Contents): Promise<Parts> {
  const parts: AssistantPart[] = [];
  const ids = new Set<string>();
  let inlineLeft = INLINE_BYTES_MAX;

  /** Of a text without secrets. */
  const keep = async (text: string): Promise<Content> => {
    const fits = 3 * text.length <= inlineLeft || Buffer.byteLength(text) <= inlineLeft;
    const content = await (fits ? contents.keep(text) : contents.store(text));
    if (typeof content === "string") inlineLeft -= Buffer.byteLength(content);
    return content;
  };

  for (const block of blocks) {
    const options = block.metadata && { providerOptions: block.metadata };
    if (block.kind !== "call") {
      if (block.text === "" && !options) continue;
      const open = contents.redact(block.text);
      // A signature holds for the reasoning as it was.
      const holds = block.kind === "text" || open === block.text;
      parts.push({ type: block.kind, text: await keep(open), ...(holds && options) });
      continue;
    }
    const { name } = block;
    if (name === "" || name.length > NAME_LENGTH_MAX) return { garbled: "a call names no tool" };
    const json = parseInput(block.input);
    if (json === undefined) return { garbled: `the input of a call of ${name} is no JSON object` };
    const open = redactJson(json, block.input, contents);
    const kept = await keep(open === json ? block.input || "{}" : JSON.stringify(open));
    const input = typeof kept === "string" ? { json: open } : { text: kept };
    parts.push({ type: "toolCall", callId: freshId(block.id, ids), name, input, ...options });
  }
  return { parts };
}

/** Providers take back nothing but an object. Some say nothing at all for no arguments. */
function parseInput(text: string): Json | undefined {
  if (text === "") return {};
  try {
    const json = JSON.parse(text) as Json;
    return json !== null && typeof json === "object" && !Array.isArray(json) ? json : undefined;
  } catch {
    return undefined;
  }
}

/** The same value when there is nothing to take out. */
function redactJson(json: Json, text: string, { redact }: Contents): Json {
  const isPlain = !text.includes("\\") && redact(text) === text;
  return isPlain ? json : redactStrings(json, redact);
}

function redactStrings(json: Json, redact: (text: string) => string): Json {
  if (typeof json === "string") return redact(json);
  if (Array.isArray(json)) return json.map((item) => redactStrings(item, redact));
  if (json === null || typeof json !== "object") return json;
  return Object.fromEntries(Object.entries(json).map(([key, value]) => [redact(key), redactStrings(value, redact)]));
}

/** Two calls of one answer may not share an id: their results could not be told apart. */
function freshId(id: string, taken: Set<string>): string {
  const base = id.slice(0, NAME_LENGTH_MAX - 8) || "call";
  let fresh = id.length > 0 && id.length <= NAME_LENGTH_MAX ? id : base;
  for (let copy = 2; taken.has(fresh); copy++) fresh = `${base}-${copy}`;
  taken.add(fresh);
  return fresh;
}
