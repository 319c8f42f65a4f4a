import { describe, expect, test } from "vitest";
import { assistantPart, callsOf, content, headOf } from "../../src/agent/content.ts";
import { LIMITS } from "../../src/base/limits.ts";
import { call } from "../support/commands.ts";

const digest = `sha256:${"a".repeat(64)}`;

describe("content", () => {
  test.each([
    ["a text", "Hi."],
    ["no text", ""],
    ["a reference", { digest, bytes: 9_000, head: "It begins" }],
  ])("is %s", (_, given) => {
    expect(content.parse(given)).toEqual(given);
  });

  test.each([
    ["a digest of another kind", { digest: "md5:00", bytes: 1, head: "" }],
    ["a digest in upper case", { digest: digest.toUpperCase(), bytes: 1, head: "" }],
    ["no bytes", { digest, bytes: 0, head: "" }],
    ["a head that is too long", { digest, bytes: 9_000, head: "x".repeat(LIMITS.headBytesMax + 1) }],
    ["anything more", { digest, bytes: 1, head: "", path: "/etc/passwd" }],
    ["a number", 7],
  ])("is not %s", (_, given) => {
    expect(content.safeParse(given).success).toBe(false);
  });
});

test("what is shown of a text without reading blobs is the text, or the head of one that is long", () => {
  expect([headOf("Hi."), headOf({ digest, bytes: 9_000, head: "It begins" })]).toEqual(["Hi.", "It begins"]);
});

describe("what a model said", () => {
  test("keeps what the provider wants back, byte for byte", () => {
    const part = { type: "reasoning", text: "Hm.", providerOptions: { anthropic: { signature: "c2ln" } } };
    expect(assistantPart.parse(part)).toEqual(part);
  });

  test.each([
    ["a call without an id", call("")],
    ["a call without a name", call("a", "")],
    ["a call with an input that is no JSON", call("a", "b", { json: Number.NaN })],
    ["an unknown kind", { type: "image", text: "" }],
  ])("is not %s", (_, given) => {
    expect(assistantPart.safeParse(given).success).toBe(false);
  });

  test("its calls are those it made, in order", () => {
    const [a, b] = [call("a"), call("b")];
    expect(callsOf([{ type: "text", text: "" }, b, { type: "reasoning", text: "" }, a])).toEqual([b, a]);
    expect(callsOf([])).toEqual([]);
  });
});
