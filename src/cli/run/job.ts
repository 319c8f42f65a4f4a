/**
 * The job of `banyan run`: one tree over one folder. A job that was cut off is taken up again by the same command: the tree
 * that the data holds goes on where it was, and no second one is begun.
 */
import { stat } from "node:fs/promises";
import { headOf } from "../../agent/content.ts";
import type { ArtifactReference, Budget, Failure, Sender } from "../../agent/events.ts";
import { hasEnded } from "../../agent/status.ts";
import type { Usage } from "../../agent/usage.ts";
import { BanyanError, ERRORS } from "../../base/errors.ts";
import type { Agent } from "../../runtime/agent.ts";
import type { Banyan } from "../../runtime/banyan.ts";
import { artifacts, commands, files, messaging, spawning } from "../../tools/kits.ts";
import type { Source } from "./model.ts";

export interface Job {
  readonly task: string;
  /** Absolute path of the folder that agents see. */
  readonly dir: string;
  readonly source: Source;
  readonly outputTokensMax: number;
  readonly instructions: string;
  readonly budget: Budget | undefined;
  /** Whose tree it is. */
  readonly tenant?: string | undefined;
  readonly allowCommands: boolean;
  readonly keepFiles: boolean;
  /** Who gives the task. */
  readonly by?: Sender | undefined;
}

/** The line that `banyan run --json` ends with. */
export interface JobResult {
  readonly tree: string;
  readonly status: string;
  readonly agents: number;
  readonly levels: number;
  readonly turns: number;
  readonly events: number;
  readonly usage: Usage;
  readonly costUsd: number;
  readonly artifacts: readonly Pick<ArtifactReference, "name" | "digest" | "bytes">[];
  readonly data: string;
}

/** Takes up the unfinished tree of the same task and folder, or begins one. @throws INPUT_INVALID when the folder is none */
export async function startJob(banyan: Banyan, job: Job): Promise<{ tree: Agent; resumed: boolean }> {
  const found = await stat(job.dir).catch(() => undefined);
  if (!found?.isDirectory()) throw new BanyanError("INPUT_INVALID", `${job.dir} is no folder`);
  const unfinished = await findJob(banyan, job);
  if (unfinished) return { tree: unfinished, resumed: true };
  const tree = await banyan.spawn({
    name: "coordinator",
    ...executorOf(job.source),
    outputTokensMax: job.outputTokensMax,
    instructions: job.instructions,
    task: job.task,
    tools: [...("model" in job.source ? kitsFor(job) : []), artifacts(), spawning(), messaging()],
    keepFiles: job.keepFiles,
    ...(job.by && { by: job.by }),
    ...(job.tenant !== undefined && { tenant: job.tenant }),
    ...(job.budget && { budget: job.budget }),
  });
  return { tree, resumed: false };
}

function executorOf(source: Source) {
  return "model" in source ? { model: source.model } : { driver: source.driver };
}

/** Claude Code has tools of its own for these. */
function kitsFor({ dir, allowCommands }: Job) {
  return [files({ root: dir }), ...(allowCommands ? [commands()] : [])];
}

async function findJob(banyan: Banyan, { task, dir }: Job): Promise<Agent | undefined> {
  for (const root of banyan.roots()) {
    if (hasEnded(root.head.status) || root.head.rights.root !== dir) continue;
    const { entries, inbox } = await banyan.runtime.coordinator.state(root.id);
    const first = entries.at(0);
    const told = first?.kind === "user" ? first.message : inbox[0];
    if (told && headOf(told.content) === task.slice(0, headOf(told.content).length)) return root;
  }
  return undefined;
}

export async function resultOf(banyan: Banyan, tree: Agent): Promise<JobResult> {
  const { status, agents, turns, usage, costUsd, artifacts: made } = await tree.result();
  const { forest } = banyan.runtime.coordinator;
  let levels = 0;
  let events = 0;
  for (const { head } of forest.subtree(tree.id)) {
    levels = Math.max(levels, head.level + 1);
    events += head.seq - (head.origin?.seq ?? 0);
  }
  const listed = made.map(({ name, digest, bytes }) => ({ name, digest, bytes }));
  return {
    tree: tree.id,
    status,
    agents,
    levels,
    turns,
    events,
    usage,
    costUsd,
    artifacts: listed,
    data: banyan.runtime.folder,
  };
}

export function exitOf({ status }: JobResult, error: Failure | undefined): number {
  if (status === "completed") return 0;
  return ERRORS[error?.code ?? (status === "cancelled" ? "AGENT_CANCELLED" : "AGENT_FAILED")].exit;
}
