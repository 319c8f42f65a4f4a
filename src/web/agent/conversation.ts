/**
 * A conversation as it grows: what the server said of it, and the events since. Pure.
 *
 * C1  What comes of the events is what the server would say if it were asked again; where that cannot be known, it is asked again.
 */
import type { AgentDetail, LoggedEvent, TranscriptEntry } from "../../server/contract/agent.ts";

type Message = Extract<TranscriptEntry, { role: "user" }>;
type Result = Extract<TranscriptEntry, { role: "tools" }>["results"][number];

export interface Conversation {
  readonly entries: readonly TranscriptEntry[];
  /** Messages that the agent has not read, by id. */
  readonly inbox: ReadonlyMap<string, Message>;
  /** Events up to this one are in what the server said. */
  readonly upTo: number;
  /** The server has to be asked again. */
  readonly stale: boolean;
}

export const NO_CONVERSATION: Conversation = { entries: [], inbox: new Map(), upTo: 0, stale: true };

export function grow(conversation: Conversation, events: readonly LoggedEvent[]): Conversation {
  const entries = [...conversation.entries];
  const inbox = new Map(conversation.inbox);
  let { stale } = conversation;
  const { upTo } = conversation;
  for (const { seq, time, event } of events) {
    if (event.type === "message.received") {
      inbox.set(event.id, { role: "user", seq, time, from: event.from, text: event.content });
    }
    if (seq <= upTo) {
      if (event.type === "turn.started") for (const id of event.took) inbox.delete(id);
      continue;
    }
    switch (event.type) {
      case "turn.started":
        for (const id of event.took) {
          const message = inbox.get(id);
          if (message) entries.push({ ...message, seq });
          else stale = true;
          inbox.delete(id);
        }
        break;
      case "turn.ended":
        entries.push({
          role: "assistant",
          seq,
          time,
          parts: event.parts,
          interrupted: event.outcome === "interrupted",
        });
        break;
      case "tool.ended":
        answer(entries, seq, time, {
          callId: event.callId,
          name: nameOfCall(entries, event.callId),
          outcome: event.outcome,
          text: event.content,
        });
        break;
      case "child.ended":
      case "agent.rewound":
        // What it says comes into the conversation in the runtime's own words, or takes some of it back.
        stale = true;
        break;
    }
  }
  return { entries, inbox, upTo, stale };
}

function answer(entries: TranscriptEntry[], seq: number, time: number, result: Result): void {
  const last = entries.at(-1);
  if (last?.role === "tools") entries[entries.length - 1] = { ...last, seq, time, results: [...last.results, result] };
  else entries.push({ role: "tools", seq, time, results: [result] });
}

function nameOfCall(entries: readonly TranscriptEntry[], callId: string): string {
  for (const entry of entries.toReversed()) {
    if (entry.role !== "assistant") continue;
    for (const part of entry.parts) if (part.type === "toolCall" && part.callId === callId) return part.name;
  }
  return "";
}

/** Results by call, to show each with the call that asked for it. */
export function resultsOf(entries: readonly TranscriptEntry[]): ReadonlyMap<string, Result> {
  const results = new Map<string, Result>();
  for (const entry of entries) {
    if (entry.role === "tools") for (const result of entry.results) results.set(result.callId, result);
  }
  return results;
}

type Content = Message["text"];

export function textOf(text: Content): string {
  return typeof text === "string" ? text : text.head;
}

/** Agents that it has had messages from, read or not, the one with the newest first. */
export function heardFrom({ entries, inbox }: Conversation): { agent: string; messages: number; time: number }[] {
  const heard = new Map<string, { agent: string; messages: number; time: number }>();
  for (const entry of [...entries, ...inbox.values()]) {
    if (entry.role !== "user" || entry.from.kind !== "agent" || entry.from.id === undefined) continue;
    const agent = entry.from.id;
    const before = heard.get(agent);
    heard.set(agent, {
      agent,
      messages: (before?.messages ?? 0) + 1,
      time: Math.max(before?.time ?? 0, entry.time),
    });
  }
  return [...heard.values()].sort((a, b) => b.time - a.time);
}

/** Whether an entry, with the results of its calls, says something. */
export function says(entry: TranscriptEntry, results: ReadonlyMap<string, Result>, wanted: string): boolean {
  const has = (text: string) => text.toLowerCase().includes(wanted);
  if (entry.role === "user") return has(textOf(entry.text));
  if (entry.role === "tools") return false;
  return entry.parts.some((part) => {
    if (part.type !== "toolCall") return has(textOf(part.text));
    const input = "json" in part.input ? JSON.stringify(part.input.json) : part.input.text.head;
    const result = results.get(part.callId);
    return has(part.name) || has(input) || (result !== undefined && has(textOf(result.text)));
  });
}

export interface Spent {
  readonly time: number;
  readonly costUsd: number;
  readonly usage: AgentDetail["usage"];
}

/** What each model call cost, oldest first: answered, failed and lost ones. */
export function spendingOf(events: readonly LoggedEvent[]): Spent[] {
  return events.flatMap(({ time, event }) => {
    if (event.type === "turn.ended" || event.type === "turn.failed") {
      return [{ time, costUsd: event.costUsd, usage: event.usage }];
    }
    const none = { input: 0, output: 0, cacheRead: 0, cacheWrite: 0 };
    return event.type === "turn.lost" ? [{ time, costUsd: event.costUsd, usage: none }] : [];
  });
}
