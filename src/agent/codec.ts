/**
 * Events as the journal stores them: a type and a JSON text. The version stands in the type: `turn.ended` is version 1, a
 * later one would be `turn.ended/2`. E1: what is not known is refused.
 */
import { BanyanError } from "../base/errors.ts";
import { type AgentEvent, EVENTS } from "./events.ts";

export function encodeEvent(event: AgentEvent): { type: string; body: string } {
  const { type, ...payload } = event;
  return { type, body: JSON.stringify(payload) };
}

/** @throws EVENT_INVALID when the type is not known or the text is no JSON object */
export function decodeEvent(type: string, body: string): AgentEvent {
  if (!Object.hasOwn(EVENTS, type))
    throw new BanyanError("EVENT_INVALID", `no event type ${JSON.stringify(type)} is known`);
  const payload = parse(type, body);
  if (typeof payload !== "object" || payload === null || Array.isArray(payload)) {
    throw new BanyanError("EVENT_INVALID", `the body of a ${type} is no JSON object`);
  }
  return Object.assign(payload, { type }) as AgentEvent;
}

/** What `decodeEvent` gives, as JSON on one line; the body that this process wrote is taken as it is. @throws EVENT_INVALID */
export function eventJson(type: string, body: string): string {
  const isOwn = Object.hasOwn(EVENTS, type) && body.startsWith('{"') && body.endsWith("}") && !body.includes("\n");
  return isOwn ? `{"type":${JSON.stringify(type)},${body.slice(1)}` : JSON.stringify(decodeEvent(type, body));
}

function parse(type: string, body: string): unknown {
  try {
    return JSON.parse(body);
  } catch (cause) {
    throw new BanyanError("EVENT_INVALID", `the body of a ${type} is no JSON`, { cause });
  }
}

/** Checks every field, as `banyan verify` does. Returns what is wrong, or undefined. */
export function checkEvent(type: string, body: string): string | undefined {
  try {
    const event = decodeEvent(type, body);
    const result = EVENTS[event.type].safeParse(event);
    return result.success
      ? undefined
      : result.error.issues.map(({ path, message }) => `${path.join(".")}: ${message}`).join("; ");
  } catch (error) {
    return error instanceof Error ? error.message : String(error);
  }
}
