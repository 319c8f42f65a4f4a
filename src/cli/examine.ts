/** What `banyan doctor` looks at. Each examination ends in findings, whatever goes wrong in it; none changes the data. */
import { open, readFile, rm, stat, statfs } from "node:fs/promises";
import { dirname, join } from "node:path";
import type { Clock } from "../base/clock.ts";
import { asBanyanError } from "../base/errors.ts";
import { connect } from "../client.ts";
import { tryLimit } from "../processes/limit-mark.ts";
import { newestDrills } from "../runtime/backup-notes.ts";
import { hasData } from "../runtime/open.ts";
import type { Stats } from "../server/contract/fleet.ts";
import { byteSize, duration, plural } from "./figures.ts";

export interface Finding {
  readonly level: "ok" | "warn" | "fail";
  readonly about: string;
  readonly says: string;
  /** What to do; absent where nothing is. */
  readonly remedy?: string;
}

type Examination = (folder: string, clock: Clock) => Promise<Finding[]>;

/** In the order in which they are shown. */
const EXAMINATIONS: readonly (readonly [about: string, examine: Examination])[] = [
  ["node", async () => [node(process.versions.node)]],
  ["disk", disk],
  ["fsync", syncs],
  ["open files", openFiles],
  ["processes", programs],
  ["journal", data],
  ["faults", faults],
  ["backup", backups],
];

/** The findings, as they are made. */
export async function* examinations(folder: string, clock: Clock): AsyncGenerator<Finding> {
  for (const [about, examine] of EXAMINATIONS) {
    try {
      yield* await examine(folder, clock);
    } catch (error) {
      const { code, message, remedy } = asBanyanError(error);
      yield { level: "fail", about, says: `${code}: ${message}`, remedy };
    }
  }
}

const NODE_MAJOR_MIN = 24;

function node(version: string): Finding {
  const says = `Node ${version}`;
  if (Number.parseInt(version, 10) >= NODE_MAJOR_MIN) return { level: "ok", about: "node", says };
  return { level: "fail", about: "node", says, remedy: `Install Node ${NODE_MAJOR_MIN} or newer.` };
}

/** Below this the disk fails soon, and below the other it may. */
const FREE_BYTES_FAIL = 256 * 1024 ** 2;
const FREE_BYTES_WARN = 2 * 1024 ** 3;

async function disk(folder: string): Promise<Finding[]> {
  const { bavail, bsize } = await statfs(await existing(folder));
  const free = bavail * bsize;
  const level = free < FREE_BYTES_FAIL ? "fail" : free < FREE_BYTES_WARN ? "warn" : "ok";
  const says = `${byteSize(free)} free at ${folder}`;
  if (level === "ok") return [{ level, about: "disk", says }];
  return [{ level, about: "disk", says, remedy: "Free space: when the disk is full no agent can go on." }];
}

/** Syncs that are measured, bytes of each, and the median from which turns wait noticeably for the disk. */
const SYNCS = 20;
const SYNC_BYTES = 4_096;
const SYNC_MS_WARN = 20;

/** Also shows that the folder is writable. */
async function syncs(folder: string, clock: Clock): Promise<Finding[]> {
  const path = join(await existing(folder), `.banyan-doctor-${process.pid}`);
  const tookMs: number[] = [];
  try {
    const file = await open(path, "w", 0o600);
    try {
      for (let i = 0; i < SYNCS; i++) {
        const startMs = clock.monotonic();
        await file.write(Buffer.alloc(SYNC_BYTES, i), 0, SYNC_BYTES, i * SYNC_BYTES);
        await file.datasync();
        tookMs.push(clock.monotonic() - startMs);
      }
    } finally {
      await file.close();
    }
  } catch (error) {
    const says = `cannot write in ${dirname(path)}: ${asBanyanError(error).message}`;
    return [
      {
        level: "fail",
        about: "fsync",
        says,
        remedy: "Make the folder writable for this user, or name another with --data.",
      },
    ];
  } finally {
    await rm(path, { force: true });
  }
  const medianMs = tookMs.sort((a, b) => a - b)[SYNCS / 2] ?? 0;
  const says = `${duration(medianMs)} median of ${SYNCS} syncs, ${duration(tookMs.at(-1) ?? 0)} worst`;
  if (medianMs < SYNC_MS_WARN) return [{ level: "ok", about: "fsync", says }];
  return [
    {
      level: "warn",
      about: "fsync",
      says,
      remedy: "Every step of an agent waits for a sync: put the data on a faster disk.",
    },
  ];
}

/** Sockets, files and pipes of a busy process. */
const OPEN_FILES_MIN = 4_096;

async function openFiles(): Promise<Finding[]> {
  const limits = await readFile("/proc/self/limits", "utf8").catch(() => "");
  const soft = /^Max open files\s+(\d+|unlimited)/m.exec(limits)?.[1];
  if (soft === undefined) return [];
  const says = `at most ${soft}`;
  if (soft === "unlimited" || Number(soft) >= OPEN_FILES_MIN) return [{ level: "ok", about: "open files", says }];
  return [
    { level: "warn", about: "open files", says, remedy: `Raise it to ${OPEN_FILES_MIN}: ulimit -n ${OPEN_FILES_MIN}` },
  ];
}

/** Whether all that agents' programs start is found again when they are to end. */
async function programs(): Promise<Finding[]> {
  const about = "processes";
  if (process.platform !== "linux") {
    const says = "what agents' programs start ends with its process group alone: what leaves the group runs on";
    return [{ level: "warn", about, says, remedy: "Run Banyan in a container that ends with it." }];
  }
  const { holds, limit } = await tryLimit();
  const all = "what agents' programs start is found when they end";
  if (holds) return [{ level: "ok", about, says: `${all}, what left its group and cleaned its environment included` }];
  const says = `${all}, but for what left its group and cleaned its environment: \`ulimit -m\` is ${limit || "unknown"}`;
  const remedy = "Start Banyan with `ulimit -m unlimited` (systemd: without LimitRSS), or give agents a sandbox.";
  return [{ level: "warn", about, says, remedy }];
}

async function data(folder: string, clock: Clock): Promise<Finding[]> {
  if (!(await hasData(folder))) {
    return [
      {
        level: "warn",
        about: "journal",
        says: `no data in ${folder} yet`,
        remedy: "`banyan run` makes it; --data names another folder.",
      },
    ];
  }
  await using client = await connect(folder, { clock });
  const stats = await client.stats();
  return [
    journal(stats),
    owner(stats),
    ...models(stats),
    ...providers(stats),
    ...sessions(stats),
    ...throttles(stats),
    ...damage(stats),
  ];
}

function journal({ agents, trees, live, position }: Stats): Finding {
  const says = `opens: ${plural(agents, "agent")} in ${plural(trees, "tree")}, ${live} living, at position ${position}`;
  return { level: "ok", about: "journal", says };
}

function owner({ pid, live, working, waitingForSlot, memoryBytes }: Stats): Finding {
  if (pid !== null) {
    const says = `process ${pid} runs the agents: ${working} working, ${waitingForSlot} waiting for a slot, ${byteSize(memoryBytes)}`;
    return { level: "ok", about: "owner", says };
  }
  if (live === 0) return { level: "ok", about: "owner", says: "no process runs on this data, and no agent needs one" };
  const remedy = "Start `banyan run` again, or open the data with the library: everything goes on where it was.";
  return {
    level: "warn",
    about: "owner",
    says: `no process runs on this data, and ${plural(live, "agent")} would go on`,
    remedy,
  };
}

function models({ pid, missingModels }: Stats): Finding[] {
  if (missingModels.length === 0) return [];
  const names = missingModels.map(({ model, agents }) => `${model} (${plural(agents, "agent")})`).join(", ");
  if (pid === null) return [{ level: "ok", about: "models", says: `needed to go on: ${names}` }];
  const remedy = "Open the data with these in `models`: their agents wait until then.";
  return [{ level: "warn", about: "models", says: `not registered: ${names}`, remedy }];
}

/** Those that hold agents back. */
function providers({ providers: all }: Stats): Finding[] {
  return all.flatMap(({ family, waiting, inFlight, limits, breaker }): Finding[] => {
    if (waiting === 0 && breaker === "closed") return [];
    const rates = limits
      .map(
        ({ rate, limit, left, perMs }) => `${rate} ${left} left of ${limit} ${perMs > 60_000 ? "a day" : "a minute"}`,
      )
      .join(", ");
    const says = `${family}: ${plural(waiting, "agent")} waiting to call, ${inFlight} calling; ${rates || "its limits are not known"}`;
    if (breaker === "closed") return [{ level: "ok", about: "provider", says }];
    const remedy = "It is overloaded or out of reach. Its agents wait, and go on by themselves when it answers again.";
    return [{ level: "warn", about: "provider", says, remedy }];
  });
}

/** Part of the bound on sessions' memory over which agents are likely to wait. */
const POOL_FULL = 0.9;

function sessions({ pool }: Stats): Finding[] {
  const { claimed, parked, ready, target, waiting, memoryBytes, memoryBytesMax, hitRatio, claimWaitMs } = pool;
  if (claimed + parked + ready + target + waiting === 0) return [];
  const hits = hitRatio === null ? "" : `, ${Math.round(hitRatio * 100)} % of claims met at once`;
  const waits = claimWaitMs ? `, waits ${duration(claimWaitMs.p50)} median, ${duration(claimWaitMs.p99)} p99` : "";
  const memory = `${byteSize(memoryBytes)} of ${byteSize(memoryBytesMax)}`;
  const says = `${claimed} working, ${parked} at rest, ${ready} of ${target} ready, ${waiting} waited for; ${memory}${hits}${waits}`;
  if (waiting === 0 || memoryBytes < memoryBytesMax * POOL_FULL) return [{ level: "ok", about: "sessions", says }];
  const remedy =
    "Agents wait for memory, in turn. Give sessions more (`poolMemoryBytes`), or run fewer agents at once.";
  return [{ level: "warn", about: "sessions", says, remedy }];
}

/** Those that hold somebody back. */
function throttles({ throttled }: Stats): Finding[] {
  return Object.entries(throttled).flatMap(([what, { waiting, treePerMinute, tenantPerMinute, trees }]): Finding[] => {
    if (waiting === 0) return [];
    const rates = `${treePerMinute ?? "any number"} a minute a tree, ${tenantPerMinute ?? "any number"} a tenant`;
    const most = trees.map(({ tree, waiting: count }) => `${tree} ${count}`).join(", ");
    return [{ level: "ok", about: what, says: `${waiting} waiting for their turn (${rates}): ${most}` }];
  });
}

function damage({ damaged }: Stats): Finding[] {
  return damaged.map(({ agent, error }) => {
    const remedy = "`banyan verify` lists all that is damaged; restore it from a backup.";
    return { level: "fail", about: "damage", says: `agent ${agent}: ${error.message}`, remedy };
  });
}

/** The folder, or the nearest one above it that is there. */
async function existing(folder: string): Promise<string> {
  const found = await stat(folder).catch(() => undefined);
  return found?.isDirectory() || dirname(folder) === folder ? folder : existing(dirname(folder));
}

/** Faults older than this are history. */
const FAULTS_MS = 24 * 3_600_000;

/** A snapshot that cannot be used costs time alone, but it tells of a disk. */
async function faults(folder: string, clock: Clock): Promise<Finding[]> {
  if (!(await hasData(folder))) return [];
  await using client = await connect(folder, { clock });
  const recent = (await client.faults().toArray()).filter(({ time }) => time > clock.now() - FAULTS_MS);
  if (recent.length === 0) return [{ level: "ok", about: "faults", says: "none in a day" }];
  const codes = Map.groupBy(recent, ({ code }) => code);
  const says = [...codes].map(([code, of]) => `${code} ${of.length} times`).join(", ");
  return [{ level: "warn", about: "faults", says: `in a day: ${says}`, remedy: "Look at `banyan faults`." }];
}

/** A backup that was not restored for longer than this is a hope. */
const DRILL_AGE_MS_MAX = 31 * 24 * 3_600_000;

async function backups(folder: string, clock: Clock): Promise<Finding[]> {
  const about = "backup";
  const remedy = "Restore it into a scratch folder and look what it says: `banyan backup drill --store PLACE`.";
  return (await newestDrills(folder)).map((drill): Finding => {
    if (!drill) return { level: "warn", about, says: "a backup of this data was never drilled", remedy };
    const { store, time, ok, error, tookMs } = drill;
    const when = new Date(time).toISOString();
    if (!ok) return { level: "fail", about, says: `the drill of ${store} at ${when} failed: ${error}`, remedy };
    const says = `${store} was restored in ${duration(tookMs)} by the drill at ${when}`;
    return clock.now() - time > DRILL_AGE_MS_MAX
      ? { level: "warn", about, says, remedy }
      : { level: "ok", about, says };
  });
}
