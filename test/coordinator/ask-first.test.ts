/** Tools whose calls a person must allow. */
import { expect, test } from "vitest";
import { asks, cast, type Heard } from "../support/cast.ts";
import { probe } from "../support/probe.ts";
import { quiet, World } from "../support/world.ts";

const heard = ({ news }: Heard) => `heard ${news.join(" | ")}`;
const execution = {
  driver: "model",
  provider: "test",
  model: "cast",
  outputTokensMax: 100,
  askFirst: ["danger"],
} as const;

async function begin() {
  const world = new World();
  const [danger, work] = [probe("danger"), probe("work")];
  const models = [cast({ lead: [asks(["danger"], ["work"]), heard] })];
  const open = () => world.open({ models, tools: [danger, work] });
  const life = await open();
  const lead = await life.spawn("lead", {
    tools: ["danger", "work"],
    execution: { ...execution, askFirst: ["danger"] },
  });
  await quiet(world);
  const [asked] = await life.all(lead, "tool.asked");
  return { world, open, life, lead, danger, work, callId: asked?.callId ?? "" };
}

test("nothing of an answer runs before the person has spoken, also after a restart", async () => {
  const { life, lead, danger, work, callId, open, world } = await begin();
  expect(life.head(lead)).toMatchObject({ status: "waiting", waitingFor: "approval" });
  expect((await life.types(lead)).slice(-2)).toEqual(["turn.ended", "tool.asked"]);
  const next = await open();
  await quiet(world);
  expect([danger.runs, work.runs]).toEqual([[], []]);
  await next.control.answer(lead, callId, "rerun");
  expect(await next.outcome(lead)).toMatch(/^heard /);
  expect([danger.runs.length, work.runs.length]).toEqual([1, 1]);
});

test("what a person does not allow never runs, and the model is told", async () => {
  const { life, lead, danger, work, callId } = await begin();
  await life.control.answer(lead, callId, "report", { reason: "Not on a Friday." });
  expect(await life.outcome(lead)).toMatch(/Denied: a person did not allow this\. Not on a Friday\./);
  expect([danger.runs.length, work.runs.length]).toEqual([0, 1]);
  const ended = await life.all(lead, "tool.ended");
  expect(ended.map(({ outcome }) => outcome)).toEqual(["denied", "ok"]);
});
