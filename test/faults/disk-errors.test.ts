/** EIO, ENOSPC, EMFILE, EINTR and short writes on the Nth call, once and for good: see disk-errors-run.ts for what must hold. */
import { expect, test } from "vitest";
import { strike, sweep } from "./disk-errors.ts";

const TIMEOUT_MS = 300_000;
const upTo = (last: number) => Array.from({ length: last }, (_, index) => index + 1);

test("1, J1: the journal loses nothing acknowledged to a failing disk, refuses, and goes on when it is mended", {
  timeout: TIMEOUT_MS,
}, async () => {
  const faults = [
    ...sweep({ kind: "write", path: "journal.db", nths: [1, 2, 3, 5, 8, 12] }),
    ...sweep({ kind: "sync", path: "journal.db", nths: upTo(4) }),
    ...sweep({ kind: "open", path: "*", nths: upTo(2) }),
    ...sweep({ kind: "write", path: "witness", nths: [1] }),
    ...sweep({ kind: "write", path: "journal.db", nths: [1_200], large: true }),
    ...sweep({ kind: "sync", path: "journal.db", nths: [2, 4], large: true }),
  ];
  const struck = await strike("journal", faults);
  expect(struck).toHaveLength(faults.length);
  expect(struck.filter(({ refusals }) => refusals > 0).length).toBeGreaterThan(faults.length / 3);
});

test("1, 7, B1: blobs on a failing disk are whole or absent, and puts go on when it is mended", {
  timeout: TIMEOUT_MS,
}, async () => {
  const faults = (["write", "sync", "open", "rename", "mkdir"] as const).flatMap((kind) =>
    sweep({ kind, path: "*", nths: upTo(5) }),
  );
  const struck = await strike("blobs", faults);
  expect(struck).toHaveLength(faults.length);
  expect(struck.filter(({ refusals }) => refusals > 0).length).toBeGreaterThan(faults.length / 3);
});
