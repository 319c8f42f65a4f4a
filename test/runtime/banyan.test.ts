/** The library's front door: opening, closing, and agents by handles. */
import { mkdtemp, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterEach, beforeEach, expect, test } from "vitest";
import { z } from "zod";
import { Banyan, type BanyanError, defineTool, files, messaging, spawning } from "../../src/index.ts";
import { asks, cast } from "../support/cast.ts";
import { openFleet } from "../support/fleet.ts";
import { handFed } from "../support/models.ts";

let folder = "";
beforeEach(async () => {
  folder = await mkdtemp(join(tmpdir(), "banyan-runtime-"));
});
afterEach(() => rm(folder, { recursive: true, force: true }));

test("what was running goes on where it was, in the process that opens the folder next", async () => {
  let id = "";
  {
    await using banyan = await Banyan.open(folder);
    const lead = await banyan.spawn({
      name: "lead",
      model: cast({ "": [asks(["wait_for_message"])] }),
      task: "go",
      tools: [messaging()],
    });
    id = lead.id;
    for await (const { event } of lead.events()) if (event.type === "tool.started") break;
  }
  await using banyan = await Banyan.open(folder, { models: [cast({ "": [asks(), ({ news }) => news.join(" ")] })] });
  expect([banyan.recovery, banyan.roots().map((root) => root.id)]).toEqual([{ agents: 1, damaged: [] }, [id]]);
  const lead = banyan.agent("lead");
  await lead.send("you again");
  expect(await lead.result()).toMatchObject({
    status: "completed",
    output: "A message has come; it follows. you again",
  });
});

test("closing twice is harmless, and whoever waits for an end is told", async () => {
  const banyan = await Banyan.open(folder);
  const lead = await banyan.spawn({ name: "lead", model: cast({ "": () => handFed().stream }), task: "go" });
  const waiting = lead.result().catch((error: BanyanError) => error.code);
  await Promise.all([banyan.close(), banyan.close()]);
  await banyan.close();
  expect(await waiting).toBe("SHUTTING_DOWN");
  await expect(lead.spawn({ task: "go" })).rejects.toMatchObject({ code: "SHUTTING_DOWN" });
  await expect(lead.send("hello")).rejects.toMatchObject({ code: "SHUTTING_DOWN" });
});

test("a folder is opened by one process at a time", async () => {
  await using banyan = await Banyan.open(folder);
  await expect(Banyan.open(folder)).rejects.toMatchObject({ code: "DATA_IN_USE" });
  expect(banyan.roots()).toEqual([]);
});

test("an agent is found by its id, or as the newest root of its name", async () => {
  await using fleet = await openFleet();
  const [first, second] = [await fleet.lead("lead"), await fleet.lead("lead")];
  expect([fleet.banyan.agent("lead").id, fleet.banyan.agent(first.id).id]).toEqual([second.id, first.id]);
  for (const name of ["nobody", "", "0".repeat(26)]) {
    expect(() => fleet.banyan.agent(name)).toThrow(expect.objectContaining({ code: "AGENT_NOT_FOUND" }));
  }
});

test("handles know the tree around them", async () => {
  await using fleet = await openFleet();
  const lead = await fleet.lead();
  const kid = await lead.spawn({ name: "kid", task: "hello" });
  await kid.result();
  expect([lead.parent, kid.parent?.id, lead.children.map(({ id }) => id)]).toEqual([undefined, lead.id, [kid.id]]);
  expect([kid.status, kid.head.level, kid.head.execution.model]).toEqual(["completed", 1, "scripted"]);
});

test("every verb is a method, and says what became of it", async () => {
  await using fleet = await openFleet();
  const lead = await fleet.lead();
  await lead.pause({ reason: "coffee" });
  expect([lead.status, lead.head.activity]).toEqual(["held", "coffee"]);
  await lead.resume();
  await lead.send("write notes");
  await fleet.became(lead, "waiting message");
  await lead.send("wait", { id: "once" });
  await fleet.became(lead, "running");
  expect(await lead.interrupt()).toBe(1);
  const before = await lead.checkpoint("before");
  expect(before).toEqual({ agent: lead.id, seq: lead.head.seq - 1, name: "before" });
  await lead.send("hello");
  await fleet.became(lead, "waiting message");
  const twin = await lead.fork({ at: before, task: "hello twin" });
  await fleet.became(twin, "waiting message");
  expect((await twin.messages()).at(-1)).toMatchObject({ parts: [{ text: expect.stringMatching(/hello twin$/) }] });
  await lead.rewind(before);
  expect((await lead.messages()).length).toBeLessThan((await twin.messages()).length);
  await lead.setBudget({ costUsd: 5 });
  expect(lead.head.budget).toEqual({ costUsd: 5 });
  await lead.cancel({ reason: "enough" });
  expect(await lead.result()).toMatchObject({
    status: "cancelled",
    output: "",
    artifacts: [{ name: "notes", bytes: 10 }],
    agents: 1,
  });
});

test("a result has the sums of the subtree, and the bytes of artifacts can be read", async () => {
  await using fleet = await openFleet();
  const lead = await fleet.lead();
  const kid = await lead.spawn({ name: "kid", task: "write notes found" });
  const { artifacts, usage, turns } = await kid.result();
  const [notes] = artifacts;
  const chunks: Uint8Array[] = [];
  for await (const chunk of fleet.banyan.read(notes?.digest as `sha256:${string}`)) chunks.push(chunk);
  expect([Buffer.concat(chunks).toString(), turns, usage.output]).toEqual(["found", 2, 10]);
  await lead.cancel();
  const whole = await lead.result();
  expect([whole.agents, whole.turns - lead.head.turns, whole.usage.output - lead.head.usage.output]).toEqual([
    2, 2, 10,
  ]);
});

test("a failure is told, with its code, by result and not by a rejection", async () => {
  await using banyan = await Banyan.open(folder);
  const lead = await banyan.spawn({ name: "lead", model: cast({}), task: "go" });
  expect(await lead.result()).toMatchObject({ status: "failed", error: { code: "MODEL_FAILED" }, output: "" });
});

test("what cannot be spawned is refused, and nothing is there then", async () => {
  await using banyan = await Banyan.open(folder);
  const model = cast({ "": ["done"] });
  const tool = (run: () => string) => defineTool({ name: "work", description: "Works.", input: z.object({}), run });
  await expect(banyan.spawn({ name: "not a name", model })).rejects.toMatchObject({ code: "NAME_INVALID" });
  await banyan.spawn({ name: "one", model, tools: [tool(() => "one")] });
  await expect(banyan.spawn({ name: "two", model, tools: [tool(() => "two")] })).rejects.toMatchObject({
    code: "CONFIG_INVALID",
  });
  const old = { ...model, specificationVersion: "v2" } as unknown as typeof model;
  await expect(banyan.spawn({ name: "two", model: old })).rejects.toMatchObject({ code: "CONFIG_INVALID" });
  expect(banyan.roots().map(({ head }) => head.name)).toEqual(["one"]);
});

test("a child has its parent's model, tools and rights, or fewer", async () => {
  await using banyan = await Banyan.open(folder);
  const model = cast({ "": () => handFed().stream });
  const other = cast({ "": () => handFed().stream }, { modelId: "other" });
  const lead = await banyan.spawn({ name: "lead", model, tools: [files({ root: folder }), spawning()] });
  const same = await lead.spawn({ name: "same" });
  const less = await lead.spawn({ name: "less", tools: [files({ root: join(folder, "inner") })], model: other });
  const out = await lead.spawn({ name: "out", tools: [files({ root: "/" })] });
  expect(same.head).toMatchObject({ rights: lead.head.rights, execution: { model: "cast" } });
  expect(less.head).toMatchObject({
    rights: { root: join(folder, "inner"), spawn: false },
    execution: { model: "other" },
  });
  expect(out.head.rights.root).toBe(folder);
});

test("a tenant is a name, and a root's alone to choose", async () => {
  await using banyan = await Banyan.open(folder);
  const model = cast({ "": ["done"] });
  for (const tenant of ["", "a b", "../up", "x".repeat(65)])
    await expect(banyan.spawn({ model, tenant })).rejects.toMatchObject({ code: "NAME_INVALID" });
  const lead = await banyan.spawn({ model, tenant: "acme" });
  expect((await lead.spawn({})).head.tenant).toBe("acme");
  await expect(lead.spawn({ tenant: "acme" })).rejects.toMatchObject({ code: "CONFIG_INVALID" });
});
