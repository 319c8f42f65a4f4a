/** Opens the stores of a data folder for reading, checks everything in them, and lets go of them. */
import { join } from "node:path";
import { BanyanError } from "../base/errors.ts";
import { openFsBlobs } from "../blobs/fs/fs-blobs.ts";
import { type VerifyReport, verifyData } from "../checkpoints/verify.ts";
import { openDataJournal } from "./data-journal.ts";
import { hasData } from "./open.ts";

/**
 * Works beside a process that has the data open, and writes nothing.
 * @throws DATA_NOT_FOUND; JOURNAL_DAMAGED when the journal is so damaged that it cannot be opened at all
 */
export async function verifyFolder(folder: string): Promise<VerifyReport> {
  if (!(await hasData(folder))) throw new BanyanError("DATA_NOT_FOUND", `no Banyan data in ${folder}`);
  const journal = await openDataJournal(folder, { readOnly: true });
  try {
    const blobs = await openFsBlobs({ folder: join(folder, "blobs"), readOnly: true });
    try {
      return await verifyData({ journal, blobs });
    } finally {
      await blobs.close();
    }
  } finally {
    await journal.close();
  }
}
