/**
 * What went wrong with a call, told apart by what may help: waiting (the provider put it off, or cannot be reached), trying
 * again, or neither. See docs/decisions/outages-are-waited-out.md.
 *
 * F1  No message has a secret in it, nor the request.
 * F2  What is not known is tried again: attempts are counted, so it ends.
 */
import { AISDKError, APICallError } from "@ai-sdk/provider";
import type { Failure } from "../../agent/events.ts";
import type { Clock } from "../../base/clock.ts";
import { BanyanError, ERRORS } from "../../base/errors.ts";
import { LIMITS } from "../../base/limits.ts";
import type { Redact } from "../../base/redact.ts";
import type { Headers } from "./rate-headers.ts";

export type Verdict =
  | { readonly outcome: "retryable"; readonly error: Failure; readonly putOff: boolean; readonly afterMs?: number }
  | { readonly outcome: "fatal"; readonly error: Failure };

/** Beyond this a provider's page of HTML says nothing more. */
const MESSAGE_LENGTH_MAX = 1_000;

/** What stands before the provider did not reach it, or lost it: whether it worked on the call is not known. */
const GATEWAY_STATUSES = [502, 504, 520, 522, 524];
const WAIT_STATUSES = [429, 503, 529, ...GATEWAY_STATUSES];
/** Request timeout, conflict: no fault of the request. */
const RETRY_STATUSES = [408, 409];
/** Our own request, key or settings: the AI SDK refuses them before it calls. */
const REFUSED_BEFORE = [
  "AI_LoadAPIKeyError",
  "AI_LoadSettingError",
  "AI_InvalidArgumentError",
  "AI_InvalidPromptError",
  "AI_UnsupportedFunctionalityError",
  "AI_NoSuchModelError",
];
/** No connection, so no request. */
const UNREACHED = ["ECONNREFUSED", "ENOTFOUND", "EAI_AGAIN", "EHOSTUNREACH", "ENETUNREACH", "UND_ERR_CONNECT_TIMEOUT"];

/** The name servers answered, and know of no such host: a provider's address that is wrong stays so. `EAI_AGAIN` is no answer. */
const NO_SUCH_HOST = ["ENOTFOUND"];
/** The connection was lost: the request may have arrived. */
const LOST = ["ECONNRESET", "ECONNABORTED", "EPIPE", "ETIMEDOUT", "UND_ERR_SOCKET", "UND_ERR_HEADERS_TIMEOUT"];

export interface VerdictOptions {
  readonly redact: Redact;
  readonly clock: Clock;
  /** The answer had begun: what broke off then is no outage. */
  readonly wasHeard?: boolean;
}

export function verdictOn(error: unknown, { redact, clock, wasHeard = false }: VerdictOptions): Verdict {
  const failure = (code: Failure["code"]): Failure => ({ code, message: messageOf(error, redact) });
  if (error instanceof BanyanError) {
    const own = failure(error.code);
    return ERRORS[error.code].retryable
      ? { outcome: "retryable", error: own, putOff: false }
      : { outcome: "fatal", error: own };
  }
  const status = statusOf(error);
  if (status === undefined) {
    if (AISDKError.isInstance(error) && REFUSED_BEFORE.includes(error.name))
      return { outcome: "fatal", error: failure("MODEL_FAILED") };
    if (hasCode(error, NO_SUCH_HOST)) {
      const message = `there is no such host; check the provider's address: ${messageOf(error, redact)}`;
      return { outcome: "retryable", error: { code: "MODEL_OVERLOADED", message }, putOff: false };
    }
    return {
      outcome: "retryable",
      error: failure(isOutOfReach(error) ? "MODEL_OVERLOADED" : "MODEL_GARBLED"),
      putOff: !wasHeard && hasCode(error, [...UNREACHED, ...LOST]),
    };
  }
  if (WAIT_STATUSES.includes(status)) {
    const afterMs = waitMs(headersOf(error), clock);
    const code = status === 429 ? "MODEL_RATE_LIMITED" : "MODEL_OVERLOADED";
    return { outcome: "retryable", error: failure(code), putOff: true, ...(afterMs !== undefined && { afterMs }) };
  }
  if (status >= 500 || RETRY_STATUSES.includes(status)) {
    return { outcome: "retryable", error: failure("MODEL_OVERLOADED"), putOff: false };
  }
  if (status >= 400) return { outcome: "fatal", error: failure("MODEL_FAILED") };
  return { outcome: "retryable", error: failure("MODEL_GARBLED"), putOff: false };
}

/** True when the provider cannot have worked on the call: it said no, or it was never reached. */
export function isUnpaid(error: unknown): boolean {
  const status = statusOf(error);
  if (status !== undefined) return status >= 400 && !GATEWAY_STATUSES.includes(status);
  if (error instanceof BanyanError) return true;
  if (AISDKError.isInstance(error) && REFUSED_BEFORE.includes(error.name)) return true;
  return hasCode(error, UNREACHED);
}

/** The HTTP status of a refusal, or the one that an error inside a stream stands for. */
function statusOf(error: unknown): number | undefined {
  const { statusCode, type } = (error ?? {}) as { statusCode?: unknown; type?: unknown };
  if (typeof statusCode === "number") return statusCode;
  if (type === "overloaded_error") return 529;
  if (type === "rate_limit_error") return 429;
  return undefined;
}

function isOutOfReach(error: unknown): boolean {
  return APICallError.isInstance(error) || chain(error).some(({ code }) => typeof code === "string");
}

function hasCode(error: unknown, codes: readonly string[]): boolean {
  return chain(error).some(({ code }) => codes.includes(String(code)));
}

/** The error and its causes. */
function chain(error: unknown): (Error & { code?: unknown })[] {
  const errors: Error[] = [];
  for (let each = error; each instanceof Error && errors.length < 10; each = each.cause) errors.push(each);
  return errors;
}

function messageOf(error: unknown, redact: Redact): string {
  const { message } = (error ?? {}) as { message?: unknown };
  const status = error instanceof BanyanError ? undefined : statusOf(error);
  const text = typeof message === "string" && message !== "" ? message : String(error);
  return `${status === undefined ? "" : `${status}: `}${redact(text).slice(0, MESSAGE_LENGTH_MAX)}`;
}

/** The headers of a refusal. */
export function headersOf(error: unknown): Headers {
  return (APICallError.isInstance(error) && error.responseHeaders) || {};
}

/** How long the provider said to wait; undefined when it did not say. */
function waitMs(headers: Headers, clock: Clock): number | undefined {
  const told = retryAfterMs(headers, clock) ?? rateResetMs(headers, clock);
  return told === undefined ? undefined : Math.min(LIMITS.putOffMsMax, Math.max(0, Math.ceil(told)));
}

/** `retry-after` has seconds or a date (RFC 9110, 10.2.3). */
function retryAfterMs(headers: Headers, clock: Clock): number | undefined {
  const ms = numberIn(headers["retry-after-ms"]);
  if (ms !== undefined) return ms;
  const told = headers["retry-after"];
  const seconds = numberIn(told);
  if (seconds !== undefined) return seconds * 1_000;
  return untilMs(told, clock);
}

const RATES = ["requests", "tokens", "input-tokens", "output-tokens"];

/** When the last of the rates that are used up is full again (https://docs.claude.com/en/api/rate-limits). */
function rateResetMs(headers: Headers, clock: Clock): number | undefined {
  const waits = RATES.flatMap((rate) => {
    const used = numberIn(headers[`anthropic-ratelimit-${rate}-remaining`]) === 0;
    const ms = used ? untilMs(headers[`anthropic-ratelimit-${rate}-reset`], clock) : undefined;
    return ms === undefined ? [] : [ms];
  });
  return waits.length > 0 ? Math.max(...waits) : undefined;
}

function numberIn(text: string | undefined): number | undefined {
  return text !== undefined && /^\s*\d+(?:\.\d+)?\s*$/.test(text) ? Number(text) : undefined;
}

function untilMs(date: string | undefined, clock: Clock): number | undefined {
  const time = date === undefined ? Number.NaN : Date.parse(date);
  return Number.isNaN(time) ? undefined : time - clock.now();
}
