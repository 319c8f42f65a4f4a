/**
 * `banyan run` where a process runs already that takes tasks: the tree is begun there, and this terminal watches it. Ctrl-C leaves the tree to the
 * process.
 */
import type { WriteStream } from "node:tty";
import { createLogUpdate } from "log-update";
import { headOf } from "../../agent/content.ts";
import { sleep } from "../../base/clock.ts";
import { BanyanError, ERRORS } from "../../base/errors.ts";
import { type Client, connect, type Input, type TreeRow } from "../../client.ts";
import { hasData } from "../../runtime/open.ts";
import { dollars } from "../figures.ts";
import { type Io, print, printJson, remark, wantsColour } from "../io.ts";
import { linesFor, renderOverview } from "../live-tree.ts";
import { exitOf, type JobResult } from "./job.ts";
import { summaryOf } from "./show.ts";

const DRAW_MS = 200;
const LINE_MS = 5_000;

interface Host {
  readonly client: Client;
  /** Whose data they are: a folder, or a server's address. */
  readonly data: string;
}

/** The process that runs on the data, or the server that the environment names; undefined when there is none. */
export async function findHost({ environment }: Io, data: string, isGiven: boolean): Promise<Host | undefined> {
  const { BANYAN_URL: url, BANYAN_TOKEN: token = "" } = environment;
  if (url !== undefined && url !== "" && !isGiven) return { client: await connect({ url, token }), data: url };
  if (!(await hasData(data))) return undefined;
  // One that stands still takes nothing; opening the data says who it is.
  const client = await connect(data).catch((error: unknown) => {
    if (error instanceof BanyanError && error.code === "DATA_IN_USE") return undefined;
    throw error;
  });
  if (client?.live) return { client, data };
  await client?.close();
  return undefined;
}

/** Resolves to the exit code; undefined when the process takes no tasks. */
export async function joinHost(
  io: Io,
  { client, data }: Host,
  { asked, json }: { asked: Input<"spawn">; json: boolean },
): Promise<number | undefined> {
  const startMs = io.clock.monotonic();
  const begun = await client.spawn(asked).catch((error: unknown) => {
    if (error instanceof BanyanError && error.code === "NOT_RUNNING") return undefined;
    throw error;
  });
  if (!begun) return undefined;
  const { agent: tree, provider, resumed } = begun;
  remark(io, `tree ${tree} on ${provider}, in the process that runs already${resumed ? "; it was begun before" : ""}`);
  const ended = new AbortController();
  const shown = show(io, client, tree, ended.signal);
  const isOver = await waitFor(client, tree, io.interrupted).finally(() => ended.abort());
  await shown;
  if (!isOver) {
    remark(io, "the tree goes on without this terminal: banyan top");
    return ERRORS.INTERRUPTED.exit;
  }
  const result = await resultOf(client, tree, data);
  const { output, error } = await client.agent({ agent: tree });
  if (json) await printJson(io, result);
  else await print(io, summaryOf(result, output === null ? "" : headOf(output), io.clock.monotonic() - startMs));
  if (error) remark(io, `${error.code}: ${error.message}`);
  return exitOf(result, error ?? undefined);
}

/** True once the tree has ended, false when it is not waited for any more. */
async function waitFor(client: Client, tree: string, signal: AbortSignal): Promise<boolean> {
  try {
    for await (const _ of client.logs({ agent: tree, follow: true }, { signal }));
    return !signal.aborted;
  } catch (error) {
    if (signal.aborted) return false;
    throw error;
  }
}

async function show({ err, clock, environment }: Io, client: Client, tree: string, signal: AbortSignal): Promise<void> {
  const update = err.isTTY ? createLogUpdate(err as WriteStream) : undefined;
  const colour = wantsColour(err, environment);
  try {
    do {
      await sleep(clock, update ? DRAW_MS : LINE_MS, signal).catch(() => undefined);
      const view = { columns: err.columns || 80, rows: update ? Math.max(4, (err.rows || 24) - 1) : 3, colour };
      const overview = await client.overview({ agent: tree, lines: Math.max(1, linesFor(view)) });
      const { agents, live, costUsd } = overview.total;
      if (update) update(renderOverview(overview, view));
      else err.write(`${agents} agents, ${agents - live} ended, ${dollars(costUsd)}\n`);
    } while (!signal.aborted);
  } finally {
    update?.done();
  }
}

async function resultOf(client: Client, tree: string, data: string): Promise<JobResult> {
  const rows: TreeRow[] = await client.tree({ agent: tree }).toArray();
  const [root] = rows;
  if (!root) throw new BanyanError("AGENT_NOT_FOUND", `no agent ${tree}`, { agent: tree });
  const { agents, turns, usage, costUsd } = root.subtree;
  const made = await client.artifacts({ agent: tree }).toArray();
  return {
    ...{ tree, status: root.status, agents, turns, usage, costUsd, data },
    levels: rows.reduce((most, { level }) => Math.max(most, level - root.level + 1), 0),
    events: rows.reduce((sum, { seq }) => sum + seq, 0),
    artifacts: made.map(({ name, digest, bytes }) => ({ name, digest, bytes })),
  };
}
