/** Replays: what is refused, how a run is found, how fast it is played; and every recorded run there is. */

import { hash } from "node:crypto";
import { describe, expect, test } from "vitest";
import { createProvider } from "../../../src/simulator/provider.ts";
import { type RecordedRun, readRuns } from "../../../src/simulator/replay/recorded-run.ts";
import { replayMind } from "../../../src/simulator/replay/replay.ts";
import { JumpingClock } from "../clocks.ts";
import { ask, MODEL, send } from "../in-process.ts";
import { expressible, replayRun } from "./client.ts";
import { recordings, SKIPPED } from "./recordings.ts";

const long = "line\n".repeat(3_000);
const run: RecordedRun = {
  id: "r",
  system: "Be brief.",
  tools: ["look"],
  messages: [
    { role: "user", content: "Go." },
    {
      role: "assistant",
      content: "Looking.\n",
      reasoning: "hm",
      tool_calls: [
        { id: "c1", name: "look", input: { at: 1 } },
        { id: "c2", name: "look", input: {} },
      ],
    },
    { role: "tool", content: "seen", tool_call_id: "c2" },
    { role: "tool", content: long, tool_call_id: "c1" },
    { role: "user", content: "And?" },
    { role: "assistant", content: "First. ", ts: "2026-01-01T00:00:10Z" },
    { role: "assistant", content: "Second.", ts: "2026-01-01T00:00:14Z" },
    { role: "user", content: "Thanks." },
  ],
  usage: {
    calls: [
      { in: 1, out: 20, cache_read: 3, cache_write: 4 },
      { in: 5, out: 6 },
      { in: 7, out: 8 },
    ],
  },
};

const go = { role: "user" as const, content: "Go." };
const looking = {
  role: "assistant" as const,
  content: [
    { type: "text", text: "Looking.\n" },
    { type: "tool_use", id: "c1", name: "look", input: { at: 1 } },
    { type: "tool_use", id: "c2", name: "look", input: {} },
  ],
};
const cutLong = `${long.slice(0, 2_000)}\n[cut: ${long.length} bytes in total; read the rest with read_artifact ref=sha256:${hash("sha256", long)}]`;
const result = (id: string, content: string) => ({ type: "tool_result", tool_use_id: id, content });
const seen = (of = long, first = "seen", words = "And?") => ({
  role: "user" as const,
  content: [result("c1", of), result("c2", first), { type: "text", text: words }],
});
const first = { role: "assistant" as const, content: "First." };
const system = run.system;
const provider = createProvider({ mind: replayMind([run]) });

describe("a request is answered with its turn", () => {
  test.each([
    [
      "the first",
      [go],
      {
        content: [
          { type: "thinking", thinking: "hm" },
          { text: "Looking.\n" },
          { id: "c1", input: { at: 1 } },
          { id: "c2" },
        ],
        stop_reason: "tool_use",
        usage: { input_tokens: 1, output_tokens: 20, cache_read_input_tokens: 3, cache_creation_input_tokens: 4 },
      },
    ],
    [
      "after results",
      [go, looking, seen()],
      { content: [{ text: "First. " }], stop_reason: "pause_turn", usage: { input_tokens: 5, output_tokens: 6 } },
    ],
    ["after a result that was cut for the model", [go, looking, seen(cutLong)], { content: [{ text: "First. " }] }],
    [
      "after its own words, trimmed",
      [go, looking, seen(), first],
      { content: [{ text: "Second." }], stop_reason: "end_turn" },
    ],
    [
      "after the record's end",
      [
        go,
        looking,
        seen(),
        {
          role: "assistant" as const,
          content: [
            { type: "text", text: "First. " },
            { type: "text", text: "Second." },
          ],
        },
        { role: "user" as const, content: "Thanks." },
      ],
      { content: [], stop_reason: "end_turn", usage: { output_tokens: 0 } },
    ],
  ])("%s", async (_name, messages, expected) => {
    expect(await ask(provider, { system, messages })).toMatchObject({ status: 200, json: expected });
  });
});

describe("the first difference is refused", () => {
  const bad = {
    ...looking,
    content: [looking.content[0], { ...looking.content[1], input: { at: 2 } }, looking.content[2]],
  };
  test.each<[string, object, string | RegExp]>([
    [
      "system",
      { system: "Be long.", messages: [go] },
      /system: sent "Be long\." where "Be brief\." was recorded, different from character 3/,
    ],
    [
      "a user's words",
      { system, messages: [{ role: "user", content: "Go!" }] },
      /recorded message 0 \(user\): sent "Go!" where "Go\."/,
    ],
    [
      "more words",
      { system, messages: [go, { role: "user", content: "Now." }] },
      /recorded message 0 \(user\): more was sent.*"Now\."/,
    ],
    [
      "words left out",
      { system, messages: [go, looking, { ...seen(), content: seen().content.slice(0, 2) }] },
      /recorded message 4 \(user\): it was not sent/,
    ],
    ["a result", { system, messages: [go, looking, seen(long, "SEEN")] }, /recorded message 2 \(tool\): sent "SEEN"/],
    [
      "a result cut with another digest",
      { system, messages: [go, looking, seen(cutLong.replace(/ref=sha256:./, "ref=sha256:g"))] },
      /recorded message 3/,
    ],
    [
      "a result cut with another digest that looks fine",
      {
        system,
        messages: [go, looking, seen(cutLong.replace(/ref=sha256:[0-9a-f]{64}/, `ref=sha256:${"0".repeat(64)}`))],
      },
      /recorded message 3/,
    ],
    [
      "the model's words",
      {
        system,
        messages: [go, { ...looking, content: [{ type: "text", text: "Look." }, ...looking.content.slice(1)] }, seen()],
      },
      /recorded message 1 \(assistant\): sent "Look\./,
    ],
    [
      "the model's words trimmed too early",
      {
        system,
        messages: [
          go,
          { ...looking, content: [{ type: "text", text: "Looking." }, ...looking.content.slice(1)] },
          seen(),
        ],
      },
      /recorded message 1 \(assistant\)/,
    ],
    ["a call's input", { system, messages: [go, bad, seen()] }, /recorded message 1 \(assistant\): sent .*at\\":2/],
    [
      "a turn too many",
      {
        system,
        messages: [
          go,
          looking,
          seen(),
          first,
          { role: "assistant", content: "Second." },
          { role: "user", content: "Thanks." },
          { role: "assistant", content: "x" },
        ],
      },
      /goes on where the record ends|trimmed|recorded message 5/,
    ],
    [
      "no room for the answer",
      { system, messages: [go], max_tokens: 19 },
      "max_tokens: 19 is less than the 20 tokens of message 1 of r",
    ],
  ])("%s", async (_name, body, says) => {
    const { status, json } = await ask(provider, body);
    expect(status).toBe(400);
    if (typeof says === "string") expect(json.error.message).toBe(says);
    else expect(json.error.message).toMatch(says);
  });
});

describe("a run is found", () => {
  const other: RecordedRun = {
    id: "other",
    tools: [],
    messages: [
      { role: "user", content: "Go." },
      { role: "assistant", content: "Gone." },
    ],
  };
  const both = createProvider({ mind: replayMind([run, other]) });
  test("by header, else by metadata", async () => {
    expect((await ask(both, [go], { headers: { "x-banyan-run": "other" } })).json.content[0].text).toBe("Gone.");
    expect((await ask(both, { messages: [go], metadata: { user_id: "other" } })).json.content[0].text).toBe("Gone.");
    expect((await ask(both, [go])).json.error.message).toMatch(/say which run/);
    expect((await ask(both, [go], { headers: { "x-banyan-run": "nope" } })).status).toBe(404);
  });
});

test("a run that begins with the assistant is opened by any one text", async () => {
  const greeting: RecordedRun = {
    id: "g",
    tools: [],
    messages: [
      { role: "assistant", content: "Hi!" },
      { role: "user", content: "Yo." },
      { role: "assistant", content: "Well." },
    ],
    usage: { calls: [{ in: 9, out: 2 }] },
  };
  const provider = createProvider({ mind: replayMind([greeting]) });
  const open = { role: "user", content: "(begin)" };
  expect((await ask(provider, [open])).json).toMatchObject({
    content: [{ text: "Hi!" }],
    usage: { input_tokens: 0, output_tokens: 0 },
  });
  const said = [open, { role: "assistant", content: "Hi!" }, { role: "user", content: "Yo." }];
  expect((await ask(provider, said)).json).toMatchObject({
    content: [{ text: "Well." }],
    usage: { input_tokens: 9, output_tokens: 2 },
  });
});

test.each([
  [1, 4_000],
  [8, 500],
])("speed %i: token by token in the recorded time", async (speed, expectedMs) => {
  const clock = new JumpingClock();
  const provider = createProvider({ mind: replayMind([run], { speed }), clock });
  const { body } = await send(provider, {
    model: MODEL,
    max_tokens: 100,
    system,
    messages: [go, looking, seen(), first],
    stream: true,
  });
  let texts = 0;
  for await (const _ of body) texts++;
  expect(clock.monotonic()).toBeCloseTo(expectedMs);
  expect(texts).toBeGreaterThanOrEqual(2);
});

/** All turns are a few gigabytes of requests; `BANYAN_DATA_ALL=1` plays them, CI plays the start of a few runs of each source. */
const all = process.env.BANYAN_DATA_ALL === "1";
const RUNS_MAX = all ? Number.POSITIVE_INFINITY : 6;
const MESSAGES_MAX = all ? Number.POSITIVE_INFINITY : 160;
const sources = [...recordings()];
if (sources.length === 0) console.log(SKIPPED);

describe.skipIf(sources.length === 0)("every recorded run", () => {
  test.each(sources)("%s", { timeout: 600_000 }, async (_source, path) => {
    const runs: RecordedRun[] = [];
    for await (const run of readRuns(path)) {
      if (runs.length < RUNS_MAX) runs.push({ ...run, messages: run.messages.slice(0, MESSAGES_MAX) });
    }
    expect(runs.length).toBeGreaterThan(0);
    const provider = createProvider({ mind: replayMind(runs) });
    for (const run of runs) {
      const { said, tokens, stopReasons } = await replayRun(provider, run);
      const recorded = run.messages.filter(({ role }) => role === "assistant");
      expect(said, run.id).toEqual(recorded.map(expressible));
      expect(stopReasons).not.toContain("max_tokens");
      const calls = run.usage?.calls;
      const missing = recorded.length - (calls?.length ?? 0);
      if (calls && (missing === 0 || (missing === 1 && run.messages[0]?.role === "assistant"))) {
        expect(tokens.output).toBe(calls.reduce((sum, call) => sum + call.out, 0));
        expect(tokens.cacheRead).toBe(calls.reduce((sum, call) => sum + (call.cache_read ?? 0), 0));
      }
    }
  });
});
