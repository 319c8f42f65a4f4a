import { describe, expect, test } from "vitest";
import { cutText, preambleOf } from "../../src/agent/render.ts";
import type { Message } from "../../src/agent/state.ts";
import { idOf } from "../support/commands.ts";

const digest = `sha256:${"a".repeat(64)}`;
const message = (from: Message["from"], report?: Partial<NonNullable<Message["report"]>>): Message => ({
  id: "m",
  seq: 2,
  time: 1,
  from,
  content: "text",
  ...(report && {
    report: { child: idOf(5), name: "worker", status: "completed", output: "", artifacts: [], ...report },
  }),
});

// These words are in the prompts of running agents: a change loses the provider's cache for every one of them.
describe("the line before a message", () => {
  test.each<[string, Message, string | undefined]>([
    ["of a person is none", message({ kind: "person", id: "ada", name: "Ada" }), undefined],
    ["of a parent that gives the task is none", message({ kind: "agent", id: idOf(1) }), undefined],
    ["of an agent names it", message({ kind: "agent", id: idOf(1), name: "parent" }), "[message from parent]"],
    ["of the runtime says so", message({ kind: "runtime" }), "[runtime]"],
    ["of a report says who ended, and how", message({ kind: "agent", name: "worker" }, {}), "[agent worker completed]"],
    [
      "of a report names what was made",
      message(
        { kind: "agent" },
        {
          artifacts: [
            { name: "map", digest, bytes: 3, mediaType: "text/plain" },
            { name: "list", digest, bytes: 40, mediaType: "text/plain" },
          ],
        },
      ),
      "[agent worker completed; artifacts: map (3 bytes), list (40 bytes)]",
    ],
    [
      "of a failure says why",
      message({ kind: "agent" }, { status: "failed", error: { code: "TIMED_OUT", message: "too slow" } }),
      "[agent worker failed: TIMED_OUT: too slow]",
    ],
  ])("%s", (_, given, line) => {
    expect(preambleOf(given)).toBe(line);
  });
});

test("a text that was cut says how long it is, and how to read on", () => {
  expect(cutText({ digest, bytes: 10_000, head: "It begins" })).toBe(
    `It begins\n[cut: 10000 bytes in total; read the rest with read_artifact ref=${digest}]`,
  );
});
