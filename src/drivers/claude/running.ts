/**
 * A Claude Code with its line to the gateway, and how far it has been told. It is either made ready (it waits with a call that is
 * nobody's yet, and can become any agent's of its profile) or started from the transcript of one agent's past.
 */
import type { Clock, Timer } from "../../base/clock.ts";
import { BanyanError } from "../../base/errors.ts";
import { LIMITS } from "../../base/limits.ts";
import { shareOf } from "../../processes/proc.ts";
import type { Warm } from "../driver.ts";
import type { PromptMessage } from "../model/provider-model.ts";
import { type ApiMessage, eventsOf, type StreamOptions } from "./conversation.ts";
import type { Gateway, Line, Parked } from "./gateway.ts";
import { Program, type ProgramOptions } from "./program.ts";
import type { TranscriptEntry } from "./sdk.ts";
import { StandIns } from "./stand-ins.ts";

/** What a Claude Code is started with that is not of one agent alone. */
export type Profile = Omit<ProgramOptions, "line" | "sessionId" | "instructions" | "transcript" | "goesOn">;

export interface Means {
  readonly clock: Clock;
  readonly gateway: Gateway;
  readonly uuid: () => string;
}

export interface Call {
  readonly body: string;
  readonly headers: Readonly<Record<string, string>>;
  /** As Claude Code names the session, in its requests too. */
  readonly sessionId: string;
}

export class Running implements Warm {
  readonly program: Program;
  readonly line: Line;
  readonly sessionId: string;
  /** Messages that it knows, the last of them, and the parts that it had. */
  known = 0;
  last: PromptMessage | undefined;
  lastParts = 0;
  readonly #clock: Clock;
  readonly #standIns: StandIns;
  /** The call that it waits for. */
  #parked: Parked | undefined;
  /** Its call, as it is to be sent. */
  #filled: { readonly parked: Parked; readonly body: string } | undefined;
  readonly #instructions: string | undefined;
  /** What it was told that stands for what comes next. */
  #ahead: string | undefined;

  private constructor(line: Line, program: Program, { uuid, clock }: Means, hasInstructions: boolean) {
    this.#clock = clock;
    this.line = line;
    this.program = program;
    this.sessionId = uuid();
    this.#standIns = new StandIns(uuid);
    this.#instructions = hasInstructions ? this.#standIns.make() : undefined;
  }

  /** One that waits with its first call. Nothing is left of it when this rejects. */
  static async ready(profile: Profile, hasInstructions: boolean, means: Means, signal: AbortSignal): Promise<Running> {
    const running = await Running.#open(profile, means, hasInstructions);
    return running.#begin(async () => {
      const { line, sessionId, program } = running;
      await program.start({ ...profile, line, sessionId, instructions: running.#instructions ?? "", goesOn: false });
      await running.within(signal, running.#sayAhead());
      await running.park(signal);
    });
  }

  /** One that had the conversation of the transcript, and goes on with what `said` tells or else by itself. */
  static async from(
    profile: Profile,
    { instructions, said, transcriptFor }: Past,
    means: Means,
    signal: AbortSignal,
  ): Promise<Running> {
    const running = await Running.#open(profile, means, false);
    return running.#begin(async () => {
      const { line, sessionId, program } = running;
      const transcript = transcriptFor(sessionId);
      await program.start({ ...profile, line, sessionId, instructions, transcript, goesOn: !said });
      if (said) await running.within(signal, program.say(said));
      await running.park(signal);
    });
  }

  static async #open({ model }: Profile, means: Means, hasInstructions: boolean): Promise<Running> {
    const { gateway, uuid, clock } = means;
    const program = new Program(clock);
    const line = await gateway.open(uuid(), (body) => {
      const text = program.reportFor(body);
      if (text === undefined) return undefined;
      return eventsOf({ role: "assistant", content: [{ type: "text", text }] }, { model, isOwn: () => true, uuid });
    });
    return new Running(line, program, means, hasInstructions);
  }

  async #begin(start: () => Promise<void>): Promise<Running> {
    try {
      await start();
      return this;
    } catch (error) {
      await this.close();
      throw error;
    }
  }

  get isOver(): boolean {
    return this.program.isOver;
  }

  /** True while it waits with a call for what is said next, and nobody has said it yet. */
  get isAhead(): boolean {
    return this.#ahead !== undefined && this.#parked?.isGone === false;
  }

  /** What one that is ready has for instructions. */
  instruct(instructions: string): void {
    if (this.#instructions !== undefined)
      this.#standIns.mean(this.#instructions, [{ role: "user", content: [{ type: "text", text: instructions }] }]);
  }

  /** What was said ahead. The first and the last are the user's. */
  mean(messages: readonly ApiMessage[]): void {
    if (this.#ahead !== undefined) this.#standIns.mean(this.#ahead, messages);
    this.#ahead = undefined;
  }

  /** Has it wait with the next call before there is anything to be answered. It has been given its answer, and has no calls to make. */
  async goAhead(signal: AbortSignal): Promise<void> {
    await this.within(signal, this.program.idle);
    await this.within(signal, this.#sayAhead());
    await this.park(signal);
  }

  /** Resolves once it waits with a call. */
  async park(signal: AbortSignal): Promise<void> {
    if (this.#parked && !this.#parked.isGone) return;
    const idle = this.program.idle.then(() => Promise.reject(ended("it made no call")));
    this.#parked = await this.within(signal, Promise.race([this.line.next(), idle]));
  }

  /** The call that it waits with, as it is to be sent. @throws MODEL_GARBLED */
  call(): Call {
    const parked = this.#parked;
    if (!parked || parked.isGone) throw ended("before its call was sent");
    if (this.#filled?.parked !== parked) this.#filled = { parked, body: this.#standIns.fill(parked.body) };
    return { body: this.#filled.body, headers: parked.headers, sessionId: this.sessionId };
  }

  /** Gives it the answer to its call, if it does not have it. False when it does not wait for one any more. */
  answer(message: Extract<PromptMessage, { role: "assistant" }>, options: StreamOptions): boolean {
    const parked = this.#parked;
    this.#parked = undefined;
    this.#filled = undefined;
    if (parked?.isGone) return false;
    parked?.answer(eventsOf(message, options));
    return true;
  }

  note(messages: readonly PromptMessage[]): void {
    this.known = messages.length;
    this.last = messages.at(-1);
    this.lastParts = this.last?.content.length ?? 0;
  }

  /** The work, unless it ends or the signal is aborted before. One that says nothing meanwhile, nor when it is asked, is ended. */
  async within<T>(signal: AbortSignal, work: Promise<T>): Promise<T> {
    const { promise: aborted, reject } = Promise.withResolvers<never>();
    const onAbort = () => reject(signal.reason);
    if (signal.aborted) onAbort();
    signal.addEventListener("abort", onAbort, { once: true });
    const over = this.program.ended.then((why) => Promise.reject(ended(why)));
    const watch = this.#watch();
    try {
      return await Promise.race([work, over, aborted]);
    } finally {
      watch.cancel();
      signal.removeEventListener("abort", onAbort);
    }
  }

  /** It is there, as far as is known, and nothing of what it waits with has been lost. */
  get isWell(): boolean {
    return !this.isOver && this.#parked?.isGone !== true;
  }

  /** The same, and it said so not long ago, or now. Whoever asks sets the limit. */
  healthy(): boolean | Promise<boolean> {
    if (!this.isWell || this.#silentMs < LIMITS.claudeHeardMsMax) return this.isWell;
    return this.program.ping().then(() => this.isWell);
  }

  /** It is measured again and again, and asked whether it is there at the same time: so `healthy` knows at once. */
  async memoryBytes(): Promise<number | undefined> {
    void this.program.ping().catch(() => undefined);
    const { pid } = this.program;
    return pid === undefined ? undefined : shareOf(pid);
  }

  /** Twice is harmless. */
  async close(): Promise<void> {
    this.line.close();
    await this.program.end();
  }

  get #silentMs(): number {
    return this.#clock.monotonic() - this.program.heardMs;
  }

  #watch(): Timer {
    let timer = this.#clock.timer(LIMITS.claudeHeardMsMax, () => look());
    const look = () => {
      const askedMs = this.#clock.monotonic();
      void this.program.ping().catch(() => undefined);
      timer = this.#clock.timer(LIMITS.claudeAnswerMsMax, () => {
        if (this.program.heardMs < askedMs) void this.program.end();
        else look();
      });
    };
    return { cancel: () => timer.cancel() };
  }

  #sayAhead(): Promise<void> {
    this.#ahead = this.#standIns.make();
    return this.program.say([this.#ahead]);
  }
}

export interface Past {
  readonly instructions: string;
  readonly said: readonly string[] | undefined;
  readonly transcriptFor: (sessionId: string) => readonly TranscriptEntry[];
}

function ended(why: string): BanyanError {
  return new BanyanError("MODEL_GARBLED", `Claude Code ended: ${why}`);
}
