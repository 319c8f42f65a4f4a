/**
 * The `claude` driver: agents that the Claude Agent SDK runs, with Claude Code's tools beside Banyan's. Each has a process of its own
 * while it is at work, and none while it rests: the journal is all that it goes on from. See docs/decisions/claude-driver.md.
 */
import { hash } from "node:crypto";
import { mkdir, rm } from "node:fs/promises";
import type { Execution } from "../../agent/events.ts";
import type { State } from "../../agent/state.ts";
import type { Clock } from "../../base/clock.ts";
import { BanyanError } from "../../base/errors.ts";
import { LIMITS } from "../../base/limits.ts";
import type { Random } from "../../base/random.ts";
import type { Contents } from "../../blobs/content.ts";
import { MARKS_VARIABLE } from "../../processes/environment.ts";
import { endLeft } from "../../processes/sweep.ts";
import { Warden } from "../../processes/warden.ts";
import type { Driver, Session } from "../driver.ts";
import { createToolsets } from "../model/toolset.ts";
import { Gateway } from "./gateway.ts";
import { COMMAND_TOOL } from "./program.ts";
import type { Upstream } from "./relay.ts";
import { type Profile, Running } from "./running.ts";
import { type ClaudeSdk, findSdk, loadSdk } from "./sdk.ts";
import { ClaudeSession, type Programs } from "./session.ts";
import { Starts } from "./starts.ts";

export interface ClaudeOptions {
  /** Where the Messages API is. Default: the environment's ANTHROPIC_BASE_URL, or Anthropic's own. */
  readonly baseUrl?: string;
  /** Default: the environment's ANTHROPIC_API_KEY. Never journaled, and not known to the agents. */
  readonly apiKey?: string;
  /** Loads the SDK, when it is not to be found by its name. */
  readonly sdk?: () => Promise<ClaudeSdk>;
}

export interface ClaudeDriverOptions extends ClaudeOptions {
  readonly contents: Contents;
  readonly clock: Clock;
  readonly random: Random;
  readonly environment: NodeJS.ProcessEnv;
  /** For the homes of sessions, of this process alone. What an earlier one left there, and left running, goes at the first session. */
  readonly folder: string;
}

export interface ClaudeDriver extends Driver {
  /** Looks whether agents can run here. @throws DEPENDENCY_MISSING, CONFIG_INVALID */
  check(): void;
  /** Lets go of what watches over its processes. No session may be open any more. */
  close(): Promise<void>;
}

export function createClaudeDriver(options: ClaudeDriverOptions): ClaudeDriver {
  const { contents, clock, random, environment, folder: homes, sdk: load = loadSdk } = options;
  const uuid = () => uuidOf(random.bytes(16));
  const toolsets = createToolsets(contents);
  const gateway = new Gateway(clock);
  const starts = new Starts(LIMITS.claudeStartsMax);
  const ownMark = markOf(homes);
  const hostMark = `claude-host-${uuid()}`;
  const warden = new Warden(hostMark);
  const marks = [...(environment[MARKS_VARIABLE]?.split(" ") ?? []), ownMark, hostMark];
  let isSwept: Promise<unknown> | undefined;
  const inTurn = async <T>(signal: AbortSignal, start: () => Promise<T>): Promise<T> => {
    await starts.enter(signal);
    return start().finally(() => starts.leave());
  };
  const programs: Programs = {
    ready: (profile, hasInstructions, signal) =>
      inTurn(signal, () => Running.ready(profile, hasInstructions, { gateway, uuid }, signal)),
    from: (profile, past, signal) => inTurn(signal, () => Running.from(profile, past, { gateway, uuid }, signal)),
  };
  const check = () => {
    if (!options.sdk) findSdk();
    upstreamOf(options);
  };
  return {
    check,
    close: () => warden.close(),
    missing() {
      try {
        check();
        return undefined;
      } catch (error) {
        return (error as BanyanError).message;
      }
    },
    async open(state: State): Promise<Session> {
      const { agent, rights } = state.head;
      isSwept ??= sweep(homes, ownMark);
      await isSwept;
      const [sdk, toolset, instructions] = await Promise.all([
        load(),
        toolsets.find(state.toolset),
        contents.fetch(state.instructions),
      ]);
      const ownTools = ownToolsOf(state.head.execution, rights);
      if (ownTools.length > 0 && rights.root === undefined)
        throw new BanyanError("CONFIG_INVALID", "tools of Claude Code need a folder to work in", { agent });
      const { model, outputTokensMax } = state.head.execution;
      const profile: Profile = {
        sdk,
        homes,
        marks,
        warden,
        model,
        outputTokensMax,
        folder: rights.root ?? "/",
        mayRunCommands: rights.commands,
        asksBeyond: state.head.execution.asksBeyond === true,
        ownTools,
        tools: toolset.tools,
        environment,
      };
      const upstream = upstreamOf(options);
      return new ClaudeSession({
        contents,
        clock,
        toolset,
        instructions,
        state,
        upstream,
        uuid,
        profile,
        programs,
      });
    },
  };
}

/** Carried by all that the sessions with homes in this folder run, and by nothing else. */
function markOf(homes: string): string {
  return `claude-${hash("sha256", homes)}`;
}

async function sweep(homes: string, mark: string): Promise<void> {
  await endLeft(undefined, mark);
  await rm(homes, { recursive: true, force: true, maxRetries: 3 });
  await mkdir(homes, { recursive: true, mode: 0o700 });
}

/** A child may have fewer rights than its parent, whose execution it has. */
function ownToolsOf({ ownTools = [] }: Execution, rights: State["head"]["rights"]): string[] {
  return ownTools.filter((tool) => tool !== COMMAND_TOOL || rights.commands);
}

function upstreamOf({ environment, baseUrl, apiKey }: ClaudeDriverOptions): Upstream {
  const url = baseUrl ?? environment.ANTHROPIC_BASE_URL ?? "https://api.anthropic.com";
  const key = apiKey ?? environment.ANTHROPIC_API_KEY;
  if (!key)
    throw new BanyanError(
      "CONFIG_INVALID",
      "agents of Claude Code need a key: set ANTHROPIC_API_KEY, or pass `apiKey`",
    );
  return { url: url.replace(/\/+$/, ""), headers: { "x-api-key": key } };
}

/** RFC 9562, version 4. */
function uuidOf(bytes: Uint8Array): string {
  const hex = Buffer.from(bytes).toString("hex");
  const variant = "89ab"[(bytes[8] ?? 0) & 3];
  return `${hex.slice(0, 8)}-${hex.slice(8, 12)}-4${hex.slice(13, 16)}-${variant}${hex.slice(17, 20)}-${hex.slice(20)}`;
}
