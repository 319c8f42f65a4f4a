/**
 * Keeps a backup of the data for as long as a process works on them: one process ships what is written, and others drill it when that is due.
 * They stand beside the agents' process, so that neither takes the other's time.
 *
 * K1  Shipping that ended is begun again, after a wait that doubles while it goes on failing; each failure is told.
 * K2  A drill is due when none was for longer than was asked; one that failed counts, and was told by itself.
 * K3  What was started ends with the keeper, and shipping with the death of its process as well.
 */
import { spawn } from "node:child_process";
import { once } from "node:events";
import { extname } from "node:path";
import { fileURLToPath } from "node:url";
import { type Clock, sleep } from "../../base/clock.ts";
import { BanyanError } from "../../base/errors.ts";
import { LIMITS } from "../../base/limits.ts";
import { drillsOf } from "../../runtime/backup-notes.ts";

export interface KeeperOptions {
  /** Absolute path of the data. */
  readonly folder: string;
  readonly store: string;
  readonly region?: string | undefined;
  readonly keyFile?: string | undefined;
  /** 0 for no drills. */
  readonly drillEveryMs: number;
  readonly clock: Clock;
  readonly onFault: (error: BanyanError) => void;
  /** Runs the `banyan` command until it ends or is to stop. */
  readonly run?: (words: readonly string[], signal: AbortSignal) => Promise<CommandEnd>;
}

export interface CommandEnd {
  readonly exit: number | null;
  /** The end of what it told on its error stream. */
  readonly told: string;
}

export function keepBackup(options: KeeperOptions): AsyncDisposable {
  const stop = new AbortController();
  const working = [shipping(options, stop.signal), drilling(options, stop.signal)];
  return {
    async [Symbol.asyncDispose]() {
      stop.abort();
      await Promise.all(working);
    },
  };
}

/** K1. */
async function shipping({ run = runBanyan, clock, onFault, ...options }: KeeperOptions, signal: AbortSignal) {
  let waitMs: number = LIMITS.backupRetryMsMin;
  while (!signal.aborted) {
    const beganMs = clock.monotonic();
    const { exit, told } = await run(["backup", "create", "--follow", "--until-eof", ...wordsOf(options)], signal);
    if (signal.aborted) return;
    onFault(new BanyanError("BACKUP_STOPPED", `the backup into ${options.store} stopped (${exit}): ${told}`));
    if (clock.monotonic() - beganMs > LIMITS.backupRetryMsMax) waitMs = LIMITS.backupRetryMsMin;
    await sleep(clock, waitMs, signal).catch(() => undefined);
    waitMs = Math.min(2 * waitMs, LIMITS.backupRetryMsMax);
  }
}

/** K2. The first look comes after a wait as well: shipping needs time to begin. */
async function drilling({ run = runBanyan, clock, drillEveryMs, ...options }: KeeperOptions, signal: AbortSignal) {
  if (drillEveryMs === 0) return;
  for (;;) {
    await sleep(clock, Math.min(LIMITS.drillLookMs, drillEveryMs), signal).catch(() => undefined);
    if (signal.aborted) return;
    const newest = (await drillsOf(options.folder, options.store)).at(-1);
    if (newest && clock.now() - newest.time < drillEveryMs) continue;
    await run(["backup", "drill", ...wordsOf(options)], signal);
  }
}

function wordsOf({ folder, store, region, keyFile }: Pick<KeeperOptions, "folder" | "store" | "region" | "keyFile">) {
  return [
    ...["--data", folder, "--store", store],
    ...(region === undefined ? [] : ["--region", region]),
    ...(keyFile === undefined ? [] : ["--key-file", keyFile]),
  ];
}

const PROGRAM = fileURLToPath(new URL(`../main${extname(import.meta.filename)}`, import.meta.url));
const TOLD_LENGTH_MAX = 500;

/** K3: its input is a pipe from here, which ends when this process does. */
async function runBanyan(words: readonly string[], signal: AbortSignal): Promise<CommandEnd> {
  const child = spawn(process.execPath, [PROGRAM, ...words], { stdio: ["pipe", "ignore", "pipe"] });
  let told = "";
  child.stderr.on("data", (chunk: Buffer) => {
    told = `${told}${chunk.toString("utf8")}`.slice(-TOLD_LENGTH_MAX);
  });
  child.stdin.on("error", () => undefined);
  const kill = () => child.kill("SIGTERM");
  signal.addEventListener("abort", kill, { once: true });
  if (signal.aborted) kill();
  try {
    const [exit] = await once(child, "close");
    return { exit: exit as number | null, told: told.trim() };
  } catch (error) {
    return { exit: null, told: (error as Error).message };
  } finally {
    signal.removeEventListener("abort", kill);
  }
}
