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
  const [one, other] = [await gateway.open("one"), await gateway.open("other")];
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
  const line = await gateway.open("one");
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

test.skipIf(isResolved())(
  "without the SDK an agent of Claude Code fails with what to install; agents of models need none",
  async () => {
    await using opened = await openTemporary({ claude: { apiKey: "k" } });
    const agent = await opened.banyan.spawn({ driver: claude({ model: "claude-sonnet-4-5" }), task: "Go." });
    const { error } = await agent.result();
    expect(error?.code).toBe("DEPENDENCY_MISSING");
    expect(error?.message).toContain("npm install @anthropic-ai/claude-agent-sdk");
  },
);

test("a tool of Claude Code that calls models, and tools without a folder, are refused", () => {
  const tools = ["Agent" as "Bash"];
  expect(() => claude({ model: "m", tools, folder: "." })).toThrow(/cannot be used here/);
  expect(() => claude({ model: "m", tools: ["Read"] })).toThrow(/folder/);
});
