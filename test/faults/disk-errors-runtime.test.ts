/** A whole runtime on a disk that fails: see disk-errors-run.ts for what must hold. */
import { expect, test } from "vitest";
import { strike, sweep } from "./disk-errors.ts";

const TIMEOUT_MS = 300_000;

test("1, 7: agents on a failing disk wait, and end by themselves when it is mended", {
  timeout: TIMEOUT_MS,
}, async () => {
  const faults = [
    ...sweep({ kind: "sync", path: "journal.db-wal", nths: [2] }),
    ...sweep({ kind: "write", path: "journal.db-wal", nths: [2] }),
    ...sweep({ kind: "write", path: "blobs", nths: [1] }),
    ...sweep({ kind: "rename", path: "blobs", nths: [1] }),
    ...sweep({ kind: "open", path: "blobs", nths: [1] }),
  ];
  const struck = await strike("runtime", faults);
  expect(struck).toHaveLength(faults.length);
  expect(struck.filter(({ refusals }) => refusals > 0).length).toBeGreaterThan(5);
});
