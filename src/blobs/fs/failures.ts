/** What the file system says, in our words. */
import { BanyanError } from "../../base/errors.ts";

/** @throws DISK_FAILED for whatever is not an error of ours */
export async function writingDisk<T>(work: Promise<T>): Promise<T> {
  return work.catch((error) => {
    throw diskError("could not be written", error);
  });
}

/** @throws DISK_FAILED, with the digest or folder that was read */
export async function readingDisk<T>(what: string, work: Promise<T>): Promise<T> {
  return work.catch((error) => {
    throw diskError(`could not be read (${what})`, error);
  });
}

function diskError(what: string, cause: unknown): BanyanError {
  if (cause instanceof BanyanError) return cause;
  const because = cause instanceof Error ? cause.message : String(cause);
  return new BanyanError("DISK_FAILED", `the blobs ${what}: ${because}`, { cause });
}

export function isAbsence(error: unknown): boolean {
  return (error as NodeJS.ErrnoException).code === "ENOENT";
}
