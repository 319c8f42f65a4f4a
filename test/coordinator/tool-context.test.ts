/** What tools reach: their agent's own tree, by the names that agents know, and nothing else. */
import { expect, test } from "vitest";
import type { AgentId } from "../../src/base/ids.ts";
import type { ToolContext } from "../../src/tools/tool.ts";
import { asks, cast, hear } from "../support/cast.ts";
import { handFed } from "../support/models.ts";
import { probe } from "../support/probe.ts";
import { quiet, World } from "../support/world.ts";

const spawn = (name: string) => ["spawn_agent", { name, task: "go", instructions: name }] as const;

/** `/lead` with `left` and `right`, `left` with `low`; another tree beside it. `low` has the tool. */
async function family(run: (context: ToolContext, stranger: AgentId) => Promise<unknown> | unknown) {
  const world = new World();
  const said: unknown[] = [];
  const tool = probe("try", {
    run: async (_, context) => {
      said.push(await Promise.resolve(run(context, other)).catch((error) => `${error.code}: ${error.message}`));
      return "tried";
    },
  });
  const model = cast({
    lead: ({ said }) => (said === 0 ? asks(spawn("left"), spawn("right")) : asks(["wait_for_message"])),
    left: ({ said }) =>
      said === 0
        ? asks(["write_artifact", { name: "notes", content: "of left" }], spawn("low"))
        : asks(["wait_for_message"]),
    right: ({ said }) =>
      said === 0 ? asks(["write_artifact", { name: "notes", content: "of right" }]) : asks(["wait_for_message"]),
    low: [asks(["wait_for_message"]), asks(["try"]), () => handFed().stream],
    other: ["done"],
  });
  const life = await world.open({ models: [model], tools: [tool] });
  const other: AgentId = await life.spawn("other");
  await life.outcome(other);
  const tools = ["spawn_agent", "wait_for_message", "write_artifact", "send_message", "try"];
  const lead = await life.spawn("lead", { tools });
  await quiet(world);
  await life.control.send(life.at("lead/left/low"), "now");
  await quiet(world);
  expect([said.length, life.faults]).toEqual([1, []]);
  return { life, model, lead, other, said: said[0] };
}

/** What each agent heard last, by its path. */
function lastNews({ model }: { model: ReturnType<typeof cast> }, part: string): readonly string[] {
  return model.asked.map(hear).findLast((heard) => heard.part === part)?.news ?? [];
}

test("a message goes to the parent, a child, a sibling, a path from the root or an id of the tree, and says how to answer", async () => {
  const found = await family(async ({ agents }) => {
    await agents.send("parent", "to parent");
    await agents.send("/lead", "to the top");
    await agents.send("/lead/right", "to an uncle");
  });
  expect(found.said).toBeUndefined();
  expect(lastNews(found, "left")).toEqual(["A message has come; it follows.", "[message from low]\nto parent"]);
  expect(lastNews(found, "lead")).toContain("[message from /lead/left/low]\nto the top");
  expect(lastNews(found, "right")).toContain("[message from /lead/left/low]\nto an uncle");
});

test("nobody outside the tree is reached, by no name", async () => {
  const found = await family(async ({ agents }) => {
    const refused: string[] = [];
    for (const to of [
      "other",
      "/other",
      "right",
      "",
      "/",
      "/lead/",
      "/lead/left/low/",
      "..",
      "/lead/../other",
      "toString",
      "__proto__",
    ]) {
      await agents.send(to, "hello").then(
        () => refused.push(`reached ${to}`),
        (error) => refused.push(error.code),
      );
    }
    return refused;
  });
  expect(new Set(found.said as string[])).toEqual(new Set(["AGENT_NOT_FOUND"]));
});

test("an id of another tree is not one of this, and one's own tree is known by ids too", async () => {
  const found = await family(async ({ agents, agent }, stranger) => {
    await agents.send(agent, "to myself");
    await agents.send(stranger, "hello");
  });
  expect(found.said).toMatch(/^AGENT_NOT_FOUND/);
  expect(lastNews(found, "low")).toContain("[message from /lead/left/low]\nto myself");
});

test("artifacts are found by name and agent, listed with paths, and read by digest", async () => {
  const found = await family(async ({ artifacts }) => {
    const mine = await artifacts.write("mine", Buffer.from("of low"), "text/plain");
    const bytes = await Array.fromAsync(artifacts.read(mine.digest as `sha256:${string}`));
    return {
      list: artifacts.list().map(({ path, artifact }) => `${path}:${artifact.name}`),
      parents: artifacts.find("notes", "parent").bytes,
      uncles: artifacts.find("notes", "/lead/right").bytes,
      text: Buffer.concat(bytes).toString(),
    };
  });
  expect(found.said).toEqual({ list: [":mine"], parents: 7, uncles: 8, text: "of low" });
});

test("an artifact that there is not, a name that is none and a digest that is none are refused", async () => {
  const found = await family(async ({ artifacts }) => {
    const codes: string[] = [];
    const tries = [
      () => artifacts.find("nothing"),
      () => artifacts.find("notes", "nobody"),
      () => artifacts.write("../up", Buffer.from("x"), "text/plain"),
      () => artifacts.write("x".repeat(65), Buffer.from("x"), "text/plain"),
      () => artifacts.read("../../etc/passwd" as never),
    ];
    for (const attempt of tries) {
      try {
        await attempt();
      } catch (error) {
        codes.push((error as { code: string }).code);
      }
    }
    return codes;
  });
  expect(found.said).toEqual([
    "ARTIFACT_NOT_FOUND",
    "AGENT_NOT_FOUND",
    "NAME_INVALID",
    "NAME_INVALID",
    "INPUT_INVALID",
  ]);
});

test("a tool is given its agent, its call, its rights and the clock", async () => {
  const found = await family(({ agent, callId, rights, clock, signal }) => {
    return { agent, callId, rights, time: clock.now(), aborted: signal.aborted };
  });
  expect(found.said).toEqual({
    agent: found.life.at("lead/left/low"),
    callId: expect.stringMatching(/^try-/),
    rights: { commands: false, spawn: true },
    time: 1_700_000_000_000,
    aborted: false,
  });
});
