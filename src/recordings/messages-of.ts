/** From an agent's state back to the recorded messages that it stands for: the inverse of `scriptOf`. */
import type { AssistantPart, Content, Json } from "../agent/content.ts";
import type { Meta } from "../agent/events.ts";
import type { Entry, Message, State } from "../agent/state.ts";
import type { Contents } from "../blobs/content.ts";

/** Marks what the replay had to add so that the agent could go on or end; the record has no such message. */
export const UNRECORDED: Meta = { unrecorded: true };

export async function messagesOf(state: State, contents: Contents): Promise<Json[]> {
  const messages: Json[] = [];
  for (const entry of state.entries) messages.push(...(await messagesOfEntry(entry, contents)));
  for (const message of state.inbox) messages.push(await told(message, contents));
  return messages;
}

async function messagesOfEntry(entry: Entry, contents: Contents): Promise<Json[]> {
  switch (entry.kind) {
    case "user":
      return [await told(entry.message, contents)];
    case "assistant":
      return entry.meta?.unrecorded ? [] : [await said(entry.parts, entry.meta, contents)];
    case "tools": {
      const recorded = entry.results.filter(({ meta }) => !meta?.unrecorded).sort((a, b) => a.seq - b.seq);
      return Promise.all(
        recorded.map(async ({ callId, content, meta }) => {
          return { role: "tool", content: await contents.fetch(content), tool_call_id: callId, ...meta };
        }),
      );
    }
  }
}

async function told({ content, meta }: Message, contents: Contents): Promise<Json> {
  return { content: await contents.fetch(content), ...meta };
}

async function said(parts: readonly AssistantPart[], meta: Meta | undefined, contents: Contents): Promise<Json> {
  const calls: Json[] = [];
  for (const part of parts) {
    if (part.type !== "toolCall") continue;
    const input = "json" in part.input ? part.input.json : JSON.parse(await contents.fetch(part.input.text));
    calls.push({ id: part.callId, name: part.name, input });
  }
  const reasoning = await joined(parts, "reasoning", contents);
  return {
    role: "assistant",
    content: await joined(parts, "text", contents),
    ...(reasoning && { reasoning }),
    ...(calls.length > 0 && { tool_calls: calls }),
    ...meta,
  };
}

async function joined(
  parts: readonly AssistantPart[],
  type: "text" | "reasoning",
  contents: Contents,
): Promise<string> {
  const texts: Content[] = parts.flatMap((part) => (part.type === type ? [part.text] : []));
  return (await Promise.all(texts.map((text) => contents.fetch(text)))).join("");
}
