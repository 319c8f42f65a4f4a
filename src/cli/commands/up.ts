/** `banyan up`: runs the agents of the data, and serves the dashboard and the HTTP API. */
import { readFile } from "node:fs/promises";
import { collect } from "../../artifacts/collect.ts";
import { BanyanError } from "../../base/errors.ts";
import { systemRandom } from "../../base/random.ts";
import { archiveRuntime } from "../../runtime/archive.ts";
import { Banyan } from "../../runtime/banyan.ts";
import type { Runtime } from "../../runtime/open.ts";
import { scrubRuntime } from "../../runtime/scrub.ts";
import { boundsOf, loadSettings, type Settings } from "../../runtime/settings.ts";
import { AccessTokens } from "../../server/access-tokens.ts";
import { startControl } from "../../server/control-socket.ts";
import { startHttp } from "../../server/http-server.ts";
import { type CommonOptions, dataCommand, type Register, wholeNumber } from "../command.ts";
import { type Io, print, printJson, remark } from "../io.ts";
import { keepBackup } from "../run/backup-keeper.ts";
import { openModel } from "../run/model.ts";
import { takeTasks } from "../run/tasks.ts";
import { keepUp, type UpkeepTask } from "../run/upkeep.ts";
import { oneLine } from "../terminal.ts";

interface Options extends CommonOptions {
  readonly port: number;
  readonly host?: string;
  readonly cert?: string;
  readonly key?: string;
  readonly model?: string;
  readonly backup?: string;
}

const PORT = 7_420;

export const register: Register = (program, io) => {
  dataCommand(
    program,
    "up",
    "run the agents of the data, take tasks for them, and serve the dashboard and the HTTP API, until Ctrl-C",
    "{url, data, pid, token, link}; the token at the first start alone, null afterwards; the link logs a browser in, once",
  )
    .option("--port <port>", "where to listen; 0 for any free port", wholeNumber, PORT)
    .option("--host <address>", "address to listen on, such as 0.0.0.0; all but the loopback one need --cert and --key")
    .option("--cert <file>", "certificate in PEM: the names in it are those under which the server answers")
    .option("--key <file>", "its private key")
    .option(
      "--backup <place>",
      "keep a backup there: a folder, best on another disk, or a bucket (setting backupStore)",
    )
    .option("--model <name>", "model of ANTHROPIC_API_KEY's account; without a key a simulated one")
    .action((options: Options) => up(io, options));
};

async function up(io: Io, { port, host, cert, key, json, data, model, backup, config }: Options): Promise<void> {
  const { environment, folder, clock } = io;
  const options = { dataDir: data, model, backupStore: backup };
  const { settings } = await loadSettings({ options, environment, folder, file: config });
  const { ANTHROPIC_BASE_URL: baseUrl, ANTHROPIC_API_KEY: apiKey } = environment;
  const { bucketUrl, bucketRegion, dataDir } = settings;
  const listening = { host, certificate: await textOf(cert), key: await textOf(key) };
  const ended = Promise.withResolvers<void>();
  if (io.interrupted.aborted) ended.resolve();
  io.interrupted.addEventListener("abort", () => ended.resolve(), { once: true });

  await using source = await openModel({ model: settings.model, environment });
  await using banyan = await Banyan.open(dataDir, {
    ...boundsOf(settings),
    bucket: bucketUrl === undefined ? undefined : { url: bucketUrl, region: bucketRegion },
    onFault: (_agent, error) => remark(io, `fault: ${error instanceof Error ? oneLine(error.message) : "unknown"}`),
    claude: { ...(baseUrl && { baseUrl }), ...(apiKey && { apiKey }) },
  });
  if ("model" in source) banyan.register(source.model);
  await using _backup = backupOf(io, settings, (error) => {
    remark(io, `fault: ${oneLine(error.message)}`);
    banyan.runtime.faults.note("", error);
  });
  await using _upkeep = keepUp({
    folder: dataDir,
    clock,
    tasks: tasksOf(banyan.runtime, settings),
    onFault: (error) => {
      remark(io, `fault: ${oneLine(error.message)}`);
      banyan.runtime.faults.note("", error);
    },
  });
  await using opened = new AsyncDisposableStack();
  const startTree = takeTasks(source, { banyan, settings, environment, opened });
  await using _control = await startControl(banyan.runtime, { shutDown: ended.resolve, startTree });
  const tokens = new AccessTokens(dataDir, { clock, random: systemRandom });
  const token = tokens.first((why) => remark(io, why)) ?? null;
  await using http = await startHttp(banyan.runtime, { port, tokens, listening, shutDown: ended.resolve, startTree });
  if (json)
    await printJson(io, { url: http.url, data: dataDir, pid: process.pid, token, link: http.loginLink() ?? null });
  else {
    await print(io, `banyan is up: ${http.url}, on ${dataDir}, with ${source.provider}`);
    if (token !== null) await print(io, `token (shown once; \`banyan token\` makes others): ${token}`);
    const link = http.loginLink();
    if (link !== undefined) await print(io, `dashboard (this link logs in once): ${link}`);
    remark(io, "look at it with `banyan top`, in another terminal    Ctrl-C ends it");
  }
  await ended.promise;
}

async function textOf(file: string | undefined): Promise<string | undefined> {
  if (file === undefined) return undefined;
  return readFile(file, "utf8").catch((cause) => {
    throw new BanyanError("INPUT_INVALID", `${file} cannot be read: ${cause.message}`, { cause });
  });
}

const HOUR_MS = 3_600_000;

/** What the settings want done again and again. */
function tasksOf(runtime: Runtime, settings: Settings): UpkeepTask[] {
  const { archiveAfterDays, archiveStore: place, backupStore, backupKeyFile, collectHours, scrubHours } = settings;
  const { journal, blobs, clock } = runtime.services;
  const backup = backupKeyFile === undefined ? backupStore : undefined;
  const tasks: UpkeepTask[] = [];
  if (archiveAfterDays > 0) {
    const idleMs = archiveAfterDays * 24 * HOUR_MS;
    const run = (signal: AbortSignal) => archiveRuntime(runtime, { idleMs, place, signal });
    tasks.push({ name: "archive", everyMs: HOUR_MS, run });
  }
  if (collectHours > 0) {
    const run = (signal: AbortSignal) => collect({ journal, blobs, clock, signal });
    tasks.push({ name: "collect", everyMs: collectHours * HOUR_MS, run });
  }
  if (scrubHours > 0) {
    const run = (signal: AbortSignal) => scrubRuntime(runtime, { backup, signal });
    tasks.push({ name: "scrub", everyMs: scrubHours * HOUR_MS, run });
  }
  return tasks;
}

function backupOf(io: Io, settings: Settings, onFault: (error: BanyanError) => void): AsyncDisposable | undefined {
  const { dataDir: folder, backupStore: store, backupRegion: region, backupKeyFile: keyFile } = settings;
  if (store === undefined) return undefined;
  const drillEveryMs = settings.backupDrillHours * HOUR_MS;
  return keepBackup({ folder, store, region, keyFile, drillEveryMs, clock: io.clock, onFault });
}
