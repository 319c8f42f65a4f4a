/**
 * One agent's session: a Claude Code that is kept in step with the journal. The turn itself is the `model` driver's: its model is the
 * relay, which sends what Claude Code has parked at the gateway.
 *
 * Z1  Claude Code hears what the journal holds and nothing else: an answer once it is durable, a call's result, a message. What was cut
 *     off, refused or lost never reached it.
 * Z2  When it is not where the journal is (it died, a rewind, an answer cut off before its first word), another one takes its place
 *     and has the journal's past.
 * Z3  What a call may cost is known before it is sent: one that needs more than was reserved is withheld, and asked for anew; one
 *     of another model or for more tokens is refused.
 */
import { callsOf, type ToolCall } from "../../agent/content.ts";
import type { Execution } from "../../agent/events.ts";
import type { State } from "../../agent/state.ts";
import { NO_USAGE, promptTokens } from "../../agent/usage.ts";
import { BanyanError } from "../../base/errors.ts";
import {
  OwnFailure,
  type OwnTool,
  type Session,
  type StartGate,
  type TurnBound,
  type TurnOptions,
  type TurnOutcome,
} from "../driver.ts";
import { verdictOn } from "../model/failures.ts";
import { Prompt } from "../model/prompt.ts";
import type { PromptMessage } from "../model/provider-model.ts";
import { ModelSession, type SessionParts } from "../model/session.ts";
import { type ApiMessage, type AssistantMessage, apiMessage, transcriptOf } from "./conversation.ts";
import type { Line } from "./gateway.ts";
import { remembersFile } from "./profile.ts";
import { relayModel, type Upstream } from "./relay.ts";
import { type Call, type Means, type Past, type Profile, Running } from "./running.ts";
import { isForeign } from "./settings.ts";
import { backgroundOf, COMMAND_TOOL, timeLimitOf } from "./shells.ts";
import { AGENT_TOOL, subagentOf } from "./subagents.ts";

export interface ClaudeSessionParts extends Omit<SessionParts, "model"> {
  readonly upstream: Upstream;
  readonly means: Means;
  readonly profile: Profile;
  /** One that is ready, for the agent to begin with. */
  readonly warm: Running | undefined;
  readonly start: StartGate;
}

export class ClaudeSession implements Session {
  readonly #with: ClaudeSessionParts;
  readonly #inner: ModelSession;
  readonly #prompt: Prompt;
  readonly #isOwn: (tool: string) => boolean;
  #running: Running | undefined;
  #warm: Running | undefined;
  /** Of the start that is under way. */
  #starting = new AbortController();
  /** Work on the program, one step after the other. */
  #step: Promise<unknown> = Promise.resolve();
  /** Prompt tokens that were last said to be enough. */
  #promised = 0;
  /** Tokens beyond what the conversation comes to: what Claude Code says of itself in a prompt. */
  #beyond = 0;
  /** The newest call that was answered: bytes sent, and tokens billed for them. */
  #billed: { readonly line: Line; readonly bytes: number; readonly tokens: number } | undefined;

  constructor(parts: ClaudeSessionParts) {
    const { state, upstream, contents, toolset } = parts;
    const model = relayModel(state.head.execution.model, upstream, () => this.#call());
    const tokensMax = toolset.tokensMax + OVERHEAD_TOKENS + parts.profile.ownTools.length * OWN_TOOL_TOKENS;
    this.#with = parts;
    this.#warm = parts.warm;
    this.#inner = new ModelSession({ ...parts, model, toolset: { ...toolset, tokensMax } });
    this.#isOwn = (tool) => !state.tools.includes(tool);
    // Claude Code cuts results of its own itself.
    // It says results as they come.
    this.#prompt = new Prompt(contents, state, { isShownWhole: this.#isOwn, byEnd: true });
  }

  worstCase(state: State): TurnBound {
    const bound = this.#inner.worstCase(state);
    this.#promised = bound.promptTokensMax + this.#beyond;
    return { ...bound, promptTokensMax: this.#promised };
  }

  async turn(state: State, options: TurnOptions): Promise<TurnOutcome> {
    const promised = this.#promised;
    let running: Running;
    let body: string;
    try {
      running = await this.#inStep(() => this.#bring(state, options.signal));
      body = running.call().body;
    } catch (error) {
      await this.close();
      if (options.signal.aborted) return { outcome: "interrupted", parts: [], finish: "other", usage: NO_USAGE };
      const { clock, contents } = this.#with;
      return { ...verdictOn(error, { clock, redact: contents.redact }), usage: NO_USAGE };
    }
    const strange = strangeIn(body, state.head.execution);
    if (strange !== undefined) {
      await this.close();
      return { outcome: "fatal", error: { code: "MODEL_FAILED", message: strange }, usage: NO_USAGE };
    }
    const bytes = Buffer.byteLength(body);
    const missing = this.#tokensMax(running.line, bytes) - promised;
    if (missing > 0) {
      this.#beyond += missing;
      return { outcome: "withheld", usage: NO_USAGE };
    }
    const outcome = this.#bounded(await this.#inner.turn(state, options), state);
    if (outcome.outcome === "done" && !outcome.estimated) {
      this.#billed = { line: running.line, bytes, tokens: promptTokens(outcome.usage) };
      this.#beyond = GROWTH_TOKENS;
    }
    return outcome;
  }

  ownTool(name: string): OwnTool | undefined {
    const { ownTools, leavesRunning, asked } = this.#with.profile;
    if (!ownTools.includes(name) && !isForeign(name, asked)) return undefined;
    return {
      name,
      run: (state, call, signal, report) => this.#run(state, call, signal, report),
      ...(name === AGENT_TOOL && { subagent: (input) => subagentOf(input, ownTools) }),
      ...(name === COMMAND_TOOL && leavesRunning && { background: backgroundOf }),
    };
  }

  healthy(): boolean | Promise<boolean> {
    return (this.#running ?? this.#warm)?.healthy() ?? true;
  }

  async memoryBytes(): Promise<number | undefined> {
    return (this.#running ?? this.#warm)?.memoryBytes();
  }

  rests(state: State): void {
    // One that cannot is found out at the next turn.
    void this.#inStep(() => this.#goAhead(state)).catch(() => undefined);
  }

  async close(): Promise<void> {
    const warm = this.#warm;
    this.#warm = undefined;
    this.#starting.abort(new BanyanError("INTERRUPTED", "the session was closed"));
    this.#starting = new AbortController();
    await Promise.all([this.#end(), warm?.close()]);
  }

  async #end(): Promise<void> {
    const running = this.#running;
    this.#running = undefined;
    await running?.close();
  }

  /** An upper bound of the prompt counts what Claude Code adds to it as well. */
  #bounded(outcome: TurnOutcome, state: State): TurnOutcome {
    const { promptTokensMax } = this.#inner.worstCase(state);
    const { usage, estimated } = outcome;
    if (!estimated || usage.input !== promptTokensMax) return outcome;
    return { ...outcome, usage: { ...usage, input: promptTokensMax + this.#beyond } };
  }

  /** Z3. A token has a byte at least, and what was billed for is known. */
  #tokensMax(line: Line, bytes: number): number {
    if (this.#billed?.line !== line) return bytes;
    return this.#billed.tokens + Math.max(0, bytes - this.#billed.bytes);
  }

  #call(): Call {
    if (!this.#running) throw new BanyanError("MODEL_GARBLED", "Claude Code ended before its call was sent");
    return this.#running.call();
  }

  #inStep<T>(work: () => Promise<T>): Promise<T> {
    const step = this.#step.then(work);
    this.#step = step.catch(() => undefined);
    return step;
  }

  /** Has the program wait with the call that this state asks for. */
  async #bring({ entries }: State, signal: AbortSignal): Promise<Running> {
    const messages = await this.#prompt.for(entries);
    const running = this.#running;
    if (!running || running.isOver || !(await running.within(signal, this.#tell(running, messages))))
      return this.#begin(messages, signal);
    await running.park(signal);
    return running;
  }

  /** Its answer was the last word: it is told so, and waits with its next call for what will be said. */
  async #goAhead({ entries }: State): Promise<void> {
    const running = this.#running;
    const last = entries.at(-1);
    if (!running?.isWell || last?.kind !== "assistant" || callsOf(last.parts).length > 0) return;
    const messages = await this.#prompt.for(entries);
    const [answer] = messages.slice(running.known);
    if (running.isAhead || running.last !== messages[running.known - 1] || answer?.role !== "assistant") return;
    if (this.#answer(running, answer)) await running.goAhead(NEVER);
  }

  /** A call of its own, let through. A program that does not know of it is started, and hears of it again. */
  async #run(state: State, call: ToolCall, signal: AbortSignal, report?: string): Promise<string> {
    const { callId } = call;
    const stop = () => void this.close();
    const limit = this.#limitTime(call);
    signal.addEventListener("abort", stop, { once: true });
    try {
      const { program } = await this.#inStep(() => this.#bringToCalls(state, signal));
      signal.throwIfAborted();
      const isAllowed = state.open.some((open) => open.call.callId === callId && open.allowed === true);
      const ran = program.run(callId, isAllowed, report);
      const { text, isError } = await (limit ? Promise.race([ran, limit.over]) : ran);
      if (isError) throw new OwnFailure(text);
      return text;
    } finally {
      limit?.timer.cancel();
      signal.removeEventListener("abort", stop);
    }
  }

  /** Where Claude Code would leave a command running that is over its time, it is ended here: all of Claude Code is. */
  #limitTime({ name, input }: ToolCall) {
    if (name !== COMMAND_TOOL || !this.#with.profile.leavesRunning || !("json" in input)) return undefined;
    const limitMs = timeLimitOf(input.json);
    const { promise: over, reject } = Promise.withResolvers<never>();
    over.catch(() => undefined);
    const timer = this.#with.clock.timer(limitMs, () => {
      reject(new OwnFailure(`Command timed out after ${limitMs / 1_000} s`));
      void this.close();
    });
    return { over, timer };
  }

  async #bringToCalls({ entries, open }: State, signal: AbortSignal): Promise<Running> {
    const messages = await this.#prompt.for(entries);
    const at = messages.findLastIndex(({ role }) => role === "assistant");
    let running = this.#running;
    if (!running || running.isOver || running.known !== at || running.last !== messages[at - 1]) {
      running = await this.#begin(messages.slice(0, at), signal);
      for (const { call, result } of open) {
        if (!result) continue;
        const text = await this.#with.contents.fetch(result.content);
        running.program.settle(call.callId, { text, isError: result.outcome !== "ok" });
      }
    }
    this.#answer(running, messages[at] as AssistantMessage);
    return running;
  }

  /** Z1. False when the program cannot be brought to where the journal is. */
  async #tell(running: Running, messages: readonly PromptMessage[]): Promise<boolean> {
    const { program, known } = running;
    const last = messages[known - 1];
    if (last !== running.last || last?.content.length !== running.lastParts) return false;
    const [answer, ...rest] = messages.slice(known);
    if (!answer) return true;
    const [first, second] = rest;
    if (answer.role !== "assistant" || !first || rest.length > 2) return false;
    if (first.role === "tool" && (!second || second.role === "user")) {
      if (!this.#answer(running, answer)) return false;
      if (second) await program.say(textsOf(second));
      for (const { toolCallId, output } of first.content) {
        program.settle(toolCallId, { text: output.value, isError: output.type === "error-text" });
      }
      program.goOn();
    } else if (first.role === "user" && !second) {
      if (running.isAhead) running.mean([this.#api(first)]);
      else {
        if (!this.#answer(running, answer)) return false;
        await program.idle;
        await program.say(textsOf(first));
      }
    } else return false;
    running.note(messages);
    return true;
  }

  #answer(running: Running, answer: AssistantMessage): boolean {
    const { state, means } = this.#with;
    const { model } = state.head.execution;
    return running.answer(answer, { model, isOwn: this.#isOwn, uuid: means.uuid });
  }

  #api(message: PromptMessage): ApiMessage {
    return apiMessage(message, this.#isOwn);
  }

  /** Z2. Another program, that waits with the call which these messages ask for. */
  async #begin(messages: readonly PromptMessage[], stop: AbortSignal): Promise<Running> {
    await this.#end();
    const signal = AbortSignal.any([stop, this.#starting.signal]);
    const running = remembersFiles(messages) ? await this.#from(messages, signal) : await this.#ready(messages, signal);
    // Closed, or no longer wanted, since the start came to its end: nobody else would end it.
    if (signal.aborted) {
      await running.close();
      throw signal.reason;
    }
    running.note(messages);
    this.#running = running;
    return running;
  }

  async #ready(messages: readonly PromptMessage[], signal: AbortSignal): Promise<Running> {
    const { start, profile, means, instructions } = this.#with;
    const warm = this.#warm?.isWell ? this.#warm : undefined;
    this.#warm = undefined;
    const running = warm ?? (await start(() => Running.ready(profile, instructions !== "", means, signal), signal));
    running.instruct(instructions);
    running.mean(messages.map((message) => this.#api(message)));
    return running;
  }

  #from(messages: readonly PromptMessage[], signal: AbortSignal): Promise<Running> {
    const { start, profile, means, state, instructions, clock } = this.#with;
    const last = messages.at(-1);
    // A message that follows an answer is said; results, and what came with them, are part of the past.
    const said = last?.role === "user" && messages.at(-2)?.role !== "tool" ? last : undefined;
    const how = {
      cwd: profile.folder,
      model: state.head.execution.model,
      time: new Date(clock.now()).toISOString(),
      isOwn: this.#isOwn,
      uuid: means.uuid,
    };
    const past: Past = {
      instructions,
      said: said && textsOf(said),
      transcriptFor: (sessionId) => transcriptOf(said ? messages.slice(0, -1) : messages, { ...how, sessionId }),
    };
    return start(() => Running.from(profile, past, means, signal), signal);
  }
}

/** What it remembers of files is in none that was made ready: see `remembersFile`. */
function remembersFiles(messages: readonly PromptMessage[]): boolean {
  return messages.some(
    ({ role, content }) =>
      role === "assistant" && content.some((part) => part.type === "tool-call" && remembersFile(part.toolName)),
  );
}

const NEVER = new AbortController().signal;

/**
 * What Claude Code adds to a prompt: its own words, at first and from turn to turn, and the definitions of its tools. Guesses on the safe
 * side of version 2.1: Z3 finds those that are too low.
 */
const OVERHEAD_TOKENS = 8 * 1_024;
const OWN_TOOL_TOKENS = 8 * 1_024;
const GROWTH_TOKENS = 1_024;

/** Why a call is not the one that the agent's execution, and so the reservation, is about. Quotes in a conversation are escaped. */
function strangeIn(body: string, { model, outputTokensMax }: Execution): string | undefined {
  const asked = /"model":"([^"]*)"/.exec(body)?.[1];
  if (asked !== model) return `Claude Code asked for the model ${asked}, not ${model}`;
  const tokens = Number(/^"max_tokens":(\d+)/.exec(body.slice(body.lastIndexOf('"max_tokens":')))?.[1]);
  return tokens <= outputTokensMax ? undefined : `Claude Code asked for ${tokens} tokens, more than ${outputTokensMax}`;
}

function textsOf({ content }: Extract<PromptMessage, { role: "user" }>): string[] {
  return content.map(({ text }) => text);
}
