/** `banyan artifact`: what agents made. */
import { open } from "node:fs/promises";
import { basename, resolve } from "node:path";
import { BanyanError } from "../../base/errors.ts";
import { LIMITS } from "../../base/limits.ts";
import type { Client } from "../../client.ts";
import { objectPlace } from "../../runtime/object-store.ts";
import { type CommonOptions, dataCommand, type Register, timeSpan, wholeNumber, withClient } from "../command.ts";
import { byteSize, plural } from "../figures.ts";
import { type Io, print, printBytes, printJson, remark } from "../io.ts";
import { tableOf } from "../table.ts";
import { block } from "../terminal.ts";
import { keysIn } from "./backup.ts";

/** What a process exits with whose data is damaged. */
const DAMAGED_EXIT = 1;

interface ListOptions extends CommonOptions {
  readonly agent?: string;
  readonly subtree?: boolean;
}

interface GetOptions extends CommonOptions {
  readonly agent?: string;
  readonly output?: string;
  readonly from?: number;
  readonly to?: number;
}

export const register: Register = (program, io) => {
  const artifact = program.command("artifact").description("list what agents made, or get one").helpCommand(false);
  dataCommand(artifact, "ls", "list artifacts", "an array of {name, digest, bytes, mediaType, agent, path}")
    .option("--agent <agent>", "of one agent (default: of all)")
    .option("--subtree", "and of all agents below it")
    .action((options: ListOptions) => list(io, options));
  dataCommand(
    artifact,
    "versions <name>",
    "list what the name of an artifact stood for over time",
    "an array of {name, digest, bytes, mediaType, agent, version, seq, time, callId, current}",
  )
    .option("--agent <agent>", "whose it is, when several made one of that name")
    .action((name: string, options: ListOptions) => versions(io, name, options));
  dataCommand(
    artifact,
    "get <name>",
    "print an artifact, by its name or by a digest (sha256:...)",
    "{name, bytes, file}, with --output",
  )
    .option("--agent <agent>", "whose it is, when several made one of that name")
    .option("-o, --output <file>", "write it to a file instead")
    .option("--from <byte>", "only from this byte on, from 0", wholeNumber)
    .option("--to <byte>", "only up to this byte, without it", wholeNumber)
    .action((name: string, options: GetOptions) => withClient(io, options, (client) => get(io, client, name, options)));
  dataCommand(
    artifact,
    "put <file>",
    "put a file with an agent that has not ended, as an artifact of it; its journal says who did",
    "{agent, name, digest, bytes, mediaType}",
  )
    .requiredOption("--agent <agent>", "whose it is to be")
    .option("--name <name>", "its name (default: the file's)")
    .option("--media-type <type>", "such as text/csv (default: text/plain)")
    .action((file: string, options: PutOptions) => put(io, file, options));
  dataCommand(
    artifact,
    "link <name>",
    "make a link by which whoever has it can read this version for a while, without a token",
    "{path, url, agent, name, digest, bytes, endTime}; url is null where no server was asked",
  )
    .option("--agent <agent>", "whose it is, when several made one of that name")
    .option("--for <time>", "how long it works, such as 2h or 7d (default: 1d, at most 30d)", timeSpan)
    .action((name: string, options: LinkOptions) => link(io, name, options));
  dataCommand(artifact, "revoke-links", "end every link that was made so far", "{revoked}").action(
    async (options: CommonOptions) => {
      const answer = await withClient(io, options, (client) => client.revokeLinks({}));
      if (options.json) return printJson(io, answer);
      await print(io, "no link that was made so far works any more");
    },
  );
  dataCommand(
    artifact,
    "prune",
    "remove stored bytes that no journal refers to, and give their room back",
    "{kept, removed, removedBytes, bytesBefore, bytesAfter, records, referred}",
  )
    .option("--dry-run", "remove nothing, and say what would be")
    .option("--grace <time>", "leave alone what was put no longer ago, such as 2h or 7d (default: 1d)", timeSpan)
    .action((options: PruneOptions) => prune(io, options));
  dataCommand(
    artifact,
    "scrub",
    "read all that is stored again and check it; mend what is damaged or missing from a backup",
    "{blobs, bytes, damaged, missing, mended, unsound: [{digest, what, agent, mended}]}",
  )
    .option("--rate <megabytes>", "read so many a second (default: 32)", wholeNumber)
    .option("--backup <place>", "a backup that has what is not sound")
    .option("--key-file <file>", "its secret key, when it is encrypted")
    .action((options: ScrubOptions) => scrub(io, options));
};

interface PutOptions extends CommonOptions {
  readonly agent: string;
  readonly name?: string;
  readonly mediaType?: string;
}

async function put(io: Io, file: string, { agent, name, mediaType, ...options }: PutOptions): Promise<void> {
  const base64 = (await contentOf(resolve(io.folder, file))).toString("base64");
  const wanted = { agent, name: name ?? basename(file), base64, ...(mediaType !== undefined && { mediaType }) };
  const answer = await withClient(io, options, (client) => client.putArtifact(wanted));
  if (options.json) return printJson(io, answer);
  await print(io, `${answer.name}: ${byteSize(answer.bytes)}, ${answer.mediaType}, ${answer.digest}`);
}

/** No more than fits, however the file grows. */
async function contentOf(path: string): Promise<Buffer> {
  const most = LIMITS.artifactPutBytesMax;
  const file = await open(path, "r").catch((cause) => {
    throw new BanyanError("INPUT_INVALID", `the file cannot be read: ${cause.message}`, { cause });
  });
  try {
    if (!(await file.stat()).isFile()) throw new BanyanError("INPUT_INVALID", `${path} is no file`);
    const { buffer, bytesRead } = await file.read(Buffer.alloc(most + 1), 0, most + 1, 0);
    if (bytesRead > most) throw new BanyanError("CONTENT_TOO_LARGE", `${path} has more than ${most} bytes`);
    return buffer.subarray(0, bytesRead);
  } finally {
    await file.close();
  }
}

interface LinkOptions extends CommonOptions {
  readonly agent?: string;
  readonly for?: number;
}

async function link(io: Io, name: string, { agent, for: forMs, ...options }: LinkOptions): Promise<void> {
  const wanted = { name, ...(agent !== undefined && { agent }), ...(forMs !== undefined && { forMs }) };
  const answer = await withClient(io, options, (client) => client.linkArtifact(wanted));
  const { BANYAN_URL: server } = io.environment;
  const url = server && options.data === undefined ? `${server.replace(/\/+$/, "")}${answer.path}` : null;
  if (options.json) return printJson(io, { ...answer, url });
  await print(io, url ?? answer.path);
  const where = url === null ? "at the address of `banyan up`, " : "";
  remark(
    io,
    `${where}until ${new Date(answer.endTime).toISOString()}; \`banyan artifact revoke-links\` ends it before`,
  );
}

interface ScrubOptions extends CommonOptions {
  readonly rate?: number;
  readonly backup?: string;
  readonly keyFile?: string;
}

/** Exits 1 when something is not sound, and was not mended. */
async function scrub(io: Io, { rate, backup, keyFile, ...options }: ScrubOptions): Promise<void> {
  const identity = keyFile === undefined ? undefined : (await keysIn(io, keyFile)).identity;
  const wanted = {
    ...(rate && { bytesPerSecond: rate * 1_000_000 }),
    ...(backup !== undefined && { backup: objectPlace(backup, io.folder) }),
    ...(identity !== undefined && { identity }),
  };
  const answer = await withClient(io, options, (client) => client.scrubArtifacts(wanted));
  const { blobs, bytes, damaged, missing, mended, unsound } = answer;
  if (damaged + missing > mended) io.exitCode = DAMAGED_EXIT;
  if (options.json) return printJson(io, answer);
  const rows = unsound.map((each) => [each.digest, each.what, each.mended ? "yes" : "no", each.agent ?? "-"]);
  if (rows.length > 0) await print(io, tableOf(["DIGEST", "WHAT", "MENDED", "AGENT"], rows));
  await print(
    io,
    `${plural(blobs, "blob")} read, ${byteSize(bytes)}: ${damaged} damaged, ${missing} missing, ${mended} mended`,
  );
}

interface PruneOptions extends CommonOptions {
  readonly dryRun?: boolean;
  readonly grace?: number;
}

async function prune(io: Io, { dryRun, grace, ...options }: PruneOptions): Promise<void> {
  const answer = await withClient(io, options, (client) => client.collectArtifacts({ dryRun, graceMs: grace }));
  if (options.json) return printJson(io, answer);
  const { kept, removed, removedBytes, bytesBefore, bytesAfter } = answer;
  const would = dryRun ? "would be " : "";
  await print(
    io,
    `${removed} of ${plural(kept + removed, "blob")} ${would}removed, ${byteSize(removedBytes)} of content; the store has ${byteSize(bytesBefore)}, ${dryRun ? "and would have " : "now "}${byteSize(bytesAfter)}`,
  );
}

async function list(io: Io, { agent, subtree, ...options }: ListOptions): Promise<void> {
  const rows = await withClient(io, options, (client) => client.artifacts({ agent, subtree }).toArray());
  if (options.json) return printJson(io, rows);
  if (rows.length === 0) return remark(io, "no artifacts");
  const cells = rows.map(({ name, path, bytes, mediaType, digest }) => [
    name,
    path,
    byteSize(bytes),
    mediaType,
    digest,
  ]);
  await print(io, tableOf(["NAME", "AGENT", ">SIZE", "TYPE", "DIGEST"], cells));
}

async function versions(io: Io, name: string, { agent, ...options }: ListOptions): Promise<void> {
  const rows = await withClient(io, options, (client) => client.artifactVersions({ agent, name }).toArray());
  if (options.json) return printJson(io, rows);
  const cells = rows.map(({ version, current, seq, time, bytes, mediaType, digest }) => [
    `${version}${current ? " *" : ""}`,
    new Date(time).toISOString(),
    String(seq),
    byteSize(bytes),
    mediaType,
    digest,
  ]);
  await print(io, tableOf(["VERSION", "TIME", ">EVENT", ">SIZE", "TYPE", "DIGEST"], cells));
}

/** A terminal is shown the text made safe; a file or a pipe gets the bytes as they are. */
async function get(io: Io, client: Client, name: string, { agent, output, json, from, to }: GetOptions): Promise<void> {
  const which = name.startsWith("sha256:") ? { digest: name } : { name, agent };
  const wanted = { ...which, from, to };
  const file = output === undefined ? undefined : await create(resolve(io.folder, output));
  let bytes = 0;
  const decoder = new TextDecoder();
  try {
    for await (const { base64 } of client.artifact(wanted)) {
      const piece = Buffer.from(base64, "base64");
      bytes += piece.length;
      if (file) await file.writeFile(piece);
      else await printBytes(io, io.out.isTTY ? block(decoder.decode(piece, { stream: true })) : piece);
    }
  } finally {
    await file?.close();
  }
  if (file && json) await printJson(io, { name, bytes, file: output });
  else if (file) remark(io, `${name}: ${byteSize(bytes)} in ${output}`);
  else if (io.out.isTTY) await print(io, "");
}

async function create(path: string) {
  return open(path, "w").catch((cause) => {
    throw new BanyanError("INPUT_INVALID", `cannot write ${path}: ${cause.message}`, { cause });
  });
}
