/** Verify against data that was damaged on purpose: each damage is named, and nothing else. */
import { cpSync, mkdtempSync, readdirSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { DatabaseSync } from "node:sqlite";
import { afterAll, beforeAll, beforeEach, describe, expect, test } from "vitest";
import { systemClock } from "../../src/base/clock.ts";
import { seededRandom } from "../../src/base/random.ts";
import { openBlobStore } from "../../src/runtime/blob-store.ts";
import { verifyFolder } from "../../src/runtime/verify.ts";
import { harmFirst } from "../blobs/fs/world.ts";
import { openFleet } from "../support/fleet.ts";
import { StrictS3 } from "../support/strict-s3.ts";

const root = mkdtempSync(join(tmpdir(), "banyan-verify-"));
const sound = join(root, "sound");
const folder = join(root, "damaged");
let lead = "";
let twin = "";

/** A lead with a child that wrote an artifact, a long message in the blobs, and forks: of the lead, and of that fork. */
beforeAll(async () => {
  await using fleet = await openFleet();
  const agent = await fleet.lead();
  const kid = await agent.spawn({ name: "kid", task: `write map ${"x".repeat(10_000)}` });
  await kid.result();
  await fleet.became(agent, "waiting message");
  const fork = await agent.fork({ name: "twin" });
  await (await fork.fork({ name: "twin-of-twin" })).send("hello again");
  [lead, twin] = [agent.id, fork.id];
  await fleet.became(agent, "waiting message");
  await fleet.banyan.close();
  cpSync(fleet.folder, sound, { recursive: true });
});
beforeEach(() => {
  rmSync(folder, { recursive: true, force: true });
  cpSync(sound, folder, { recursive: true });
});
afterAll(() => rmSync(root, { recursive: true, force: true }));

const sql = (text: string, ...values: (string | number)[]) => {
  const database = new DatabaseSync(join(folder, "journal", "journal.db"));
  database.prepare(text).run(...values);
  database.close();
};
test("sound data is sound, forks of forks included", async () => {
  expect(await verifyFolder(folder)).toEqual({
    agents: 4,
    events: expect.any(Number),
    blobs: 4,
    damaged: [],
    ok: true,
  });
});

test("it writes nothing", async () => {
  const stateOf = () =>
    readdirSync(folder, { recursive: true, withFileTypes: true })
      .filter((entry) => entry.isFile() && !/-(wal|shm)$/.test(entry.name))
      .map((entry) => [entry.name, readFileSync(join(entry.parentPath, entry.name)).toString("base64")]);
  const before = stateOf();
  await verifyFolder(folder);
  expect(stateOf()).toEqual(before);
});

test("it works beside a running process", async () => {
  await using fleet = await openFleet();
  await fleet.lead();
  expect(await verifyFolder(fleet.folder)).toMatchObject({ agents: 1, ok: true });
});

test("blobs in a bucket are checked there", async () => {
  await using server = await new StrictS3().start();
  const environment = {
    AWS_ACCESS_KEY_ID: server.credentials.accessKeyId,
    AWS_SECRET_ACCESS_KEY: server.credentials.secretAccessKey,
    AWS_SESSION_TOKEN: server.credentials.sessionToken,
  };
  const opened = { readOnly: false, environment, clock: systemClock(), random: seededRandom(1) };
  const own = await openBlobStore(folder, { ...opened, settled: true });
  const bucket = await openBlobStore(folder, {
    ...opened,
    settled: false,
    bucket: { url: server.url, region: server.region },
  });
  for await (const { digest } of own.list()) await bucket.put(own.get(digest));
  await own.close();
  await bucket.close();
  rmSync(join(folder, "blobs"), { recursive: true });
  expect(await verifyFolder(folder, environment)).toMatchObject({ blobs: 4, ok: true });
  const [key = ""] = server.objects.keys();
  server.objects.delete(key);
  expect((await verifyFolder(folder, environment)).damaged).toMatchObject([
    { what: expect.stringContaining("missing") },
  ]);
});

describe("named is", () => {
  test("a record that was changed, and every fork that has it in its past", async () => {
    sql(
      "UPDATE events SET body = replace(body, 'done: ', 'DONE: ') WHERE agent = (SELECT n FROM agents WHERE id = ?) AND seq = 4",
      lead,
    );
    const { ok, damaged } = await verifyFolder(folder);
    expect(ok).toBe(false);
    expect(damaged).toContainEqual({ agent: lead, seq: 4, what: expect.stringContaining("checksum") });
    expect(damaged).toContainEqual(
      expect.objectContaining({ agent: twin, what: expect.stringContaining(`its past, ${lead}`) }),
    );
  });

  test("a record that is gone", async () => {
    sql("DELETE FROM events WHERE agent = (SELECT n FROM agents WHERE id = ?) AND seq = 2", lead);
    const { damaged } = await verifyFolder(folder);
    expect(damaged).toContainEqual({ agent: lead, seq: 2, what: expect.stringContaining("missing") });
  });

  test("a blob with other bytes, with one that refers to it", async () => {
    harmFirst(join(folder, "blobs"), "bytes");
    const { damaged } = await verifyFolder(folder);
    expect(damaged).toEqual([
      { agent: expect.any(String), seq: expect.any(Number), what: expect.stringContaining("does not match") },
    ]);
  });

  test("a blob that is missing", async () => {
    harmFirst(join(folder, "blobs"), "header");
    const { damaged } = await verifyFolder(folder);
    expect(damaged).toEqual([
      { agent: expect.any(String), seq: expect.any(Number), what: expect.stringContaining("missing") },
    ]);
  });

  test("a page that SQLite cannot read", async () => {
    const path = join(folder, "journal", "journal.db");
    const bytes = readFileSync(path);
    bytes.fill(0xab, 4_096, Math.min(bytes.length, 5 * 4_096));
    writeFileSync(path, bytes);
    const outcome = await verifyFolder(folder).catch((error) => error);
    expect(outcome.ok ?? outcome.code).toBeOneOf([false, "JOURNAL_DAMAGED"]);
  });
});

test("a folder without data is refused", async () => {
  await expect(verifyFolder(join(root, "none"))).rejects.toMatchObject({ code: "DATA_NOT_FOUND" });
});
