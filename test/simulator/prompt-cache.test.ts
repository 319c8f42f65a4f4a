/** The cache's rules, each as rows of requests and the tokens they must be billed as. One block is 2,000 tokens. */
import { describe, expect, test } from "vitest";
import { ManualClock } from "../../src/base/clock.ts";
import { PromptCache } from "../../src/simulator/prompt-cache.ts";
import { createProvider } from "../../src/simulator/provider.ts";
import { scriptedMind } from "../../src/simulator/scripted.ts";
import { WatchedClock } from "./clocks.ts";
import { ask, usageOf } from "./in-process.ts";

const MINUTE_MS = 60_000;
const BIG = 2_000;
const words = (seed: string, tokens = BIG) => seed.repeat(tokens * 4).slice(0, tokens * 4);
const mark = (ttl?: "1h" | "5m") => ({ cache_control: { type: "ephemeral", ...(ttl && { ttl }) } });
const block = (seed: string, more: object = {}, tokens = BIG) => ({ type: "text", text: words(seed, tokens), ...more });
const user = (...content: object[]) => ({ role: "user" as const, content });
const result = (usage: { input_tokens: number; cache_read_input_tokens: number; cache_creation: object }) => [
  usage.input_tokens,
  usage.cache_read_input_tokens,
  ...Object.values(usage.cache_creation),
];

function setUp() {
  const clock = new ManualClock();
  const provider = createProvider({ mind: scriptedMind(() => "ok"), clock });
  /** [input, read, written for 5 minutes, written for 1 hour] */
  const bill = async (body: object, key?: string) => result(await usageOf(provider, body, key));
  return { clock, provider, bill };
}

const at = (...content: object[]) => ({ messages: [user(...content)] });

test("K1, K3: a prefix is written, read back, and extended; what follows the last breakpoint is plain input", async () => {
  const { bill } = setUp();
  expect(await bill(at(block("a", mark()), block("b")))).toEqual([BIG, 0, BIG, 0]);
  expect(await bill(at(block("a", mark()), block("c")))).toEqual([BIG, BIG, 0, 0]);
  expect(await bill(at(block("a"), block("b", mark())))).toEqual([0, BIG, BIG, 0]);
  expect(await bill(at(block("a"), block("b"), block("c", mark())))).toEqual([0, 2 * BIG, BIG, 0]);
});

test("K1: without a breakpoint nothing is written or read", async () => {
  const { bill } = setUp();
  expect(await bill(at(block("a")))).toEqual([BIG, 0, 0, 0]);
  expect(await bill(at(block("a", mark())))).toEqual([0, 0, BIG, 0]);
  expect(await bill(at(block("a")))).toEqual([BIG, 0, 0, 0]);
});

describe("K1: a prefix is exact", () => {
  const system = [block("s", mark())];
  const tools = [{ name: "t", input_schema: { type: "object" } }];
  const messages = [user(block("u", mark()))];
  const body = { system, tools, messages };
  test.each([
    ["the same again", body, "k", "all"],
    ["another model", { ...body, model: "claude-sonnet-5" }, "k", "nothing"],
    ["another key", body, "other", "nothing"],
    ["a mark on the tool", { ...body, tools: [{ ...tools[0], ...mark() }] }, "k", "all"],
    ["another tool", { ...body, tools: [{ ...tools[0], name: "u" }] }, "k", "nothing"],
    ["another system", { ...body, system: [block("S", mark())] }, "k", "nothing"],
    ["another message", { ...body, messages: [user(block("U", mark()))] }, "k", "system"],
    ["another choice of tools", { ...body, tool_choice: { type: "any" } }, "k", "system"],
    ["thinking turned on", { ...body, thinking: { type: "enabled", budget_tokens: 1_024 } }, "k", "system"],
    ["the mark elsewhere", { ...body, system: [block("s")], messages }, "k", "all"],
  ])("%s", async (_name, again, key, read) => {
    const { bill } = setUp();
    const [, , written = 0] = await bill(body);
    const all = { all: written, system: written - BIG, nothing: 0 }[read];
    expect((await bill(again, key))[1]).toBe(all);
  });
});

test("K2: a breakpoint looks back over 20 blocks, itself included, and the next breakpoint over its own 20", async () => {
  const small = (count: number, seed = "x") =>
    Array.from({ length: count }, (_, index) => block(`${seed}${index}`, {}, 10));
  const { bill } = setUp();
  await bill(at(block("a", mark())));
  expect((await bill(at(block("a"), ...small(18), block("z", mark()))))[1]).toBe(BIG);
  expect((await bill(at(block("a"), ...small(19, "y"), block("z", mark()))))[1]).toBe(0);
  expect((await bill(at(block("a", mark()), ...small(30, "w"), block("z", mark()))))[1]).toBe(BIG);
});

test("K2: the longest entry counts", async () => {
  const { bill } = setUp();
  await bill(at(block("a", mark()), block("b", mark())));
  expect(await bill(at(block("a", mark()), block("b"), block("c", mark())))).toEqual([0, 2 * BIG, BIG, 0]);
});

describe("K4: the shortest prefix that is cached", () => {
  test.each([
    ["claude-sonnet-4-5", 1_024],
    ["claude-sonnet-4-5-20250929", 1_024],
    ["claude-opus-5", 512],
    ["claude-opus-4-7", 2_048],
    ["claude-opus-4-5-20251101", 4_096],
    ["claude-haiku-4-5", 4_096],
    ["claude-3-5-haiku-20241022", 2_048],
    ["someone-elses-model", 1_024],
  ])("%s: %i tokens", async (model, tokensMin) => {
    const { bill } = setUp();
    const below = { model, ...at(block("a", mark(), tokensMin - 1)) };
    expect(await bill(below)).toEqual([tokensMin - 1, 0, 0, 0]);
    expect(await bill(below)).toEqual([tokensMin - 1, 0, 0, 0]);
    const enough = { model, ...at(block("a", mark(), tokensMin)) };
    expect(await bill(enough)).toEqual([0, 0, tokensMin, 0]);
    expect(await bill(enough)).toEqual([0, tokensMin, 0, 0]);
  });
});

describe("K5: lifetimes", () => {
  const cached = at(block("a", mark()));
  const long = at(block("a", mark("1h")));
  test("5 minutes from the last use", async () => {
    const { bill, clock } = setUp();
    await bill(cached);
    for (let times = 0; times < 3; times++) {
      clock.advance(5 * MINUTE_MS - 1);
      expect((await bill(cached))[1]).toBe(BIG);
    }
    clock.advance(5 * MINUTE_MS);
    expect(await bill(cached)).toEqual([0, 0, BIG, 0]);
  });

  test("1 hour, which a reader with a 5-minute mark does not shorten", async () => {
    const { bill, clock } = setUp();
    expect(await bill(long)).toEqual([0, 0, 0, BIG]);
    clock.advance(60 * MINUTE_MS - 1);
    expect((await bill(cached))[1]).toBe(BIG);
    clock.advance(60 * MINUTE_MS - 1);
    expect((await bill(long))[1]).toBe(BIG);
    clock.advance(60 * MINUTE_MS);
    expect(await bill(long)).toEqual([0, 0, 0, BIG]);
  });

  test("both in one request, the long one first", async () => {
    const { bill, provider } = setUp();
    const both = at(block("a", mark("1h")), block("b", mark("5m")), block("c"));
    expect(await bill(both)).toEqual([BIG, 0, BIG, BIG]);
    expect(await bill(both)).toEqual([BIG, 2 * BIG, 0, 0]);
    const wrong = await ask(provider, at(block("a", mark()), block("b", mark("1h"))));
    expect(wrong.json.error.message).toMatch(/ttl='1h' cache_control block must not come after/);
  });

  test("an entry exists once its response has begun", async () => {
    const clock = new WatchedClock();
    const provider = createProvider({ mind: scriptedMind(() => "ok"), clock, pace: { firstTokenMs: 100 } });
    const first = ask(provider, cached);
    const meanwhile = ask(provider, cached);
    await clock.pendingAtLeast(2);
    clock.advance(100);
    const usages = (await Promise.all([first, meanwhile])).map(({ json }) => json.usage.cache_creation_input_tokens);
    expect(usages).toEqual([BIG, BIG]);
    const after = ask(provider, cached);
    await clock.pendingAtLeast(1);
    clock.advance(100);
    expect((await after).json.usage.cache_read_input_tokens).toBe(BIG);
  });
});

test("a refused request leaves nothing in the cache", async () => {
  const provider = createProvider({
    mind: scriptedMind(() => "ok"),
    faults: [{ when: { nth: 1 }, kind: "overloaded" }],
  });
  const cached = at(block("a", mark()));
  expect((await ask(provider, cached)).status).toBe(529);
  expect((await usageOf(provider, cached)).cache_creation_input_tokens).toBe(BIG);
});

test("at most 4 breakpoints, the automatic one included, and none on an empty text", async () => {
  const { provider, bill } = setUp();
  const four = ["a", "b", "c", "d"].map((seed) => block(seed, mark()));
  expect(await bill(at(...four))).toEqual([0, 0, 4 * BIG, 0]);
  expect((await ask(provider, at(...four, block("e", mark())))).json.error.message).toMatch(
    /maximum of 4 blocks.*Found 5/,
  );
  expect((await ask(provider, { ...at(...four, block("e")), ...mark() })).status).toBe(400);
  const empty = { system: [{ type: "text", text: "", ...mark() }], messages: [user(block("a"))] };
  expect((await ask(provider, empty)).json.error.message).toMatch(/cannot be set for empty text blocks/);
});

test("an automatic breakpoint goes to the last block and moves with it", async () => {
  const { bill } = setUp();
  expect(await bill({ ...at(block("a")), ...mark() })).toEqual([0, 0, BIG, 0]);
  expect(await bill({ ...at(block("a"), block("b")), ...mark() })).toEqual([0, BIG, BIG, 0]);
});

test("breakpoints work on tools, calls and results", async () => {
  const { bill } = setUp();
  const tools = [{ name: "t", description: words("t"), input_schema: { type: "object" }, ...mark() }];
  const messages = [
    user(block("a")),
    { role: "assistant", content: [{ type: "tool_use", id: "x", name: "t", input: { a: words("i") }, ...mark() }] },
    user({ type: "tool_result", tool_use_id: "x", content: words("r"), ...mark() }),
  ];
  const [input, read, written] = await bill({ tools, messages });
  expect([input, read]).toEqual([0, 0]);
  expect(await bill({ tools, messages })).toEqual([0, written, 0, 0]);
});

test("the cache is bounded and forgets the least recently used", () => {
  const cache = new PromptCache(new ManualClock(), 2);
  const prompt = (hash: string) => ({
    blocks: [{ hash, tokensUpTo: BIG, lifetime: "5m" as const }],
    tokens: BIG,
    digest: hash,
  });
  const read = (hash: string) => {
    const { usage, begin } = cache.look(prompt(hash), "m");
    begin();
    return usage.cacheRead > 0;
  };
  expect([read("a"), read("b"), read("a"), read("c"), cache.size]).toEqual([false, false, true, false, 2]);
  expect([read("a"), read("b")]).toEqual([true, false]);
});
