import { expect, test } from "vitest";
import { z } from "zod";
import { defineTool } from "../../src/tools/define.ts";
import { call, failureOf, toolContext } from "./context.ts";

const tool = defineTool({
  name: "greet",
  description: "Greet.",
  input: z.object({
    who: z.string().min(1).describe("Whom."),
    times: z.int().min(1).max(3).default(1),
    style: z.object({ loud: z.boolean().describe("Shout.") }).optional(),
  }),
  run: ({ who, times, style }) => `hello ${who} `.repeat(times) + (style?.loud ? "!" : ""),
});

test("the function sees the input with its defaults", async () => {
  expect(await call(tool, { who: "you" }, toolContext())).toBe("hello you ");
});

test("the model is shown a draft 7 schema with keys in a fixed order and no other fields allowed", () => {
  expect(JSON.stringify(tool.inputSchema)).toBe(
    '{"type":"object","properties":{"who":{"type":"string","description":"Whom.","minLength":1},' +
      '"times":{"type":"integer","default":1,"maximum":3,"minimum":1},' +
      '"style":{"type":"object","properties":{"loud":{"type":"boolean","description":"Shout."}},"required":["loud"]}},' +
      '"required":["who"],"additionalProperties":false}',
  );
});

test.each([
  [{}, /^who: .*string/],
  [{ who: 1 }, /^who: .*string/],
  [{ who: "a", times: 9 }, /^times: .*3/],
  [{ who: "a", style: { loud: "yes" } }, /^style\.loud: .*boolean/],
  [{ who: "a", whom: "b" }, /^no such field: "whom"; the fields are: who, times, style$/],
  [null, /^input: .*object/],
  ["text", /^input: .*object/],
  [[], /^input: .*object/],
])("a bad input %j names the field", async (input, message) => {
  const failure = await failureOf(call(tool, input, toolContext()));
  expect(failure.code).toBe("INPUT_INVALID");
  expect(failure.message).toMatch(message);
});

test("a call that was cut off is not repeated unless the tool says that it may be", () => {
  expect(tool.onUnknownOutcome).toBe("report");
});
