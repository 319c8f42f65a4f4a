/**
 * The `claude` driver: agents that the Claude Agent SDK runs, with Claude Code's tools beside Banyan's. Each has a process of its own
 * while it is at work; while it rests the pool may close it, since the journal is all that it goes on from. See docs/decisions/claude-driver.md.
 */
import { hash } from "node:crypto";
import { mkdir, rm } from "node:fs/promises";
import { tenantOf } from "../../agent/head.ts";
import type { State } from "../../agent/state.ts";
import { type Clock, sleep } from "../../base/clock.ts";
import { BanyanError } from "../../base/errors.ts";
import { LIMITS } from "../../base/limits.ts";
import type { Random } from "../../base/random.ts";
import type { Contents } from "../../blobs/content.ts";
import { MARKS_VARIABLE } from "../../processes/environment.ts";
import { LimitMarks, type LimitRange } from "../../processes/limit-mark.ts";
import { endLeft } from "../../processes/sweep.ts";
import { Warden } from "../../processes/warden.ts";
import type { Driver, StartGate } from "../driver.ts";
import { createToolsets } from "../model/toolset.ts";
import { Gateway } from "./gateway.ts";
import { ownToolsOf, profileOf } from "./profile.ts";
import type { Upstream } from "./relay.ts";
import { type Profile, Running } from "./running.ts";
import { type ClaudeSdk, findSdk, loadSdk } from "./sdk.ts";
import { ClaudeSession } from "./session.ts";
import { type ClaudeSettings, checkSettings } from "./settings.ts";
import { mayLeaveRunning } from "./shells.ts";

export interface ClaudeOptions {
  /** Where the Messages API is. Default: the environment's ANTHROPIC_BASE_URL, or Anthropic's own. */
  readonly baseUrl?: string;
  /** Default: the environment's ANTHROPIC_API_KEY. Never journaled, and not known to the agents. */
  readonly apiKey?: string;
  /**
   * Variables for the commands and programs of a tenant's agents, asked for whenever an agent comes to work. Never journaled. Those that
   * Banyan sets itself (HOME, the provider's address) stay as they are.
   */
  readonly environmentOf?: (tenant: string) => Readonly<Record<string, string>>;
  /**
   * What the Claude Codes of a tenant's agents read and run beside what Banyan gives them: nothing, unless it is asked for here. Asked for
   * whenever an agent comes to work; never journaled. One whose settings have changed is closed, and another takes its place.
   */
  readonly settingsOf?: (tenant: string) => ClaudeSettings;
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
  const ownMark = markOf(homes);
  const hostMark = `claude-host-${uuid()}`;
  const limits = new LimitMarks({ data: ownMark, host: hostMark });
  const warden = new Warden(hostMark, limits.host);
  const marks = [...(environment[MARKS_VARIABLE]?.split(" ") ?? []), ownMark, hostMark];
  let isSwept: Promise<unknown> | undefined;
  const means = { gateway, uuid, clock };
  const givenTo = (head: State["head"]) => {
    const tenant = tenantOf(head);
    const asked = checkSettings(options.settingsOf?.(tenant) ?? {}, tenant);
    const passed = asked.pass.flatMap((name) => {
      const value = environment[name];
      return value === undefined ? [] : [[name, value] as const];
    });
    return { asked, given: { ...Object.fromEntries(passed), ...options.environmentOf?.(tenant) } };
  };
  /** What a Claude Code of this agent's is started with, and for whom. */
  const prepare = async ({ head, toolset, tools: names }: State): Promise<Profile> => {
    const { agent, rights, execution } = head;
    isSwept ??= sweep(homes, ownMark, limits.data);
    await isSwept;
    const [sdk, { tools }] = await Promise.all([load(), toolsets.find(toolset)]);
    const ownTools = ownToolsOf(execution, rights);
    if (ownTools.length > 0 && rights.root === undefined)
      throw new BanyanError("CONFIG_INVALID", "tools of Claude Code need a folder to work in", { agent });
    return {
      ...{ sdk, homes, marks, warden, limits, environment, ownTools, tools },
      leavesRunning: mayLeaveRunning(ownTools, names),
      ...givenTo(head),
      model: execution.model,
      outputTokensMax: execution.outputTokensMax,
      folder: rights.root ?? "/",
      mayRunCommands: rights.commands,
      asksBeyond: execution.asksBeyond === true,
    };
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
    profile: (state) =>
      profileOf(state, givenTo(state.head), async (signal) => {
        // Whoever took the last one is about to be answered, and needs the processor more.
        await sleep(clock, LIMITS.claudeWarmDelayMs, signal);
        return Running.ready(await prepare(state), state.instructions !== "", means, signal);
      }),
    async open(state, { warm, start = AT_ONCE } = {}) {
      const upstream = upstreamOf(options);
      const [profile, toolset, instructions] = await Promise.all([
        prepare(state),
        toolsets.find(state.toolset),
        contents.fetch(state.instructions),
        state.entries.unpack(),
      ]);
      const own = warm as Running | undefined;
      const parts = { contents, clock, toolset, instructions, state, upstream, means, profile, start };
      return new ClaudeSession({ ...parts, warm: own });
    },
  };
}

const AT_ONCE: StartGate = (work) => work();

/** Carried by all that the sessions with homes in this folder run, and by nothing else. */
function markOf(homes: string): string {
  return `claude-${hash("sha256", homes)}`;
}

async function sweep(homes: string, mark: string, limit: LimitRange): Promise<void> {
  await endLeft(undefined, mark, { limit });
  await rm(homes, { recursive: true, force: true, maxRetries: 3 });
  await mkdir(homes, { recursive: true, mode: 0o700 });
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
