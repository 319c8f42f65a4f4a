/**
 * The settings of a process, as one schema. docs/configuration.md is made from it.
 *
 * C1  An option goes before the environment (`BANYAN_...`), that before the settings file, and that before the default.
 * C2  A name that is not known is refused, with the name that was probably meant.
 * C3  A value out of range is refused, with the place that it came from.
 */
import { readFile } from "node:fs/promises";
import { dirname, resolve } from "node:path";
import { z } from "zod";
import { listPrice } from "../agent/prices.ts";
import { BanyanError } from "../base/errors.ts";
import { LIMITS } from "../base/limits.ts";
import type { CoordinatorOptions } from "../coordinator/coordinator.ts";
import { closestName } from "./closest.ts";
import { objectPlace } from "./object-store.ts";

const rate = z.int().min(1).max(10_000_000).optional();

/** Each description says, in this order: purpose, unit or form, what a special value means, how it stands to others. */
export const SETTINGS = z.strictObject({
  dataDir: z
    .string()
    .min(1)
    .default(".banyan")
    .describe(
      "Folder that holds the journal, the blobs and the control socket. A path; a relative one in the settings file is taken from the file's folder, otherwise from the working folder. One process works on it at a time.",
    ),
  model: z
    .string()
    .min(1)
    .default("claude-sonnet-4-5")
    .describe(
      "Model that agents use when they are not given one. A name as its provider knows it. Without a provider's key the provider simulator answers in its place.",
    ),
  outputTokensMax: z
    .int()
    .min(1)
    .max(1_000_000)
    .default(LIMITS.outputTokensDefault)
    .describe(
      "Most output of one model call. Tokens. Each call reserves the cost of this many, so a large one exhausts a small `budgetUsd` early.",
    ),
  budgetUsd: z
    .number()
    .positive()
    .optional()
    .describe(
      "Most that one tree may spend, all its agents together. US dollars; without it there is no bound. It needs a `model` whose price is known.",
    ),
  runningMax: z
    .int()
    .min(1)
    .max(100_000)
    .default(LIMITS.runningMax)
    .describe(
      "Agents that call a model or run tools at once in this process. A count. Others wait for a slot, fairly by tree; agents that wait for children hold none.",
    ),
  childrenLiveMax: z
    .int()
    .min(1)
    .max(LIMITS.childrenTotalMax)
    .default(LIMITS.childrenLiveMax)
    .describe(
      "Children of one agent at work at once. A count. Further ones wait until a sibling ends; more than `runningMax` has no effect.",
    ),
  forksPerMinute: z
    .int()
    .min(1)
    .max(100_000)
    .default(LIMITS.forksPerMinuteDefault)
    .describe("Forks in one tree. A count a minute. Further ones wait for their turn."),
  tenantForksPerMinute: rate.describe(
    "Forks in all trees of one tenant. A count a minute; without it there is no bound. It binds together with `forksPerMinute`.",
  ),
  spawnsPerMinute: rate.describe(
    "Agents spawned in one tree, its root included. A count a minute; without it there is no bound. Further ones wait for their turn.",
  ),
  tenantSpawnsPerMinute: rate.describe(
    "Agents spawned in all trees of one tenant. A count a minute; without it there is no bound. It binds together with `spawnsPerMinute`.",
  ),
  bucketUrl: z
    .url({ protocol: /^https?$/ })
    .optional()
    .describe(
      "Bucket of an S3-compatible store that holds the blobs of new data. Its address, `https://host/bucket` or `https://bucket.host`; without it they are in `dataDir`. The keys are those of `AWS_ACCESS_KEY_ID`, `AWS_SECRET_ACCESS_KEY` and `AWS_SESSION_TOKEN`. A data folder remembers its bucket, and another one is refused.",
    ),
  bucketRegion: z
    .string()
    .min(1)
    .default("us-east-1")
    .describe("Region that requests to `bucketUrl` are signed for. A name, as the store has it; some take `auto`."),
  backupStore: z
    .string()
    .min(1)
    .optional()
    .describe(
      "Where `banyan up` keeps a backup while it runs. A folder's path, best on another disk, or a bucket's address, `https://host/bucket`, with the keys as for `bucketUrl`; without it none is kept. Each data folder needs a place of its own.",
    ),
  backupRegion: z
    .string()
    .min(1)
    .default("us-east-1")
    .describe("Region that requests to the bucket of `backupStore` are signed for. A name, as the store has it."),
  backupKeyFile: z
    .string()
    .min(1)
    .optional()
    .describe(
      "File with a key of age for which the backup is encrypted. A path; without it the backup is not encrypted. A public key is enough to ship, but drills (`backupDrillHours`) need the secret one.",
    ),
  backupDrillHours: z
    .int()
    .min(0)
    .max(8_760)
    .default(168)
    .describe(
      "How often the backup is restored into a scratch folder, to see that it can be. Hours; 0 for never. It takes as much disk as the data, in `dataDir`; nothing happens without `backupStore`.",
    ),
  archiveAfterDays: z
    .int()
    .min(0)
    .max(3_650)
    .default(0)
    .describe(
      "How long nothing has happened in an ended tree when `banyan up` moves its history to the archive. Days; 0 for never. It looks every hour. The history is read from there as before.",
    ),
  archiveStore: z
    .string()
    .min(1)
    .optional()
    .describe(
      "Where `archiveAfterDays` moves histories. A folder's path, best on another disk, or a bucket's address, `https://host/bucket`, with the keys as for `bucketUrl` and the region of `AWS_REGION`; without it `archive/` in `dataDir`. What was moved elsewhere before is read from there.",
    ),
  collectHours: z
    .int()
    .min(0)
    .max(8_760)
    .default(0)
    .describe(
      "How often `banyan up` removes stored bytes that no journal refers to. Hours; 0 for never. Beside agents at work; what is younger than a day stays. It reads every journal.",
    ),
  scrubHours: z
    .int()
    .min(0)
    .max(8_760)
    .default(0)
    .describe(
      "How often `banyan up` reads all that is stored again and checks it. Hours; 0 for never. At 32 MiB a second; what is not sound becomes a fault, and is mended from `backupStore` where that is not encrypted.",
    ),
  levelsMax: z
    .int()
    .min(0)
    .max(LIMITS.levelsMax)
    .default(LIMITS.levelsDefault)
    .describe(
      "Levels of a tree below its root. A count. A spawn below is refused; a budget can bind a subtree to fewer.",
    ),
  treeLiveMax: z
    .int()
    .min(1)
    .max(LIMITS.treeAgentsMax)
    .default(LIMITS.treeLiveDefault)
    .describe("Living agents of one tree. A count. A further spawn or fork is refused until some have ended."),
  treeArtifactBytesMax: z
    .int()
    .min(1)
    .optional()
    .describe(
      "Room that the artifacts of one tree may take. Bytes of what their names stand for now, each content once; without it there is no bound. A write beyond it is refused, and the agent is told; what is there stays.",
    ),
  tenantArtifactBytesMax: z
    .int()
    .min(1)
    .optional()
    .describe(
      "Room that the artifacts of all trees of one tenant may take. Bytes, counted in the same way; without it there is no bound. It binds together with `treeArtifactBytesMax`.",
    ),
  poolMemoryBytes: z
    .int()
    .min(1)
    .optional()
    .describe(
      "Memory that sessions may take, those of Claude Code above all. Bytes; without it half of the machine's, or of its control group's. Agents wait for a session beyond it, and the ones that nobody uses are closed.",
    ),
  poolStartsMax: z
    .int()
    .min(1)
    .max(1_000)
    .optional()
    .describe(
      "Sessions that start at once. A count; without it the number of cores. More make each start slower and none ready sooner.",
    ),
  poolReady: z
    .int()
    .min(0)
    .max(10_000)
    .optional()
    .describe(
      "Sessions kept ready for each profile in use. A count; 0 for none; without it the autoscaler finds how many. `poolMemoryBytes` binds them.",
    ),
});

export type Settings = z.output<typeof SETTINGS>;
export type SettingName = keyof Settings;
type Values = { readonly [Name in SettingName]?: Settings[Name] | undefined };

/** Where a value comes from: an option, a variable's name, a file's path, or `default`. */
export type Sources = Readonly<Record<SettingName, string>>;

export interface SettingsFrom {
  readonly options?: Values;
  readonly environment?: Readonly<Record<string, string | undefined>>;
  /** The working folder. */
  readonly folder: string;
  /** A settings file that must be there; otherwise `banyan.json` in the working folder, if it is there. */
  readonly file?: string | undefined;
}

const NAMES = Object.keys(SETTINGS.shape) as SettingName[];
const DEFAULT_FILE = "banyan.json";

/** The settings in force, and where each comes from. @throws CONFIG_INVALID */
export async function loadSettings({
  options = {},
  environment = {},
  folder,
  file,
}: SettingsFrom): Promise<{ settings: Settings; sources: Sources }> {
  const path = resolve(folder, file ?? DEFAULT_FILE);
  const found = await readFile(path, "utf8").catch((cause) => {
    if (cause.code === "ENOENT" && file === undefined) return undefined;
    throw new BanyanError("CONFIG_INVALID", `the settings file ${path} cannot be read: ${cause.message}`, { cause });
  });
  const layers: [source: (name: SettingName) => string, values: Readonly<Record<string, unknown>>][] = [
    [(name) => `${path}: ${name}`, found === undefined ? {} : parseFile(path, found)],
    [variableOf, fromEnvironment(environment)],
    [(name) => `option ${name}`, options],
  ];
  const values: Record<string, unknown> = {};
  const sources = Object.fromEntries(NAMES.map((name) => [name, "default"])) as Record<SettingName, string>;
  for (const [source, layer] of layers) {
    for (const name of NAMES) {
      if (layer[name] === undefined) continue;
      values[name] = layer[name];
      sources[name] = source(name);
    }
  }
  const settings = check(values, sources);
  const baseOf = (name: SettingName) => (sources[name].startsWith(`${path}:`) ? dirname(path) : folder);
  const { dataDir, backupStore, backupKeyFile, archiveStore } = settings;
  return {
    settings: {
      ...settings,
      dataDir: resolve(baseOf("dataDir"), dataDir),
      ...(backupStore !== undefined && { backupStore: objectPlace(backupStore, baseOf("backupStore")) }),
      ...(archiveStore !== undefined && { archiveStore: objectPlace(archiveStore, baseOf("archiveStore")) }),
      ...(backupKeyFile !== undefined && { backupKeyFile: resolve(baseOf("backupKeyFile"), backupKeyFile) }),
    },
    sources,
  };
}

/** What the settings say of how agents are run. */
export function boundsOf(settings: Settings): CoordinatorOptions {
  const { runningMax, childrenLiveMax, levelsMax, treeLiveMax } = settings;
  const { forksPerMinute, tenantForksPerMinute, spawnsPerMinute, tenantSpawnsPerMinute } = settings;
  const { treeArtifactBytesMax, tenantArtifactBytesMax } = settings;
  const { poolMemoryBytes, poolStartsMax, poolReady } = settings;
  return {
    ...{ runningMax, childrenLiveMax, levelsMax, treeLiveMax, treeArtifactBytesMax, tenantArtifactBytesMax },
    ...{ forksPerMinute, tenantForksPerMinute, spawnsPerMinute, tenantSpawnsPerMinute },
    pool: {
      ...(poolMemoryBytes !== undefined && { memoryBytesMax: poolMemoryBytes }),
      ...(poolStartsMax !== undefined && { startsMax: poolStartsMax }),
      ...(poolReady !== undefined && { ready: poolReady }),
    },
  };
}

/** `runningMax` is `BANYAN_RUNNING_MAX`. */
export function variableOf(name: SettingName): string {
  return `BANYAN_${name.replace(/[A-Z]/g, (letter) => `_${letter}`).toUpperCase()}`;
}

/** C2, C3. */
function check(values: object, sources: Sources): Settings {
  const parsed = SETTINGS.safeParse(values);
  if (!parsed.success) {
    const problems = parsed.error.issues.map(
      ({ path, message }) => `${String(path[0])} (${sources[path[0] as SettingName]}): ${message}`,
    );
    throw new BanyanError("CONFIG_INVALID", problems.join("; "));
  }
  const { budgetUsd, model } = parsed.data;
  if (budgetUsd !== undefined && listPrice(model) === undefined) {
    throw new BanyanError(
      "CONFIG_INVALID",
      `budgetUsd (${sources.budgetUsd}) needs a model whose price is known, and that of ${model} is not`,
    );
  }
  return parsed.data;
}

function parseFile(path: string, text: string): Readonly<Record<string, unknown>> {
  let parsed: unknown;
  try {
    parsed = JSON.parse(text);
  } catch (cause) {
    throw new BanyanError("CONFIG_INVALID", `the settings file ${path} is no JSON: ${String(cause)}`, { cause });
  }
  const values = z.record(z.string(), z.unknown()).safeParse(parsed);
  if (!values.success) throw new BanyanError("CONFIG_INVALID", `the settings file ${path} is no JSON object`);
  for (const name of Object.keys(values.data)) {
    if (!(NAMES as string[]).includes(name))
      throw unknown(`${path}: no setting ${JSON.stringify(name.slice(0, 80))}`, name, NAMES);
  }
  return values.data;
}

/** Which server a command is for: no settings of a process that runs agents. */
const CLIENT_VARIABLES = ["BANYAN_URL", "BANYAN_TOKEN"];

/**
 * Variables of ours. One that is not known may be another program's, which has the prefix by chance: only what looks like a
 * slip is refused.
 */
function fromEnvironment(environment: Readonly<Record<string, string | undefined>>): Values {
  const known = [...NAMES.map(variableOf), ...CLIENT_VARIABLES];
  for (const name of Object.keys(environment)) {
    if (!name.startsWith("BANYAN_") || known.includes(name) || !closestName(name, known)) continue;
    throw unknown(`no setting has the variable ${name}`, name, known);
  }
  return Object.fromEntries(NAMES.map((name) => [name, typed(name, environment[variableOf(name)])]));
}

/** A variable's text as the type that the setting has; as it is when it is none, so that the check tells. */
function typed(name: SettingName, text: string | undefined): unknown {
  if (text === undefined || text === "") return undefined;
  const isText = SETTINGS.shape[name].safeParse(text).success;
  return isText || text.trim() === "" || Number.isNaN(Number(text)) ? text : Number(text);
}

function unknown(what: string, name: string, known: readonly string[]): BanyanError {
  const meant = closestName(name, known);
  return new BanyanError(
    "CONFIG_INVALID",
    `${what}${meant ? `; did you mean ${meant}?` : `; there are ${known.join(", ")}`}`,
  );
}
