/**
 * One running Claude Code: a streaming session of the SDK, brought along step by step. Besides the gateway, where each of its model
 * calls waits, it stops at two gates:
 *
 * - before a tool of its own runs (PreToolUse), until the call is to run, or has its result already;
 * - when all calls have their results (PostToolBatch), until the next turn has started.
 *
 * Y1  None of its tools runs but by `run`, nor what its own rules do not let pass without a person's permission.
 * Y2  A call that Banyan carries out is answered by `settle` alone.
 * Y3  It reads no settings, memory or servers but what it is given here, which is what its tenant's operator asked for (`settings.ts`), and
 *     of the environment only what is named there and in PASSED.
 */
import { mkdtemp, rm, writeFile } from "node:fs/promises";
import { join } from "node:path";
import type { Clock } from "../../base/clock.ts";
import { BanyanError } from "../../base/errors.ts";
import type { LimitMarks } from "../../processes/limit-mark.ts";
import type { Warden } from "../../processes/warden.ts";
import { MustAsk } from "../driver.ts";
import type { ToolDefinition } from "../model/provider-model.ts";
import { environmentOf, FOREVER_MS, rulesOf } from "./environment.ts";
import type { Line } from "./gateway.ts";
import { type Launched, launch } from "./launch.ts";
import { mcpTools, SERVER, type ToolText } from "./mcp-tools.ts";
import type {
  ClaudeSdk,
  HookInput,
  Permission,
  PermissionAsked,
  Query,
  QueryOptions,
  SdkMessage,
  TranscriptEntry,
  UserMessage,
} from "./sdk.ts";
import { type Asked, foreignServers, isForeign } from "./settings.ts";
import { COMMAND_TOOL, sayingInstead } from "./shells.ts";
import { AGENT_TOOL, isFor, standInFor } from "./subagents.ts";

export interface ProgramOptions {
  readonly sdk: ClaudeSdk;
  readonly line: Line;
  readonly sessionId: string;
  readonly model: string;
  readonly instructions: string;
  readonly outputTokensMax: number;
  readonly folder: string;
  /** Folder in which it gets a home of its own. */
  readonly homes: string;
  /** Of whoever it belongs to: see `launch`. */
  readonly marks: readonly string[];
  readonly warden: Warden;
  readonly limits: LimitMarks;
  readonly mayRunCommands: boolean;
  /** A person is asked for what its own rules do not let pass; otherwise it is refused. */
  readonly asksBeyond: boolean;
  /** Claude Code's own. */
  readonly ownTools: readonly string[];
  /** Its commands may ask to be left running. */
  readonly leavesRunning: boolean;
  /** Those that Banyan carries out. */
  readonly tools: readonly ToolDefinition[];
  readonly environment: NodeJS.ProcessEnv;
  /** Variables beside those that are passed on. */
  readonly given: Readonly<Record<string, string>>;
  /** Y3. */
  readonly asked: Asked;
  /** What it is to go on with; a new session when absent. */
  readonly transcript?: readonly TranscriptEntry[] | undefined;
  /** The transcript has what is to be answered. */
  readonly goesOn: boolean;
}

interface Call {
  readonly permit: PromiseWithResolvers<Verdict>;
  readonly result: PromiseWithResolvers<ToolText>;
  /** Its own rules do not let it pass: the question for a person, and what they said. */
  readonly question: PromiseWithResolvers<string>;
  readonly verdict: PromiseWithResolvers<Verdict>;
  /** What is to be its result: what it asks for has been done elsewhere. */
  report: string | undefined;
  /** It was let through, and it has come to it. */
  isWanted: boolean;
  isBegun: boolean;
}

interface Verdict {
  readonly denied?: string;
}

export class Program {
  readonly #clock: Clock;
  readonly #calls = new Map<string, Call>();
  readonly #calledOff = new Set<Call>();
  readonly #prompts: { message: UserMessage; taken: () => void }[] = [];
  #wanted: (() => void) | undefined;
  #gate = Promise.withResolvers<void>();
  #idle = Promise.withResolvers<void>();
  #query: Query | undefined;
  #launched: Launched | undefined;
  #home: string | undefined;
  #stderr = "";
  #over: string | undefined;
  readonly #ended = Promise.withResolvers<string>();

  constructor(clock: Clock) {
    this.#clock = clock;
  }

  /** Resolves when it is over, with what is known of why. */
  get ended(): Promise<string> {
    return this.#ended.promise;
  }

  get isOver(): boolean {
    return this.#over !== undefined;
  }

  get pid(): number | undefined {
    return this.#launched?.process.pid;
  }

  /** When it said something last, in the monotonic milliseconds of `clock`. */
  heardMs = 0;

  /** Resolves when it has answered: it answers at once, whatever it waits for. */
  async ping(): Promise<void> {
    await this.#query?.mcpServerStatus();
    this.#heard();
  }

  /** Resolves when it has nothing left to do. */
  get idle(): Promise<void> {
    return this.#idle.promise;
  }

  async start(options: ProgramOptions): Promise<void> {
    this.#home = await mkdtemp(join(options.homes, "home-"));
    await writeFile(join(this.#home, INSTRUCTIONS), options.instructions);
    const query = options.sdk.query({ prompt: this.#input(), options: this.#queryOptions(options, this.#home) });
    this.#query = query;
    this.#heard();
    void this.#read(query);
  }

  /** A message of the user's; resolves once it is handed over. */
  say(texts: readonly string[]): Promise<void> {
    this.#idle = Promise.withResolvers();
    return new Promise((resolve) => {
      const content = texts.map((text) => ({ type: "text" as const, text }));
      const message: UserMessage = {
        type: "user",
        message: { role: "user", content },
        parent_tool_use_id: null,
        session_id: "",
        client_composed: true,
      };
      this.#prompts.push({ message, taken: resolve });
      this.#wanted?.();
    });
  }

  /**
   * Y1. Lets it run a call of its own, and resolves to what came of it. `report`: of what has been done elsewhere, and is only to be
   * said. @throws MustAsk, unless a person has allowed it
   */
  run(callId: string, isAllowed: boolean, report?: string): Promise<ToolText> {
    const call = this.#call(callId);
    call.report = report;
    call.isWanted = true;
    call.permit.resolve({});
    if (isAllowed) {
      call.verdict.resolve({});
      return call.result.promise;
    }
    const asked = call.question.promise.then((question) => Promise.reject(new MustAsk(question)));
    return Promise.race([call.result.promise, asked]);
  }

  /** Y2. What a call has come to. Of its own, one that it has not run yet is not run any more. */
  settle(callId: string, result: ToolText): void {
    const call = this.#call(callId);
    call.permit.resolve({ denied: result.text });
    call.verdict.resolve({ denied: result.text });
    call.result.resolve(result);
  }

  /** What a subagent's model call is answered with; undefined for one that nobody let through. */
  reportFor(body: string): string | undefined {
    for (const [callId, { report }] of this.#calls) if (report !== undefined && isFor(body, callId)) return report;
    return undefined;
  }

  /** Lets it go on to the next model call when all calls have their results. */
  goOn(): void {
    this.#gate.resolve();
  }

  /** Ends it and all that it runs. Twice is harmless. */
  async end(): Promise<void> {
    this.#finish("it was ended");
    await this.#launched?.end();
    this.#query?.close();
    if (this.#home) await rm(this.#home, { recursive: true, force: true, maxRetries: 3 });
  }

  #call(callId: string): Call {
    const known = this.#calls.get(callId);
    if (known) return known;
    const call: Call = {
      permit: Promise.withResolvers(),
      result: Promise.withResolvers(),
      question: Promise.withResolvers(),
      verdict: Promise.withResolvers(),
      report: undefined,
      isWanted: false,
      isBegun: false,
    };
    // Nobody may wait for it when the program ends.
    call.result.promise.catch(() => undefined);
    this.#calls.set(callId, call);
    return call;
  }

  #finish(why: string): void {
    if (this.#over !== undefined) return;
    this.#over = why;
    this.#ended.resolve(why);
    const error = new BanyanError("TOOL_FAILED", `Claude Code ended while this ran (${why}): its outcome is unknown`);
    for (const call of this.#calls.values()) call.result.reject(error);
    this.#wanted?.();
  }

  async *#input(): AsyncGenerator<UserMessage> {
    while (!this.isOver) {
      const next = this.#prompts.shift();
      if (next) {
        yield next.message;
        // The one before is written when the next is asked for.
        next.taken();
        continue;
      }
      await new Promise<void>((resolve) => {
        this.#wanted = resolve;
      });
    }
  }

  async #read(query: Query): Promise<void> {
    try {
      for await (const message of query) this.#hear(message);
      this.#finish("it closed its output");
    } catch (error) {
      this.#finish(`${error instanceof Error ? error.message : String(error)}${this.#stderr}`);
    }
  }

  #heard(): void {
    this.heardMs = this.#clock.monotonic();
  }

  #hear({ type, message }: SdkMessage): void {
    this.#heard();
    if (type === "result") this.#idle.resolve();
    if (type !== "user" || !Array.isArray(message?.content)) return;
    for (const block of message.content as ResultBlock[]) {
      if (block.type !== "tool_result") continue;
      this.#call(block.tool_use_id).result.resolve({ text: textOf(block.content), isError: block.is_error === true });
    }
  }

  #queryOptions(options: ProgramOptions, home: string): QueryOptions {
    const { sdk: _, line, sessionId, model, instructions, folder, ownTools, tools, transcript, asked } = options;
    const timeout = FOREVER_MS / 1_000;
    const answer = (callId: string) => this.#call(callId).result.promise.catch(errorText);
    return {
      cwd: folder,
      model,
      systemPrompt: instructions,
      // The SDK says it after a session that goes on by itself has made its first call.
      extraArgs: { "system-prompt-file": join(home, INSTRUCTIONS) },
      tools: [...ownTools],
      permissionMode: "acceptEdits",
      settingSources: [...asked.files],
      strictMcpConfig: true,
      mcpServers: {
        ...foreignServers(asked),
        [SERVER]: { type: "sdk", name: SERVER, instance: mcpTools(tools, answer) },
      },
      // Not on its command line, where everybody could read what they are given.
      mcpServersDelivery: "initialize",
      env: environmentOf(options, line, home),
      // Stronger than those of the folder, which are not to lead it past the gateway.
      ...(asked.files.length > 0 && { settings: { env: rulesOf(options, line, home) } }),
      hooks: {
        PreToolUse: [{ timeout, hooks: [(input) => this.#beforeTool(input, options)] }],
        PostToolBatch: [{ timeout, hooks: [() => this.#afterTools()] }],
      },
      canUseTool: (name, input, asked) => this.#permission(name, input, asked, options),
      stderr: (text) => {
        this.#stderr = `${this.#stderr}\n${text}`.slice(-STDERR_LENGTH_MAX);
      },
      spawnClaudeCodeProcess: (how) => {
        const { warden, limits } = options;
        this.#launched = launch(how, { marks: [...options.marks, sessionId], warden, limits });
        void this.#launched.exited.then((why) => this.#finish(why));
        return this.#launched.process;
      },
      ...(transcript && {
        resume: sessionId,
        sessionStore: { append: async () => undefined, load: async () => [...transcript] },
      }),
    };
  }

  async #beforeTool(hooked: HookInput, { ownTools, leavesRunning, asked }: ProgramOptions) {
    const { tool_name: name = "", tool_use_id: callId = "", tool_input: input = {} } = hooked;
    if (!ownTools.includes(name) && !isForeign(name, asked)) return decision("allow", "Banyan carries it out.");
    const call = this.#call(callId);
    const { denied } = await call.permit.promise;
    call.isBegun = true;
    if (this.#calledOff.has(call)) return decision("deny", NOT_RUN);
    if (denied !== undefined) return decision("deny", denied);
    if (call.report !== undefined)
      return instead(name === AGENT_TOOL ? standInFor(callId) : sayingInstead(call.report));
    // One that is over time would be moved to the background.
    if (leavesRunning && name === COMMAND_TOOL) return changed({ ...input, timeout: FOREVER_MS });
    // What its own rules do not let pass, it asks for.
    return {};
  }

  /** What its own rules let pass needs no permission: reading and editing inside the folder. */
  async #permission(
    name: string,
    input: Record<string, unknown>,
    { toolUseID, decisionReason }: PermissionAsked,
    { mayRunCommands, ownTools, asksBeyond, asked }: ProgramOptions,
  ): Promise<Permission> {
    const allowed: Permission = { behavior: "allow", updatedInput: input };
    if (isForeign(name, asked)) return allowed;
    if (mayRunCommands && name === COMMAND_TOOL && ownTools.includes(name)) return allowed;
    if (!asksBeyond) return { behavior: "deny", message: "This agent may work inside its folder only." };
    const call = this.#call(toolUseID);
    const why = decisionReason === undefined ? "" : ` (${decisionReason})`;
    call.question.resolve(`May ${name} run with ${JSON.stringify(input)}?${why}`);
    this.#callOff(call);
    const { denied } = await call.verdict.promise;
    return denied === undefined ? allowed : { behavior: "deny", message: denied };
  }

  /** It runs one call after the other: those behind one that waits for a person would wait as if they ran. */
  #callOff(asking: Call): void {
    for (const call of this.#calls.values()) {
      if (call === asking || call.isBegun || !call.isWanted) continue;
      this.#calledOff.add(call);
      call.result.reject(new BanyanError("TOOL_FAILED", NOT_RUN));
    }
  }

  async #afterTools() {
    await this.#gate.promise;
    this.#gate = Promise.withResolvers();
    return {};
  }
}

/** Its own rules do not look at what Banyan has put in the place of a call. */
function instead(updatedInput: Record<string, unknown>) {
  return { hookSpecificOutput: { hookEventName: "PreToolUse", permissionDecision: "allow", updatedInput } };
}

function changed(updatedInput: Record<string, unknown>) {
  return { hookSpecificOutput: { hookEventName: "PreToolUse", updatedInput } };
}

function decision(permissionDecision: "allow" | "deny", permissionDecisionReason: string) {
  return { hookSpecificOutput: { hookEventName: "PreToolUse", permissionDecision, permissionDecisionReason } };
}

interface ResultBlock {
  readonly type: string;
  readonly tool_use_id: string;
  readonly content?: unknown;
  readonly is_error?: boolean;
}

function textOf(content: unknown): string {
  if (typeof content === "string") return content;
  if (!Array.isArray(content)) return "";
  return content.map((block: { type: string; text?: string }) => block.text ?? `[${block.type}]`).join("\n");
}

function errorText(error: unknown): ToolText {
  return { text: error instanceof Error ? error.message : String(error), isError: true };
}

const NOT_RUN = "It did not run: a call before it waits for a person. Call it again if it is still needed.";

const INSTRUCTIONS = "instructions";
const STDERR_LENGTH_MAX = 2_000;
