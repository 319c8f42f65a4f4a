/**
 * The real Claude Code against the provider simulator: what the tests of the `claude` driver share. The SDK is large, so it has a folder
 * of its own with a lock file; without it the tests that need it are left out.
 */
import { existsSync } from "node:fs";
import { mkdtemp, readdir, readFile, readlink, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { pathToFileURL } from "node:url";
import { expect } from "vitest";
import { systemClock } from "../../../src/base/clock.ts";
import { seededRandom } from "../../../src/base/random.ts";
import type { ClaudeSdk } from "../../../src/drivers/claude/sdk.ts";
import type { FollowedEvent } from "../../../src/index.ts";
import { type Agent, Banyan, type BanyanOptions, claude } from "../../../src/index.ts";
import { ApiError } from "../../../src/simulator/api-error.ts";
import type { FaultPlan } from "../../../src/simulator/faults.ts";
import type { MessagesRequest } from "../../../src/simulator/messages-api.ts";
import type { Reply, ReplyBlock } from "../../../src/simulator/mind.ts";
import { scriptedMind } from "../../../src/simulator/scripted.ts";
import { type Simulator, startSimulator } from "../../../src/simulator/simulator.ts";

const SDK = join(import.meta.dirname, "sdk/node_modules/@anthropic-ai/claude-agent-sdk/sdk.mjs");

export const isInstalled = existsSync(SDK);
/** For the title of what is left out without it. */
export const WITH_SDK = "with the SDK (npm ci --prefix test/drivers/claude/sdk)";

export const loadSdk = () => import(pathToFileURL(SDK).href) as Promise<ClaudeSdk>;

/** Closes Claude Code soon after its agent came to rest. */
export const NOT_KEPT = { pool: { idleMsMax: 1 } };

export const MODEL = "claude-sonnet-4-5";

/** What an agent says at its turn `turn`, 0 for the first. */
export type Part = (turn: number, request: MessagesRequest) => Reply | string;

/** A call of one of Claude Code's tools, or, with `banyan: true`, of Banyan's. */
export function call(tool: string, input: object, { banyan = false } = {}): ReplyBlock {
  return { type: "tool_use", name: banyan ? `mcp__banyan__${tool}` : tool, input };
}

export interface Place {
  readonly data: string;
  readonly url: string;
  readonly folder: string;
}

export const asks = (...content: ReplyBlock[]): Reply => ({ content });

/** A provider, a folder to work in and a Banyan that may be opened again and again. */
export class Stage implements AsyncDisposable {
  readonly requests: MessagesRequest[] = [];
  readonly simulator: Simulator;
  /** Where agents work. */
  readonly folder: string;
  readonly #home: string;
  readonly #open: Banyan[] = [];
  #anyPart: Part | undefined;

  private constructor(simulator: Simulator, home: string, folder: string, requests: MessagesRequest[]) {
    this.simulator = simulator;
    this.#home = home;
    this.folder = folder;
    this.requests = requests;
  }

  /** Each agent plays the part that its instructions name. */
  static async set(parts: Readonly<Record<string, Part>>, faults?: FaultPlan): Promise<Stage> {
    const requests: MessagesRequest[] = [];
    const mind = scriptedMind((request) => {
      requests.push(request);
      const part = parts[partOf(request)] ?? stage.#anyPart;
      if (!part) throw new ApiError("invalid_request_error", `no part ${partOf(request)}`);
      return part(request.messages.filter(({ role }) => role === "assistant").length, request);
    });
    const random = seededRandom(3);
    const simulator = await startSimulator({ mind, clock: systemClock(), random, ...(faults && { faults }) });
    const home = await mkdtemp(join(tmpdir(), "banyan-stage-"));
    const folder = await mkdtemp(join(home, "work-"));
    const stage = new Stage(simulator, home, folder, requests);
    return stage;
  }

  /** The part of an agent whose instructions name none. */
  plays(part: Part): void {
    this.#anyPart = part;
  }

  async open(options: BanyanOptions = {}): Promise<Banyan> {
    const how = { ...options.claude, baseUrl: this.simulator.url, apiKey: "test", sdk: loadSdk };
    const banyan = await Banyan.open(join(this.#home, "data"), { ...options, claude: how });
    this.#open.push(banyan);
    return banyan;
  }

  /** For another process. */
  get place(): Place {
    return { data: join(this.#home, "data"), url: this.simulator.url, folder: this.folder };
  }

  /** Claude Code with these of its tools. */
  claude(...tools: Parameters<typeof claude>[0]["tools"] & object) {
    return claude({ model: MODEL, tools, folder: this.folder });
  }

  /** Lines that commands of the agents have written to `file`. */
  async lines(file: string): Promise<string[]> {
    const text = await readFile(join(this.folder, file), "utf8").catch(() => "");
    return text.split("\n").filter((line) => line !== "");
  }

  /** Claude Code and what it runs, by where they work. */
  async processes(): Promise<number[]> {
    const pids = (await readdir("/proc")).filter((name) => /^[1-9]\d*$/.test(name));
    const folders = await Promise.all(pids.map((pid) => readlink(`/proc/${pid}/cwd`).catch(() => "")));
    return pids.filter((_, at) => folders[at] === this.folder).map(Number);
  }

  /** Resolves when no agent has a Claude Code, and, once Banyan is closed, none runs that was made ready. */
  async leaves(banyan: Banyan): Promise<void> {
    const { coordinator } = banyan.runtime;
    const had = () => coordinator.pool.claimed + coordinator.pool.parked + coordinator.pool.draining;
    await expect.poll(had, { timeout: 10_000 }).toBe(0);
    await banyan.close();
    expect(await this.processes()).toEqual([]);
  }

  /** Resolves when no Claude Code runs, nor anything that it started. */
  async quiet(): Promise<void> {
    await expect.poll(() => this.processes(), { timeout: 10_000 }).toEqual([]);
  }

  /** A file where the agents work. */
  write(file: string, text = ""): Promise<void> {
    return writeFile(join(this.folder, file), text);
  }

  async [Symbol.asyncDispose](): Promise<void> {
    for (const banyan of this.#open) await banyan.close();
    await this.simulator.stop();
    await rm(this.#home, { recursive: true, force: true });
  }
}

/** The instructions: the last block of the system prompt. */
export function partOf({ system }: MessagesRequest): string {
  return typeof system === "string" ? system : (system?.at(-1)?.text ?? "");
}

/** Resolves to the first event that fits. */
export async function seen(
  agent: Agent,
  fits: (event: FollowedEvent["event"]) => boolean,
  { after = 0 } = {},
): Promise<FollowedEvent> {
  for await (const each of agent.events()) if (each.seq > after && fits(each.event)) return each;
  throw new Error("it ended before that");
}

/** The texts of a message's blocks, without what Claude Code adds. */
export function saidIn({ content }: MessagesRequest["messages"][number]): string[] {
  if (typeof content === "string") return [content];
  return content.flatMap((block) => {
    if (block.type === "tool_result") return [`${block.is_error ? "! " : ""}${plain(resultOf(block.content))}`];
    if (block.type === "text") return plain(block.text) === "" ? [] : [plain(block.text)];
    return [];
  });
}

function resultOf(content: string | readonly { text?: string | undefined }[] | undefined): string {
  return typeof content === "string" ? content : (content ?? []).map(({ text = "" }) => text).join("");
}

function plain(text: string): string {
  return text.replaceAll(/<system-reminder>[\s\S]*?<\/system-reminder>/g, "").trim();
}

/** A message as it is compared: without the marks of the cache, which move. */
export function unmarked(message: MessagesRequest["messages"][number]): string {
  return JSON.stringify(message, (key, value) => (key === "cache_control" ? undefined : value));
}
