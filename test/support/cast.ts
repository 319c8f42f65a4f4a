/**
 * A model that plays parts: an agent's instructions name its part, and how often it has spoken says which line comes next. So a
 * script is a function of the conversation, and goes on in the right place after a crash, a fork or a rewind.
 */
import type { Json } from "../../src/agent/content.ts";
import { BanyanError } from "../../src/base/errors.ts";
import { type Asked, type Reply, type ScriptedModel, scriptedModel } from "./models.ts";

/** What an agent was told: enough for a line that depends on it. */
export interface Heard {
  readonly part: string;
  /** Assistant messages so far. */
  readonly said: number;
  /** Texts of what followed its last words: messages and results, in order. */
  readonly news: readonly string[];
  readonly asked: Asked;
}

export type Line = Reply | ((heard: Heard) => Reply | Promise<Reply>);

/** Parts by name; a function is asked for every line. A part that has no more lines fails the call for good. */
export type Parts = Readonly<Record<string, readonly Line[] | ((heard: Heard) => Reply | Promise<Reply>)>>;

export function cast(parts: Parts, { provider = "test", modelId = "cast" } = {}): ScriptedModel {
  return scriptedModel(
    (asked) => {
      const heard = hear(asked);
      const part = parts[heard.part];
      if (!part) return outOfScript(`no part is named ${JSON.stringify(heard.part)}`);
      const line = typeof part === "function" ? part : part[heard.said];
      if (line === undefined) return outOfScript(`${heard.part} has only ${heard.said} lines`);
      return typeof line === "function" ? line(heard) : line;
    },
    { provider, modelId },
  );
}

/** Fails the agent: a mistake in a script is not to be tried again. */
function outOfScript(why: string): Error {
  return new BanyanError("MODEL_FAILED", why);
}

/** The part that a call is for, and what it heard. */
export function hear(asked: Asked): Heard {
  const [system] = asked.prompt;
  const lastSaid = asked.prompt.findLastIndex(({ role }) => role === "assistant");
  const news = asked.prompt.slice(lastSaid + 1).flatMap((message) => {
    if (message.role === "user") return message.content.flatMap((part) => (part.type === "text" ? [part.text] : []));
    if (message.role !== "tool") return [];
    return message.content.flatMap((part) =>
      part.type === "tool-result" && "value" in part.output ? [String(part.output.value)] : [],
    );
  });
  return {
    part: system?.role === "system" ? system.content : "",
    said: asked.prompt.filter(({ role }) => role === "assistant").length,
    news,
    asked,
  };
}

let made = 0;

/** An answer that calls tools: `asks(["spawn_agent", { name: "a" }], ...)`. Every call has an id of its own. */
export function asks(...calls: readonly (readonly [name: string, input?: Json])[]) {
  return { calls: calls.map(([name, input = {}]) => ({ id: `${name}-${++made}`, name, input })) };
}
