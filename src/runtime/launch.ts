/** How background processes are started on this machine: marked as those of a data folder, in their agent's folder. */
import { hash } from "node:crypto";
import { realpath } from "node:fs/promises";
import { extname } from "node:path";
import { Worker } from "node:worker_threads";
import type { Rights } from "../agent/events.ts";
import { BanyanError } from "../base/errors.ts";
import type { Launch } from "../processes/launch.ts";
import type { SystemLaunchOptions } from "../processes/system-launch.ts";
import { RemoteLaunch } from "../processes/thread/remote-launch.ts";
import { openRoot } from "../tools/files/pin.ts";
import { showName } from "../tools/show.ts";

export type LaunchThreadData = Pick<SystemLaunchOptions, "marks" | "hidden">;

/** @param host an id that no other host ever had */
export async function createLaunch(folder: string, { host }: { host: string }): Promise<Launch> {
  const data = hash("sha256", await realpath(folder)).slice(0, 32);
  const workerData: LaunchThreadData = { marks: { data: `data-${data}`, host: `host-${host}` }, hidden: [folder] };
  const file = new URL(`./launch-thread${extname(import.meta.filename)}`, import.meta.url);
  // Without the flags of this process: some are for its own entry point only, and would keep the thread from starting.
  return new RemoteLaunch(() => new Worker(file, { workerData, execArgv: [] }));
}

/** The pin's own path: no link put in place meanwhile leads the program elsewhere. */
export async function openFolder(rights: Rights, cwd: string): Promise<{ readonly path: string } & AsyncDisposable> {
  const root = await openRoot(rights);
  const folder = await root.pin(root.below(cwd));
  if (folder.stat.isDirectory()) return folder;
  await folder[Symbol.asyncDispose]();
  throw new BanyanError("TOOL_FAILED", `${showName(cwd)} is no folder`);
}
