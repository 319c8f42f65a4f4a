/** `banyan archive`: the history of trees that have ended, moved out of the journal's database. */
import { objectPlace } from "../../runtime/object-store.ts";
import { type CommonOptions, dataCommand, type Register, timeSpan, withClient } from "../command.ts";
import { byteSize, plural } from "../figures.ts";
import { type Io, print, printJson, remark } from "../io.ts";
import { tableOf } from "../table.ts";

/** What a process exits with that found something wrong. */
const DAMAGED_EXIT = 1;
const TREE_FIELDS = "root, path, parts, records, bodyBytes, bytes";

interface CreateOptions extends CommonOptions {
  readonly tree?: string;
  readonly endedFor?: number;
  readonly to?: string;
  readonly dryRun?: boolean;
  readonly shrink?: boolean;
}

export const register: Register = (program, io) => {
  const archive = program
    .command("archive")
    .description("move the history of ended trees out of the database; it is read from there as before")
    .helpCommand(false);
  dataCommand(
    archive,
    "create",
    "move trees that have ended",
    `{trees: [{${TREE_FIELDS}}], failed: [{root, code, message}], databaseBytesBefore, databaseBytesAfter, freeBytes}`,
  )
    .option("--tree <root>", "only this one (default: all that have ended)")
    .option("--ended-for <time>", "only those in which nothing has happened for so long, such as 12h or 30d", timeSpan)
    .option("--to <place>", "a folder, best on another disk, or a bucket (default: archive/ in the data folder)")
    .option("--dry-run", "move nothing, and say what would be")
    .option("--shrink", "give the room back to the disk: the database is written anew, and agents wait for it")
    .action((options: CreateOptions) => create(io, options));
  dataCommand(archive, "ls", "list what is in archives", `an array of {${TREE_FIELDS}, place, time}`).action(
    (options: CommonOptions) => list(io, options),
  );
  dataCommand(archive, "restore <root>", "move a tree's history back into the database", `{${TREE_FIELDS}}`).action(
    async (agent: string, options: CommonOptions) => {
      const answer = await withClient(io, options, (client) => client.restoreArchived({ agent }));
      if (options.json) return printJson(io, answer);
      const { path, records, bodyBytes, parts } = answer;
      await print(
        io,
        `${path}: ${plural(records, "record")} back, ${byteSize(bodyBytes)} from ${plural(parts, "part")}`,
      );
    },
  );
  dataCommand(
    archive,
    "verify",
    "read all that is in archives again; exits 1 when something is not sound",
    "{parts, bytes, unsound: [{root, place, key, what}]}",
  ).action((options: CommonOptions) => verify(io, options));
};

async function create(io: Io, { tree, endedFor, to, dryRun, shrink, ...options }: CreateOptions): Promise<void> {
  const wanted = {
    ...(tree !== undefined && { agent: tree }),
    ...(endedFor !== undefined && { idleMs: endedFor }),
    ...(to !== undefined && { place: objectPlace(to, io.folder) }),
    ...(dryRun && { dryRun }),
    ...(shrink && { shrink }),
  };
  const answer = await withClient(io, options, (client) => client.archiveTrees(wanted));
  const { trees, failed, databaseBytesBefore, databaseBytesAfter, freeBytes } = answer;
  if (failed.length > 0) io.exitCode = DAMAGED_EXIT;
  if (options.json) return printJson(io, answer);
  for (const { root, code, message } of failed) remark(io, `not moved: ${root}: ${code}: ${message}`);
  const rows = trees.map(({ path, records, bodyBytes, bytes, root }) => {
    return [path, String(records), byteSize(bodyBytes), dryRun ? "-" : byteSize(bytes), root];
  });
  if (rows.length > 0) await print(io, tableOf(["TREE", ">RECORDS", ">IN DATABASE", ">IN ARCHIVE", "ROOT"], rows));
  const sum = (of: "records" | "bodyBytes" | "bytes") => trees.reduce((all, each) => all + each[of], 0);
  const what = `${plural(trees.length, "tree")}, ${plural(sum("records"), "record")}, ${byteSize(sum("bodyBytes"))}`;
  if (dryRun) return print(io, `${what} would be moved`);
  await print(io, `${what} moved, ${byteSize(sum("bytes"))} in the archive`);
  const free = freeBytes > 0 ? `, ${byteSize(freeBytes)} of it free for what comes` : "";
  await print(io, `the database had ${byteSize(databaseBytesBefore)} and has ${byteSize(databaseBytesAfter)}${free}`);
}

async function list(io: Io, options: CommonOptions): Promise<void> {
  const trees = await withClient(io, options, (client) => client.archived({}).toArray());
  if (options.json) return printJson(io, trees);
  if (trees.length === 0) return remark(io, "nothing is in an archive");
  const rows = trees.map(({ path, records, bodyBytes, bytes, place, time, root }) => {
    const day = new Date(time).toISOString().slice(0, 10);
    return [path, String(records), byteSize(bodyBytes), byteSize(bytes), day, place || "archive/", root];
  });
  await print(io, tableOf(["TREE", ">RECORDS", ">WAS", ">IS", "MOVED", "PLACE", "ROOT"], rows));
}

async function verify(io: Io, options: CommonOptions): Promise<void> {
  const answer = await withClient(io, options, (client) => client.checkArchived({}));
  if (answer.unsound.length > 0) io.exitCode = DAMAGED_EXIT;
  if (options.json) return printJson(io, answer);
  const rows = answer.unsound.map(({ root, place, key, what }) => [root, place || "archive/", key, what]);
  if (rows.length > 0) await print(io, tableOf(["ROOT", "PLACE", "PART", "WHAT"], rows));
  await print(
    io,
    `${plural(answer.parts, "part")} read, ${byteSize(answer.bytes)}: ${answer.unsound.length} not sound`,
  );
}
