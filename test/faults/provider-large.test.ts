/**
 * Texts of 10 MB: in an answer, in a tool's result, and in a message from outside, over real HTTP and the control socket. What is
 * attacked: invariants 1 and 7 of docs/architecture.md, section 6 (nothing is lost or cut, the blobs are there), and that records,
 * prompts and the control socket stay within their limits.
 */
import { hash } from "node:crypto";
import { expect, test } from "vitest";
import { connect } from "../../src/client.ts";
import { verifyFolder } from "../../src/runtime/verify.ts";
import { startControl } from "../../src/server/control-socket.ts";
import { scriptedMind } from "../../src/simulator/scripted.ts";
import { probe } from "../support/probe.ts";
import { openProviderWorld, type ProviderWorld, saidBefore } from "./provider-world.ts";

const TIMEOUT_MS = 120_000;
const LARGE_BYTES = 10_000_000;
const large = (word: string) => `${word} `.repeat(Math.ceil(LARGE_BYTES / (word.length + 1))).slice(0, LARGE_BYTES);

/** What a test is about must be whole on the disk too. */
async function expectSound(world: ProviderWorld): Promise<void> {
  await world.runtime.stop();
  const report = await verifyFolder(world.runtime.folder);
  expect(report.damaged).toEqual([]);
  expect(report.blobs).toBeGreaterThan(0);
}

test("1, 7: an answer of 10 MB arrives whole, and goes back to the provider whole", {
  timeout: TIMEOUT_MS,
}, async () => {
  const answer = large("said");
  let sentBack = "";
  const mind = scriptedMind((request) => {
    if (saidBefore(request) > 0) {
      sentBack = hash("sha256", JSON.stringify(request.messages[1]));
      return "again";
    }
    return { content: [{ type: "text", text: answer }], whole: true };
  });
  await using world = await openProviderWorld({ mind, times: 1, tokensPerDelta: 64 });
  const agent = await world.spawn({ name: "lone", task: "go", mode: "chat" });
  const { runtime } = world;
  await new Promise<void>((resolve) => {
    const stop = runtime.coordinator.watch((_agent, _recorded, head) => {
      if (head.waitingFor !== "message") return;
      stop();
      resolve();
    });
  });
  const [, said] = await agent.messages();
  const [part] = said?.kind === "assistant" ? said.parts : [];
  expect(part?.type).toBe("text");
  const text = await runtime.services.contents.fetch(part?.type === "text" ? part.text : "");
  expect(text.length).toBe(LARGE_BYTES);
  expect(text === answer).toBe(true);
  await agent.send("and now?");
  await new Promise<void>((resolve) => {
    const stop = runtime.coordinator.watch((_agent, recorded) => {
      if (!recorded.some(({ event }) => event.type === "turn.ended")) return;
      stop();
      resolve();
    });
  });
  const whole = { role: "assistant", content: [{ type: "text", text: answer.trimEnd() }] };
  expect([
    hash("sha256", JSON.stringify(whole)),
    hash("sha256", JSON.stringify({ ...whole, content: [{ type: "text", text: answer }] })),
  ]).toContain(sentBack);
  await expectSound(world);
});

test("1, 7: a tool's result of 10 MB is kept whole; the model sees its head", { timeout: TIMEOUT_MS }, async () => {
  const result = large("found");
  const look = probe("look", { run: () => result });
  let shownBytes = 0;
  const mind = scriptedMind((request) => {
    if (saidBefore(request) === 0) return { content: [{ type: "tool_use", name: "look", input: {} }] };
    shownBytes = JSON.stringify(request.messages.at(-1)).length;
    return "seen";
  });
  await using world = await openProviderWorld({ mind, tools: [look], times: 1 });
  const agent = await world.spawn({ name: "lone", task: "go", tools: [look] });
  expect(await agent.result()).toMatchObject({ status: "completed", output: "seen" });
  expect(shownBytes).toBeLessThan(8 * 1024);
  const tools = (await agent.messages()).find(({ kind }) => kind === "tools");
  const content = tools?.kind === "tools" ? tools.results[0]?.content : undefined;
  expect((await world.runtime.services.contents.fetch(content ?? "")) === result).toBe(true);
  await expectSound(world);
});

test("1, 7: a message of 10 MB comes through the control socket, and reaches the model whole", {
  timeout: TIMEOUT_MS,
}, async () => {
  const message = large("heard");
  let heard = false;
  const mind = scriptedMind((request) => {
    heard = JSON.stringify(request.messages.at(-1)).includes(message);
    return "heard";
  });
  await using world = await openProviderWorld({ mind, times: 1 });
  const agent = await world.spawn({ name: "lone", mode: "task" });
  await using _control = await startControl(world.runtime);
  {
    await using client = await connect(world.runtime.folder);
    await client.send({ agent: agent.id, text: message });
  }
  expect(await agent.result()).toMatchObject({ status: "completed", output: "heard" });
  expect(heard).toBe(true);
  await expectSound(world);
});
