/** The forecast of a runtime's data folder: what it has on disk now, and what is free there. */
import { readdir, stat, statfs } from "node:fs/promises";
import { join } from "node:path";
import { type Capacity, forecast } from "../artifacts/capacity.ts";
import type { AgentId } from "../base/ids.ts";
import type { Runtime } from "./open.ts";

/** @throws JOURNAL_DAMAGED, the signal's reason */
export async function capacityOf(runtime: Runtime, signal?: AbortSignal): Promise<Capacity> {
  const { services, folder, coordinator } = runtime;
  const { journal, clock } = services;
  const { bavail, bsize } = await statfs(folder);
  const rootOf = (agent: AgentId) => [...coordinator.forest.path(agent)].at(-1)?.agent ?? agent;
  return forecast({ journal, clock, storedBytes: await bytesIn(folder), freeBytes: bavail * bsize, rootOf, signal });
}

/** Of the journal's files, as they are on disk. */
export function journalBytesOf({ folder }: Runtime): Promise<number> {
  return bytesIn(join(folder, "journal"));
}

/** Of all files below a folder, as they are on disk; those that go meanwhile do not count. */
async function bytesIn(folder: string): Promise<number> {
  let bytes = 0;
  for (const entry of await readdir(folder, { withFileTypes: true }).catch(() => [])) {
    const path = join(folder, entry.name);
    if (entry.isDirectory()) bytes += await bytesIn(path);
    else if (entry.isFile()) bytes += (await stat(path).catch(() => undefined))?.size ?? 0;
  }
  return bytes;
}
