/** `banyan run`: gives a task to a tree of agents over a folder, shows the tree while it works, and says what came of it. */
import { readFile } from "node:fs/promises";
import { resolve } from "node:path";
import type { Budget } from "../../agent/events.ts";
import { Banyan } from "../../runtime/banyan.ts";
import { boundsOf, type Settings } from "../../runtime/settings.ts";
import { startControl } from "../../server/control-socket.ts";
import { duration } from "../figures.ts";
import { type Io, print, printJson, remark } from "../io.ts";
import { claudeCode } from "./claude-code.ts";
import { DEFAULT_INSTRUCTIONS } from "./instructions.ts";
import { exitOf, resultOf, startJob } from "./job.ts";
import { findHost, joinHost } from "./join.ts";
import { killAt } from "./kill-at.ts";
import { openModel } from "./model.ts";
import { showTree, summaryOf } from "./show.ts";

export interface RunOptions {
  readonly task: string;
  readonly dir: string;
  /** What executes the agents. */
  readonly driver: "model" | "claude";
  /** Whose tree it is. */
  readonly tenant?: string | undefined;
  readonly settings: Settings;
  /** The data folder was said on the command line. */
  readonly isDataGiven?: boolean | undefined;
  /** The model that was said there. */
  readonly model?: string | undefined;
  /** File with instructions for every agent. */
  readonly instructions?: string | undefined;
  readonly budget?: Budget | undefined;
  readonly allowCommands?: boolean | undefined;
  readonly keepFiles?: boolean | undefined;
  readonly json?: boolean | undefined;
  readonly killAt?: number | undefined;
  readonly killLog?: string | undefined;
}

/** Resolves to the exit code. @throws what opening and spawning throw */
export async function run(options: RunOptions, io: Io): Promise<number> {
  const { clock, environment } = io;
  const { settings } = options;
  const { outputTokensMax, bucketUrl, bucketRegion } = settings;
  const startMs = clock.monotonic();
  const say = (text: string) => remark(io, text);
  const { ANTHROPIC_BASE_URL: baseUrl, ANTHROPIC_API_KEY: apiKey } = environment;
  const dir = resolve(options.dir);
  const joined = options.killAt === undefined ? await join(options, io, dir) : undefined;
  if (joined !== undefined) return joined;
  await using source =
    options.driver === "model"
      ? await openModel({ model: settings.model, environment })
      : claudeCode({ model: settings.model, environment, dir, allowCommands: options.allowCommands ?? false });
  const faults: unknown[] = [];
  const onFault = (_agent: string, error: unknown) => void faults.push(error);
  const claude = { ...(baseUrl && { baseUrl }), ...(apiKey && { apiKey }) };
  const bucket = bucketUrl === undefined ? undefined : { url: bucketUrl, region: bucketRegion };
  await using banyan = await Banyan.open(settings.dataDir, { ...boundsOf(settings), bucket, onFault, claude });
  if (options.killAt !== undefined)
    killAt(banyan.runtime.coordinator, { killAt: options.killAt, logFile: options.killLog });
  // Ctrl-C, or `shutdown` through the socket: waiting for the tree ends, and says that it goes on at the next start.
  const stop = () => void banyan.close();
  io.interrupted.addEventListener("abort", stop, { once: true });
  await using _control = await startControl(banyan.runtime, { shutDown: stop });
  const { tree, resumed } = await startJob(banyan, {
    task: options.task,
    dir,
    source,
    outputTokensMax,
    instructions: (await instructionsOf(options)) ?? DEFAULT_INSTRUCTIONS,
    budget: options.budget,
    tenant: options.tenant,
    allowCommands: options.allowCommands ?? false,
    keepFiles: options.keepFiles ?? false,
  });
  if ("model" in source) banyan.register(source.model);
  say(`tree ${tree.id} on ${source.provider}`);
  if (resumed)
    say(
      `taken up where it was: ${banyan.recovery.agents} agents read, ready after ${duration(clock.monotonic() - startMs)}`,
    );
  for (const { agent, error } of banyan.recovery.damaged) say(`damaged: agent ${agent}: ${error.message}`);
  const hide = showTree(banyan.runtime.coordinator, tree.id, io);
  try {
    const result = await resultOf(banyan, tree);
    hide();
    const { output, error } = await tree.result();
    if (options.json) await printJson(io, result);
    else await print(io, summaryOf(result, output, clock.monotonic() - startMs));
    if (error) say(`${error.code}: ${error.message}`);
    for (const fault of faults) say(`fault: ${fault instanceof Error ? fault.message : String(fault)}`);
    return exitOf(result, error);
  } finally {
    hide();
  }
}

/** The exit code when a process that runs already takes the task; undefined when there is none. */
async function join(options: RunOptions, io: Io, dir: string): Promise<number | undefined> {
  const { task, driver, tenant, budget, allowCommands, keepFiles, settings, json = false } = options;
  const host = await findHost(io, settings.dataDir, options.isDataGiven ?? false);
  if (!host) return undefined;
  await using _client = host.client;
  const instructions = await instructionsOf(options);
  const asked = {
    ...{ task, dir, driver, model: options.model, tenant, budget, allowCommands, keepFiles, instructions },
    outputTokensMax: settings.outputTokensMax,
  };
  return await joinHost(io, host, { asked, json });
}

async function instructionsOf({ instructions }: RunOptions): Promise<string | undefined> {
  return instructions === undefined ? undefined : readFile(instructions, "utf8");
}
