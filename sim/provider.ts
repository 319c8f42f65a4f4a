/**
 * The provider of a simulated world: a model behind the AI SDK's interface that takes its time, refuses, breaks off and falls
 * silent. It is the witness of what was called when, and of what it really cost.
 *
 * V1  A call costs its prompt and what was made of its answer, whether or not the answer arrives. A refused one is free.
 * V2  Whoever hangs up, or is cut off, pays for what was made until then, and for a little that was under way.
 * V3  Where it allows so many requests a minute, it says so in its answers' headers, and refuses what exceeds them.
 */
import { AsyncLocalStorage } from "node:async_hooks";
import { APICallError, type LanguageModelV4, type LanguageModelV4CallOptions } from "@ai-sdk/provider";
import type { State } from "../src/agent/state.ts";
import { costUsd, type Price } from "../src/agent/usage.ts";
import { assert } from "../src/base/assert.ts";
import type { AgentId } from "../src/base/ids.ts";
import type { Driver } from "../src/drivers/driver.ts";
import { Allowance } from "./allowance.ts";
import { short } from "./disk.ts";
import { type Life, never } from "./life.ts";
import { say } from "./mind.ts";
import type { Fault } from "./scenario.ts";
import { type Timed, wordsOf } from "./stream.ts";
import type { World } from "./world.ts";

export const PRICE: Price = { input: 3, output: 15, cacheRead: 0.3, cacheWrite: 3.75 };
export const MODEL = { provider: "sim", model: "mind" } as const;

export interface Call {
  readonly agent: AgentId;
  readonly life: Life;
  /** True US dollars: what it costs if it goes on as planned, until it ends otherwise. */
  costUsd: number;
  /** Nobody waits for it any more. */
  isOver: boolean;
  /** It exceeds what the provider allows. */
  readonly isOverLimit: boolean;
}

export type CallListener = (call: Call) => void;

const FATES: readonly Fault[] = ["rateLimit", "overload", "refuse", "unreachable"];

export class Provider {
  readonly #world: World;
  /** Agents in the world. */
  readonly #agents: () => number;
  /** The agent for which a call is made. */
  readonly #calling = new AsyncLocalStorage<State>();
  readonly #listeners: CallListener[] = [];
  readonly #allowance: Allowance;
  /** When the first answer that tells of the limit reached a process. */
  readonly #toldMs = new Map<Life, number>();
  /** Every call, in order. */
  readonly calls: Call[] = [];

  constructor(world: World, agents: () => number) {
    this.#world = world;
    this.#agents = agents;
    this.#allowance = new Allowance(world);
  }

  /** When the process was told of the provider's limit, in monotonic milliseconds. */
  toldMs(life: Life): number | undefined {
    return this.#toldMs.get(life);
  }

  /** Adds a listener that is told of every call at the moment it starts. */
  onCall(listener: CallListener): void {
    this.#listeners.push(listener);
  }

  /** Calls in flight. */
  get inFlight(): Call[] {
    return this.calls.filter(({ isOver, life }) => !isOver && !life.isDead);
  }

  /** A driver that tells the provider who calls. */
  driver(inner: Driver): Driver {
    // Toolsets that no session holds are forgotten when memory is collected, which no seed decides: so all are held.
    const sessions: unknown[] = [];
    return {
      missing: (execution) => inner.missing(execution),
      open: async (state) => {
        const session = await inner.open(state);
        sessions.push(session);
        return {
          worstCase: (now) => session.worstCase(now),
          turn: (now, options) => this.#calling.run(now, () => session.turn(now, options)),
          close: () => session.close(),
        };
      },
    };
  }

  model(life: Life): LanguageModelV4 {
    return {
      specificationVersion: "v4",
      provider: MODEL.provider,
      modelId: MODEL.model,
      supportedUrls: {},
      doGenerate: () => Promise.reject(new Error("only streams are simulated")),
      doStream: (options) => {
        if (!life.calls()) return never();
        const state = this.#calling.getStore();
        assert(state, "a call is made in a turn");
        return this.#answer(life, state, options);
      },
    };
  }

  async #answer(life: Life, state: State, options: LanguageModelV4CallOptions) {
    const world = this.#world;
    const { agent } = state.head;
    const dice = world.dice("provider");
    const isOverLimit = !this.#allowance.take();
    const call: Call = { agent, life, costUsd: 0, isOver: false, isOverLimit };
    const struck = FATES.find((fault) => world.strikes(fault));
    const refusal = isOverLimit ? "rateLimit" : struck;
    if (isOverLimit) world.count("done refused over the limit");
    const timed = wordsOf(
      say(state, { dice, scenario: world.scenario, agents: this.#agents(), isDone: !world.isHostile }),
      { world, options },
    );
    if (!refusal) call.costUsd = this.#cost(timed.promptTokens, timed.outputTokens);
    this.calls.push(call);
    world.note(`${life.number} calls for ${short(agent)}${refusal ? `: ${refusal}` : ""} $${call.costUsd.toFixed(6)}`);
    for (const listener of this.#listeners) listener(call);
    options.abortSignal?.addEventListener("abort", () => {
      call.isOver = true;
    });
    await life.through(() => world.sleep(dice.between(5, 400)));
    // Out of reach, it says nothing.
    const { headers } = this.#allowance;
    if (refusal !== "unreachable" && Object.keys(headers).length > 0 && !this.#toldMs.has(life))
      this.#toldMs.set(life, world.clock.monotonic());
    if (refusal) {
      call.isOver = true;
      throw errorOf(refusal, { ...headers, ...(dice.chance(0.5) && { "retry-after": String(dice.int(1, 30)) }) });
    }
    return { stream: this.#stream(life, call, timed, options.abortSignal), response: { headers } };
  }

  #stream(life: Life, call: Call, { parts, promptTokens, end }: Timed, signal: AbortSignal | undefined) {
    const world = this.#world;
    let made = 0;
    let isLeft = false;
    let controller: ReadableStreamDefaultController | undefined;
    const leave = () => {
      if (isLeft) return;
      isLeft = true;
      call.isOver = true;
      // V2.
      const most = this.#cost(promptTokens, made + world.dice("under way").int(0, 200));
      call.costUsd = Math.min(call.costUsd, most);
    };
    // A provider that says that it is overloaded before it has said anything has done nothing.
    const breakOff = (error: unknown) => {
      isLeft = true;
      call.isOver = true;
      const isFree = made === 0 && (error as { type?: string }).type === "overloaded_error";
      call.costUsd = isFree ? 0 : this.#cost(promptTokens, made);
    };
    const play = async () => {
      for (const { part, tokens, afterMs } of parts) {
        await world.sleep(afterMs);
        if (isLeft) return;
        made += tokens;
        if (part.type === "error") breakOff(part.error);
        life.deliver(() => controller?.enqueue(part));
        if (part.type === "error") return life.deliver(() => controller?.close());
      }
      if (end === "silence") return;
      if (end === "cut") leave();
      isLeft = true;
      call.isOver = true;
      life.deliver(() => (end === "cut" ? controller?.error(new Error("socket hang up")) : controller?.close()));
    };
    const stream = new ReadableStream({
      start: (own) => {
        controller = own;
        if (signal?.aborted) leave();
        else signal?.addEventListener("abort", leave);
        void play();
      },
      cancel: leave,
    });
    return stream;
  }

  #cost(promptTokens: number, outputTokens: number): number {
    return costUsd({ input: promptTokens, output: outputTokens, cacheRead: 0, cacheWrite: 0 }, PRICE);
  }
}

function errorOf(fault: Fault, responseHeaders: Record<string, string>): Error {
  if (fault === "unreachable") return Object.assign(new Error("connect ECONNREFUSED"), { code: "ECONNREFUSED" });
  const statusCode = fault === "rateLimit" ? 429 : fault === "overload" ? 529 : 400;
  return new APICallError({
    message: fault,
    url: "https://sim.invalid/v1/messages",
    requestBodyValues: {},
    statusCode,
    responseHeaders,
  });
}
