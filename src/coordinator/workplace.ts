/** What a step of an agent's work finds where it is taken, and may ask of the loops: all that steps know of them. */
import type { ToolCall } from "../agent/content.ts";
import type { AgentId } from "../base/ids.ts";
import type { ToolContext } from "../tools/tool.ts";
import type { Cell } from "./cell.ts";
import type { Governors } from "./governor/governors.ts";
import type { Pool } from "./pool/pool.ts";
import type { Roster } from "./roster.ts";
import type { Services } from "./services.ts";

export type ToolContextFor = (cell: Cell, call: ToolCall, signal: AbortSignal) => ToolContext;

export interface StepOptions {
  /** Told of text as it streams. */
  readonly onDelta: (agent: AgentId, text: string) => void;
  readonly contextFor: ToolContextFor;
}

export interface Workplace {
  readonly services: Services;
  readonly roster: Roster;
  readonly options: StepOptions;
  readonly governors: Governors;
  readonly pool: Pool;
  /** Nothing new is to begin. */
  readonly stopping: boolean;
  /** Tells agents that wait for money that some was settled in their tree. */
  moneySettled(root: AgentId): void;
  /** Has the agent wait until money is settled in its tree. */
  waitForMoney(root: AgentId, agent: AgentId): void;
}
