/** Asks a provider without a socket, as most tests here do. */

import type { WireUsage } from "../../src/simulator/answer.ts";
import type { Block } from "../../src/simulator/messages-api.ts";
import type { Provider, ProviderResponse } from "../../src/simulator/provider.ts";

export interface Asked {
  status: number;
  headers: Readonly<Record<string, string>>;
  text: string;
  /** Parsed text; undefined when it is no JSON. */
  // biome-ignore lint/suspicious/noExplicitAny: tests look into bodies of many forms
  json: any;
}

export interface TestMessage {
  role: "user" | "assistant";
  content: string | readonly (Block | object)[];
}

export const MODEL = "claude-sonnet-4-5";

export function send(
  provider: Provider,
  body: object,
  {
    key = "k",
    path = "/v1/messages",
    headers = {} as Record<string, string>,
    signal = undefined as AbortSignal | undefined,
  } = {},
): Promise<ProviderResponse> {
  const all = { "x-api-key": key, "anthropic-version": "2023-06-01", ...headers };
  return provider.handle({ method: "POST", path, headers: all, body: JSON.stringify(body), ...(signal && { signal }) });
}

/** Sends a request of some messages, or a whole body, and reads the response to its end. */
export async function ask(
  provider: Provider,
  of: readonly TestMessage[] | object,
  options: Parameters<typeof send>[2] = {},
): Promise<Asked> {
  const body = Array.isArray(of) ? { messages: of } : of;
  const response = await send(provider, { model: MODEL, max_tokens: 1_000, ...body }, options);
  const text = await textOf(response);
  return { status: response.status, headers: response.headers, text, json: parsed(text) };
}

async function textOf({ body }: ProviderResponse): Promise<string> {
  if (typeof body === "string") return body;
  let text = "";
  for await (const piece of body) text += piece;
  return text;
}

export async function usageOf(provider: Provider, body: object, key = "k"): Promise<WireUsage> {
  const { json, text } = await ask(provider, body, { key });
  if (!json?.usage) throw new Error(text);
  return json.usage;
}

function parsed(text: string): unknown {
  try {
    return JSON.parse(text);
  } catch {
    return undefined;
  }
}
