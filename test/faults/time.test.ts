/**
 * Time that goes wrong around a real runtime: the wall clock jumps, the disk stands still, the event loop stands still. What is
 * attacked: invariants 1 (nothing acknowledged is lost), 3 (same journal, same state) and 4 (under a hold that was acknowledged no call
 * starts) of docs/architecture.md, section 6; and that nothing times out that only waited.
 */
import { spawn } from "node:child_process";
import { once } from "node:events";
import { mkdtemp, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { DatabaseSync } from "node:sqlite";
import { fileURLToPath } from "node:url";
import { createAnthropic } from "@ai-sdk/anthropic";
import { afterEach, beforeEach, expect, test } from "vitest";
import { type Clock, systemClock } from "../../src/base/clock.ts";
import { LIMITS } from "../../src/base/limits.ts";
import { randomInt, seededRandom } from "../../src/base/random.ts";
import { Banyan, messaging } from "../../src/index.ts";
import { verifyFolder } from "../../src/runtime/verify.ts";
import { startControl } from "../../src/server/control-socket.ts";
import { scriptedMind } from "../../src/simulator/scripted.ts";
import { partsOf, scriptedModel } from "../support/models.ts";
import { probe } from "../support/probe.ts";
import { fastClock, openProviderWorld, saidBefore } from "./provider-world.ts";

const TIMEOUT_MS = 120_000;
const HOUR_MS = 3_600_000;
const BANYAN = fileURLToPath(new URL("../../bin/banyan.js", import.meta.url));

let folder = "";
beforeEach(async () => {
  folder = await mkdtemp(join(tmpdir(), "banyan-time-"));
});
afterEach(() => rm(folder, { recursive: true, force: true }));

test("3: the wall clock jumps by hours and days, both ways, at every call: agents neither hang nor hurry", {
  timeout: TIMEOUT_MS,
}, async () => {
  const random = seededRandom(3);
  let offMs = 0;
  let jumps = 0;
  const steady = fastClock(100);
  const clock: Clock = { ...steady, now: () => Math.floor(steady.now() + offMs) };
  const tool = probe("work", { timeMsMax: 60_000 });
  let waits = 0;
  await using world = await openProviderWorld({
    clock,
    tools: [tool],
    mind: scriptedMind((request) => {
      if (saidBefore(request) >= 3) return "done";
      return { content: [{ type: "tool_use", name: "work", input: { turn: saidBefore(request) } }] };
    }),
    faults: () => {
      jumps += 1;
      offMs += (randomInt(random, 145) - 72) * HOUR_MS;
      if (random.next() > 0.3) return undefined;
      waits += 1;
      return { kind: "rateLimit", retryAfterMs: 2_000 };
    },
  });
  const fromMs = steady.monotonic();
  const agents = await Promise.all(
    Array.from({ length: 20 }, (_, at) => world.spawn({ name: `a${at}`, task: "go", tools: [tool] })),
  );
  for (const agent of agents) expect(await agent.result()).toMatchObject({ status: "completed", output: "done" });
  expect(new Set(tool.runs).size).toBe(60);
  expect(Math.min(jumps - 80, waits)).toBeGreaterThan(10);
  // A wait that were counted on the wall would take an hour at least when the clock goes back.
  expect(steady.monotonic() - fromMs).toBeLessThan(LIMITS.putOffMsMax);
  offMs -= 1_000 * HOUR_MS;
  await world.reopen();
  for (const agent of agents) expect(world.runtime.coordinator.forest.status(agent.id)).toBe("completed");
  await world.runtime.stop();
  expect((await verifyFolder(world.runtime.folder)).damaged).toEqual([]);
});

test("1, 4: the disk stands still for longer than a writer waits: nothing is lost, and no verb is acknowledged early", {
  timeout: TIMEOUT_MS,
}, async () => {
  const clock = systemClock();
  const answers = Promise.withResolvers<void>();
  const model = scriptedModel(() => ReadableStream.from(answerAfter(answers.promise)));
  const faults: string[] = [];
  const banyan = await Banyan.open(folder, {
    models: [model],
    onFault: (_agent, error) => faults.push((error as { code: string }).code),
  });
  const [asked, held, other] = await Promise.all(
    ["asked", "held", "other"].map((name) =>
      banyan.spawn({ name, model, task: "go", mode: "chat", tools: [messaging()] }),
    ),
  );
  await new Promise<void>((resolve) => {
    const look = () => (model.asked.length === 3 ? resolve() : clock.timer(5, look));
    look();
  });
  // Whoever holds the write lock is the disk: the writer's thread waits for it, and then is refused.
  const disk = new DatabaseSync(join(folder, "journal", "journal.db"));
  disk.exec("BEGIN IMMEDIATE");
  const stalledMs = performance.now();
  let worstGapMs = 0;
  let last = performance.now();
  let isOver = false;
  const beat = () => {
    worstGapMs = Math.max(worstGapMs, performance.now() - last);
    last = performance.now();
    if (!isOver) clock.timer(10, beat);
  };
  beat();
  const order: string[] = [];
  const verb = (name: string, work: Promise<unknown> | undefined) =>
    work?.then(
      () => order.push(`${name} ok`),
      (error) => order.push(`${name} ${error.code}`),
    );
  const verbs = [
    verb("pause", held?.pause()),
    verb("interrupt", asked?.interrupt()),
    verb("send", other?.send("more")),
  ];
  answers.resolve();
  // What needs no disk is answered.
  expect(held?.status).toBe("running");
  expect((await asked?.messages())?.length).toBe(1);
  await verbs[0];
  const waitedMs = performance.now() - stalledMs;
  expect([waitedMs > 4_500, order]).toEqual([true, expect.arrayContaining(["pause DISK_FAILED"])]);
  const callsBefore = model.asked.length;
  disk.exec("ROLLBACK");
  disk.close();
  await Promise.all(verbs);
  // A person asks again, and the agents go on by themselves.
  await held?.pause();
  await other?.send("once more");
  await new Promise<void>((resolve) => {
    const look = () =>
      other && other.head.turns >= 1 && model.asked.length > callsBefore ? resolve() : clock.timer(5, look);
    look();
  });
  const heldCalls = held?.head.turns;
  isOver = true;
  expect(worstGapMs).toBeLessThan(1_000);
  expect(held?.status).toBe("held");
  expect(held?.head.turns).toBe(heldCalls);
  await banyan.close();
  const report = await verifyFolder(folder);
  expect(report.damaged).toEqual([]);
  expect(faults.filter((code) => code !== "DISK_FAILED")).toEqual([]);
});

test("the event loop stands still for 3 s: no call is given up or made twice, and the control socket answers after it", {
  timeout: TIMEOUT_MS,
}, async () => {
  // A provider of its own process, which goes on speaking.
  const provider = spawn(process.execPath, [
    BANYAN,
    "simulate",
    "--mind",
    "echo",
    "--json",
    "--pace",
    "firstTokenMs=200,tokensPerSecond=20",
  ]);
  try {
    const [chunk] = (await once(provider.stdout, "data")) as [Buffer];
    const { url } = JSON.parse(chunk.toString()) as { url: string };
    const model = createAnthropic({ apiKey: "k", baseURL: `${url}/v1` })("claude-sonnet-4-5");
    await using banyan = await Banyan.open(folder, { models: [model] });
    await using _control = await startControl(banyan.runtime);
    const started = Promise.withResolvers<void>();
    let turns = 0;
    banyan.runtime.coordinator.watch((_agent, recorded) => {
      turns += recorded.filter(({ event }) => event.type === "turn.started").length;
      if (turns === 20) started.resolve();
    });
    const agents = await Promise.all(
      Array.from({ length: 20 }, (_, at) => banyan.spawn({ name: `a${at}`, model, task: `say this back, ${at}` })),
    );
    await started.promise;
    const tree = spawn(process.execPath, [BANYAN, "tree", "--data", folder, "--json"]);
    let shown = "";
    tree.stdout.on("data", (text) => {
      shown += text;
    });
    const exit = once(tree, "close");
    const fromMs = performance.now();
    while (performance.now() - fromMs < 3_000);
    expect((await exit)[0]).toBe(0);
    expect(shown.split('"a1')).not.toHaveLength(1);
    for (const [at, agent] of agents.entries())
      expect(await agent.result()).toMatchObject({ status: "completed", output: `say this back, ${at}`, turns: 1 });
    for (const agent of agents)
      for await (const { event } of agent.events()) expect(event.type).not.toBe("turn.failed");
    expect(turns).toBe(20);
  } finally {
    provider.kill("SIGKILL");
  }
});

async function* answerAfter(go: Promise<void>) {
  await go;
  yield* partsOf("done");
}
