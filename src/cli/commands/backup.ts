/** `banyan backup`: copies of the data elsewhere, and the way back from them. */
import { readFile } from "node:fs/promises";
import { constants, setPriority } from "node:os";
import { resolve } from "node:path";
import { type Command, InvalidArgumentError } from "commander";
import { BanyanError } from "../../base/errors.ts";
import { parseId } from "../../base/ids.ts";
import { backUp, backupPoints, backupStatus, type SealKeys, verifyBackup } from "../../runtime/backup.ts";
import type { Drill } from "../../runtime/backup-notes.ts";
import { drillBackup, type RestoreEnd, type RestoreProgress, restoreFolder } from "../../runtime/backup-restore.ts";
import { objectPlace } from "../../runtime/object-store.ts";
import { type CommonOptions, dataCommand, dataFolder, type Register, wholeNumber } from "../command.ts";
import { byteSize, duration, plural } from "../figures.ts";
import { type Io, print, printJson, remark } from "../io.ts";
import { tableOf } from "../table.ts";
import { addForget, addPrune } from "./backup-forget.ts";

interface Options extends CommonOptions {
  readonly store: string;
  readonly region?: string;
  readonly keyFile?: string;
}

interface CreateOptions extends Options {
  readonly follow?: boolean;
  readonly untilEof?: boolean;
}

const DAMAGED_EXIT = 5;
/** Points that are listed when nobody says how many. */
const POINTS_SHOWN = 20;

export const register: Register = (program, io) => {
  const backup = program.command("backup").description("make, check and restore backups").helpCommand(false);
  command(backup, "create", "ship what the backup does not have yet", "{position, segment, missing}")
    .option("--follow", "go on with what is added, until it is stopped")
    .option("--until-eof", "stop, too, when the standard input ends: as that of a process whose parent died")
    .addHelpText("after", "\nWorks beside a running process, and writes nothing to its stores.")
    .action((options: CreateOptions) => create(io, options));
  command(
    backup,
    "status",
    "say how a backup stands, and how far behind the data it is",
    "{segments, bytes, blobs, writers, newestTime, behind, recipient, drill}",
  ).action((options: Options) => status(io, options));
  command(
    backup,
    "ls",
    "list points up to which a backup can be restored, oldest first",
    "[{segment, writer, time, event, records, bytes}]",
  )
    .option("--last <count>", "so many newest ones", wholeNumber, POINTS_SHOWN)
    .addHelpText("after", "\nA restore may end at any other moment or event as well: see banyan backup restore --at.")
    .action((options: Options & { readonly last: number }) => list(io, options));
  command(
    backup,
    "drill",
    "restore all into a scratch folder, verify it, remove it, and note how it went; exits 5 when it failed",
    "{store, time, tookMs, ok, error, segments, records, blobs, bytes}",
  )
    .addHelpText(
      "after",
      "\nIt takes as much disk as the data, in their folder. banyan backup status and banyan doctor show the newest.",
    )
    .action((options: Options) => drill(io, options));
  command(backup, "verify", "read a backup and check it; exits 5 when it is damaged", "{segments, blobs, damaged, ok}")
    .option("--subset <n/t>", "read the nth of t parts only, such as 3/7", subsetOf)
    .action((options: Options & { readonly subset?: { part: number; parts: number } }) => verify(io, options));
  command(
    backup,
    "restore",
    "make the data folder from a backup; the folder must not be there",
    "{segments, of, records, blobs, missing, isWhole, verified, opened}",
  )
    .option(
      "--at <point>",
      "the last moment or event that is restored, such as 2026-11-23T12:00:00Z or AGENT:SEQ (default: all)",
      endOf,
    )
    .addHelpText(
      "after",
      "\nEverything is verified before the folder has its name. Cut short, the same command goes on.",
    )
    .action((options: Options & { readonly at?: RestoreEnd }) => restore(io, options));
  addForget(
    command(
      backup,
      "forget",
      "forget points of a backup that a policy does not keep",
      "{points: [{segment, time, event, records, bytes, keptBy}], kept, forgotten, bytesBefore, bytesAfter}",
    ),
    io,
    placeOf,
  );
  addPrune(
    command(
      backup,
      "prune",
      "remove what no longer counts in a backup: segments that were forgotten or left out by a restore",
      "{objects, bytes, bytesBefore, bytesAfter}",
    ),
    io,
    placeOf,
  );
};

function command(program: Command, name: string, says: string, json: string): Command {
  return dataCommand(program, name, says, json)
    .requiredOption("--store <place>", "folder of the backup, best on another disk, or its bucket: https://host/bucket")
    .option("--region <name>", "region that requests to a bucket are signed for (default: us-east-1)")
    .option("--key-file <file>", "file with a key of age: public (age1...) to ship, secret to verify and to restore");
}

async function create(io: Io, { follow, untilEof, ...options }: CreateOptions) {
  const stop = new AbortController();
  const onSignal = () => stop.abort();
  // The agents go first: a backup has seconds.
  if (follow) setPriority(constants.priority.PRIORITY_BELOW_NORMAL);
  if (follow) process.once("SIGINT", onSignal).once("SIGTERM", onSignal);
  if (follow && untilEof) process.stdin.once("close", onSignal).resume();
  const onShipped = ({ position, segment }: { position: number; segment: number }) => {
    if (follow) remark(io, `segment ${segment}: all up to ${position} is shipped`);
  };
  const where = await placeOf(io, options);
  const done = await backUp(await dataFolder(io, options), {
    ...where,
    follow,
    signal: stop.signal,
    onShipped,
  }).finally(() => {
    // Open it would keep the process alive.
    if (follow && untilEof) process.stdin.destroy();
  });
  if (options.json) return printJson(io, done);
  await print(io, `all up to ${done.position} is in ${where.store}, in ${plural(done.segment, "segment")}`);
  if (done.missing.length > 0)
    remark(io, `${plural(done.missing.length, "blob")} could not be read: see banyan verify`);
}

async function status(io: Io, options: Options): Promise<void> {
  const found = await backupStatus(await placeOf(io, options), await dataFolder(io, options));
  if (options.json) return printJson(io, found);
  const { segments, bytes, blobs, newestTime, behind, recipient, drill: last } = found;
  await print(io, `${plural(segments, "segment")} of ${byteSize(bytes)}, ${plural(blobs, "blob")}`);
  await print(io, recipient === null ? "not encrypted" : `encrypted for ${recipient}`);
  if (newestTime !== null) await print(io, `newest record: ${new Date(newestTime).toISOString()}`);
  else if (segments > 0 && recipient === null)
    await print(io, "the newest segment is damaged: see banyan backup verify");
  if (behind !== null)
    await print(io, behind === 0 ? "nothing is missing" : `${plural(behind, "record")} behind the data`);
  await print(io, last ? drillLine(last) : "never drilled: see banyan backup drill");
}

async function verify(
  io: Io,
  { subset, ...options }: Options & { readonly subset?: { part: number; parts: number } },
): Promise<void> {
  const found = await verifyBackup(await placeOf(io, options), subset);
  if (!found.ok) io.exitCode = DAMAGED_EXIT;
  if (options.json) return printJson(io, found);
  for (const line of found.damaged) await print(io, line);
  const counted = `${plural(found.segments, "segment")}, ${plural(found.blobs, "blob")}`;
  await print(
    io,
    found.ok ? `all sound: ${counted}` : `${plural(found.damaged.length, "place")} damaged, out of ${counted}`,
  );
}

async function restore(io: Io, { at, ...options }: Options & { readonly at?: RestoreEnd }): Promise<void> {
  const folder = await dataFolder(io, options);
  const begun = io.clock.monotonic();
  const restored = await restoreFolder(folder, {
    ...(await placeOf(io, options)),
    until: at,
    onProgress: progressOn(io),
  });
  if (options.json) return printJson(io, restored);
  const { records, blobs, missing, verified, opened } = restored;
  await print(io, `${plural(records, "record")} and ${plural(blobs, "blob")} restored into ${folder}`);
  const took = duration(io.clock.monotonic() - begun);
  await print(
    io,
    `verified: ${plural(verified.agents, "agent")}, ${verified.events} events; opened ${opened ?? "none"}; ${took}`,
  );
  if (missing > 0) await print(io, `${plural(missing, "blob")} were gone before the backup was made`);
}

async function list(io: Io, { last, ...options }: Options & { readonly last: number }): Promise<void> {
  const points = await backupPoints(await placeOf(io, options), last);
  if (options.json) return printJson(io, points);
  const rows = points.map(({ segment, writer, time, event, records, bytes }) => {
    return [segment, new Date(time).toISOString(), event, records, byteSize(bytes), writer];
  });
  if (rows.length > 0) await print(io, tableOf([">SEGMENT", "TIME", "EVENT", ">RECORDS", ">BYTES", ">WRITER"], rows));
  else await print(io, "nothing was shipped yet");
}

async function drill(io: Io, options: Options): Promise<void> {
  const place = await placeOf(io, options);
  const done = await drillBackup(await dataFolder(io, options), { ...place, onProgress: progressOn(io) });
  if (!done.ok) io.exitCode = DAMAGED_EXIT;
  if (options.json) return printJson(io, done);
  await print(io, drillLine(done));
}

function drillLine({ time, tookMs, ok, error, records, blobs, bytes }: Drill): string {
  const when = new Date(time).toISOString();
  if (!ok) return `the drill at ${when} failed: ${error}`;
  const what = `${plural(records, "record")} and ${plural(blobs, "blob")}, ${byteSize(bytes)}`;
  return `the drill at ${when} restored and verified ${what}, in ${duration(tookMs)}`;
}

/** A line a tenth of the segments, and every few seconds while many blobs belong to one. */
function progressOn(io: Io): (progress: RestoreProgress) => void {
  let shown = 0;
  let shownMs = io.clock.monotonic();
  return ({ segments, of, records, blobs }) => {
    const tenth = Math.floor((segments / of) * 10);
    if (tenth <= shown && io.clock.monotonic() - shownMs < PROGRESS_MS) return;
    remark(io, `${segments} of ${plural(of, "segment")}, ${plural(records, "record")}, ${plural(blobs, "blob")}`);
    shown = tenth;
    shownMs = io.clock.monotonic();
  };
}

const PROGRESS_MS = 5_000;

async function placeOf(io: Io, { store, region, keyFile }: Options) {
  return { store: objectPlace(store, io.folder), region, keys: await keysIn(io, keyFile) };
}

/** As age-keygen writes it: comments and one key. */
export async function keysIn(io: Io, file: string | undefined): Promise<SealKeys> {
  if (file === undefined) return {};
  const text = await readFile(resolve(io.folder, file), "utf8").catch((cause) => {
    throw new BanyanError("INPUT_INVALID", `the key file cannot be read: ${cause.message}`, { cause });
  });
  const lines = text.split("\n").map((line) => line.trim());
  const key = lines.find((line) => line !== "" && !line.startsWith("#")) ?? "";
  return key.startsWith("AGE-SECRET-KEY-") ? { identity: key } : { recipient: key };
}

function subsetOf(text: string): { part: number; parts: number } {
  const [, part, parts] = /^(\d{1,4})\/(\d{1,4})$/.exec(text)?.map(Number) ?? [];
  if (!part || !parts || part > parts) throw new InvalidArgumentError("not a part such as 3/7");
  return { part, parts };
}

function endOf(text: string): RestoreEnd {
  const [, agent, seq] = /^(\w{26}):(\d{1,15})$/.exec(text) ?? [];
  if (agent) return { agent: parseId(agent), seq: Number(seq) };
  const time = Date.parse(text);
  if (Number.isNaN(time)) throw new InvalidArgumentError("neither a time such as 2026-11-23T12:00:00Z nor AGENT:SEQ");
  return { time };
}
