/** What an agent just did, in a line. */
import { callsOf } from "./content.ts";
import type { AgentEvent } from "./events.ts";

/** One line for people about what just happened, or undefined when it is not worth one. */
export function activityOf(event: AgentEvent): string | undefined {
  switch (event.type) {
    case "turn.started":
      return event.attempt > 1 ? `calling the model, attempt ${event.attempt}` : "calling the model";
    case "turn.ended": {
      const calls = callsOf(event.parts).map((call) => call.name);
      return calls.length > 0 ? `asked for ${summarise(calls)}` : "answered";
    }
    case "turn.failed":
      return `call failed: ${event.error.code}`;
    case "child.spawned":
      return `spawned ${event.name}`;
    case "child.ended":
      return `a child ${event.status}`;
    case "process.started":
      return `started ${event.name}`;
    case "artifact.written":
      return event.process === undefined ? `wrote ${event.artifact.name}` : undefined;
    case "agent.rewound":
      return `rewound to ${event.to}`;
    case "agent.completed":
      return "completed";
    default:
      return undefined;
  }
}

function summarise(names: readonly string[]): string {
  const counts = new Map<string, number>();
  for (const name of names) counts.set(name, (counts.get(name) ?? 0) + 1);
  return [...counts].map(([name, count]) => (count > 1 ? `${name} x${count}` : name)).join(", ");
}
