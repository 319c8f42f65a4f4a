/** Heads of agents for tests of what only heads are needed for. */
import { startHead } from "../../src/agent/head.ts";
import type { Head } from "../../src/agent/state.ts";
import { creation, idOf, START_MS } from "./journeys.ts";

/** The head of agent `number`, a child of `parent` if there is one, as it is when it was just created. */
export function headOf(number: number, parent?: Head, more: Partial<Head> = {}): Head {
  const { do: _, ...fields } = creation();
  const agent = idOf(number);
  const event = {
    ...fields,
    type: "agent.created" as const,
    parent: parent?.agent ?? null,
    root: parent?.root ?? agent,
    level: parent ? parent.level + 1 : 0,
    name: `agent-${number}`,
  };
  return { ...startHead(agent, event, { seq: 1, time: START_MS, event }), ...more };
}
