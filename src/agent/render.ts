/**
 * How a message reads to the model. Stable for ever: a changed word here would change the prompts of running
 * agents and lose the provider's cache.
 */
import type { Content } from "./content.ts";
import type { Message } from "./state.ts";

/** The line that goes before a message's text, or undefined when the text stands alone (people, parents and tasks). */
export function preambleOf(message: Message): string | undefined {
  const { report, from } = message;
  if (report) {
    const made = report.artifacts.map(({ name, bytes }) => `${name} (${bytes} bytes)`).join(", ");
    const failed = report.error ? `: ${report.error.code}: ${report.error.message}` : "";
    return `[agent ${report.name} ${report.status}${failed}${made ? `; artifacts: ${made}` : ""}]`;
  }
  if (from.kind === "agent" && from.name !== undefined) return `[message from ${from.name}]`;
  if (from.kind === "runtime") return "[runtime]";
  return undefined;
}

/** What the model is shown of a result that was cut: the head, and how to read the rest. */
export function cutText(content: Exclude<Content, string>): string {
  return `${content.head}\n[cut: ${content.bytes} bytes in total; read the rest with read_artifact ref=${content.digest}]`;
}
