/** Makes the backup of a data folder smaller, beside the processes that work on the data and ship it. */
import { systemClock } from "../base/clock.ts";
import { BanyanError } from "../base/errors.ts";
import { createIds } from "../base/ids.ts";
import { systemRandom } from "../base/random.ts";
import { type Forgotten, forgetPoints, type Pruned, pruneBackup } from "../checkpoints/backup/forgetting.ts";
import { BackupStore } from "../checkpoints/backup/store.ts";
import { KEEP_DEFAULT, type KeepPolicy } from "../checkpoints/keep-policy.ts";
import { type BackupOptions, backUp, beginHere } from "./backup.ts";
import { rememberForgetting } from "./backup-notes.ts";
import { openDataJournal } from "./data-journal.ts";
import { openObjects } from "./object-store.ts";
import { hasData } from "./open.ts";

export interface ForgetOptions extends BackupOptions {
  readonly policy?: Partial<KeepPolicy> | undefined;
  readonly dryRun?: boolean | undefined;
}

/**
 * Forgets points that the policy does not keep, and ships what the backup does not have yet. Whoever follows the data goes on.
 * @throws DATA_NOT_FOUND, DATA_IN_USE when the backup is not this data's, BLOB_DAMAGED, INPUT_INVALID without the secret key
 */
export async function forgetBackup(folder: string, options: ForgetOptions): Promise<Forgotten> {
  const { clock = systemClock(), policy = {}, dryRun } = options;
  const store = await BackupStore.open(await openObjects(options.store, options), options.keys ?? {});
  const done = await withOwned(folder, options, store, (from) =>
    forgetPoints({
      ...{ store, from, dryRun, now: clock.now(), nonce: createIds({ clock, random: systemRandom })() },
      policy: { ...KEEP_DEFAULT, ...policy },
      onClaiming: (claim) => rememberForgetting(folder, options.store, claim),
    }),
  );
  // What whoever ships was adding just then does not count any more.
  if (done.bytesAfter !== null) await backUp(folder, options);
  return done;
}

/** Removes what no longer counts. @throws as `forgetBackup` */
export async function pruneStore(folder: string, options: BackupOptions & { dryRun?: boolean }): Promise<Pruned> {
  const store = await BackupStore.open(await openObjects(options.store, options), options.keys ?? {});
  return withOwned(folder, options, store, () => pruneBackup(store, options));
}

async function withOwned<T>(
  folder: string,
  { store: place, clock = systemClock() }: BackupOptions,
  store: BackupStore,
  work: (from: Awaited<ReturnType<typeof beginHere>>) => Promise<T>,
): Promise<T> {
  if (!(await hasData(folder))) throw new BanyanError("DATA_NOT_FOUND", `no Banyan data in ${folder}`);
  const journal = await openDataJournal(folder, { readOnly: true, clock });
  try {
    return await work(await beginHere(folder, place, { store, journal, time: clock.now() }));
  } finally {
    await journal.close();
  }
}
