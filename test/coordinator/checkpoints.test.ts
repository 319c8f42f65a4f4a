/** Restore points as people have them. */
import { expect, test } from "vitest";
import { asks, cast } from "../support/cast.ts";
import { probe } from "../support/probe.ts";
import { quiet, World } from "../support/world.ts";

const child = asks(["spawn_agent", { name: "a", task: "go", instructions: "child" }]);

/** A lead that spawned a child, heard from it, worked with a tool, and waits for the next message. */
async function lived() {
  const world = new World();
  const model = cast({
    lead: [child, asks(["wait_for_agents"]), asks(["work"], ["work"]), "done", "again"],
    child: [asks(["write_artifact", { name: "map", content: "The map." }]), "found it"],
  });
  const life = await world.open({ models: [model], tools: [probe("work")] });
  const lead = await life.spawn("lead", {
    mode: "chat",
    tools: ["spawn_agent", "wait_for_agents", "work", "write_artifact"],
  });
  await life.became(lead, "waiting");
  await life.until(() => life.head(lead).waitingFor === "message");
  await quiet(world);
  const { checkpoints } = life.coordinator;
  return { world, life, lead, checkpoints };
}

test("I1: whatever is listed can be forked at, and what no rewind cut can be rewound to", async () => {
  const { life, lead, checkpoints } = await lived();
  await life.control.checkpoint(lead, "here");
  const [first] = (await life.state(lead)).entries;
  await life.control.checkpoint(lead, "begun", { at: first?.seq ?? 1 });
  const fork = await life.coordinator.fork(lead, { at: 4 });
  const listed = await checkpoints.list(lead);
  expect(listed.map(({ kind }) => kind)).toEqual(expect.arrayContaining(["named", "fork", "status"]));
  expect(listed.map(({ seq }) => seq)).toEqual(listed.map(({ seq }) => seq).toSorted((a, b) => a - b));
  for (const { seq, cut } of listed) {
    expect(cut).toBe(false);
    await life.coordinator.fork(lead, { at: seq, as: "root" });
  }
  // The fork has the restore points of the past that it shares; names are its origin's own.
  const shared = await checkpoints.list(fork);
  expect(shared.filter(({ holder }) => holder === lead).map(({ seq }) => seq)).toContain(4);
  expect(shared.some(({ name }) => name !== null)).toBe(false);
  await life.control.rewind(lead, await checkpoints.resolve(lead, "begun"));
  const after = await checkpoints.list(lead);
  expect(after.filter(({ cut }) => cut).length).toBeGreaterThan(0);
  for (const { seq, cut } of after) {
    const there = await checkpoints.state(lead, seq);
    expect(there.head.seq).toBe(seq);
    if (cut) await expect(life.control.rewind(lead, seq)).rejects.toMatchObject({ code: "CHECKPOINT_NOT_FOUND" });
  }
  await life.stop();
});

test("I2: coming to rest lists the end of the conversation, once", async () => {
  const { life, lead, checkpoints } = await lived();
  const end = (await life.state(lead)).entries.at(-1);
  await life.control.pause(lead);
  const listed = (await checkpoints.list(lead)).filter(({ seq }) => seq === end?.seq);
  expect(listed).toMatchObject([{ kind: "status", status: "held", name: null, turns: 4 }]);
  expect(listed[0]?.messageId).toBe(end?.kind === "assistant" ? end.messageId : undefined);
  await life.stop();
});

test("a comparison tells what was said, which tools ran, what it cost, and which children came", async () => {
  const { life, lead, checkpoints } = await lived();
  const before = await life.control.checkpoint(lead, "before", { at: 2 });
  const { head } = await life.state(lead);
  const all = await checkpoints.diff(lead, "before");
  expect(all).toMatchObject({
    from: before,
    to: life.head(lead).seq,
    events: life.head(lead).seq - before,
    turns: head.turns,
    usage: head.usage,
    costUsd: head.costUsd,
    spawned: [{ agent: life.at("lead/a"), name: "a" }],
    ended: [{ agent: life.at("lead/a"), status: "completed" }],
    left: 0,
  });
  expect(all.tools).toEqual(
    expect.arrayContaining([
      { name: "work", calls: 2, failed: 0 },
      { name: "spawn_agent", calls: 1, failed: 0 },
    ]),
  );
  expect(all.messages.at(-1)).toMatchObject({ role: "assistant", text: "done" });
  const artifacts = await checkpoints.diff(life.at("lead/a"), 1);
  expect(artifacts.artifacts).toMatchObject([{ name: "map" }]);

  // Two halves make the whole.
  const middle = 9;
  const halves = [await checkpoints.diff(lead, before, middle), await checkpoints.diff(lead, middle, all.to)];
  expect(halves.reduce((sum, { events }) => sum + events, 0)).toBe(all.events);
  expect(halves.flatMap(({ messages }) => messages)).toEqual(all.messages);
  await expect(checkpoints.diff(lead, middle, 3)).rejects.toMatchObject({ code: "INPUT_INVALID" });
  await expect(checkpoints.diff(lead, 1, 9_999)).rejects.toMatchObject({ code: "CHECKPOINT_NOT_FOUND" });
  await expect(checkpoints.diff(lead, "nowhere")).rejects.toMatchObject({ code: "CHECKPOINT_NOT_FOUND" });
  await life.stop();
});

test("P2: a pinned checkpoint is not forgotten and outlives a rewind to before it; an unpinned one does not", async () => {
  const { world, life, lead, checkpoints } = await lived();
  await life.control.checkpoint(lead, "kept");
  await life.control.checkpoint(lead, "loose");
  const { seq } = life.head(lead);
  expect(await checkpoints.pin(lead, "kept")).toBe("kept");
  expect(await checkpoints.pin(lead, 6)).toBe("at-6");
  expect(await checkpoints.pin(lead, 6)).toBe("at-6");
  expect(await checkpoints.forget(lead, ["kept", "at-6", "nothing"])).toBe(0);
  await life.control.rewind(lead, (await life.state(lead)).entries.at(0)?.seq ?? 0);
  await quiet(world);
  const names = async () => (await life.state(lead)).checkpoints.map(({ name }) => name);
  expect((await names()).toSorted()).toEqual(["at-6", "kept"]);
  // Beyond the rewind it can be forked at, by its name.
  const at = await checkpoints.resolve(lead, "kept");
  expect(at).toBeLessThan(seq);
  await expect(life.control.rewind(lead, at)).rejects.toMatchObject({ code: "CHECKPOINT_NOT_FOUND" });
  const fork = await life.coordinator.fork(lead, { at, as: "root" });
  expect((await life.state(fork)).head.origin).toEqual({ agent: lead, seq: at });

  expect(await checkpoints.unpin(lead, 6)).toBe("at-6");
  expect(await checkpoints.unpin(lead, "at-6")).toBe("at-6");
  expect(await checkpoints.forget(lead, ["kept", "at-6"])).toBe(1);
  expect(await names()).toEqual(["kept"]);
  await life.stop();
});

test("P3: checkpoints of an agent that has ended are named, pinned and forgotten", async () => {
  const { life, lead, checkpoints } = await lived();
  await life.control.cancel(lead);
  await life.control.checkpoint(lead, "late");
  await checkpoints.pin(lead, "late");
  await checkpoints.unpin(lead, "late");
  expect(await checkpoints.forget(lead, ["late"])).toBe(1);
  await expect(checkpoints.pin(lead, "late")).rejects.toMatchObject({ code: "CHECKPOINT_NOT_FOUND" });
  await expect(checkpoints.pin(lead, 9_999)).rejects.toMatchObject({ code: "CHECKPOINT_NOT_FOUND" });
  await expect(life.control.checkpoint(lead, "12")).rejects.toMatchObject({ code: "NAME_INVALID" });
  expect(life.status(lead)).toBe("cancelled");
  await life.stop();
});

test("P1: a name given again moves, and keeps its pin, after a restart too", async () => {
  const { world, life, lead } = await lived();
  await life.control.checkpoint(lead, "c", { pin: true });
  const again = await life.control.checkpoint(lead, "c");
  await life.stop();
  const next = await world.open({ work: false });
  expect((await next.state(lead)).checkpoints).toMatchObject([{ name: "c", at: again, pinned: true }]);
  await next.stop();
});

test("a policy forgets what nothing keeps; pins, fork points and the newest sound one stay under any policy", async () => {
  const { world, life, lead, checkpoints } = await lived();
  const seqs: number[] = [];
  for (let n = 0; n < 6; n++) {
    seqs.push(await life.control.checkpoint(lead, `c-${n}`));
    world.clock.advance(1_000);
  }
  await checkpoints.pin(lead, "c-0");
  await life.coordinator.fork(lead, { at: seqs[1], as: "root" });
  const nothing = { last: 0, hourly: 0, daily: 0, weekly: 0, monthly: 0, withinMs: 0 };
  const names = async () => (await life.state(lead)).checkpoints.map(({ name }) => name);
  const now = world.clock.now();
  const trial = await checkpoints.rotate(lead, { ...nothing, last: 2 }, { now, dryRun: true });
  expect(trial.map(({ name, keptBy }) => [name, ...keptBy])).toEqual([
    ["c-0", "pin"],
    ["c-1", "fork"],
    ["c-2"],
    ["c-3"],
    ["c-4", "last"],
    ["c-5", "verified", "last"],
  ]);
  expect(await names()).toHaveLength(6);
  await checkpoints.rotate(lead, nothing, { now });
  expect(await names()).toEqual(["c-0", "c-1", "c-5"]);
  // Every event is still there: what was forgotten was a name.
  await life.coordinator.fork(lead, { at: seqs[2], as: "root" });
  await life.stop();
});
