/** Faults of a disk as shim.c injects them, and how their cases are run. */
import { mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { constants, tmpdir } from "node:os";
import { join } from "node:path";
import { buildShim, runBehind } from "./shim.ts";

const { EIO, ENOSPC, EMFILE, EINTR } = constants.errno;

export interface Fault {
  readonly kind: "open" | "write" | "truncate" | "sync" | "rename" | "mkdir";
  /** Part of the path, or "*". */
  readonly path: string;
  /** 0: half of what is written is written. */
  readonly errno: number;
  /** The first call that fails, and how many do; 0 for all from then on. */
  readonly nth: number;
  readonly times: number;
  /** The work writes so much that the log is written back. */
  readonly large?: boolean;
}

export interface Struck {
  readonly fault: string;
  /** Pieces of work that were refused. */
  readonly refusals: number;
}

const NAMES: Readonly<Record<number, string>> = {
  [EIO]: "EIO",
  [ENOSPC]: "ENOSPC",
  [EMFILE]: "EMFILE",
  [EINTR]: "EINTR",
  0: "short",
};

export function nameOf({ kind, path, errno, nth, times, large }: Fault): string {
  return `${NAMES[errno]} ${kind} ${path} ${nth}${times === 0 ? " for good" : ` x${times}`}${large ? " large" : ""}`;
}

/** Every error on the first to the last call of a kind, once and for good. EINTR, which calls try again, never for good. */
export function sweep({
  kind,
  path,
  nths,
  large = false,
}: Pick<Fault, "kind" | "path" | "large"> & { nths: number[] }): Fault[] {
  const errnos =
    kind === "open" ? [EIO, EMFILE, EINTR] : kind === "write" ? [EIO, ENOSPC, EINTR, 0] : [EIO, ENOSPC, EINTR];
  return errnos.flatMap((errno) =>
    nths.flatMap((nth) =>
      (errno === EINTR || errno === 0 ? [1] : [1, 0]).map((times) => ({ kind, path, errno, nth, times, large })),
    ),
  );
}

/** @throws at the first broken promise */
export async function strike(part: "journal" | "blobs" | "runtime", faults: readonly Fault[]): Promise<Struck[]> {
  const root = mkdtempSync(join(tmpdir(), "banyan-errors-"));
  const [folder, control] = [join(root, "data"), join(root, "control")];
  writeFileSync(control, "");
  try {
    const words = [part, folder, control, JSON.stringify(faults)];
    return JSON.parse(await runBehind({ shim: buildShim(), program: "disk-errors-run.ts", words, folder, control }));
  } finally {
    rmSync(root, { recursive: true, force: true });
  }
}
