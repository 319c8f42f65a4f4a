/**
 * What happened to an agent between two of its restore points: what was said, which tools ran, what it cost, which children and
 * artifacts came. Read from the events between the two, however long the past before them is.
 */
import { decodeEvent } from "../agent/codec.ts";
import { type Content, callsOf } from "../agent/content.ts";
import type { AgentEvent, ArtifactReference } from "../agent/events.ts";
import { addUsage, NO_USAGE, type Usage } from "../agent/usage.ts";
import { LIMITS } from "../base/limits.ts";
import type { StoredRecord } from "../journal/journal.ts";

export interface CheckpointDiff {
  readonly from: number;
  readonly to: number;
  readonly events: number;
  /** Between the times of the two events. */
  readonly elapsedMs: number;
  readonly turns: number;
  readonly usage: Usage;
  readonly costUsd: number;
  /** What was said and read, oldest first; `left` more are not told. */
  readonly messages: DiffMessage[];
  readonly left: number;
  /** Calls that ended, by tool. */
  readonly tools: { readonly name: string; readonly calls: number; readonly failed: number }[];
  readonly spawned: { readonly agent: string; readonly name: string }[];
  readonly ended: { readonly agent: string; readonly status: string; readonly costUsd: number }[];
  /** The newest of each name. */
  readonly artifacts: ArtifactReference[];
  readonly processes: string[];
  /** Restore points to which it went back meanwhile. */
  readonly rewoundTo: number[];
}

export interface DiffMessage {
  readonly seq: number;
  readonly role: "user" | "assistant";
  readonly text: string;
}

/** Of a message that a diff tells of. */
const SHOWN_LENGTH_MAX = 200;

/** `records` are those of the agent's past with `from < seq <= to`, in batches; `fromTime` is when `from` became durable. */
export async function diffOf(
  records: AsyncIterable<readonly StoredRecord[]>,
  { from, to, fromTime }: { from: number; to: number; fromTime: number | undefined },
): Promise<CheckpointDiff> {
  const tally = new Tally();
  for await (const batch of records) {
    for (const { seq, time, type, body } of batch) {
      if (seq > from && seq <= to) tally.add(seq, time, decodeEvent(type, body));
    }
  }
  return tally.diff(from, to, fromTime);
}

/** Stands for the tool of a call that the agent asked for before the events that are looked at. */
const ASKED_BEFORE = "asked for before";

class Tally {
  #events = 0;
  #firstTime: number | undefined;
  #lastTime = 0;
  #turns = 0;
  #usage: Usage = NO_USAGE;
  #costUsd = 0;
  readonly #messages: DiffMessage[] = [];
  #left = 0;
  readonly #calls = new Map<string, string>();
  readonly #tools = new Map<string, { calls: number; failed: number }>();
  readonly #spawned: { agent: string; name: string }[] = [];
  readonly #ended: { agent: string; status: string; costUsd: number }[] = [];
  readonly #artifacts = new Map<string, ArtifactReference>();
  readonly #processes: string[] = [];
  readonly #rewoundTo: number[] = [];

  add(seq: number, time: number, event: AgentEvent): void {
    this.#events += 1;
    this.#firstTime ??= time;
    this.#lastTime = time;
    if ("costUsd" in event && event.type !== "child.ended") this.#costUsd += event.costUsd;
    if ("usage" in event) this.#usage = addUsage(this.#usage, event.usage);
    this.#talk(seq, event);
    this.#note(event);
  }

  diff(from: number, to: number, fromTime: number | undefined): CheckpointDiff {
    const since = fromTime ?? this.#firstTime;
    return {
      from,
      to,
      events: this.#events,
      elapsedMs: since === undefined ? 0 : Math.max(0, this.#lastTime - since),
      turns: this.#turns,
      usage: this.#usage,
      costUsd: this.#costUsd,
      messages: this.#messages,
      left: this.#left,
      tools: [...this.#tools].map(([name, counts]) => ({ name, ...counts })),
      spawned: this.#spawned,
      ended: this.#ended,
      artifacts: [...this.#artifacts.values()],
      processes: this.#processes,
      rewoundTo: this.#rewoundTo,
    };
  }

  /** Messages and calls. */
  #talk(seq: number, event: AgentEvent): void {
    if (event.type === "message.received") this.#say(seq, "user", event.content);
    if (event.type === "tool.ended") {
      this.#count(this.#calls.get(event.callId) ?? ASKED_BEFORE, event.outcome === "ok");
    }
    if (event.type !== "turn.ended") return;
    this.#turns += 1;
    for (const part of event.parts) if (part.type === "text") this.#say(seq, "assistant", part.text);
    for (const { callId, name } of callsOf(event.parts)) this.#calls.set(callId, name);
  }

  /** What came about beside the conversation. */
  #note(event: AgentEvent): void {
    switch (event.type) {
      case "child.spawned":
        this.#spawned.push({ agent: event.child, name: event.name });
        return;
      case "child.ended":
        this.#ended.push({ agent: event.child, status: event.status, costUsd: event.costUsd });
        return;
      case "artifact.written":
        this.#artifacts.set(event.artifact.name, event.artifact);
        return;
      case "process.started":
        this.#processes.push(event.name);
        return;
      case "agent.rewound":
        this.#rewoundTo.push(event.to);
        return;
      default:
    }
  }

  #say(seq: number, role: DiffMessage["role"], content: Content): void {
    if (this.#messages.length >= LIMITS.diffMessagesMax) {
      this.#left += 1;
      return;
    }
    const text = typeof content === "string" ? content : content.head;
    this.#messages.push({ seq, role, text: text.slice(0, SHOWN_LENGTH_MAX) });
  }

  #count(name: string, isOk: boolean): void {
    const { calls, failed } = this.#tools.get(name) ?? { calls: 0, failed: 0 };
    this.#tools.set(name, { calls: calls + 1, failed: failed + Number(!isOk) });
  }
}
