/**
 * What can go wrong on purpose. A plan is asked once for each request that would be answered; rules are a plan that is
 * written down. Draws come from the seeded source in order of arrival.
 */
import { type Random, seededRandom } from "../base/random.ts";
import type { MessagesRequest } from "./messages-api.ts";

export type Fault =
  /** 429 with `retry-after`, one second when it does not say. */
  | { readonly kind: "rateLimit"; readonly retryAfterMs?: number }
  /** 529 */
  | { readonly kind: "overloaded" }
  /** 500 */
  | { readonly kind: "serverError" }
  /** The answer comes late and drips. */
  | { readonly kind: "slow"; readonly firstTokenMs?: number; readonly tokenMs?: number }
  /** The socket is destroyed after so many stream events, or bytes of the body; 0 is before the response. */
  | { readonly kind: "cut"; readonly afterEvents?: number; readonly afterBytes?: number }
  /** Invalid JSON after so many stream events, in the middle when it does not say, or a proxy's HTML page with status 200. */
  | { readonly kind: "garbage"; readonly form?: "json" | "html"; readonly afterEvents?: number }
  /** The request is taken and never answered. */
  | { readonly kind: "silence" }
  /** An `error` event in the stream after so many events; 529 when the request is not streamed. */
  | { readonly kind: "errorEvent"; readonly afterEvents?: number };

/** Says what happens to the `nth` request (from 1), or undefined when it is answered. */
export type FaultPlan = (request: MessagesRequest, nth: number) => Fault | undefined;

/** Conditions that must all hold. Without any the rule always applies. */
export interface FaultCondition {
  /** Exactly this request, counted from 1. */
  readonly nth?: number;
  /** Every so manyth. */
  readonly every?: number;
  /** In [0, 1]. */
  readonly probability?: number;
  /** A test of the request, or a pattern for the JSON of its last message. */
  readonly matches?: RegExp | ((request: MessagesRequest) => boolean);
}

export type FaultRule = { readonly when: FaultCondition } & Fault;

/** The first rule that applies counts. The source is drawn from for every rule with a probability that comes that far. */
export function planOf(rules: readonly FaultRule[] | FaultPlan, random: Random = seededRandom(0)): FaultPlan {
  if (typeof rules === "function") return rules;
  return (request, nth) => rules.find(({ when }) => applies(when, request, nth, random));
}

function applies(when: FaultCondition, request: MessagesRequest, nth: number, random: Random): boolean {
  if (when.nth !== undefined && nth !== when.nth) return false;
  if (when.every !== undefined && nth % when.every !== 0) return false;
  if (typeof when.matches === "function" && !when.matches(request)) return false;
  if (when.matches instanceof RegExp && !when.matches.test(JSON.stringify(request.messages.at(-1)))) return false;
  return when.probability === undefined || random.next() < when.probability;
}
