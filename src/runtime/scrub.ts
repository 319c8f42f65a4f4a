/** Scrubs the store of a runtime: what is not sound becomes a fault, and is mended from a backup where one is named. */
import { type Scrubbed, scrub, type Unsound } from "../artifacts/scrub.ts";
import { BanyanError } from "../base/errors.ts";
import type { SealKeys } from "../checkpoints/backup/seal.ts";
import { BackupStore } from "../checkpoints/backup/store.ts";
import { openObjects } from "./object-store.ts";
import type { Runtime } from "./open.ts";

export interface ScrubRuntimeOptions {
  readonly bytesPerSecond?: number | undefined;
  /** Folder or bucket of a backup. */
  readonly backup?: string | undefined;
  /** Of an encrypted one. */
  readonly keys?: SealKeys | undefined;
  readonly signal?: AbortSignal | undefined;
}

/** @throws INPUT_INVALID (no backup there, or its keys), CONFIG_INVALID (keys of access), DISK_FAILED, the signal's reason */
export async function scrubRuntime(runtime: Runtime, options: ScrubRuntimeOptions = {}): Promise<Scrubbed> {
  const { backup, keys = {}, bytesPerSecond, signal } = options;
  const { journal, blobs, clock } = runtime.services;
  const store = backup === undefined ? undefined : await BackupStore.open(await openObjects(backup), keys);
  const source = store && ((digest: Parameters<typeof store.getBlob>[0]) => store.getBlob(digest));
  const onUnsound = ({ digest, what, agent, mended }: Unsound) => {
    const then = mended ? "; it was mended from the backup" : "";
    const code = what === "missing" ? "BLOB_NOT_FOUND" : "BLOB_DAMAGED";
    if (agent !== null) runtime.faults.note(agent, new BanyanError(code, `the blob ${digest} is ${what}${then}`));
  };
  return scrub({ journal, blobs, clock, bytesPerSecond, source, signal, onUnsound });
}
