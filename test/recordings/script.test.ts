/** From a record to a script and back: whatever shape a record has, its folded journal gives back exactly what it holds. */
import { mkdtemp, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { gzipSync } from "node:zlib";
import fc from "fast-check";
import { afterAll, beforeAll, expect, test } from "vitest";
import type { Json } from "../../src/agent/content.ts";
import { type RecordedMessage, type RecordedRun, readRuns } from "../../src/recordings/format.ts";
import { replay } from "../../src/recordings/replay.ts";
import { scriptOf } from "../../src/recordings/script.ts";

let folder = "";
beforeAll(async () => {
  folder = await mkdtemp(join(tmpdir(), "banyan-recordings-"));
});
afterAll(() => rm(folder, { recursive: true, force: true }));

const user = (content: string, more: Record<string, Json> = {}): RecordedMessage => ({
  role: "user",
  content,
  ...more,
});
const said = (content: string, more: Record<string, Json> = {}): RecordedMessage => ({
  role: "assistant",
  content,
  ...more,
});
const result = (tool_call_id: string, content: string, more: Record<string, Json> = {}): RecordedMessage => {
  return { role: "tool", content, tool_call_id, ...more };
};
const calls = (...ids: string[]) => ({ tool_calls: ids.map((id) => ({ id, name: `tool_${id}`, input: { id } })) });

/** Shapes that real records have, and some that none should. */
const ODD: Readonly<Record<string, readonly RecordedMessage[]>> = {
  "ends with a person": [user("hello"), said("hi"), user("bye")],
  "begins with the model": [said("welcome"), user("hello"), said("hi")],
  "begins with a tool": [result("a", "out of nowhere"), said("hm")],
  "says nothing": [user(""), said(""), user(""), said("")],
  "speaks twice": [user("go"), said("first"), said("second"), said("third")],
  "is asked twice": [user("one"), user("two"), said("both")],
  "answers out of order": [
    user("go"),
    said("", calls("a", "b")),
    result("b", "second"),
    result("a", "first"),
    said("done"),
  ],
  "answers twice": [user("go"), said("", calls("a")), result("a", "once"), result("a", "twice"), said("done")],
  "answers what nobody asked": [user("go"), said("", calls("a")), result("x", "who?"), result("a", "ok"), said("done")],
  "answers late": [user("go"), said("", calls("a")), user("hurry"), result("a", "at last"), said("done")],
  "never answers": [user("go"), said("", calls("a", "b")), result("a", "ok"), said("on I go")],
  "ends with calls": [user("go"), said("calling", calls("a"))],
  "asks for the same again": [
    user("go"),
    said("", calls("a")),
    result("a", "1"),
    said("", calls("a")),
    result("a", "2"),
  ],
  "has empty calls": [user("go", { tool_calls: [] }), said("done", { tool_calls: [] })],
  "has empty reasoning": [user("go"), said("done", { reasoning: "" })],
  thinks: [user("go"), said("done", { reasoning: "hm", ts: 5, agent: "writer", nested: { a: [1, null, "x"] } })],
  "has odd text": [
    user("\u0000\ud800 tail"),
    said("e\u0301\n\r\n\t"),
    user("x".repeat(20_000)),
    said("ä".repeat(20_000)),
  ],
  "is nothing but people": [user("hello"), user("anyone?")],
};

async function write(name: string, runs: readonly RecordedRun[]): Promise<string> {
  const file = join(folder, name);
  const lines = runs.map((run) => JSON.stringify(run)).join("\n");
  await writeFile(file, name.endsWith(".gz") ? gzipSync(lines) : lines);
  return file;
}

test("records of every shape come back as they were", async () => {
  const runs = Object.entries(ODD).map(([id, messages]) => ({ id, messages: [...messages] }));
  const file = await write("odd.jsonl.gz", runs);
  const report = await replay(file, join(folder, "odd"), { concurrency: 4 });
  expect(report).toMatchObject({ runs: runs.length, completed: runs.length, different: [], messagesEqual: true });
  const again = await replay(file, join(folder, "odd"), { concurrency: 4 });
  expect(again).toEqual(report);
}, 60_000);

test("a record that differs from what was replayed is named", async () => {
  const messages = [user("go"), said("done")];
  await replay(await write("one.jsonl", [{ id: "run", messages }]), join(folder, "differs"), { concurrency: 1 });
  const file = await write("other.jsonl", [{ id: "run", messages: [user("go"), said("not done")] }]);
  const report = await replay(file, join(folder, "differs"), { concurrency: 1 });
  expect(report).toMatchObject({ messagesEqual: false, different: ["run"], completed: 1 });
});

test("recorded usage is counted and paid for at the recorded model's price", async () => {
  const usage = { calls: [{ in: 1_000, out: 100, cache_read: 5_000, cache_write: 200, model: "claude-sonnet-4-5" }] };
  const file = await write("usage.jsonl", [{ id: "run", messages: [user("go"), said("done")], usage }]);
  const report = await replay(file, join(folder, "usage"), { concurrency: 1 });
  expect(report.usage).toEqual({ input: 1_000, output: 100, cacheRead: 5_000, cacheWrite: 200 });
  expect(report.costUsd).toBeCloseTo((1_000 * 3 + 100 * 15 + 5_000 * 0.3 + 200 * 3.75) / 1e6, 9);
});

test("what is no recorded run is refused, with its line", async () => {
  const bad = join(folder, "bad.jsonl");
  await writeFile(bad, `${JSON.stringify({ id: "a", messages: [] })}\n\n{"id":"b"}\n`);
  await expect(Array.fromAsync(readRuns(bad))).rejects.toMatchObject({
    code: "INPUT_INVALID",
    message: expect.stringContaining("bad.jsonl:3"),
  });
  await expect(replay(await write("empty.jsonl", []), join(folder, "empty"), { concurrency: 1 })).rejects.toMatchObject(
    {
      code: "INPUT_INVALID",
    },
  );
  const twice = await write("twice.jsonl", [
    { id: "same", messages: [user("a"), said("b")] },
    { id: "same", messages: [user("c"), said("d")] },
  ]);
  await expect(replay(twice, join(folder, "twice"), { concurrency: 2 })).rejects.toMatchObject({
    code: "INPUT_INVALID",
  });
  await expect(Array.fromAsync(readRuns(join(folder, "not-there.jsonl.gz")))).rejects.toMatchObject({ code: "ENOENT" });
});

test("a script loses nothing of a record, in order", () => {
  const message = fc.oneof(
    fc.string().map((text) => user(text)),
    fc.tuple(fc.string(), fc.uniqueArray(fc.constantFrom("a", "b", "c"), { maxLength: 3 })).map(([text, ids]) => {
      return said(text, ids.length > 0 ? calls(...ids) : {});
    }),
    fc.tuple(fc.constantFrom("a", "b", "c", "d"), fc.string()).map(([id, text]) => result(id, text)),
  );
  fc.assert(
    fc.property(fc.array(message, { maxLength: 20 }), (messages) => {
      const script = scriptOf({ id: "run", messages });
      const texts = [
        ...script.opening.map(({ text }) => text),
        ...script.acts.flatMap(({ said: { text }, results, told }) => [
          text,
          ...results.map((each) => each.text),
          ...told.map((each) => each.text),
        ]),
      ];
      expect(texts.sort()).toEqual(messages.map(({ content }) => content).sort());
      expect(script.acts.length).toBe(messages.filter(({ role }) => role === "assistant").length);
    }),
  );
});
