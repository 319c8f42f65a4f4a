/** Events and messages as lines for people. Everything that agents made passes through `oneLine` or `block`. */
import { styleText } from "node:util";
import { type Content, callsOf, headOf } from "../agent/content.ts";
import type { AgentEvent } from "../agent/events.ts";
import { endText } from "../agent/processes.ts";
import type { LoggedEvent, TranscriptEntry } from "../client.ts";
import { dollars, plural } from "./figures.ts";
import { block, cut, oneLine, padTo } from "./terminal.ts";

type Style = Parameters<typeof styleText>[0];

/** Of text that an event line shows. */
const SHOWN_WIDTH = 120;

/** `POSITION  TIME  AGENT  EVENT  what it says`. */
export function eventLine({ position, time, event }: LoggedEvent, name: string, colour: boolean): string {
  const words = [
    paint(colour, "dim", `${String(position).padStart(6)}  ${timeOf(time)}`),
    padTo(oneLine(name), 20),
    paint(colour, styleOf(event), event.type.padEnd(16)),
    cut(oneLine(saysOf(event)), SHOWN_WIDTH),
  ];
  return words.join("  ").trimEnd();
}

/** A message with its restore point. */
export function entryText(entry: TranscriptEntry, colour: boolean): string {
  const head = (who: string) => paint(colour, "bold", `── ${entry.seq}  ${timeOf(entry.time)}  ${oneLine(who)}`);
  switch (entry.role) {
    case "user":
      return `${head(entry.report ? `${senderOf(entry.from)} ${entry.report}` : senderOf(entry.from))}\n${textOf(entry.text)}\n`;
    case "assistant": {
      const parts = entry.parts.map((part) => {
        if (part.type === "text") return textOf(part.text);
        if (part.type === "reasoning") return paint(colour, "dim", textOf(part.text));
        const input = "json" in part.input ? JSON.stringify(part.input.json) : textOf(part.input.text);
        return `${paint(colour, "cyan", `→ ${oneLine(part.name)}`)} ${block(input)}`;
      });
      return `${head(entry.interrupted ? "assistant, interrupted" : "assistant")}\n${parts.join("\n")}\n`;
    }
    case "tools": {
      const results = entry.results.map(
        ({ name, outcome, text }) => `${paint(colour, "cyan", `← ${oneLine(name)}`)} ${outcome}\n${textOf(text)}`,
      );
      return `${head(plural(results.length, "result"))}\n${results.join("\n")}\n`;
    }
  }
}

function paint(colour: boolean, style: Style, text: string): string {
  return colour && text !== "" ? styleText(style, text, { validateStream: false }) : text;
}

/** UTC, so that logs of several machines read alike. */
function timeOf(time: number): string {
  return new Date(time).toISOString().replace("T", " ").replace("Z", "");
}

/** The text, and how to read the rest of a long one. */
function textOf(text: Content): string {
  if (typeof text === "string") return block(text);
  return `${block(text.head)}\n[${text.bytes} bytes in all: banyan artifact get ${text.digest}]`;
}

function senderOf({ kind, name, id }: { kind: string; name?: string | undefined; id?: string | undefined }): string {
  const who = name ?? id;
  return who === undefined ? kind : `${kind} ${who}`;
}

function styleOf({ type }: AgentEvent): Style {
  if (type.endsWith(".failed") || type === "turn.lost") return "red";
  if (type === "agent.completed") return "green";
  if (type.startsWith("hold.") || type === "agent.cancelled" || type === "agent.rewound") return "yellow";
  return type.startsWith("tool.") ? "cyan" : "reset";
}

function saysOf(event: AgentEvent): string {
  switch (event.type) {
    case "agent.created":
      return `${event.name}, level ${event.level}, ${event.execution.model}`;
    case "agent.forked":
      return `${event.name}, from ${event.origin.agent} at ${event.origin.seq}`;
    case "message.received":
      return `from ${senderOf(event.from)}: ${headOf(event.content)}`;
    case "turn.started":
      return `turn ${event.turn}${event.attempt > 1 ? `, attempt ${event.attempt}` : ""}, ${dollars(event.reservedUsd)} reserved`;
    case "turn.ended": {
      const said = event.parts.flatMap((part) => (part.type === "text" ? [headOf(part.text)] : [])).join(" ");
      const asked = callsOf(event.parts)
        .map((call) => call.name)
        .join(", ");
      const { input, output, cacheRead, cacheWrite } = event.usage;
      const tokens = `${input + cacheRead + cacheWrite} in (${cacheRead} cached), ${output} out`;
      return `${tokens}, ${dollars(event.costUsd)}${event.outcome === "interrupted" ? ", interrupted" : ""}${asked ? `; asks for ${asked}` : ""}${said ? `: ${said}` : ""}`;
    }
    case "turn.failed":
    case "agent.failed":
      return `${event.error.code}: ${event.error.message}`;
    case "turn.lost":
      return `at most ${dollars(event.costUsd)} spent`;
    case "turn.postponed":
      return "until its provider has room";
    case "turn.withdrawn":
      return "nothing was spent";
    case "tool.started":
      return event.waitsFor ? `${event.callId}, waits for ${event.waitsFor}` : event.callId;
    case "tool.asked":
      return `${event.callId}: ${event.question}`;
    case "tool.answered":
      return `${event.callId}: ${event.decision}`;
    case "tool.ended":
      return `${event.callId}, ${event.outcome}: ${headOf(event.content)}`;
    case "child.spawned":
      return `${event.name} ${event.child}`;
    case "child.ended":
      return `${event.child} ${event.status}, ${dollars(event.costUsd)}`;
    case "child.revived":
      return event.child;
    case "artifact.written":
      return `${event.artifact.name}, ${event.artifact.bytes} bytes${event.process === undefined ? "" : ` of ${event.process}`}${event.by ? `, by ${senderOf(event.by)}` : ""}`;
    case "process.started":
      return `${event.name}, pid ${event.pid}: ${event.argv.join(" ")}`;
    case "process.ended":
      return `${event.id} ${endText({ last: event })}${event.gaveUp ? ", given up" : event.restartTime ? ", to be started again" : ""}`;
    case "process.restarted":
      return `${event.id}, pid ${event.pid}`;
    case "checkpoint.named":
      return `${event.name} at ${event.at}${event.pinned ? ", pinned" : ""}`;
    case "checkpoint.pinned":
    case "checkpoint.unpinned":
      return `${event.name}, by ${senderOf(event.by)}`;
    case "checkpoint.forgotten":
      return `${event.names.join(", ")}, by ${senderOf(event.by)}`;
    case "files.saved":
      return `${event.files} files, ${event.bytes} bytes of ${event.root}${event.left ? `, ${event.left} left out` : ""}`;
    case "files.restored":
      return event.error
        ? `${event.error.code}: ${event.error.message}`
        : `${event.written} written, ${event.removed} removed${event.spared ? `, ${event.spared} left as they are` : ""}`;
    case "budget.set":
      return JSON.stringify(event.budget);
    case "artifact.linked":
      return `${event.name}, until ${new Date(event.endTime).toISOString()}, by ${senderOf(event.by)}`;
    case "agent.interrupted":
      return `by ${senderOf(event.by)}${event.subtree ? ", with all below" : ""}`;
    case "hold.set":
    case "agent.cancelled":
      return `by ${senderOf(event.by)}${event.reason ? `: ${event.reason}` : ""}`;
    case "hold.released":
    case "agent.revived":
      return `by ${senderOf(event.by)}`;
    case "agent.rewound":
      return `to ${event.to}`;
    case "agent.completed":
      return headOf(event.output);
  }
}
