/**
 * The provider, without a socket: takes requests as an HTTP server would hand them over and gives back status, headers
 * and body. The HTTP layer and the in-process `fetch` only carry what it says.
 *
 * P1  The same request gets the same answer, ids included, whatever else is asked at the time.
 * P2  A refused request is not billed and leaves no trace in the cache.
 */
import { type Clock, systemClock } from "../base/clock.ts";
import { type Random, seededRandom } from "../base/random.ts";
import { type Answer, answerTo, messageOf } from "./answer.ts";
import { ApiError, ConnectionCut, invalid } from "./api-error.ts";
import { checkConversation } from "./conversation.ts";
import { countAnswer, countArrival, increment, newCounters, type RequestCounters } from "./counters.ts";
import { type Fault, type FaultPlan, type FaultRule, planOf } from "./faults.ts";
import { damaged } from "./faulty-stream.ts";
import { type MessagesRequest, parseCountRequest, parseMessagesRequest } from "./messages-api.ts";
import type { Mind } from "./mind.ts";
import { modelInfo, modelList } from "./models.ts";
import { type Pace, played, type Timing, timingOf } from "./pace.ts";
import { flatten } from "./prompt.ts";
import { PromptCache } from "./prompt-cache.ts";
import { RateLimiter, type RateLimits } from "./rate-limits.ts";
import { type StreamEvent, streamOf } from "./stream.ts";

export interface ProviderOptions {
  /** What answers. */
  readonly mind: Mind;
  /** None by default. */
  readonly faults?: readonly FaultRule[] | FaultPlan;
  /** At once by default. */
  readonly pace?: Pace;
  /** None by default. */
  readonly limits?: RateLimits;
  readonly clock?: Clock;
  /** Source of the faults' draws; a fixed seed by default. */
  readonly random?: Random;
  /** The only key that is let in; any that is not empty by default. */
  readonly apiKey?: string;
}

export interface ProviderRequest {
  readonly method: string;
  /** With or without a query, which is ignored. */
  readonly path: string;
  /** Names in lower case. */
  readonly headers: Readonly<Record<string, string | undefined>>;
  readonly body?: string;
  /** Aborted when the client has gone. */
  readonly signal?: AbortSignal;
}

export interface ProviderResponse {
  readonly status: number;
  readonly headers: Readonly<Record<string, string>>;
  /** Rejects with ConnectionCut where the connection breaks. */
  readonly body: string | AsyncIterable<string>;
}

export interface Provider {
  /** Rejects with ConnectionCut when the connection breaks before a response. */
  handle(request: ProviderRequest): Promise<ProviderResponse>;
  readonly requests: RequestCounters;
}

const JSON_TYPE = { "content-type": "application/json" };
const STREAM_TYPE = { "content-type": "text/event-stream; charset=utf-8", "cache-control": "no-cache" };
const FOREVER = new AbortController().signal;

export function createProvider(options: ProviderOptions): Provider {
  const provider = new SimulatedProvider(options);
  return { handle: (request) => provider.handle(request), requests: provider.requests };
}

/** One request on its way through. */
interface Exchange {
  readonly id: string;
  readonly key: string;
  readonly signal: AbortSignal;
  readonly headers: ProviderRequest["headers"];
}

class SimulatedProvider {
  readonly requests = newCounters();
  readonly #mind: Mind;
  readonly #clock: Clock;
  readonly #cache: PromptCache;
  readonly #limiter: RateLimiter;
  readonly #faultOf: FaultPlan;
  readonly #pace: Pace;
  readonly #apiKey: string | undefined;
  #handled = 0;
  #faultable = 0;

  constructor({ mind, faults = [], pace = {}, limits = {}, clock = systemClock(), random, apiKey }: ProviderOptions) {
    this.#mind = mind;
    this.#clock = clock;
    this.#cache = new PromptCache(clock);
    this.#limiter = new RateLimiter(clock, limits);
    this.#faultOf = planOf(faults, random ?? seededRandom(0));
    this.#pace = pace;
    this.#apiKey = apiKey;
  }

  async handle(request: ProviderRequest): Promise<ProviderResponse> {
    const id = `req_sim_${String(++this.#handled).padStart(8, "0")}`;
    const path = request.path.split("?", 1)[0] ?? "";
    const isMessages = path === "/v1/messages" && request.method === "POST";
    if (isMessages) countArrival(this.requests);
    let response: ProviderResponse;
    try {
      const key = this.#admit(request.headers);
      const exchange = { id, key, signal: request.signal ?? FOREVER, headers: request.headers };
      response = isMessages ? await this.#messages(request, exchange) : this.#other(request, path, exchange);
    } catch (error) {
      if (isMessages) this.requests.concurrent--;
      if (error instanceof ConnectionCut || request.signal?.aborted) throw error;
      response = this.#refusal(error, id);
      if (isMessages) increment(this.requests.refused, response.status);
      return response;
    }
    if (!isMessages) return response;
    if (typeof response.body !== "string") return { ...response, body: this.#leaving(response.body) };
    this.requests.concurrent--;
    return response;
  }

  async #messages(request: ProviderRequest, exchange: Exchange): Promise<ProviderResponse> {
    const body = parseMessagesRequest(parsedBody(request.body));
    checkConversation(body);
    const prompt = flatten(body, exchange.key);
    const { usage, begin } = this.#cache.look(prompt, body.model);
    this.#limiter.admit(exchange.key, usage.input + usage.cacheWrite5m + usage.cacheWrite1h);
    const fault = this.#faultOf(body, ++this.#faultable);
    if (fault) {
      increment(this.requests.faults, fault.kind);
      await this.#refuseBy(fault, body, exchange.signal);
    }
    const reply = await this.#mind.reply(body, { headers: exchange.headers, signal: exchange.signal });
    const answer = answerTo(body, reply, usage, prompt.digest);
    countAnswer(this.requests, answer.usage);
    this.#limiter.settle(exchange.key, answer.usage.output_tokens);
    const timing = timingOf(reply, answer.tokens, this.#pace, fault);
    return this.#respond(body, answer, { timing, fault, begin, exchange });
  }

  /** Faults that come instead of an answer. */
  async #refuseBy(fault: Fault, { stream }: MessagesRequest, signal: AbortSignal): Promise<void> {
    const cutAt = fault.kind === "cut" ? (fault.afterBytes ?? fault.afterEvents) : undefined;
    if (cutAt === 0) throw new ConnectionCut();
    if (fault.kind === "silence") await gone(signal);
    if (fault.kind === "serverError") throw new ApiError("api_error", "Internal server error");
    if (fault.kind === "overloaded" || (fault.kind === "errorEvent" && !stream)) {
      throw new ApiError("overloaded_error", "Overloaded");
    }
    if (fault.kind === "rateLimit") {
      const seconds = Math.ceil((fault.retryAfterMs ?? 1_000) / 1_000);
      throw new ApiError("rate_limit_error", "Rate limited", { "retry-after": String(seconds) });
    }
  }

  #respond(
    { stream = false }: MessagesRequest,
    answer: Answer,
    {
      timing,
      fault,
      begin,
      exchange,
    }: { timing: Timing; fault: Fault | undefined; begin: () => void; exchange: Exchange },
  ): ProviderResponse {
    const headers = {
      ...(stream ? STREAM_TYPE : JSON_TYPE),
      "request-id": exchange.id,
      ...this.#limiter.headers(exchange.key),
    };
    if (fault?.kind === "garbage" && fault.form === "html") {
      return { status: 200, headers: { ...headers, "content-type": "text/html" }, body: PROXY_PAGE };
    }
    const whole = stream ? streamOf(answer, timing.tokensPerDelta) : onlyEvent(answer);
    const events = damaged(whole, fault, { requestId: exchange.id, stream });
    if (timing.firstTokenMs === 0 && timing.tokenMs === 0 && fault?.kind !== "cut") {
      begin();
      let body = "";
      for (const event of events) body += event.text;
      return { status: 200, headers, body };
    }
    const { signal } = exchange;
    return { status: 200, headers, body: played(events, timing, { clock: this.#clock, signal, begin }) };
  }

  #other(request: ProviderRequest, path: string, { id, key }: Exchange): ProviderResponse {
    const route = `${request.method} ${path}`;
    const model = /^GET \/v1\/models\/([^/]+)$/.exec(route)?.[1];
    let body: object | undefined;
    if (route === "POST /v1/messages/count_tokens") {
      const counted = parseCountRequest(parsedBody(request.body));
      checkConversation(counted);
      body = { input_tokens: flatten(counted, key).tokens };
    } else if (route === "GET /v1/models") body = modelList();
    else if (model) body = modelInfo(decodeURIComponent(model));
    if (!body) throw new ApiError("not_found_error", model ? `model: ${model}` : "Not found");
    return { status: 200, headers: { ...JSON_TYPE, "request-id": id }, body: JSON.stringify(body) };
  }

  /** Returns the key, which also owns caches and rates. @throws ApiError 401, or 400 without a version */
  #admit(headers: ProviderRequest["headers"]): string {
    const key = headers["x-api-key"] || headers.authorization?.replace(/^Bearer\s+/i, "");
    if (!key) throw new ApiError("authentication_error", "x-api-key header is required");
    if (this.#apiKey !== undefined && key !== this.#apiKey)
      throw new ApiError("authentication_error", "invalid x-api-key");
    if (!headers["anthropic-version"]) throw invalid("anthropic-version: header is required");
    return key;
  }

  #refusal(error: unknown, id: string): ProviderResponse {
    const known =
      error instanceof ApiError
        ? error
        : new ApiError("api_error", `the mind failed: ${error instanceof Error ? error.message : String(error)}`);
    const headers = { ...JSON_TYPE, "request-id": id, ...known.headers };
    return { status: known.status, headers, body: JSON.stringify(known.toBody(id)) };
  }

  async *#leaving(body: AsyncIterable<string>): AsyncGenerator<string> {
    try {
      yield* body;
    } finally {
      this.requests.concurrent--;
    }
  }
}

const PROXY_PAGE = "<html><head><title>502 Bad Gateway</title></head><body>upstream connect error</body></html>";

function parsedBody(body: string | undefined): unknown {
  try {
    return JSON.parse(body ?? "");
  } catch {
    throw invalid("The request body is not valid JSON");
  }
}

/** An answer that is not streamed, as one event of the whole length. */
function* onlyEvent(answer: Answer): Generator<StreamEvent> {
  yield { text: JSON.stringify(messageOf(answer)), tokens: answer.tokens };
}

/** Rejects when the client gives up. */
async function gone(signal: AbortSignal): Promise<never> {
  if (!signal.aborted) await new Promise((resolve) => signal.addEventListener("abort", resolve, { once: true }));
  throw new ConnectionCut();
}
