/** One agent in lines, for a screen: what it is, what it needs, and the end of its conversation. */
import { headOf } from "../../agent/content.ts";
import type { AgentDetail, TranscriptEntry } from "../../client.ts";
import { compact, dollars, plural } from "../figures.ts";
import { LOOK, type Paint } from "../look.ts";
import { cut, oneLine } from "../terminal.ts";

/** Entries of the conversation that are shown, and lines of each. */
export const ENTRIES_SHOWN = 12;
const LINES_OF_ENTRY = 6;

export function agentLines(
  detail: AgentDetail,
  newest: readonly TranscriptEntry[],
  columns: number,
  paint: Paint,
): string[] {
  const { symbol, style } = LOOK[detail.status];
  const wait = detail.waitingFor === null ? "" : ` for ${detail.waitingFor}`;
  const { subtree, usage } = detail;
  const lines = [
    paint("bold", detail.path),
    paint(style, `${symbol} ${detail.status}${wait}`) + paint("dim", `  ${detail.model}  level ${detail.level}`),
    `own ${dollars(detail.costUsd)}, with ${plural(subtree.agents - 1, "agent")} below ${dollars(subtree.costUsd)}` +
      `  ${plural(detail.turns, "turn")}  ${compact(usage.input + usage.cacheRead + usage.cacheWrite)} tokens in, ${compact(usage.output)} out`,
    ...(detail.budget === null
      ? []
      : [
          `budget ${Object.entries(detail.budget)
            .map(([name, value]) => `${name} ${value}`)
            .join("  ")}`,
        ]),
    ...(detail.unread > 0 ? [`${plural(detail.unread, "message")} not read yet`] : []),
    ...detail.asks.map(({ tool, callId }) =>
      paint("red", `asks to run ${oneLine(tool)}: banyan answer ${detail.id} ${callId}`),
    ),
    ...(detail.error === null ? [] : [paint("red", oneLine(`${detail.error.code}: ${detail.error.message}`))]),
    "",
    ...newest.flatMap((entry) => entryLines(entry, columns, paint)),
  ];
  return lines.map((line) => (line.includes("\u001b") ? line : cut(line, columns)));
}

function entryLines(entry: TranscriptEntry, columns: number, paint: Paint): string[] {
  const texts = textOf(entry);
  const shown = texts.flatMap((text) => text.split("\n")).filter((line) => line.trim() !== "");
  const cutOff = shown.length > LINES_OF_ENTRY ? [`… ${plural(shown.length - LINES_OF_ENTRY, "line")} more`] : [];
  const lines = [...shown.slice(0, LINES_OF_ENTRY), ...cutOff];
  return [paint("dim", entry.role), ...lines.map((line) => cut(`  ${oneLine(line)}`, columns))];
}

function textOf(entry: TranscriptEntry): string[] {
  switch (entry.role) {
    case "user":
      return [headOf(entry.text)];
    case "assistant":
      return entry.parts.map((part) =>
        part.type === "toolCall"
          ? `${part.name} ${"json" in part.input ? JSON.stringify(part.input.json) : headOf(part.input.text)}`
          : headOf(part.text),
      );
    case "tools":
      return entry.results.map(({ name, outcome, text }) => `${name}: ${outcome}: ${headOf(text)}`);
  }
}
