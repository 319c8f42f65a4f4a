/** Every operation against a real fleet: what it answers has the form that the contract says. */
import { expect, test } from "vitest";
import { z } from "zod";
import { BanyanError } from "../../src/base/errors.ts";
import { parseId } from "../../src/base/ids.ts";
import { type ManyName, type OneName, OPERATIONS, type OperationName } from "../../src/server/contract/operations.ts";
import { checkRequest, isMany, perform } from "../../src/server/handlers.ts";
import { createOperations } from "../../src/server/operations.ts";
import { type Fleet, openFleet } from "../support/fleet.ts";

/** Asks as a caller from outside would, and checks the answer against the contract. */
function asker(fleet: Fleet, shutDown?: () => void) {
  const startTree = async () => {
    const [root] = fleet.banyan.roots();
    return { agent: parseId(root?.id ?? ""), resumed: true, provider: "a script" };
  };
  const handlers = createOperations(fleet.banyan.runtime, { live: true, shutDown, startTree });
  const asked = new Set<OperationName>();
  const ask = async (name: OperationName, input: object = {}): Promise<unknown> => {
    asked.add(name);
    const answer = perform(handlers, checkRequest(name, input), new AbortController().signal);
    if (!isMany(name)) return OPERATIONS[name as OneName].output.parse(await answer);
    const items: unknown[] = [];
    for await (const batch of answer as AsyncIterable<unknown[]>) items.push(...batch);
    return z.array(OPERATIONS[name as ManyName].output as z.ZodType).parse(items);
  };
  return { ask, asked };
}

test("each operation answers in the form of the contract", async () => {
  await using fleet = await openFleet();
  const lead = await fleet.lead();
  const kid = await lead.spawn({ name: "kid", task: "write map" });
  await kid.result();
  await fleet.became(lead, "waiting message");
  let stops = 0;
  const { ask, asked } = asker(fleet, () => {
    stops += 1;
  });

  expect(await ask("tree")).toMatchObject([
    { id: lead.id, parentId: null, level: 0, name: "lead", status: "waiting", subtree: { agents: 2, live: 1 } },
    { id: kid.id, parentId: lead.id, level: 1, name: "kid", status: "completed", artifacts: 1 },
  ]);
  expect(await ask("tree", { agent: "/lead/kid" })).toMatchObject([{ id: kid.id, level: 1 }]);
  expect(await ask("overview", { agent: "lead", lines: 2 })).toMatchObject({
    lines: [{ row: { name: "lead" } }, { row: { id: kid.id } }],
    total: { agents: 2, levels: 2 },
  });
  expect(await ask("agent", { agent: "/lead/kid" })).toMatchObject({
    path: "/lead/kid",
    output: "written",
    tenant: "default",
    made: [{ name: "map" }],
  });
  expect(await ask("messages", { agent: kid.id })).toMatchObject([
    { role: "user", text: "write map" },
    { role: "assistant", parts: [{ type: "toolCall", name: "write_artifact" }] },
    { role: "tools", results: [{ outcome: "ok" }] },
    { role: "assistant", parts: [{ type: "text", text: "written" }] },
  ]);
  expect(await ask("messages", { agent: kid.id, at: 4 })).toHaveLength(2);
  expect(await ask("fleet")).toMatchObject([{ kind: "agents", total: 2, agents: { name: ["lead", "kid"] } }]);
  expect(await ask("history")).toMatchObject([{ agents: [lead.id, kid.id], rewinds: [] }]);
  expect(await ask("history", { agents: [kid.id] })).toMatchObject([
    { agents: [kid.id], agent: expect.arrayContaining([0]) },
  ]);
  expect(await ask("moment", { at: 0 })).toMatchObject({ agents: [] });
  const now = (await ask("moment", { at: Number.MAX_SAFE_INTEGER })) as { statuses: string[]; status: number[] };
  expect(now.status.map((index) => now.statuses[index])).toEqual(["waiting", "completed"]);
  expect(await ask("logs", { agent: kid.id, from: 0 })).toMatchObject([
    { event: { type: "agent.created" } },
    ...Array(8).fill({ agent: kid.id }),
    { event: { type: "agent.completed" } },
  ]);
  expect(await ask("artifacts")).toMatchObject([{ name: "map", path: "/lead/kid", agent: kid.id }]);
  expect(await ask("artifactVersions", { name: "map" })).toMatchObject([{ version: 1, current: true }]);
  expect(await ask("artifact", { name: "map" })).toEqual([
    { offset: 0, base64: Buffer.from("The map.").toString("base64") },
  ]);
  expect(await ask("artifact", { name: "map", agent: "/lead/kid", from: 4, to: 7 })).toEqual([
    { offset: 4, base64: Buffer.from("map").toString("base64") },
  ]);
  expect(await ask("processes", { ended: true })).toEqual([]);
  expect(await ask("cost", { by: "level" })).toMatchObject({
    groups: [{ key: "0" }, { key: "1" }],
    total: { agents: 2 },
  });
  fleet.banyan.runtime.faults.note(kid.id, new BanyanError("SNAPSHOT_DAMAGED", "a snapshot is not whole"));
  expect(await ask("faults", { agent: lead.id })).toEqual([]);
  expect(await ask("faults")).toMatchObject([{ agent: kid.id, code: "SNAPSHOT_DAMAGED" }]);
  expect(await ask("stats")).toMatchObject({
    pid: process.pid,
    agents: 2,
    live: 1,
    byStatus: { waiting: 1, completed: 1 },
    pool: { claimed: 0, ready: 0, hitRatio: null },
    throttled: { forks: { treePerMinute: 30, waiting: 0 }, spawns: { passed: 2, treePerMinute: null } },
  });

  expect(await ask("checkpoint", { agent: "lead", name: "before" })).toMatchObject({
    checkpoint: "before",
    agent: lead.id,
  });
  expect(await ask("pinCheckpoint", { agent: "lead", checkpoint: "before" })).toMatchObject({ checkpoint: "before" });
  expect(await ask("checkpoints", { agent: "lead" })).toContainEqual(
    expect.objectContaining({ kind: "named", name: "before", pinned: true, status: "waiting", holder: lead.id }),
  );
  expect(await ask("showCheckpoint", { agent: "lead", checkpoint: "before" })).toMatchObject({
    names: ["before"],
    pinned: true,
    children: [{ agent: kid.id, name: "kid", ended: true }],
  });
  expect(await ask("diffCheckpoints", { agent: "lead", from: 1, to: "before" })).toMatchObject({
    from: 1,
    spawned: [{ name: "kid" }],
  });
  expect(
    await ask("forgetCheckpoints", { agent: "lead", subtree: true, policy: { last: 0 }, dryRun: true }),
  ).toMatchObject({
    kept: 1,
    forgotten: 0,
    checkpoints: [
      { agent: lead.id, name: "before", keptBy: ["pin", "verified", "hourly", "daily", "weekly", "monthly"] },
    ],
  });
  expect(await ask("unpinCheckpoint", { agent: "lead", checkpoint: "before" })).toMatchObject({ checkpoint: "before" });
  expect(await ask("capacity", {})).toMatchObject({
    storedBytes: expect.any(Number),
    trees: [{ root: lead.id, path: "/lead", ageMs: expect.any(Number) }],
  });
  expect(await ask("scrubArtifacts", { bytesPerSecond: 1_000_000_000 })).toMatchObject({ damaged: 0, missing: 0 });
  expect(await ask("collectArtifacts", { dryRun: true })).toMatchObject({ removed: 0, removedBytes: 0 });
  expect(await ask("putArtifact", { agent: lead.id, name: "plan", base64: "d2VzdA==" })).toMatchObject({ bytes: 4 });
  expect(await ask("linkArtifact", { name: "map" })).toMatchObject({ agent: kid.id, path: expect.any(String) });
  expect(await ask("revokeLinks")).toEqual({ revoked: true });
  await expect(ask("archiveTrees", { agent: "lead" })).rejects.toMatchObject({ code: "INPUT_INVALID" });
  expect(await ask("archiveTrees", { dryRun: true })).toMatchObject({ trees: [], failed: [] });
  expect(await ask("archived")).toEqual([]);
  expect(await ask("checkArchived")).toEqual({ parts: 0, bytes: 0, unsound: [] });
  await expect(ask("restoreArchived", { agent: "lead" })).rejects.toMatchObject({ code: "INPUT_INVALID" });
  expect(await ask("pause", { agent: "lead", reason: "lunch" })).toEqual({
    agent: lead.id,
    name: "lead",
    status: "held",
  });
  expect(await ask("interrupt", { agent: "lead", subtree: true })).toMatchObject({ interrupted: 0 });
  expect(await ask("send", { agent: "lead", text: "wait", id: "m1" })).toMatchObject({ status: "held" });
  expect(await ask("resume", { agent: "lead" })).toMatchObject({ agent: lead.id });
  expect(await ask("fork", { agent: "lead", at: "before", name: "twin", subtree: true })).toMatchObject({
    name: "twin",
    path: "/twin",
  });
  expect(await ask("tree", { agent: "twin" })).toMatchObject([{ name: "twin", level: 0 }]);
  expect(await ask("setBudget", { agent: "lead", budget: { agents: 3 } })).toMatchObject({ agent: lead.id });
  expect(await ask("rewind", { agent: "lead", to: "before" })).toMatchObject({ agent: lead.id });
  await expect(ask("answer", { agent: "lead", callId: "none", decision: "report" })).rejects.toMatchObject({
    code: "CALL_NOT_FOUND",
  });
  expect(await ask("cancel", { agent: "twin" })).toMatchObject({ status: "cancelled" });
  expect(await ask("spawn", { task: "hello", dir: "/" })).toMatchObject({ agent: lead.id, resumed: true });
  expect(await ask("shutdown")).toEqual({ pid: process.pid });
  expect(stops).toBe(1);
  expect([...asked].sort()).toEqual((Object.keys(OPERATIONS) as OperationName[]).sort());
});

test.each([
  ["no such operation", "frobnicate", {}, /no operation "frobnicate"/],
  ["a name of the prototype", "constructor", {}, /no operation/],
  ["a missing field", "pause", {}, /agent/],
  ["a wrong type", "logs", { from: "1" }, /from/],
  ["an unknown field", "tree", { agnet: "x" }, /agnet/],
  ["no object", "tree", [], /tree/],
  ["a digest that is a path", "artifact", { digest: "sha256:../../etc/passwd" }, /digest/],
  ["an artifact's name that is a path", "artifact", { name: "../x" }, /name/],
])("refuses %s", (_, name, input, message) => {
  expect(() => checkRequest(name, input)).toThrow(
    expect.objectContaining({ code: "INPUT_INVALID", message: expect.stringMatching(message) }),
  );
});

test("the versions of an artifact are those of its journal, a fork's past included, and a rewind takes none back", async () => {
  await using fleet = await openFleet();
  const lead = await fleet.lead();
  const kid = await lead.spawn({ name: "kid", task: "write map" });
  await kid.result();
  const { ask } = asker(fleet);
  const [first] = (await ask("artifactVersions", { name: "map" })) as { seq: number; time: number }[];
  expect(first).toMatchObject({ version: 1, agent: kid.id, bytes: 8, callId: expect.any(String), current: true });
  await kid.send("write map");
  await kid.result();
  const both = (await ask("artifactVersions", { name: "map", agent: kid.id })) as { version: number; seq: number }[];
  expect(both).toMatchObject([
    { version: 1, seq: first?.seq, current: false },
    { version: 2, current: true },
  ]);
  const twin = await kid.fork({ name: "twin", task: "write map" });
  await twin.result();
  expect(await ask("artifactVersions", { name: "map", agent: twin.id })).toMatchObject([
    { version: 1, seq: first?.seq, agent: twin.id },
    { version: 2 },
    { version: 3, current: true },
  ]);
  await kid.rewind(0);
  const left = (await ask("artifactVersions", { name: "map", agent: kid.id })) as { current: boolean }[];
  expect(left.map(({ current }) => current)).toEqual([false, true]);
  await expect(ask("artifactVersions", { name: "none", agent: kid.id })).rejects.toMatchObject({
    code: "ARTIFACT_NOT_FOUND",
  });
});

test("an artifact is asked for by name or by digest, and what is ambiguous is refused", async () => {
  await using fleet = await openFleet();
  const lead = await fleet.lead();
  for (const name of ["one", "two"]) await (await lead.spawn({ name, task: "write map" })).result();
  const { ask } = asker(fleet);
  await expect(ask("artifact", {})).rejects.toMatchObject({ code: "INPUT_INVALID" });
  await expect(ask("artifact", { name: "map", digest: `sha256:${"0".repeat(64)}` })).rejects.toMatchObject({
    code: "INPUT_INVALID",
  });
  await expect(ask("artifact", { name: "map" })).rejects.toMatchObject({
    code: "AGENT_AMBIGUOUS",
    message: expect.stringContaining("/lead/two"),
  });
  await expect(ask("artifact", { name: "none" })).rejects.toMatchObject({ code: "ARTIFACT_NOT_FOUND" });
  await expect(ask("artifact", { digest: `sha256:${"0".repeat(64)}` })).rejects.toMatchObject({
    code: "BLOB_NOT_FOUND",
  });
});

test("shutdown is refused where it is not for the caller to ask", async () => {
  await using fleet = await openFleet();
  await expect(asker(fleet).ask("shutdown")).rejects.toMatchObject({ code: "NOT_RUNNING" });
});

test("a checkpoint that does not exist is refused, with those that do", async () => {
  await using fleet = await openFleet();
  await fleet.lead();
  const { ask } = asker(fleet);
  await ask("checkpoint", { agent: "lead", name: "here" });
  await expect(ask("rewind", { agent: "lead", to: "there" })).rejects.toMatchObject({
    code: "CHECKPOINT_NOT_FOUND",
    message: expect.stringContaining("here"),
  });
  await expect(ask("fork", { agent: "lead", at: 9_999 })).rejects.toMatchObject({ code: "CHECKPOINT_NOT_FOUND" });
});
