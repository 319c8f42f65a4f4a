/**
 * One agent's session: its prompt and bound, kept up to date from turn to turn, and the turns themselves, which end as data
 * (R1).
 */
import { type AssistantPart, callsOf } from "../../agent/content.ts";
import type { Execution, Finish, Meta } from "../../agent/events.ts";
import type { State } from "../../agent/state.ts";
import { NO_USAGE } from "../../agent/usage.ts";
import type { Clock } from "../../base/clock.ts";
import type { Contents } from "../../blobs/content.ts";
import type { Session, TurnBound, TurnOptions, TurnOutcome } from "../driver.ts";
import { PromptBound } from "./bound.ts";
import { withBreakpoints, withToolBreakpoint } from "./breakpoints.ts";
import { BrokenOff, type CallEnd, callModel } from "./call.ts";
import { headersOf, isUnpaid, verdictOn } from "./failures.ts";
import { partsOf } from "./parts.ts";
import { Prompt } from "./prompt.ts";
import type { FinishReason, ModelRequest, ProviderModel } from "./provider-model.ts";
import { type Headers, limitsIn } from "./rate-headers.ts";
import { type Spent, spentAtMost, spentOf } from "./tokens.ts";
import type { Toolset } from "./toolset.ts";

export interface SessionParts {
  readonly model: ProviderModel;
  readonly contents: Contents;
  readonly clock: Clock;
  readonly toolset: Toolset;
  readonly instructions: string;
  readonly state: State;
}

export class ModelSession implements Session {
  readonly #with: SessionParts;
  readonly #prompt: Prompt;
  readonly #bound: PromptBound;

  constructor(parts: SessionParts) {
    const { contents, instructions, toolset, state } = parts;
    this.#with = parts;
    this.#prompt = new Prompt(contents, state);
    this.#bound = new PromptBound(instructions, toolset.tokensMax);
  }

  worstCase(state: State): TurnBound {
    return { promptTokensMax: this.#bound.of(state), outputTokensMax: state.head.execution.outputTokensMax };
  }

  async turn(state: State, { signal, mayStart, onDelta }: TurnOptions): Promise<TurnOutcome> {
    const { model, clock } = this.#with;
    let request: ModelRequest;
    try {
      request = await this.#request(state);
    } catch (error) {
      return this.#failed(error, UNSPENT);
    }
    if (mayStart && !mayStart()) return { outcome: "withheld", ...UNSPENT };
    if (signal.aborted) return { outcome: "interrupted", parts: [], finish: "other", ...UNSPENT };
    let headers: Headers | undefined;
    const onHeaders = (told: Headers) => {
      headers = told;
    };
    const called = await callModel(model, request, { signal, clock, onDelta, onHeaders });
    const outcome = await this.#outcomeOf(called, state);
    const limits = limitsIn(headers ?? (called.end === "failed" ? headersOf(called.error) : undefined));
    return limits ? { ...outcome, limits } : outcome;
  }

  #outcomeOf(called: CallEnd, state: State): TurnOutcome | Promise<TurnOutcome> {
    const spent = spentBy(called, this.worstCase(state));
    if (called.end === "finished") this.#bound.settle(state, spent.usage);
    const broken = breakOf(called);
    if (broken !== undefined) return this.#failed(broken, spent, called.answer.wasHeard);
    return this.#said(called as Said, spent, state.head.execution);
  }

  async close(): Promise<void> {}

  async #request({ entries, head }: State): Promise<ModelRequest> {
    const { instructions, toolset } = this.#with;
    const { outputTokensMax, temperature, headers } = head.execution;
    return {
      prompt: withBreakpoints(instructions, await this.#prompt.for(entries)),
      ...(toolset.tools.length > 0 && { tools: withToolBreakpoint(instructions, toolset.tools) }),
      maxOutputTokens: outputTokensMax,
      ...(temperature !== undefined && { temperature }),
      ...(headers && { headers }),
    };
  }

  /** The answer, or what there is of it. Calls of an interrupted one will not run, so they were not made. */
  async #said(called: Said, spent: Spent, { model: asked, outputTokensMax }: Execution): Promise<TurnOutcome> {
    const { answer } = called;
    const isWhole = called.end === "finished";
    const blocks = isWhole ? answer.blocks : answer.blocks.filter(({ kind }) => kind !== "call");
    const unified = isWhole ? called.finish.finishReason.unified : "other";
    try {
      const read = await partsOf(blocks, this.#with.contents);
      if ("garbled" in read) {
        const cause = unified === "length" ? `; the answer reached its limit of ${outputTokensMax} tokens` : "";
        return this.#failed(new BrokenOff(read.garbled + cause), spent);
      }
      return {
        outcome: isWhole ? "done" : "interrupted",
        parts: isWhole && read.parts.length === 0 ? [NOTHING_SAID] : read.parts,
        finish: isWhole ? finishOf(called.finish.finishReason, read.parts) : "other",
        ...spent,
        ...(answer.model !== undefined && answer.model !== asked && { model: answer.model }),
        ...(isWhole && metaOf(called.finish)),
      };
    } catch (error) {
      return this.#failed(error, spent);
    }
  }

  #failed(error: unknown, spent: Spent, wasHeard = false): TurnOutcome {
    const { clock, contents } = this.#with;
    return { ...verdictOn(error, { clock, redact: contents.redact, wasHeard }), ...spent };
  }
}

type Said = Exclude<CallEnd, { end: "failed" }>;

const UNSPENT: Spent = { usage: NO_USAGE };

/** A whole answer without words is an answer: without an entry the model would be asked the same again. */
const NOTHING_SAID: AssistantPart = { type: "text", text: "" };

function spentBy(called: CallEnd, bound: TurnBound): Spent {
  const { answer } = called;
  if (called.end === "finished") return spentOf(called.finish.usage, answer, bound);
  const refused = called.end === "failed" && !answer.wasHeard && isUnpaid(called.error);
  return refused ? UNSPENT : spentAtMost(answer, bound);
}

/** Why there is no answer, not even a part of one that can stand. */
function breakOf(called: CallEnd): unknown {
  if (called.end === "failed") return called.error;
  if (called.end === "interrupted") return undefined;
  const { unified, raw } = called.finish.finishReason;
  const broke = unified === "error" || unified === "interrupted";
  return broke ? new BrokenOff(`the provider broke the answer off (${raw ?? unified})`) : undefined;
}

/** What a provider made for Banyan hands over beside the answer. */
function metaOf({ providerMetadata }: Extract<CallEnd, { end: "finished" }>["finish"]): { meta?: Meta } {
  const meta = providerMetadata?.banyan?.meta;
  return meta ? { meta: meta as Meta } : {};
}

function finishOf({ unified, raw }: FinishReason, parts: readonly AssistantPart[]): Finish {
  // The interface has no word for it; this is Anthropic's.
  if (raw === "pause_turn") return "paused";
  const hasCalls = callsOf(parts).length > 0;
  switch (unified) {
    case "content-filter":
      return "contentFilter";
    case "length":
      return "length";
    case "stop":
      return hasCalls ? "toolCalls" : "stop";
    default:
      return hasCalls ? "toolCalls" : "other";
  }
}
