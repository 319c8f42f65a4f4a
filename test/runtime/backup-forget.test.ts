/** The backup of a real data folder is made smaller: beside the process that ships, in a bucket, and killed at its writes. */
import { spawn } from "node:child_process";
import { once } from "node:events";
import { mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { generateX25519Identity, identityToRecipient } from "age-encryption";
import { afterEach, expect, test } from "vitest";
import { type BackupOptions, backUp, backupPoints, backupStatus, verifyBackup } from "../../src/runtime/backup.ts";
import { forgetBackup, pruneStore } from "../../src/runtime/backup-forget.ts";
import { restoreFolder } from "../../src/runtime/backup-restore.ts";
import { type Fleet, openFleet } from "../support/fleet.ts";
import { type Fault, StrictS3 } from "../support/strict-s3.ts";

const folders: string[] = [];
afterEach(() => {
  for (const folder of folders.splice(0)) rmSync(folder, { recursive: true, force: true });
});

function place(): string {
  const folder = mkdtempSync(join(tmpdir(), "banyan-forget-"));
  folders.push(folder);
  return folder;
}

const LAST_ONE = { last: 1, hourly: 0, daily: 0, weekly: 0, monthly: 0 };
const SEGMENTS = 6;

/** A segment for each lead. */
async function shippedOften(fleet: Fleet, options: BackupOptions, from = 0) {
  for (let n = from; n < from + SEGMENTS; n++) {
    await fleet.became(await fleet.lead(`lead-${n}`), "waiting message");
    await backUp(fleet.folder, options);
  }
}

async function bucketOf(server: StrictS3) {
  const { accessKeyId, secretAccessKey, sessionToken } = server.credentials;
  const environment = {
    AWS_ACCESS_KEY_ID: accessKeyId,
    AWS_SECRET_ACCESS_KEY: secretAccessKey,
    AWS_SESSION_TOKEN: sessionToken,
  };
  return { store: server.url, region: server.region, environment };
}

/** All that a restore says when it is sound. */
async function expectWhole(fleet: Fleet, options: BackupOptions): Promise<void> {
  expect(await verifyBackup(options)).toMatchObject({ ok: true });
  const records = await fleet.banyan.runtime.services.journal.position();
  const restored = await restoreFolder(join(place(), "data"), options);
  expect(restored).toMatchObject({ records, isWhole: true, missing: 0, verified: { ok: true } });
}

test("F2: of many segments in a folder one piece is left, and it takes less room", async () => {
  await using fleet = await openFleet();
  const options = { store: join(place(), "store") };
  await shippedOften(fleet, options);
  const dry = await forgetBackup(fleet.folder, { ...options, policy: LAST_ONE, dryRun: true });
  expect(dry).toMatchObject({ kept: 1, bytesAfter: null });
  expect((await backupStatus(options)).segments).toBe(dry.points.length);
  const done = await forgetBackup(fleet.folder, { ...options, policy: LAST_ONE });
  expect(done.bytesAfter).toBeLessThan(done.bytesBefore / 2);
  const would = await pruneStore(fleet.folder, { ...options, dryRun: true });
  const pruned = await pruneStore(fleet.folder, options);
  expect(pruned).toEqual(would);
  expect(pruned.objects).toBe(dry.points.length);
  await expectWhole(fleet, options);
  expect(await backupPoints(options, 9)).toMatchObject([{ segment: dry.points.length }]);

  // Another machine, with a copy of the data from before the claim, may neither forget nor prune.
  const other = join(place(), "data");
  await restoreFolder(other, options);
  await backUp(other, options);
  const refused = { code: "DATA_IN_USE" };
  await expect(forgetBackup(fleet.folder, { ...options, policy: LAST_ONE })).rejects.toMatchObject(refused);
  await expect(pruneStore(fleet.folder, options)).rejects.toMatchObject(refused);
});

test("whoever follows the data goes on shipping across it", async () => {
  await using fleet = await openFleet();
  const options = { store: join(place(), "store") };
  await shippedOften(fleet, options);
  const stop = new AbortController();
  let shipped = Promise.withResolvers<number>();
  const following = backUp(fleet.folder, {
    ...options,
    ...{ follow: true, signal: stop.signal, onShipped: ({ position }) => shipped.resolve(position) },
  });
  await fleet.became(await fleet.lead("meanwhile"), "waiting message");
  await shipped.promise;
  await forgetBackup(fleet.folder, { ...options, policy: LAST_ONE });
  shipped = Promise.withResolvers<number>();
  await fleet.became(await fleet.lead("afterwards"), "waiting message");
  await shipped.promise;
  stop.abort();
  await following;
  await backUp(fleet.folder, options);
  await pruneStore(fleet.folder, options);
  await expectWhole(fleet, options);
});

test("in a bucket that throttles, cuts and loses answers; encrypted, the secret key is needed", async () => {
  await using fleet = await openFleet();
  await using server = await new StrictS3().start();
  const identity = await generateX25519Identity();
  const options = { ...(await bucketOf(server)), keys: { identity } };
  await shippedOften(fleet, options);
  const faults: readonly Fault[] = [{ status: 503, code: "SlowDown" }, "lose the answer", "cut", "truncate"];
  server.fault = (__, index) => (index % 3 === 0 ? faults[(index / 3) % faults.length] : undefined);
  const recipient = await identityToRecipient(identity);
  const blind = { ...options, keys: { recipient }, policy: LAST_ONE };
  await expect(forgetBackup(fleet.folder, blind)).rejects.toMatchObject({ code: "INPUT_INVALID" });
  await forgetBackup(fleet.folder, { ...options, policy: LAST_ONE });
  await pruneStore(fleet.folder, options);
  await expectWhole(fleet, options);
});

const CYCLES = Number(process.env.KILL_CYCLES ?? 3);

test("F2: killed at its writes and removals, all is restored, and the next run comes to the end", {
  timeout: 60_000 + CYCLES * 10_000,
}, async () => {
  await using fleet = await openFleet();
  await using server = await new StrictS3().start();
  const options = await bucketOf(server);
  await shippedOften(fleet, options);
  for (let cycle = 1; cycle <= CYCLES; cycle++) {
    const words = cycle % 2 === 1 ? ["forget", "--keep-last", "1", ...NO_PERIODS] : ["prune"];
    await killedAt(server, Math.ceil(cycle / 2), ["backup", ...words, "--data", fleet.folder], options);
    await expectWhole(fleet, options);
    if (cycle % 2 === 1) await forgetBackup(fleet.folder, { ...options, policy: LAST_ONE });
    else await shippedOften(fleet, options, cycle * SEGMENTS);
  }
  await forgetBackup(fleet.folder, { ...options, policy: LAST_ONE });
  await pruneStore(fleet.folder, options);
  await expectWhole(fleet, options);
  expect([...server.objects.keys()].filter((key) => key.endsWith(".seg"))).toHaveLength(1);
});

const NO_PERIODS = ["--keep-hourly", "0", "--keep-daily", "0", "--keep-weekly", "0", "--keep-monthly", "0"];
const PROGRAM = join(import.meta.dirname, "..", "..", "src", "cli", "main.ts");

/** Runs the command, and kills it with its `count`th writing request, which is done or not. */
async function killedAt(
  server: StrictS3,
  count: number,
  words: readonly string[],
  { store, region, environment }: Awaited<ReturnType<typeof bucketOf>>,
): Promise<void> {
  const child = spawn(process.execPath, [PROGRAM, ...words, "--store", store, "--region", region], {
    env: { ...process.env, ...environment },
    stdio: "ignore",
  });
  let writes = 0;
  server.fault = (request) => {
    if (!/^(?:PUT|DELETE) /.test(request)) return undefined;
    writes += 1;
    if (writes !== count) return undefined;
    child.kill("SIGKILL");
    return count % 2 === 0 ? "cut" : "lose the answer";
  };
  const [, signal] = await once(child, "close");
  server.fault = () => undefined;
  expect(signal).toBe("SIGKILL");
}
