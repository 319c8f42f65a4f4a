/** `banyan checkpoint`: restore points, as people name, list, compare and keep them. */
import type { CheckpointDetail, CheckpointDiffRow, CheckpointRow } from "../../client.ts";
import { type CommonOptions, dataCommand, type Register, restorePoint, wholeNumber, withClient } from "../command.ts";
import { byteSize, dollars, plural } from "../figures.ts";
import { type Io, print, printJson, remark } from "../io.ts";
import { steer } from "../steer.ts";
import { tableOf } from "../table.ts";
import { oneLine } from "../terminal.ts";
import { registerForget } from "./checkpoint-forget.ts";
import { registerFork } from "./fork.ts";
import { registerRewind } from "./rewind.ts";

interface CreateOptions extends CommonOptions {
  readonly at?: number;
  readonly pin?: boolean;
  readonly files?: boolean;
}

export const register: Register = (program, io) => {
  const checkpoint = program
    .command("checkpoint")
    .description("name, list, compare and keep restore points")
    .helpCommand(false);
  dataCommand(
    checkpoint,
    "create <agent> <name>",
    "name a restore point, for rewind and fork",
    "{agent, name, status, seq, checkpoint}",
  )
    .option("--at <seq>", "an event's sequence (default: the newest)", wholeNumber)
    .option("--pin", "never forget it")
    .option("--files", "keep what stands in the agent's folder now with it")
    .action((agent: string, name: string, { at, pin, files, ...options }: CreateOptions) =>
      steer(
        io,
        options,
        (client) => client.checkpoint({ agent, name, at, pin, files }),
        ({ checkpoint: named, seq }) => `; checkpoint ${named} is at ${seq}`,
      ),
    );
  dataCommand(
    checkpoint,
    "ls <agent>",
    "list named restore points, those at which forks begin, and those at which the agent came to rest",
    "an array of {seq, holder, time, name, kind, status, pinned, cut, messageId, turns, costUsd}",
  )
    .addHelpText("after", "\nEvery other message boundary is a restore point too: see `banyan logs --messages`.")
    .action((agent: string, options: CommonOptions) => list(io, agent, options));
  dataCommand(
    checkpoint,
    "show <agent> <point>",
    "show an agent as it stood at a restore point",
    "{seq, time, names, pinned, status, turns, costUsd, entries, last, unread, children, made}",
  ).action((agent: string, point: string, options: CommonOptions) => show(io, agent, restorePoint(point), options));
  dataCommand(
    checkpoint,
    "diff <agent> <from> [to]",
    "show what happened between two restore points (default: up to now)",
    "{from, to, events, elapsedMs, turns, usage, costUsd, messages, left, tools, spawned, ended, artifacts, processes, rewoundTo}",
  ).action((agent: string, from: string, to: string | undefined, options: CommonOptions) =>
    diff(io, { agent, from: restorePoint(from), to: to === undefined ? undefined : restorePoint(to) }, options),
  );
  dataCommand(
    checkpoint,
    "pin <agent> <point>",
    "never forget a restore point",
    "{agent, name, status, checkpoint}",
  ).action((agent: string, point: string, options: CommonOptions) =>
    steer(
      io,
      options,
      (client) => client.pinCheckpoint({ agent, checkpoint: restorePoint(point) }),
      ({ checkpoint: named }) => `; checkpoint ${named} is pinned`,
    ),
  );
  dataCommand(
    checkpoint,
    "unpin <agent> <point>",
    "let it be forgotten again",
    "{agent, name, status, checkpoint}",
  ).action((agent: string, point: string, options: CommonOptions) =>
    steer(
      io,
      options,
      (client) => client.unpinCheckpoint({ agent, checkpoint: restorePoint(point) }),
      ({ checkpoint: named }) => `; checkpoint ${named} is not pinned`,
    ),
  );
  registerForget(checkpoint, io);
  registerRewind(checkpoint, io);
  registerFork(checkpoint, io);
};

async function list(io: Io, agent: string, options: CommonOptions): Promise<void> {
  const rows = await withClient(io, options, (client) => client.checkpoints({ agent }).toArray());
  if (options.json) return printJson(io, rows);
  if (rows.length === 0) return remark(io, "no checkpoints; every message boundary is a restore point all the same");
  const cells = rows.map((row) => [
    row.seq,
    row.name ?? row.kind,
    row.status,
    row.turns,
    dollars(row.costUsd),
    new Date(row.time).toISOString(),
    notesOf(row),
  ]);
  await print(io, tableOf([">AT", "NAME", "STATUS", ">TURNS", ">COST", "TIME", "NOTES"], cells));
}

function notesOf({ pinned, cut }: CheckpointRow): string {
  return [pinned ? "pinned" : "", cut ? "rewound past: fork only" : ""].filter(Boolean).join(", ");
}

async function show(io: Io, agent: string, checkpoint: number | string, options: CommonOptions): Promise<void> {
  const detail = await withClient(io, options, (client) => client.showCheckpoint({ agent, checkpoint }));
  if (options.json) return printJson(io, detail);
  for (const line of shown(detail)) await print(io, oneLine(line));
}

function shown(detail: CheckpointDetail): string[] {
  const { seq, names, pinned, status, turns, costUsd, entries, last, unread, children, made } = detail;
  const live = children.filter(({ ended }) => !ended).length;
  return [
    `event ${seq}${names.length > 0 ? `, named ${names.join(", ")}` : ""}${pinned ? ", pinned" : ""}`,
    `${new Date(detail.time).toISOString()}, ${status}, ${plural(turns, "turn")}, ${dollars(costUsd)}`,
    `${plural(entries, "message")}, ${unread} unread, ${children.length} children (${live} alive), ${plural(made.length, "artifact")}`,
    ...(detail.tree ? ["its files were kept"] : []),
    ...(last ? [`last: ${last.role} at ${last.seq}`] : []),
    ...made.map(({ name, bytes }) => `artifact ${name}, ${byteSize(bytes)}`),
  ];
}

async function diff(
  io: Io,
  wanted: { agent: string; from: number | string; to: number | string | undefined },
  options: CommonOptions,
): Promise<void> {
  const found = await withClient(io, options, (client) => client.diffCheckpoints(wanted));
  if (options.json) return printJson(io, found);
  for (const line of told(found)) await print(io, oneLine(line));
}

function told(found: CheckpointDiffRow): string[] {
  const { from, to, events, elapsedMs, turns, usage, costUsd, messages, left, tools } = found;
  const tokens = `${usage.input + usage.cacheRead + usage.cacheWrite} tokens in, ${usage.output} out`;
  return [
    `from ${from} to ${to}: ${plural(events, "event")} in ${(elapsedMs / 1_000).toFixed(1)} s`,
    `${plural(turns, "turn")}, ${tokens}, ${dollars(costUsd)}`,
    ...tools.map(
      ({ name, calls, failed }) => `tool ${name}: ${plural(calls, "call")}${failed ? `, ${failed} failed` : ""}`,
    ),
    ...found.spawned.map(({ name, agent }) => `spawned ${name} ${agent}`),
    ...found.ended.map(({ agent, status }) => `child ${agent} ${status}`),
    ...found.artifacts.map(({ name, bytes }) => `artifact ${name}, ${byteSize(bytes)}`),
    ...found.processes.map((name) => `process ${name} started`),
    ...(found.files ?? []).map(({ path, change }) => `file ${path} ${change}`),
    ...(found.filesLeft > 0 ? [`and ${plural(found.filesLeft, "file")} more`] : []),
    ...found.rewoundTo.map((point) => `rewound to ${point}`),
    ...messages.map(({ seq, role, text }) => `${seq} ${role}: ${text}`),
    ...(left > 0 ? [`and ${plural(left, "message")} more`] : []),
  ];
}
