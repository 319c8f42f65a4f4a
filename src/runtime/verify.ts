/** Opens the stores of a data folder for reading, checks everything in them, and lets go of them. */
import { systemClock } from "../base/clock.ts";
import { BanyanError } from "../base/errors.ts";
import { systemRandom } from "../base/random.ts";
import { type VerifyReport, verifyData } from "../checkpoints/verify.ts";
import { openBlobStore } from "./blob-store.ts";
import { openDataJournal } from "./data-journal.ts";
import type { Environment } from "./object-store.ts";
import { hasData } from "./open.ts";

/**
 * Works beside a process that has the data open, and writes nothing. `environment` has the keys of access where the blobs are in a bucket.
 * @throws DATA_NOT_FOUND; JOURNAL_DAMAGED when the journal is so damaged that it cannot be opened at all; CONFIG_INVALID, STORE_DENIED,
 * STORE_FAILED
 */
export async function verifyFolder(folder: string, environment: Environment = process.env): Promise<VerifyReport> {
  if (!(await hasData(folder))) throw new BanyanError("DATA_NOT_FOUND", `no Banyan data in ${folder}`);
  const journal = await openDataJournal(folder, { readOnly: true });
  try {
    const reading = { settled: true, readOnly: true, environment, clock: systemClock(), random: systemRandom };
    const blobs = await openBlobStore(folder, reading);
    try {
      return await verifyData({ journal, blobs });
    } finally {
      await blobs.close();
    }
  } finally {
    await journal.close();
  }
}
