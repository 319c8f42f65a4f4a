/** How background processes are started on this machine: marked as those of a data folder, in their agent's folder. */
import { hash } from "node:crypto";
import { realpath } from "node:fs/promises";
import type { Rights } from "../agent/events.ts";
import type { Clock } from "../base/clock.ts";
import { BanyanError } from "../base/errors.ts";
import type { Launch } from "../processes/launch.ts";
import { SystemLaunch } from "../processes/system-launch.ts";
import { openRoot } from "../tools/files/pin.ts";

/** @param host an id that no other host ever had */
export async function createLaunch(folder: string, { clock, host }: { clock: Clock; host: string }): Promise<Launch> {
  const data = hash("sha256", await realpath(folder)).slice(0, 32);
  const marks = { data: `data-${data}`, host: `host-${host}` };
  return new SystemLaunch({ clock, marks, openFolder });
}

/** The pin's own path: no link put in place meanwhile leads the program elsewhere. */
async function openFolder(rights: Rights, cwd: string): Promise<{ readonly path: string } & AsyncDisposable> {
  const root = await openRoot(rights);
  const folder = await root.pin(root.below(cwd));
  if (folder.stat.isDirectory()) return folder;
  await folder[Symbol.asyncDispose]();
  throw new BanyanError("TOOL_FAILED", `${JSON.stringify(cwd.slice(0, 200))} is no folder`);
}
