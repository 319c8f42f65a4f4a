/** Archives of a real data folder: what agents did is asked, taken up, backed up and collected as if it had never been moved. */
import { mkdtempSync, readdirSync, rmSync, statSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { expect, onTestFinished, test, vi } from "vitest";
import { collect } from "../../src/artifacts/collect.ts";
import { LIMITS } from "../../src/base/limits.ts";
import { connect } from "../../src/client.ts";
import { Banyan } from "../../src/index.ts";
import type { Agent } from "../../src/runtime/agent.ts";
import { archiveRuntime, checkArchived, listArchived, restoreArchived } from "../../src/runtime/archive.ts";
import { backUp } from "../../src/runtime/backup.ts";
import { restoreFolder } from "../../src/runtime/backup-restore.ts";
import { openRuntime } from "../../src/runtime/open.ts";
import { verifyFolder } from "../../src/runtime/verify.ts";
import { artifacts } from "../../src/tools/kits.ts";
import { type Fleet, openFleet } from "../support/fleet.ts";
import { StrictS3 } from "../support/strict-s3.ts";

function place(): string {
  const folder = mkdtempSync(join(tmpdir(), "banyan-archive-"));
  onTestFinished(() => rmSync(folder, { recursive: true, force: true }));
  return folder;
}

/** A tree that has ended, with a child and an artifact. */
async function ended(fleet: Fleet, name: string): Promise<Agent> {
  const price = { input: 1, output: 2, cacheRead: 0.1, cacheWrite: 1.25 };
  const task = `write map ${"far and wide ".repeat(2_000)}`;
  const root = await fleet.banyan.spawn({ name, model: fleet.model, task, tools: [artifacts()], price });
  await (await root.spawn({ name: "kid", task: "write plan" })).result();
  await root.result();
  await fleet.became(root, "completed");
  return root;
}

/** What can be asked of an agent's past. */
async function pastOf(folder: string, agent: string) {
  await using client = await connect(folder);
  return {
    messages: await client.messages({ agent }).toArray(),
    earlier: await client.messages({ agent, at: 5 }).toArray(),
    logs: await client.logs({ agent, subtree: true }).toArray(),
    all: await client.logs({}).toArray(),
    checkpoints: await client.checkpoints({ agent }).toArray(),
    shown: await client.showCheckpoint({ agent, checkpoint: 4 }),
    diff: await client.diffCheckpoints({ agent, from: 2 }),
    made: await client.artifactVersions({ agent, name: "map" }).toArray(),
    tree: await client.tree({}).toArray(),
    cost: await client.cost({ by: "status" }),
    written: (await client.capacity()).writtenBytes,
  };
}

/** What is told with an agent of where its history is. */
async function archivesOf(folder: string, agent: string) {
  await using client = await connect(folder);
  return (await client.agent({ agent })).archives;
}

test("what was moved is asked about as before, also after another start, and after it came back", async () => {
  await using fleet = await openFleet();
  const root = await ended(fleet, "survey");
  const [kid = ""] = root.children.map(({ id }) => id);
  const past = await pastOf(fleet.folder, root.id);
  await fleet.banyan.close();
  const runtime = await openRuntime(fleet.folder, { work: false });
  const dry = await archiveRuntime(runtime, { dryRun: true });
  expect(dry.trees).toMatchObject([{ root: root.id, parts: 0, bytes: 0 }]);
  const moved = await archiveRuntime(runtime, { shrink: true });
  expect(moved).toMatchObject({ trees: [{ ...dry.trees[0], parts: 1, bytes: expect.any(Number) }], failed: [] });
  expect(moved.databaseBytesAfter).toBeLessThan(moved.databaseBytesBefore);
  expect(moved.trees[0]?.bytes).toBeLessThan((moved.trees[0]?.bodyBytes ?? 0) / 2);
  expect(await archiveRuntime(runtime)).toMatchObject({ trees: [] });
  await runtime.stop();

  expect(await pastOf(fleet.folder, root.id)).toEqual(past);
  expect(await archivesOf(fleet.folder, kid)).toEqual([
    { place: "", parts: 1, records: dry.trees[0]?.records, bytes: moved.trees[0]?.bytes, time: expect.any(Number) },
  ]);
  expect((await verifyFolder(fleet.folder)).damaged).toEqual([]);
  const again = await openRuntime(fleet.folder, { work: false });
  expect(listArchived(again)).toMatchObject([{ root: root.id, place: "" }]);
  expect(await checkArchived(again)).toMatchObject({ parts: 1, unsound: [] });
  expect(await restoreArchived(again, root.id)).toMatchObject({ records: dry.trees[0]?.records });
  expect(readdirSync(join(fleet.folder, "archive", root.id))).toEqual([]);
  await expect(restoreArchived(again, root.id)).rejects.toMatchObject({ code: "INPUT_INVALID" });
  await again.stop();
  expect(await pastOf(fleet.folder, root.id)).toEqual(past);
  expect(await archivesOf(fleet.folder, kid)).toEqual([]);
});

test("an archived agent is sent a message, forked and rewound, while its past stays where it is", async () => {
  await using fleet = await openFleet();
  const root = await ended(fleet, "survey");
  const { runtime } = fleet.banyan;
  const { records = 0 } = (await archiveRuntime(runtime)).trees[0] ?? {};
  const turns = root.head.turns;
  await root.send("and the north");
  await fleet.became(root, "completed");
  expect(root.head.turns).toBe(turns + 1);
  const twin = await root.fork({ at: 4, task: "Try the other way." });
  expect((await twin.result()).status).toBe("completed");
  await root.rewind(4);
  await fleet.became(root, "completed");
  expect(listArchived(runtime)).toMatchObject([{ records, parts: 1 }]);
  // The next move takes along what came since, the twin's own records too.
  const next = await archiveRuntime(runtime);
  expect(next.trees.map((tree) => tree.root).toSorted()).toEqual([root.id, twin.id].toSorted());
  await fleet.banyan.close();
  expect((await verifyFolder(fleet.folder)).damaged).toEqual([]);
  const reader = await openRuntime(fleet.folder, { readOnly: true });
  expect((await reader.coordinator.state(twin.id)).entries.length).toBeGreaterThan(2);
  await reader.stop();
});

test("a tree that lives, and a part of a tree, are not archived; nor is one that was active lately", async () => {
  await using fleet = await openFleet();
  const lead = await fleet.lead();
  const root = await ended(fleet, "survey");
  const { runtime } = fleet.banyan;
  const refused = { code: "INPUT_INVALID" };
  await expect(archiveRuntime(runtime, { root: lead.id })).rejects.toMatchObject({
    ...refused,
    message: expect.stringContaining("1 of its agents have not ended"),
  });
  const kid = runtime.coordinator.forest.get(root.id)?.children[0]?.agent;
  await expect(archiveRuntime(runtime, { root: kid })).rejects.toMatchObject(refused);
  expect(await archiveRuntime(runtime, { idleMs: 3_600_000 })).toMatchObject({ trees: [] });
  expect(await archiveRuntime(runtime)).toMatchObject({ trees: [{ root: root.id }] });
});

test("V1: a tree that cannot be moved is named and told of as a fault; the others are moved", async () => {
  await using fleet = await openFleet();
  const [first, second] = [await ended(fleet, "first"), await ended(fleet, "second")];
  const { runtime } = fleet.banyan;
  // A file where the folder of the tree's parts would be.
  await archiveRuntime(runtime, { root: second.id });
  writeFileSync(join(fleet.folder, "archive", first.id), "in the way");
  await second.send("once more");
  await fleet.became(second, "completed");
  const { trees, failed } = await archiveRuntime(runtime);
  expect(trees.map(({ root }) => root)).toEqual([second.id]);
  expect(failed).toMatchObject([{ root: first.id, error: { code: "DISK_FAILED" } }]);
  expect(runtime.faults.read()).toMatchObject([{ agent: first.id, code: "DISK_FAILED" }]);
  expect(listArchived(runtime)).toMatchObject([{ root: second.id, parts: 2 }]);
});

test("a backup made after a move has all of it", async () => {
  await using fleet = await openFleet();
  const root = await ended(fleet, "survey");
  await archiveRuntime(fleet.banyan.runtime);
  const at = place();
  const store = join(at, "store");
  await backUp(fleet.folder, { store });
  await fleet.banyan.close();
  const past = await pastOf(fleet.folder, root.id);
  await restoreFolder(join(at, "data"), { store });
  const { written: _, ...restored } = await pastOf(join(at, "data"), root.id);
  const { written, ...before } = past;
  expect(written).toBeGreaterThan(0);
  expect(restored).toEqual(before);
});

test("a backup that goes on after a move, and after trees came back, restores all of it in the same order", async () => {
  await using fleet = await openFleet();
  const { runtime } = fleet.banyan;
  const first = await ended(fleet, "first");
  const at = place();
  const store = join(at, "store");
  await backUp(fleet.folder, { store });
  await archiveRuntime(runtime);
  const second = await ended(fleet, "second");
  await first.send("and the north");
  await fleet.became(first, "completed");
  // It ships records whose beginnings are away, some of them away themselves.
  await archiveRuntime(runtime, { root: second.id });
  await backUp(fleet.folder, { store });
  await restoreArchived(runtime, first.id);
  await archiveRuntime(runtime);
  expect(await backUp(fleet.folder, { store })).toMatchObject({ missing: [] });
  await fleet.banyan.close();
  await restoreFolder(join(at, "data"), { store });
  for (const { id } of [first, second]) {
    const { written: _, ...restored } = await pastOf(join(at, "data"), id);
    const { written: __, ...past } = await pastOf(fleet.folder, id);
    expect(restored).toEqual(past);
  }
  expect((await verifyFolder(join(at, "data"))).damaged).toEqual([]);
});

test("a collection sees what archived records refer to", async () => {
  await using fleet = await openFleet();
  const root = await ended(fleet, "survey");
  const { runtime } = fleet.banyan;
  const { journal, blobs, clock } = runtime.services;
  const look = () => collect({ journal, blobs, clock, graceMs: LIMITS.collectGraceMsMin, dryRun: true });
  const { referred, records } = await look();
  expect(referred).toBeGreaterThan(2);
  await archiveRuntime(runtime, { root: root.id });
  expect(await look()).toMatchObject({ referred, records });
});

test("trees are moved to a bucket, read from it, and brought back", async () => {
  await using server = await new StrictS3().start();
  const { accessKeyId, secretAccessKey, sessionToken } = server.credentials;
  vi.stubEnv("AWS_ACCESS_KEY_ID", accessKeyId);
  vi.stubEnv("AWS_SECRET_ACCESS_KEY", secretAccessKey);
  vi.stubEnv("AWS_SESSION_TOKEN", sessionToken);
  vi.stubEnv("AWS_REGION", server.region);
  onTestFinished(() => void vi.unstubAllEnvs());
  await using fleet = await openFleet();
  const root = await ended(fleet, "survey");
  await archiveRuntime(fleet.banyan.runtime, { place: server.url });
  expect([...server.objects.keys()]).toMatchObject([expect.stringMatching(`${root.id}/[0-9a-f]{64}\\.part$`)]);
  await fleet.banyan.close();
  const past = await pastOf(fleet.folder, root.id);
  expect(past.messages.length).toBeGreaterThan(1);
  await using banyan = await Banyan.open(fleet.folder, { models: [fleet.model] });
  await restoreArchived(banyan.runtime, root.id);
  // V2: the bucket may be others' too.
  expect(server.objects.size).toBe(1);
  await banyan.close();
  expect(await pastOf(fleet.folder, root.id)).toEqual(past);
});

test("V2: what a crash left in the data folder's archive goes with the next move of the tree", async () => {
  await using fleet = await openFleet();
  const root = await ended(fleet, "survey");
  const { runtime } = fleet.banyan;
  await archiveRuntime(runtime);
  const folder = join(fleet.folder, "archive", root.id);
  const left = join(folder, `${"0".repeat(64)}.part`);
  writeFileSync(left, "half");
  await root.send("more");
  await fleet.became(root, "completed");
  await archiveRuntime(runtime);
  expect(readdirSync(folder)).toHaveLength(2);
  expect(statSync(left, { throwIfNoEntry: false })).toBeUndefined();
});
