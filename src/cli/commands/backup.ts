/** `banyan backup`: copies of the data elsewhere, and the way back from them. */
import { readFile } from "node:fs/promises";
import { constants, setPriority } from "node:os";
import { resolve } from "node:path";
import { type Command, InvalidArgumentError } from "commander";
import { BanyanError } from "../../base/errors.ts";
import { backUp, backupStatus, restoreFolder, type SealKeys, verifyBackup } from "../../runtime/backup.ts";
import { objectPlace } from "../../runtime/object-store.ts";
import { type CommonOptions, dataCommand, dataFolder, type Register } from "../command.ts";
import { byteSize, duration, plural } from "../figures.ts";
import { type Io, print, printJson, remark } from "../io.ts";

interface Options extends CommonOptions {
  readonly store: string;
  readonly region?: string;
  readonly keyFile?: string;
}

const DAMAGED_EXIT = 5;

export const register: Register = (program, io) => {
  const backup = program.command("backup").description("make, check and restore backups").helpCommand(false);
  command(backup, "create", "ship what the backup does not have yet", "{position, segment, missing}")
    .option("--follow", "go on with what is added, until it is stopped")
    .addHelpText("after", "\nWorks beside a running process, and writes nothing to its stores.")
    .action((options: Options & { readonly follow?: boolean }) => create(io, options));
  command(
    backup,
    "status",
    "say how a backup stands, and how far behind the data it is",
    "{segments, bytes, blobs, writers, newestTime, behind, recipient}",
  ).action((options: Options) => status(io, options));
  command(backup, "verify", "read a backup and check it; exits 5 when it is damaged", "{segments, blobs, damaged, ok}")
    .option("--subset <n/t>", "read the nth of t parts only, such as 3/7", subsetOf)
    .action((options: Options & { readonly subset?: { part: number; parts: number } }) => verify(io, options));
  command(
    backup,
    "restore",
    "make the data folder from a backup; the folder must not be there",
    "{segments, of, records, blobs, missing, isWhole, verified, opened}",
  )
    .option("--at <time>", "the last moment that is restored, such as 2026-11-23T12:00:00Z (default: all)", momentOf)
    .addHelpText(
      "after",
      "\nEverything is verified before the folder has its name. Cut short, the same command goes on.",
    )
    .action((options: Options & { readonly at?: number }) => restore(io, options));
};

function command(program: Command, name: string, says: string, json: string): Command {
  return dataCommand(program, name, says, json)
    .requiredOption("--store <place>", "folder of the backup, best on another disk, or its bucket: https://host/bucket")
    .option("--region <name>", "region that requests to a bucket are signed for (default: us-east-1)")
    .option("--key-file <file>", "file with a key of age: public (age1...) to ship, secret to verify and to restore");
}

async function create(io: Io, { follow, ...options }: Options & { readonly follow?: boolean }) {
  const stop = new AbortController();
  const onSignal = () => stop.abort();
  // The agents go first: a backup has seconds.
  if (follow) setPriority(constants.priority.PRIORITY_BELOW_NORMAL);
  if (follow) process.once("SIGINT", onSignal).once("SIGTERM", onSignal);
  const onShipped = ({ position, segment }: { position: number; segment: number }) => {
    if (follow) remark(io, `segment ${segment}: all up to ${position} is shipped`);
  };
  const where = await placeOf(io, options);
  const done = await backUp(await dataFolder(io, options), {
    ...where,
    follow,
    signal: stop.signal,
    onShipped,
  });
  if (options.json) return printJson(io, done);
  await print(io, `all up to ${done.position} is in ${where.store}, in ${plural(done.segment, "segment")}`);
  if (done.missing.length > 0)
    remark(io, `${plural(done.missing.length, "blob")} could not be read: see banyan verify`);
}

async function status(io: Io, options: Options): Promise<void> {
  const found = await backupStatus(await placeOf(io, options), await dataFolder(io, options));
  if (options.json) return printJson(io, found);
  const { segments, bytes, blobs, newestTime, behind, recipient } = found;
  await print(io, `${plural(segments, "segment")} of ${byteSize(bytes)}, ${plural(blobs, "blob")}`);
  await print(io, recipient === null ? "not encrypted" : `encrypted for ${recipient}`);
  if (newestTime !== null) await print(io, `newest record: ${new Date(newestTime).toISOString()}`);
  if (behind !== null)
    await print(io, behind === 0 ? "nothing is missing" : `${plural(behind, "record")} behind the data`);
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

async function restore(io: Io, { at, ...options }: Options & { readonly at?: number }): Promise<void> {
  const folder = await dataFolder(io, options);
  const begun = io.clock.monotonic();
  let shown = 0;
  const restored = await restoreFolder(folder, {
    ...(await placeOf(io, options)),
    time: at,
    onProgress: ({ segments, of, records }) => {
      const percent = Math.floor((segments / of) * 10);
      if (percent > shown) remark(io, `${segments} of ${plural(of, "segment")}, ${plural(records, "record")}`);
      shown = percent;
    },
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

async function placeOf(io: Io, { store, region, keyFile }: Options) {
  return { store: objectPlace(store, io.folder), region, keys: await keysIn(io, keyFile) };
}

/** As age-keygen writes it: comments and one key. */
async function keysIn(io: Io, file: string | undefined): Promise<SealKeys> {
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

function momentOf(text: string): number {
  const time = Date.parse(text);
  if (Number.isNaN(time)) throw new InvalidArgumentError("not a time such as 2026-11-23T12:00:00Z");
  return time;
}
