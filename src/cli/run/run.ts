/** `banyan run`: gives a task to a tree of agents over a folder, shows the tree while it works, and says what came of it. */
import { readFile } from "node:fs/promises";
import { resolve } from "node:path";
import type { WriteStream } from "node:tty";
import type { Budget, Failure } from "../../agent/events.ts";
import { systemClock } from "../../base/clock.ts";
import { ERRORS } from "../../base/errors.ts";
import { Banyan } from "../../runtime/banyan.ts";
import { startControl } from "../../server/control-socket.ts";
import { duration } from "../figures.ts";
import { DEFAULT_INSTRUCTIONS } from "./instructions.ts";
import { type JobResult, resultOf, startJob } from "./job.ts";
import { killAt } from "./kill-at.ts";
import { openModel } from "./model.ts";
import { showTree, summaryOf, type Ticker } from "./show.ts";

export interface RunOptions {
  readonly task: string;
  readonly dir: string;
  readonly data: string;
  readonly model?: string | undefined;
  /** File with instructions for every agent. */
  readonly instructions?: string | undefined;
  readonly budget?: Budget | undefined;
  readonly allowCommands?: boolean | undefined;
  readonly runningMax?: number | undefined;
  readonly json?: boolean | undefined;
  readonly killAt?: number | undefined;
  readonly killLog?: string | undefined;
}

export interface RunStreams {
  readonly stdout: WriteStream;
  readonly stderr: WriteStream;
  readonly environment: Readonly<Record<string, string | undefined>>;
}

/** Resolves to the exit code. @throws what opening and spawning throw */
export async function run(options: RunOptions, { stdout, stderr, environment }: RunStreams): Promise<number> {
  const clock = systemClock();
  const startMs = clock.monotonic();
  const say = (text: string) => stderr.write(`${text}\n`);
  await using source = await openModel({ model: options.model, environment });
  const faults: unknown[] = [];
  const opened = { runningMax: options.runningMax, onFault: (_agent: string, error: unknown) => faults.push(error) };
  await using banyan = await Banyan.open(options.data, opened);
  if (options.killAt !== undefined)
    killAt(banyan.runtime.coordinator, { killAt: options.killAt, logFile: options.killLog });
  await using _control = await startControl(banyan.runtime);
  const { tree, resumed } = await startJob(banyan, {
    task: options.task,
    dir: resolve(options.dir),
    model: source.model,
    instructions:
      options.instructions === undefined ? DEFAULT_INSTRUCTIONS : await readFile(options.instructions, "utf8"),
    budget: options.budget,
    allowCommands: options.allowCommands ?? false,
  });
  banyan.register(source.model);
  say(`tree ${tree.id} on ${source.provider}`);
  if (resumed)
    say(
      `taken up where it was: ${banyan.recovery.agents} agents read, ready after ${duration(clock.monotonic() - startMs)}`,
    );
  for (const { agent, error } of banyan.recovery.damaged) say(`damaged: agent ${agent}: ${error.message}`);
  const hide = showTree(banyan.runtime.coordinator, tree.id, stderr, ticker());
  try {
    const result = await resultOf(banyan, tree);
    hide();
    const { output, error } = await tree.result();
    if (options.json) stdout.write(`${JSON.stringify(result)}\n`);
    else stdout.write(`${summaryOf(result, output, clock.monotonic() - startMs)}\n`);
    if (error) say(`${error.code}: ${error.message}`);
    for (const fault of faults) say(`fault: ${fault instanceof Error ? fault.message : String(fault)}`);
    return exitOf(result, error);
  } finally {
    hide();
  }
}

function exitOf({ status }: JobResult, error: Failure | undefined): number {
  if (status === "completed") return 0;
  return ERRORS[error?.code ?? (status === "cancelled" ? "AGENT_CANCELLED" : "AGENT_FAILED")].exit;
}

/** Beats on the machine's clock, without keeping the process alive. */
function ticker(): Ticker {
  const clock = systemClock({ keepAlive: false });
  return {
    every(intervalMs, fire) {
      let timer = clock.timer(intervalMs, beat);
      function beat() {
        fire();
        timer = clock.timer(intervalMs, beat);
      }
      return () => timer.cancel();
    },
  };
}
