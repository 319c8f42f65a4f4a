/**
 * Wiring of the embedded runtime: a folder becomes adapters, adapters become services, services become a coordinator. The
 * only file that chooses adapters, and the one that says in which order things start and stop.
 */
import { realpath, stat } from "node:fs/promises";
import { join } from "node:path";
import { type Clock, systemClock } from "../base/clock.ts";
import { makeFolder } from "../base/durable-folder.ts";
import { BanyanError } from "../base/errors.ts";
import { type AgentId, createIds } from "../base/ids.ts";
import { systemRandom } from "../base/random.ts";
import { createRedactor, secretsOf } from "../base/redact.ts";
import { createContents } from "../blobs/content.ts";
import { openFsSnapshots } from "../checkpoints/fs/fs-snapshots.ts";
import { openFsWorkTrees } from "../checkpoints/fs/fs-work-trees.ts";
import { Coordinator, type CoordinatorOptions } from "../coordinator/coordinator.ts";
import type { Recovery } from "../coordinator/recovery.ts";
import type { Services } from "../coordinator/services.ts";
import { type ClaudeDriver, type ClaudeOptions, createClaudeDriver } from "../drivers/claude/claude-driver.ts";
import { createModelDriver, type ModelDriver } from "../drivers/model/model-driver.ts";
import { routed } from "../drivers/routed.ts";
import { openDrafts } from "../processes/drafts.ts";
import { builtInTools } from "../tools/kits.ts";
import { toolRegistry } from "../tools/registry.ts";
import type { Tool } from "../tools/tool.ts";
import { type Bucket, openBlobStore } from "./blob-store.ts";
import { openDataJournal } from "./data-journal.ts";
import { type FaultLog, openFaultLog } from "./fault-log.ts";
import { StatusHistory } from "./history.ts";
import { createLaunch } from "./launch.ts";
import { machinePool } from "./machine.ts";

export interface RuntimeOptions extends CoordinatorOptions {
  /** Custom tools, besides the built-in ones. */
  readonly tools?: readonly Tool[] | undefined;
  /** Custom tools only. */
  readonly withoutBuiltIns?: boolean | undefined;
  /** Nobody works: commands are journaled for the next process that opens the data. */
  readonly work?: boolean | undefined;
  /** Nothing is written: for looking at the data of a process that runs, or has run. */
  readonly readOnly?: boolean | undefined;
  readonly clock?: Clock | undefined;
  /** Where the blobs of new data go, when not into the folder; access is by AWS_ACCESS_KEY_ID and its like. */
  readonly bucket?: Bucket | undefined;
  /** For agents of Claude Code. */
  readonly claude?: ClaudeOptions | undefined;
}

export interface Runtime {
  readonly folder: string;
  readonly services: Services;
  readonly coordinator: Coordinator;
  readonly driver: ModelDriver;
  readonly claude: ClaudeDriver;
  readonly recovery: Recovery;
  /** What went wrong and was nobody's answer. */
  readonly faults: FaultLog;
  /** How the fleet stood at any moment. */
  readonly history: StatusHistory;
  /** Stops work, then closes the stores. Twice is harmless. */
  stop(): Promise<void>;
}

/**
 * Opens the data in `folder`, making it when it is not there.
 * @throws DATA_IN_USE, DATA_NOT_FOUND (readOnly), DISK_FAILED, JOURNAL_DAMAGED; CONFIG_INVALID, STORE_DENIED, STORE_FAILED (bucket)
 */
export async function openRuntime(folder: string, options: RuntimeOptions = {}): Promise<Runtime> {
  const { readOnly = false, clock = systemClock() } = options;
  if (readOnly) await mustExist(folder);
  else makeFolder(folder);
  const store = { bucket: options.bucket, settled: await hasData(folder), readOnly, environment: process.env };
  const blobs = await openBlobStore(folder, { ...store, clock, random: systemRandom });
  const journal = await openDataJournal(folder, { readOnly });
  try {
    const contents = createContents({ blobs, redact: createRedactor({ secrets: secretsOf(process.env) }) });
    const driver = createModelDriver({ contents, clock });
    const tools = toolRegistry([...(options.withoutBuiltIns ? [] : builtInTools()), ...(options.tools ?? [])]);
    const random = systemRandom;
    const claude = createClaudeDriver({
      ...options.claude,
      contents,
      clock,
      random,
      environment: process.env,
      folder: join(folder, "claude"),
    });
    const ids = createIds({ clock, random });
    const works = !readOnly && (options.work ?? true);
    const launch = works ? await createLaunch(folder, { host: ids() }) : undefined;
    const services: Services = {
      journal,
      blobs,
      contents,
      snapshots: openFsSnapshots({ folder: join(folder, "snapshots") }),
      workTrees: readOnly ? undefined : openFsWorkTrees({ blobs, clock, except: folder }),
      hidden: await realpath(folder),
      driver: routed({ model: driver, claude }),
      tools,
      clock,
      random,
      ids,
      launch,
      drafts: works ? openDrafts({ folder: join(folder, "drafts"), clock }) : undefined,
    };
    const faults = openFaultLog({ folder, clock, redact: contents.redact });
    const onFault = (agent: AgentId, error: unknown) => {
      if (!readOnly) faults.note(agent, error);
      options.onFault?.(agent, error);
    };
    const pool = { ...machinePool(), ...options.pool };
    const coordinator = new Coordinator(services, { ...options, pool, onFault });
    const history = await StatusHistory.open({
      ...{ folder: join(folder, "history"), coordinator, journal, clock, random, writes: works },
    });
    const recovery = await coordinator.start({ work: works });
    let stopped: Promise<void> | undefined;
    const stop = async () => {
      await coordinator.stop();
      await history.stop();
      await claude.close();
      await journal.close();
      await blobs.close();
    };
    return {
      folder,
      services,
      coordinator,
      driver,
      claude,
      recovery,
      faults,
      history,
      stop: () => {
        stopped ??= stop();
        return stopped;
      },
    };
  } catch (error) {
    await journal.close();
    throw error;
  }
}

/** True when there is Banyan data in the folder. */
export async function hasData(folder: string): Promise<boolean> {
  return stat(join(folder, "journal")).then(
    (found) => found.isDirectory(),
    () => false,
  );
}

async function mustExist(folder: string): Promise<void> {
  if (!(await hasData(folder))) throw new BanyanError("DATA_NOT_FOUND", `no Banyan data in ${folder}`);
}
