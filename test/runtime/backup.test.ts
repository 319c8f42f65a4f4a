/** Backups of a real data folder: made beside the process that works, and restored as a machine's disk is lost. */
import { cpSync, existsSync, mkdirSync, mkdtempSync, readdirSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { generateX25519Identity, identityToRecipient } from "age-encryption";
import { afterEach, expect, test } from "vitest";
import { Banyan } from "../../src/index.ts";
import { backUp, backupPoints, backupStatus, verifyBackup } from "../../src/runtime/backup.ts";
import { drillBackup, restoreFolder } from "../../src/runtime/backup-restore.ts";
import { openRuntime } from "../../src/runtime/open.ts";
import { type Fleet, openFleet } from "../support/fleet.ts";
import { type Fault, StrictS3 } from "../support/strict-s3.ts";

const folders: string[] = [];
afterEach(() => {
  for (const folder of folders.splice(0)) rmSync(folder, { recursive: true, force: true });
});

function place(): string {
  const folder = mkdtempSync(join(tmpdir(), "banyan-backup-"));
  folders.push(folder);
  return folder;
}

async function lived(): Promise<{ fleet: Fleet; store: string; into: string }> {
  const fleet = await openFleet();
  const lead = await fleet.lead();
  const kid = await lead.spawn({ name: "kid", task: "write map" });
  await kid.result();
  await fleet.became(lead, "waiting message");
  const at = place();
  return { fleet, store: join(at, "store"), into: join(at, "data") };
}

/** Every event of every agent, as text. */
async function events(banyan: Banyan): Promise<string[]> {
  const lines: string[] = [];
  for (const { head } of banyan.runtime.coordinator.forest.nodes()) {
    for await (const batch of banyan.runtime.services.journal.read(head.agent)) {
      for (const { position: _, ...record } of batch) lines.push(JSON.stringify(record));
    }
  }
  return lines.toSorted();
}

test("made beside the running process, restored into an empty folder, and new writes reach the backup", async () => {
  const { fleet, store, into } = await lived();
  await using _ = fleet;
  await backUp(fleet.folder, { store });
  await (await fleet.lead("second")).send("after the first part");
  const { position, missing } = await backUp(fleet.folder, { store });
  expect(missing).toEqual([]);
  expect((await backupStatus({ store }, fleet.folder)).behind).toBe(
    (await fleet.banyan.runtime.services.journal.position()) - position,
  );
  const before = await events(fleet.banyan);
  await fleet.banyan.close();
  const report = await restoreFolder(into, { store });
  expect(report).toMatchObject({
    isWhole: true,
    missing: 0,
    verified: { ok: true, agents: 3 },
    opened: expect.any(String),
  });

  // The agents go on there, and the backup goes on with them.
  await using banyan = await Banyan.open(into, { models: [fleet.model] });
  expect((await events(banyan)).slice(0, before.length)).toEqual(expect.arrayContaining(before.slice(0, 5)));
  const lead = banyan.agent("lead");
  await lead.send("write more");
  await lead.checkpoint("restored");
  await backUp(into, { store });
  await banyan.close();
  const again = join(place(), "data");
  await restoreFolder(again, { store });
  await using second = await Banyan.open(again, { models: [fleet.model] });
  const details = await second.runtime.coordinator.state(lead.id);
  expect(details.checkpoints.map(({ name }) => name)).toEqual(["restored"]);
  // The old machine comes back, and is told.
  await expect(backUp(fleet.folder, { store })).rejects.toMatchObject({ code: "DATA_IN_USE" });
});

test("encrypted for a key: nothing readable leaves, the machine needs no secret, and without the secret there is no restore", async () => {
  const { fleet, store, into } = await lived();
  await using _ = fleet;
  const identity = await generateX25519Identity();
  const recipient = await identityToRecipient(identity);
  await backUp(fleet.folder, { store, keys: { recipient } });
  const all = readdirSync(store, { recursive: true, withFileTypes: true }).filter((entry) => entry.isFile());
  for (const entry of all) {
    const text = readFileSync(join(entry.parentPath, entry.name), "latin1");
    expect(text).not.toContain("write map");
    if (entry.parentPath.includes("journal")) expect(text).toMatch(/^age-encryption\.org/);
  }
  await expect(backUp(fleet.folder, { store })).rejects.toMatchObject({ code: "INPUT_INVALID" });
  await expect(restoreFolder(into, { store, keys: { recipient } })).rejects.toMatchObject({ code: "INPUT_INVALID" });
  const other = await generateX25519Identity();
  await expect(restoreFolder(into, { store, keys: { identity: other } })).rejects.toMatchObject({
    code: "INPUT_INVALID",
  });
  expect(await verifyBackup({ store, keys: { identity } })).toMatchObject({ ok: true });
  expect(await restoreFolder(into, { store, keys: { identity } })).toMatchObject({ verified: { ok: true } });
});

test("with the public key alone shipping is begun again, also after a crash between a segment and the note of it", async () => {
  const { fleet, store, into } = await lived();
  await using _ = fleet;
  const identity = await generateX25519Identity();
  const options = { store, keys: { recipient: await identityToRecipient(identity) } };
  const backups = join(fleet.folder, "backups");
  const note = () => join(backups, readdirSync(backups).find((name) => /^[0-9a-f]{16}\.json$/.test(name)) ?? "");
  await backUp(fleet.folder, options);
  const first = readFileSync(note());
  await fleet.became(await fleet.lead("second"), "waiting message");
  await backUp(fleet.folder, options);
  writeFileSync(note(), first);
  await fleet.became(await fleet.lead("third"), "waiting message");
  const { position } = await backUp(fleet.folder, options);
  expect(await restoreFolder(into, { store, keys: { identity } })).toMatchObject({
    ...{ records: position, isWhole: true, missing: 0, verified: { ok: true } },
  });
  // Without the note nobody knows whose backup it is but who has the secret.
  rmSync(note());
  await expect(backUp(fleet.folder, options)).rejects.toMatchObject({ code: "INPUT_INVALID" });
});

test("a restore that was cut goes on, and the folder has its name only when all is verified", async () => {
  const { fleet, store, into } = await lived();
  await using _ = fleet;
  await backUp(fleet.folder, { store });
  await fleet.lead("second");
  await backUp(fleet.folder, { store });
  const segments = readdirSync(join(store, "journal", "000001")).toSorted();
  const last = join(store, "journal", "000001", segments.at(-1) ?? "");
  const bytes = readFileSync(last);
  writeFileSync(last, bytes.subarray(0, -3));
  expect(await verifyBackup({ store })).toMatchObject({ ok: false, damaged: [expect.stringContaining(".seg")] });
  await expect(restoreFolder(into, { store })).rejects.toMatchObject({ code: "BLOB_DAMAGED" });
  expect(existsSync(into)).toBe(false);
  writeFileSync(last, bytes);
  expect(await restoreFolder(into, { store })).toMatchObject({ isWhole: true, verified: { ok: true } });
  expect(existsSync(`${into}.restoring`)).toBe(false);
  await expect(restoreFolder(into, { store })).rejects.toMatchObject({ code: "INPUT_INVALID" });
});

test("parts of a verification are all of it together", async () => {
  const { fleet, store } = await lived();
  await using _ = fleet;
  for (let n = 0; n < 4; n++) {
    await fleet.lead(`more-${n}`);
    await backUp(fleet.folder, { store });
  }
  const whole = await verifyBackup({ store });
  let [segments, blobs] = [0, 0];
  for (let part = 1; part <= 3; part++) {
    const found = await verifyBackup({ store }, { part, parts: 3 });
    segments += found.segments;
    blobs += found.blobs;
  }
  expect([segments, blobs]).toEqual([whole.segments, whole.blobs]);
});

test("a copy of the data and the backup elsewhere is a backup of its own", async () => {
  const { fleet, store } = await lived();
  await using _ = fleet;
  await backUp(fleet.folder, { store });
  await fleet.banyan.close();
  const at = place();
  cpSync(store, join(at, "store"), { recursive: true });
  cpSync(fleet.folder, join(at, "data"), { recursive: true });
  await backUp(join(at, "data"), { store: join(at, "store") });
  expect(await verifyBackup({ store: join(at, "store") })).toMatchObject({ ok: true });
});

test("in a bucket that throttles, cuts, truncates and loses answers, a backup is as whole as in a folder", async () => {
  const { fleet, into } = await lived();
  await using _ = fleet;
  await using server = await new StrictS3().start();
  const { accessKeyId, secretAccessKey, sessionToken } = server.credentials;
  const environment = {
    AWS_ACCESS_KEY_ID: accessKeyId,
    AWS_SECRET_ACCESS_KEY: secretAccessKey,
    AWS_SESSION_TOKEN: sessionToken,
  };
  const bucket = { store: server.url, region: server.region, environment };
  const faults: readonly Fault[] = [{ status: 503, code: "SlowDown" }, "lose the answer", "cut", "truncate"];
  server.fault = (__, index) => (index % 3 === 0 ? faults[(index / 3) % faults.length] : undefined);
  await backUp(fleet.folder, bucket);
  await (await fleet.lead("second")).send("after the first part");
  const { position } = await backUp(fleet.folder, bucket);
  expect(await verifyBackup(bucket)).toMatchObject({ ok: true });
  expect(await backupStatus(bucket)).toMatchObject({ writers: 1, segments: 2 });
  const restored = await restoreFolder(into, bucket);
  expect(restored).toMatchObject({ records: position, isWhole: true, missing: 0, verified: { ok: true } });
  // The old machine is told: what was restored takes the bucket over by a conditional write.
  await backUp(into, bucket);
  await expect(backUp(fleet.folder, bucket)).rejects.toMatchObject({ code: "DATA_IN_USE" });
  await expect(backupStatus({ ...bucket, environment: {} })).rejects.toMatchObject({ code: "CONFIG_INVALID" });
});

test("an event may be the end of a restore, and one that was cut farther behind it is refused", async () => {
  const { fleet, store, into } = await lived();
  await using _ = fleet;
  await backUp(fleet.folder, { store });
  await fleet.lead("second");
  await backUp(fleet.folder, { store });
  const points = await backupPoints({ store }, 5);
  expect(points.map(({ segment, writer }) => [segment, writer])).toEqual([
    [1, 1],
    [2, 1],
  ]);
  expect(await backupPoints({ store }, 1)).toEqual(points.slice(1));
  const [first] = points;
  const [agent = "", seq] = first?.event.split(":") ?? [];
  const until = { agent, seq: Number(seq) };
  expect(await restoreFolder(into, { store, until })).toMatchObject({ records: first?.records, isWhole: false });
  const lead = fleet.banyan.agent("lead").id;
  const early = join(place(), "data");
  expect(await restoreFolder(early, { store, until: { agent: lead, seq: 2 } })).toMatchObject({ isWhole: false });
  const runtime = await openRuntime(early, { work: false });
  expect((await runtime.services.journal.head(lead))?.seq).toBe(2);
  await runtime.stop();

  const cut = join(place(), "data");
  const none = { agent: lead, seq: 999_999 };
  await expect(restoreFolder(cut, { store, until: none })).rejects.toMatchObject({ code: "INPUT_INVALID" });
  await expect(restoreFolder(cut, { store, until })).rejects.toThrow(".restoring");
  await expect(restoreFolder(cut, { store, until: { time: 1 } })).rejects.toThrow(".restoring");
  expect(await restoreFolder(cut, { store })).toMatchObject({ isWhole: true });
});

test("a drill restores all, leaves nothing behind, and its outcome is seen: a failed one as a fault too", async () => {
  const { fleet, store } = await lived();
  await using _ = fleet;
  const { position } = await backUp(fleet.folder, { store });
  expect((await backupStatus({ store }, fleet.folder)).drill).toBeNull();
  const scratch = join(fleet.folder, "backups", "drills");
  // Left by a drill that was killed.
  mkdirSync(join(scratch, "4194305"), { recursive: true });
  const drill = await drillBackup(fleet.folder, { store });
  expect(drill).toMatchObject({ store, ok: true, error: null, records: position, bytes: expect.any(Number) });
  expect((await backupStatus({ store }, fleet.folder)).drill).toEqual(drill);
  expect(readdirSync(scratch)).toEqual([]);
  expect(fleet.banyan.runtime.faults.read()).toEqual([]);

  const segment = join(store, "journal", "000001", "000000000001.seg");
  writeFileSync(segment, readFileSync(segment).subarray(0, -3));
  const failed = await drillBackup(fleet.folder, { store });
  expect(failed).toMatchObject({ ok: false, error: expect.stringContaining("BLOB_DAMAGED"), records: 0 });
  expect((await backupStatus({ store }, fleet.folder)).drill).toEqual(failed);
  expect(fleet.banyan.runtime.faults.read()).toMatchObject([
    { code: "BLOB_DAMAGED", message: expect.stringContaining("drill") },
  ]);
  expect(readdirSync(scratch)).toEqual([]);
});
