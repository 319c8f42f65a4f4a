/** What a decision is: events, or a refusal with its reason. */
import type { ErrorCode } from "../base/errors.ts";
import { LIMITS } from "../base/limits.ts";
import { type AgentEvent, LABEL_LENGTH_MAX, NAME_SYNTAX } from "./events.ts";

export interface Refusal {
  readonly refused: ErrorCode;
  readonly why: string;
}

/** Events in order; none when the command changes nothing (it was carried out before). */
export type Decision = readonly AgentEvent[] | Refusal;

export function isRefusal(decision: Decision): decision is Refusal {
  return "refused" in decision;
}

export function refuse(refused: ErrorCode, why: string): Refusal {
  return { refused, why };
}

/** The event, if what it names may be named so. */
export function checkName(name: string, event: AgentEvent): Decision {
  if (name.length > LIMITS.nameLengthMax || !NAME_SYNTAX.test(name)) {
    return refuse("NAME_INVALID", `not a name: ${JSON.stringify(name.slice(0, 80))}`);
  }
  return [event];
}

/** True for what an event may carry as an id, a tool's name or a checkpoint's. */
export function isLabel(text: string): boolean {
  return text.length >= 1 && text.length <= LABEL_LENGTH_MAX;
}
