/** What needs no SDK: its absence, and the gateway's doors. */
import { expect, test } from "vitest";
import { systemClock } from "../../../src/base/clock.ts";
import { Gateway } from "../../../src/drivers/claude/gateway.ts";
import { claude } from "../../../src/index.ts";
import { openTemporary } from "../../../src/testing.ts";

const post = (url: string, token: string, path = "/v1/messages") =>
  fetch(url + path, { method: "POST", headers: { "x-api-key": token }, body: '{"model":"m"}' });

test("W1: a request goes to the session whose token it carries, and a stranger's to none", async () => {
  const gateway = new Gateway(systemClock());
  const [one, other] = [await gateway.open("one", () => undefined), await gateway.open("other", () => undefined)];
  const arrives = other.next();
  const answered = post(one.url, "other");
  const parked = await arrives;
  expect(parked.body).toBe('{"model":"m"}');
  expect((await post(one.url, "none")).status).toBe(401);
  expect((await post(one.url, "one", "/v1/files")).status).toBe(404);
  parked.answer("data: {}\n\n");
  expect(await (await answered).text()).toBe("data: {}\n\n");
  expect(parked.isGone).toBe(true);
  one.close();
  other.close();
});

test("W2: while a session has a request that nobody has taken, a further one is refused", async () => {
  const gateway = new Gateway(systemClock());
  const line = await gateway.open("one", () => undefined);
  const posts = [post(line.url, "one"), post(line.url, "one")];
  expect((await Promise.race(posts)).status).toBe(404);
  (await line.next()).answer("");
  const statuses = (await Promise.all(posts)).map(({ status }) => status);
  expect(statuses.toSorted()).toEqual([200, 404]);
  line.close();
});

const isResolved = () => {
  try {
    return import.meta.resolve("@anthropic-ai/claude-agent-sdk") !== "";
  } catch {
    return false;
  }
};

test.skipIf(isResolved())("without the SDK a spawn is refused with what to install", async () => {
  await using opened = await openTemporary({ claude: { apiKey: "k" } });
  const spawned = opened.banyan.spawn({ driver: claude({ model: "claude-sonnet-4-5" }), task: "Go." });
  await expect(spawned).rejects.toMatchObject({
    code: "DEPENDENCY_MISSING",
    message: expect.stringContaining("npm install @anthropic-ai/claude-agent-sdk"),
  });
});

test("an agent whose driver cannot run here waits until it can", async () => {
  await using opened = await openTemporary({ claude: { apiKey: "" } });
  const { coordinator } = opened.banyan.runtime;
  const execution = { driver: "claude", provider: "claude", model: "claude-sonnet-4-5", outputTokensMax: 100 } as const;
  const spec = { name: "lead", execution, instructions: "", tools: [], rights: { commands: false, spawn: false } };
  const agent = await coordinator.spawn({ ...spec, messages: [{ from: { kind: "person" }, text: "Go." }] });
  await opened.banyan.close();
  expect(coordinator.forest.get(agent)?.head).toMatchObject({ status: "queued", turns: 0 });
});

test("a tool of Claude Code that calls models, and tools without a folder, are refused", () => {
  const tools = ["WebFetch" as "Bash"];
  expect(() => claude({ model: "m", tools, folder: "." })).toThrow(/cannot be used here/);
  expect(() => claude({ model: "m", tools: ["Read"] })).toThrow(/folder/);
});
